"""The scikit-learn forecaster of windows."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from birnn.arrays import Array
from birnn.data.series.panel import Clock, Panel
from birnn.data.series.windows import Scaling, WindowSplit
from birnn.data.steps import LARGEST
from birnn.errors import BirnnError
from birnn.tasks.api.estimator import BirnnEstimator, InputError, provenance
from birnn.tasks.core.task import TaskData
from birnn.tasks.forecast.fit import forecast_split
from birnn.tasks.forecast.info import ForecastInfo, auto_members, auto_normalise, choose_shape

SERIES = "window"  # what the one series of a forecaster is called in its run


class Forecaster(RegressorMixin, BirnnEstimator):  # type: ignore[misc]
    """A forecaster of windows: ``X`` ``[N, L]`` is what was seen, ``y`` ``[N, H]`` what came next.

    ``y`` may be ``[N]`` for one step. Rows should stand in the order of time: the last
    ``validation_fraction`` of them choose the epoch and the share of the linear map, so that no
    later window is trained on. Windows that overlap share values: cross-validate with
    :class:`sklearn.model_selection.TimeSeriesSplit` and a gap of ``L + H``.

    Points alone: no intervals are calibrated. ``score`` is R², the mean over the steps ahead.
    """

    __module__ = "birnn"  # what a pickle names
    task: ClassVar[str] = "forecast"

    def __sklearn_tags__(self) -> Any:
        """Several steps ahead at once."""
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> "Forecaster":
        """Learn from ``N`` windows.

        Raises:
            ValueError: what is no number, or too few windows.
        """
        X, y = validate_data(
            self, X, y, multi_output=True, y_numeric=True, dtype=np.float64, ensure_min_samples=4
        )
        ahead = np.asarray(y, dtype=np.float64)
        self._flat = ahead.ndim == 1
        ahead = ahead[:, None] if self._flat else ahead
        _check_size(X, "X")
        _check_size(ahead, "y")
        task, (rows, lookback), horizon = self._task(), X.shape, ahead.shape[1]
        held_out = min(max(1, round(self.validation_fraction * rows)), rows - 1)
        trained = rows - held_out
        shift, scale = _shift_and_scale(X[:trained], ahead[:trained])
        config, source = task.config, f"{rows:,} windows in memory"
        data = dataclasses.replace(config.data, data=source, lookback=lookback, horizon=horizon)
        task = type(task)(dataclasses.replace(config, data=data))
        season = max(config.data.season, 1)
        panel = _panel(np.hstack([X, ahead]), season)
        try:
            shape = choose_shape(panel, panel.ends, lookback, horizon, config.model.segment)
        except BirnnError as error:
            raise InputError(str(error)) from None
        info = ForecastInfo(
            [SERIES], shape, _scaling(shift, scale, 1), panel.clock, season, [], [], [], False, (),
            1, config.model.members or auto_members(trained),
            config.model.normalise.replace("auto", auto_normalise(1)),
        )  # fmt: skip
        whole = _windows(panel, info)
        validation = whole.chosen(np.arange(trained, rows))
        parts = {"train": whole.chosen(np.arange(trained)), "validation": validation}
        parts["calibration"] = validation
        told = provenance(trained, held_out, "windows", config.train.seed)
        told["splits"] = [f"validation: the last {held_out:,} windows"]
        self._learn(task, TaskData(parts, info, told))
        return self

    def predict(self, X: Any) -> Array:
        """``[N, H]``, or ``[N]`` where ``y`` was ``[N]``."""
        run = self._fitted()
        X = validate_data(self, X, reset=False, dtype=np.float64)
        _check_size(X, "X")
        info = run.loaded.info
        split = _windows(_panel(X, info.season), info)
        loaded: Any = run.loaded
        forecasts = forecast_split(loaded.task, loaded.model, split, info)
        points: Array = np.asarray(forecasts.values, np.float64)
        return points[:, 0] if self._flat else points


def _shift_and_scale(*parts: Array) -> tuple[float, float]:
    """Mean and deviation of what is trained on; 1 for a deviation that is none."""
    values = np.concatenate([part.ravel() for part in parts])
    shift, scale = float(values.mean()), float(values.std())
    return shift, scale if scale > 1e-12 * max(1.0, abs(shift)) else 1.0


def _check_size(values: Array, name: str) -> None:
    if np.abs(values).max(initial=0.0) > LARGEST:
        raise InputError(f"{name}: holds a number beyond {LARGEST:g}; divide it")


def _panel(rows: Array, season: int) -> Panel:
    """``[N, T]`` as ``N`` series of one name: they share their scale."""
    count, steps = rows.shape
    offsets = np.arange(count + 1, dtype=np.int64) * steps
    none = np.zeros((count * steps, 0))
    return Panel(
        [SERIES] * count, np.zeros(count, dtype=np.int64), offsets,
        np.full(count, steps, dtype=np.int64), np.ascontiguousarray(rows).ravel(), Clock(), season,
        offsets[:-1], none, none, np.zeros((count, 0)),
    )  # fmt: skip


def _scaling(shift: float, scale: float, count: int) -> Scaling:
    none = np.zeros((2, 0))
    return Scaling(np.full(count, shift), np.full(count, scale), none, none, none)


def _windows(panel: Panel, info: ForecastInfo) -> WindowSplit:
    """A window a series, after its first ``L`` steps."""
    count = len(panel)
    scaling = _scaling(float(info.scaling.shift[0]), float(info.scaling.scale[0]), count)
    origin = np.full(count, info.shape.lookback, dtype=np.int64)
    numbers = np.arange(count, dtype=np.int64)
    return WindowSplit(panel, info.shape, scaling, numbers, origin, np.ones_like(numbers))
