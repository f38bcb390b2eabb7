"""Which steps of the lookback moved a forecast."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from birnn.arrays import Floats
from birnn.data.series.windows import WindowSplit
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.memory import named_source
from birnn.errors import ConfigError
from birnn.nn.attribution import integrated_gradients
from birnn.nn.batch import Batch
from birnn.nn.model import device_of
from birnn.tasks.core.explanation import Cause, Explanation, Wish, chosen
from birnn.tasks.forecast.baselines import ForecastBaseline
from birnn.tasks.forecast.fit import chosen_baseline
from birnn.tasks.forecast.model import ForecastModel
from birnn.tasks.forecast.output import future_windows
from birnn.tasks.forecast.serve import read_series, remarks
from birnn.tasks.serving.explaining import Explainer
from birnn.tasks.serving.request import Request

FLAT = "a lookback that is flat at its mean"
MEAN = ", covariates and static columns at their mean in train"
EARLIER = "all before the lookback"


@dataclass(frozen=True)
class Moved:
    """What moved one forecast, in the series' own unit."""

    steps: Floats  # [n] the last steps before the origin
    others: tuple[Cause, ...]
    value: float
    baseline: float
    points: int


class ForecastExplainer(Explainer):
    """Integrated gradients from a flat lookback; exact where the run forecasts with a baseline.

    The score is the forecast of a step, or the mean of all: of the networks mixed with the linear
    map, before declared bounds are applied. Simple baselines are linear in the history, so that
    what a step adds is found by moving that step alone.
    """

    wishes: ClassVar[tuple[str, ...]] = ("step", "series")

    def asked(self, request: Request, wish: Wish) -> Iterator[Explanation]:
        """Of every series of a file, or of one."""
        if request.texts:
            raise ConfigError("a forecaster takes no texts; give a file of series with --input")
        if not request.input:
            raise ConfigError("nothing to forecast from: give the series with --input FILE")
        yield from self._of_source(request.input, request.read, wish)

    def given(self, data: Any, column: str, wish: Wish) -> Iterator[Explanation]:
        """Of a frame, a table or a path."""
        with named_source(data) as source:
            read = ReadOptions(self.run.task.config.data.encoding, table=self.table)
            yield from self._of_source(source, read, wish)

    def _of_source(self, source: str, read: ReadOptions, wish: Wish) -> Iterator[Explanation]:
        run = self.run
        panel, inspection = read_series(run, source, read)
        horizon = run.info.shape.horizon
        if not 0 <= wish.step <= horizon:
            raise ConfigError(f"step: {wish.step} is not one of 1 to {horizon}, or 0 for the mean")
        split = future_windows(panel, run.info)
        numbers = np.arange(len(split))
        if wish.series:
            series = chosen(wish.series, panel.names, "series", source)
            numbers = np.flatnonzero(split.series == series)
            if not len(numbers):
                raise ConfigError(f"series: {wish.series!r} has no history to forecast from")
        self.notes += [*inspection.notes, *remarks(panel, run.info)]
        for number in numbers:
            yield self._of_window(split.chosen([int(number)]), wish.step)

    def _of_window(self, split: WindowSplit, step: int) -> Explanation:
        run, info = self.run, self.run.info
        assert isinstance(run.model, ForecastModel)
        steps = [step - 1] if step else list(range(split.horizon))
        baseline = chosen_baseline(run.model, info)
        found = (
            attribute_networks(run.model, split, steps, info.past + info.future, info.future,
                               info.static)
            if baseline is None
            else attribute_baseline(baseline, split, steps)
        )  # fmt: skip
        number, origin = int(split.series[0]), int(split.origin[0])
        count = len(found.steps)
        stamps = split.panel.stamps(number, origin - count, count)
        values = split.panel.history(number)[origin - count : origin]
        causes = tuple(
            Cause(str(stamp), float(weight), value=float(v) if np.isfinite(v) else None)
            for stamp, weight, v in zip(stamps, found.steps, values, strict=True)
        )
        ahead = split.panel.stamps(number, origin, split.horizon)
        target = str(ahead[step - 1]) if step else f"mean of {split.horizon} steps ahead"
        moved = sum(cause.weight for cause in (*causes, *found.others))
        nothing = FLAT + (MEAN if baseline is None and found.others else "")
        return Explanation(
            run.task.name, target, f"forecast, {target}", run.task.config.data.target or "value",
            found.value, found.baseline, nothing, causes, found.value - found.baseline - moved,
            found.points, others=found.others, item=split.panel.names[number],
            notes=tuple(self._notes(baseline, found.value)),
        )  # fmt: skip

    def _notes(self, baseline: ForecastBaseline | None, value: float) -> Iterator[str]:
        if baseline is not None:
            yield f"this run forecasts with {baseline.label}, which was best on validation"
        model = self.run.task.config.model
        low = -np.inf if model.min is None else model.min
        high = np.inf if model.max is None else model.max
        if not low <= value <= high:
            yield f"predict keeps the forecast within {low:g} and {high:g}"


def attribute_networks(
    model: ForecastModel, split: WindowSplit, steps: Sequence[int], before: Sequence[str],
    ahead: Sequence[str], static: Sequence[str],
) -> Moved:  # fmt: skip
    """What moved the networks' forecast of the one window of ``split``, mean over ``steps``.

    ``before``, ``ahead`` and ``static`` name the covariates of the lookback and of the steps ahead,
    and the static columns.
    """
    batch = split.batch(np.array([0])).to(device_of(model))
    names = {"segments": None, "covariates": before, "ahead": ahead, "static": static}
    moving = {name: batch.inputs[name] for name in names if name in batch.inputs}
    seen = batch.inputs["observed"] > 0
    values = batch.inputs["segments"]
    level = values[seen].mean() if bool(seen.any()) else values.new_zeros(())
    flat = torch.where(seen, level, values)
    blank = {name: torch.zeros_like(part) for name, part in moving.items()} | {"segments": flat}
    shift, scale = (float(part[split.series[0]]) for part in (split.shift, split.scale))

    def score(points: list[Tensor]) -> Tensor:
        count = len(points[0])
        inputs = {name: part.expand(count, *part.shape[1:]) for name, part in batch.inputs.items()}
        inputs |= dict(zip(moving, points, strict=True))
        mixed = model(Batch(inputs, batch.lengths.expand(count))).mixed
        median = mixed[:, list(steps), mixed.shape[-1] // 2].double()
        scaled: Tensor = median.mean(1) * scale + shift
        return scaled

    found = integrated_gradients(
        score, [part[0] for part in moving.values()], [blank[name][0] for name in moving]
    )
    parts = dict(zip(moving, found.parts, strict=True))
    row = parts.pop("segments").flatten().numpy()
    others = []
    where = {"covariates": " (lookback)", "ahead": " (ahead)", "static": ""}
    for name, part in parts.items():
        for column, weight in zip(names[name] or (), part.flatten(0, -2).sum(0)
                                  if part.dim() > 1 else part, strict=True):  # fmt: skip
            others.append(Cause(column + where[name], float(weight)))
    count = min(len(row), split.lookback, int(split.origin[0]))
    return Moved(row[-count:], tuple(others), found.value, found.baseline, found.points)


def attribute_baseline(
    baseline: ForecastBaseline, split: WindowSplit, steps: Sequence[int]
) -> Moved:
    """What moved a baseline's forecast of the one window of ``split``, exactly: it is linear."""
    panel, series, origin = split.panel, int(split.series[0]), int(split.origin[0])
    first, whole = int(panel.offsets[series]), panel.history(series)[:origin]
    count = min(split.lookback, origin)
    known = np.isfinite(whole)
    near = whole[-count:][known[-count:]]
    flat = np.where(known, (near if len(near) else whole[known]).mean(), np.nan)

    def forecast(history: Floats) -> float:
        values = panel.values.copy()
        values[first : first + origin] = history
        moved = replace(split, panel=replace(panel, values=values))
        return float(baseline.forecast(moved, np.array([0]))[0, list(steps)].mean())

    value = forecast(whole)

    def weight(places: slice) -> float:
        history = whole.copy()
        history[places] = flat[places]
        return value - forecast(history)

    rows = range(origin - count, origin)
    weights = np.array([weight(slice(i, i + 1)) if known[i] else 0.0 for i in rows])
    earlier = weight(slice(0, origin - count))
    others = (Cause(EARLIER, earlier),) if earlier else ()
    return Moved(weights, others, value, forecast(flat), 0)
