"""What a per-step regressor keeps of the run that it begins from."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from birnn.data.steps import StepSplit
from birnn.errors import DataError
from birnn.tasks.core.beginning import Choice
from birnn.tasks.regression.options import RegressionConfig
from birnn.tasks.regression.task import StepInfo
from birnn.tasks.warm.carrying import Axes
from birnn.tasks.warm.start import WarmStart


class RegressionStart(WarmStart[RegressionConfig, StepInfo, StepSplit]):
    """Columns of features, by name, and their scales."""

    def merged(self, old: StepInfo, fresh: StepInfo, choice: Choice) -> StepInfo:
        """Scales of columns that the run knows, where they are kept."""
        if choice.scaler == "refit":
            return fresh
        shift, scale = fresh.shift.copy(), fresh.scale.copy()
        for place, name in enumerate(fresh.features):
            if name in old.features:
                known = old.features.index(name)
                shift[place], scale[place] = old.shift[known], old.scale[known]
        if fresh.target == old.target:
            shift[-1], scale[-1] = old.shift[-1], old.scale[-1]
        return replace(fresh, shift=shift, scale=scale)

    def axes(self, task: Any, info: StepInfo) -> Axes:
        """Features, and the target."""
        cells = {f"encoder.{way}_cells.0.weight_ih": (None, info.features)
                 for way in ("forward", "backward")}  # fmt: skip
        target = [info.target]
        return {**cells, "head.linear.weight": (target, None), "head.linear.bias": (target,)}

    def names(self, info: StepInfo) -> Mapping[str, Sequence[str]]:
        """Features."""
        return {"features": info.features}

    def seen_by(self, task: Any, split: StepSplit, own: StepInfo, info: StepInfo) -> StepSplit:
        """The same sequences, scaled as the other run's.

        Raises:
            DataError: the features, or the target, are others.
        """
        if own.features != info.features or own.target != info.target:
            raise DataError("the runs have other features, or another target")
        return replace(split, shift=info.shift, scale=info.scale)

    def spoken(self, predictions: Any, other: StepInfo, common: StepInfo) -> Any:
        """In the scale of the run that is asked."""
        factor = other.scale[-1] / common.scale[-1]
        offset = (other.shift[-1] - common.shift[-1]) / common.scale[-1]
        return [np.asarray(row) * factor + offset for row in predictions]

    def content(self, split: StepSplit, info: StepInfo) -> Iterator[Any]:
        """The same."""
        return self.items(split, info)

    def items(self, split: StepSplit, info: StepInfo) -> Iterator[Hashable]:
        """Sequences with their targets."""
        for features, targets in zip(split.features, split.targets, strict=True):
            yield np.column_stack([features, targets]).tobytes()
