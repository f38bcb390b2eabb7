"""Means over folds and seeds, with intervals that know what the folds share.

The folds of one data set share most of what they train on, so that their scores are no independent
draws, and the usual t interval of their mean is too narrow. Nadeau & Bengio (2003, Machine Learning
52) widen its variance from ``s² / J`` to ``(1 / J + n_test / n_train) s²``; that is usual for
cross-validation too (Bouckaert & Frank 2004), where it is an approximation.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from birnn.tasks.scoring.bootstrap import LEVEL, Interval


@dataclass(frozen=True)
class Spread:
    """Values of one score over ``J`` folds or seeds."""

    mean: float
    std: float  # of the values, with J - 1
    low: float | None  # of the 95 % interval of the mean; None of a single value
    high: float | None
    values: list[float]

    def to_json(self) -> dict[str, float | list[float] | None]:
        """As it stands in ``metrics.json``."""
        ends = {"low": self.low, "high": self.high}
        return {"mean": self.mean, "std": self.std, **ends, "values": self.values}

    @property
    def interval(self) -> Interval:
        """The mean with its interval."""
        if self.low is None or self.high is None:
            return Interval(self.mean, self.mean, self.mean, known=False)
        return Interval(self.mean, self.low, self.high)


def spread(values: Sequence[float], test_share: float = 0.0, *, share: bool = False) -> Spread:
    """The mean of ``J`` values, their deviation, and a 95 % t interval of the mean.

    ``test_share`` is ``n_test / n_train`` of folds that share training data; 0 for independent
    values, as those of seeds are on one split. The interval of a ``share`` stays between 0 and 1.

    >>> spread([1.0, 2.0, 3.0]).mean
    2.0
    """
    from scipy.stats import t

    mean, count = statistics.fmean(values), len(values)
    if count < 2:
        return Spread(mean, 0.0, None, None, list(values))
    deviation = statistics.stdev(values)
    half = t.ppf((1 + LEVEL) / 2, count - 1) * deviation * math.sqrt(1 / count + test_share)
    low, high = mean - float(half), mean + float(half)
    if share:
        low, high = max(low, 0.0), min(high, 1.0)
    return Spread(mean, deviation, low, high, list(values))
