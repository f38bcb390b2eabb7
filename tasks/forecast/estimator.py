"""scikit-learn estimators of numbers: a forecaster of windows, a regressor of sequences."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import validate_data

from birnn.arrays import Array
from birnn.data.series.panel import Clock, Panel
from birnn.data.series.windows import Scaling, WindowSplit
from birnn.data.steps import LARGEST, StepSplit
from birnn.errors import BirnnError
from birnn.tasks.api.estimator import BirnnEstimator, InputError, provenance
from birnn.tasks.core.task import TaskData
from birnn.tasks.forecast.fit import forecast_split
from birnn.tasks.forecast.info import ForecastInfo, auto_members, auto_normalise, choose_shape
from birnn.tasks.regression.task import StepInfo
from birnn.tasks.serving.python_inputs import step_features

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
        seen = np.concatenate([X[:trained].ravel(), ahead[:trained].ravel()])
        shift, scale = float(seen.mean()), float(seen.std())
        scale = scale if scale > 1e-12 * max(1.0, abs(shift)) else 1.0
        config = task.config
        data = dataclasses.replace(
            config.data, data=f"{rows:,} windows in memory", lookback=lookback, horizon=horizon
        )
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
        parts = {
            "train": whole.chosen(np.arange(trained)),
            "validation": whole.chosen(np.arange(trained, rows)),
        }
        parts["calibration"] = parts["validation"]
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
        task: Any = run.loaded.task
        model: Any = run.loaded.model
        points: Array = np.asarray(forecast_split(task, model, split, info).values, np.float64)
        return points[:, 0] if self._flat else points


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


class SequenceRegressor(RegressorMixin, BirnnEstimator):  # type: ignore[misc]
    """A regressor of each step: ``X`` is a list of ``[T, F]`` or ``[N, T, F]``, ``y`` of ``[T]``.

    ``score`` is R² over all steps.
    """

    __module__ = "birnn"  # what a pickle names
    task: ClassVar[str] = "regression"

    def __sklearn_tags__(self) -> Any:
        """Sequences in, not rows."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any) -> "SequenceRegressor":
        """Learn from ``N`` sequences and their targets.

        Raises:
            InputError: shapes that don't match, what is no number, or too few sequences.
        """
        features, targets = _steps(X), _targets(y)
        _check_pairs(features, targets)
        task = self._task()
        seed, count = task.config.train.seed, len(features)
        size = max(1, round(self.validation_fraction * count))
        if size >= count:
            raise InputError(f"X: {count} sequences are too few to cut validation from")
        order = np.random.default_rng(seed).permutation(count)
        rows = {"validation": np.sort(order[:size]), "train": np.sort(order[size:])}
        parts = {k: ([features[i] for i in p], [targets[i] for i in p]) for k, p in rows.items()}
        x, target = (np.concatenate(part) for part in parts["train"])
        scaler = StandardScaler().fit(np.column_stack([x, target]))
        width = x.shape[1]
        names = [f"x{i + 1}" for i in range(width)]
        info = StepInfo(names, "target", scaler.mean_, scaler.scale_)
        where = dataclasses.replace(task.config.data, data=f"{count:,} sequences in memory")
        task = type(task)(dataclasses.replace(task.config, data=where))
        splits = {k: StepSplit(*part, info.shift, info.scale) for k, part in parts.items()}
        self._learn(task, TaskData(splits, info, provenance(count - size, size, "sequences", seed)))
        self.n_features_in_ = width
        return self

    def predict(self, X: Any) -> Any:
        """``[T]`` for each sequence: a list, or ``[N, T]`` for an array ``[N, T, F]``."""
        run = self._fitted()
        features = _steps(X, self.n_features_in_)
        return run.predict(
            np.stack(features) if isinstance(X, np.ndarray) and X.ndim == 3 else features
        )

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R² over all steps."""
        if sample_weight is not None:
            raise InputError("sample_weight: sequences are scored step by step, unweighted")
        features, targets = _steps(X), _targets(y)
        _check_pairs(features, targets)
        found = self.predict(features)
        return float(r2_score(np.concatenate(targets), np.concatenate(found)))


def _steps(X: Any, size: int | None = None) -> list[Array]:
    try:
        found = step_features(X, size)
    except BirnnError as error:
        raise InputError(f"X: {error}") from None
    if not found:
        raise InputError("X: holds no sequence")
    return found


def _targets(y: Any) -> list[Array]:
    try:
        return [part[:, 0] for part in step_features([np.reshape(row, (-1, 1)) for row in y], 1)]
    except BirnnError as error:
        raise InputError(f"y: {error}") from None


def _check_pairs(features: list[Array], targets: list[Array]) -> None:
    if len(features) != len(targets):
        raise InputError(f"y: {len(targets)} sequences for the {len(features)} of X")
    for number, (x, y) in enumerate(zip(features, targets, strict=True), 1):
        if len(x) != len(y):
            raise InputError(f"y: sequence {number} has {len(y)} steps, X has {len(x)}")
