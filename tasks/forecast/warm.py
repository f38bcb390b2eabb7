"""What a forecaster keeps of the run that it begins from."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from birnn.arrays import Floats
from birnn.data.series.windows import Scaling, WindowSplit
from birnn.errors import DataError
from birnn.tasks.core.beginning import Choice
from birnn.tasks.forecast.fit import head_quantiles
from birnn.tasks.forecast.info import ForecastInfo
from birnn.tasks.forecast.options import ForecastConfig
from birnn.tasks.warm.carrying import Axes
from birnn.tasks.warm.start import ENCODER, WarmStart

KINDS = ("past", "future", "static")


class ForecastStart(WarmStart[ForecastConfig, ForecastInfo, WindowSplit]):
    """Columns of what is read and rows of what is forecast, by name: steps, covariates, series."""

    fixed: ClassVar = (*ENCODER, "segment", "segment_size", "members")
    refitted: ClassVar = "linear map, its share and the intervals"
    unit: ClassVar = "value"

    def config(self, config: ForecastConfig, info: ForecastInfo) -> ForecastConfig:
        """With the sizes that the run found for its data."""
        config = super().config(config, info)
        model = replace(config.model, members=info.members, segment=info.shape.segment,
                        normalise=info.normalise)  # fmt: skip
        return replace(config, model=model, data=replace(config.data, lookback=info.shape.lookback))

    def merged(self, old: ForecastInfo, fresh: ForecastInfo, choice: Choice) -> ForecastInfo:
        """Scales of series and covariates that the run knows, where they are kept."""
        if choice.scaler == "refit":
            return fresh
        before, after = old.scaling, fresh.scaling
        shift, scale = (_known(old.names, getattr(before, k), fresh.names, getattr(after, k))
                        for k in ("shift", "scale"))  # fmt: skip
        others = {
            kind: np.stack([_known(getattr(old, kind), mine, getattr(fresh, kind), theirs)
                            for mine, theirs in zip(getattr(before, kind), getattr(after, kind),
                                                    strict=True)])
            for kind in KINDS}  # fmt: skip
        return replace(fresh, scaling=Scaling(shift, scale, **others))

    def axes(self, task: Any, info: ForecastInfo) -> Axes:
        """Of a segment each step and covariate; of what is ahead each step and quantile."""
        model, segment, steps = task.config.model, info.shape.segment, range(info.shape.horizon)
        read: list[Hashable] = [("value", i) for i in range(segment)]
        read += [("mask", i) for i in range(segment) if info.masked]
        covariates = [*info.past, *info.future]
        read += [("covariate", i, name) for i in range(segment) for name in covariates]
        read += [("static", name) for name in info.static]
        read += [("series", i) for i in range(model.series_size)]
        quantiles = _quantile_names(head_quantiles(task.config, info))
        ahead: list[Hashable] = [("step", i, q) for i in steps for q in quantiles]
        if model.decoder == "segments":
            ahead = [("place", i, q) for i in range(segment) for q in quantiles]
        return {
            "embedder.linear.weight": (None, read),
            "embedder.series.weight": ([None, *info.names], range(model.series_size)),
            "head.linear.weight": (ahead, None),
            "head.linear.bias": (ahead,),
            "head.places": (range(-(-info.shape.horizon // segment)), None),
            "head.ahead.known.weight": (None, info.future),
            "head.ahead.out.weight": (quantiles, None),
            "head.ahead.out.bias": (quantiles,),
        }  # fmt: skip

    def names(self, info: ForecastInfo) -> Mapping[str, Sequence[str]]:
        """Series, and steps ahead."""
        steps = [str(step) for step in range(1, info.shape.horizon + 1)]
        found = {"series": info.names, "steps ahead": steps}
        covariates = [name for kind in KINDS for name in getattr(info, kind)]
        return {**found, "covariates": covariates} if covariates else found

    def seen_by(self, task: Any, split: WindowSplit, own: ForecastInfo,
                info: ForecastInfo) -> WindowSplit:  # fmt: skip
        """The same windows, read and scaled as the other run's.

        Raises:
            DataError: another horizon, other covariates, or steps of another length.
        """
        if own.shape.horizon != info.shape.horizon:
            steps = f"{own.shape.horizon} steps ahead, the other {info.shape.horizon}"
            raise DataError(f"one run forecasts {steps}")
        for kind in KINDS:
            if getattr(own, kind) != getattr(info, kind):
                raise DataError(f"the runs read other {kind} columns")
        clocks = [(i.clock.frequency, i.clock.step, i.clock.day) for i in (own, info)]
        if clocks[0] != clocks[1]:
            raise DataError(f"steps of {own.clock.named()}, and of {info.clock.named()}")
        # A series that the run doesn't know is scaled by what stands before the first target.
        first = np.full(len(split.panel), np.iinfo(np.int64).max)
        np.minimum.at(first, split.series, split.origin)
        ends = np.clip(first, 1, np.maximum(split.panel.ends, 1))
        return info.windows(split.panel, ends, split.series, split.origin)

    def content(self, split: WindowSplit, info: ForecastInfo) -> Iterator[Any]:
        """The series and origin of each window, then all targets."""
        panel = split.panel
        yield from zip([panel.names[i] for i in split.series], split.origin.tolist(), strict=True)
        yield from self.items(split, info)

    def items(self, split: WindowSplit, info: ForecastInfo) -> Iterator[Hashable]:
        """Each value that is a target, with its series and stamp."""
        panel = split.panel
        for series in np.unique(split.series):
            origins = split.origin[split.series == series]
            first, last = int(origins.min()), int(origins.max()) + split.horizon
            last = min(last, int(panel.ends[series]))
            values = panel.history(series)[first:last]
            stamps = panel.stamps(int(series), first, len(values))
            name = panel.names[series]
            for stamp, value in zip(stamps, values.tolist(), strict=True):
                if value == value:
                    yield name, str(stamp), value


def _known(names: Sequence[str], values: Floats, others: Sequence[str], fresh: Floats) -> Floats:
    """``fresh`` numbers of ``others``, but for the ``values`` of those among ``names``."""
    known = dict(zip(names, values.tolist(), strict=True))
    return np.array([known.get(n, x) for n, x in zip(others, fresh.tolist(), strict=True)])


def _quantile_names(quantiles: Sequence[float]) -> list[Hashable]:
    """What each number of a step is: the middle, or how far it lies from its inner neighbour."""
    middle = len(quantiles) // 2
    inner = [i + 1 if i < middle else i - 1 for i in range(len(quantiles))]
    names = [(q, quantiles[j]) for q, j in zip(quantiles, inner, strict=True) if len(quantiles) > 1]
    return [*names[:middle], "middle", *names[middle + 1 :]]
