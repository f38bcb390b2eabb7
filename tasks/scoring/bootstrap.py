"""Percentile bootstrap over test items, for single scores and for paired differences.

Resamples are drawn as counts of items, the same for every model that is compared, so that a
difference is always taken on the same resample (Efron & Tibshirani 1993).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from birnn.arrays import Array, Ints
from birnn.progress import tell

TOGETHER = 1_000_000  # counts that are held at once; metrics take several times their memory
RESAMPLES = 1000
LEVEL = 0.95
BOOTSTRAP_SEED = 0  # the same for all models, so that differences are paired


@dataclass(frozen=True)
class Interval:
    """A value with the bounds of its 95 % bootstrap interval.

    Without anything to resample there are none: ``known`` is False, and both bounds are the value.
    """

    value: float
    low: float
    high: float
    known: bool = True

    def to_json(self) -> dict[str, float | None]:
        """As it stands in ``metrics.json``; bounds that aren't known are null."""
        low, high = (self.low, self.high) if self.known else (None, None)
        return {"value": self.value, "low": low, "high": high}


def resample_counts(items: int, seed: int, resamples: int = RESAMPLES) -> Iterator[Array]:
    """Draw bootstrap resamples in chunks of ``[R, N]`` counts whose rows sum to ``N = items``."""
    generator = np.random.default_rng(seed)
    chunk = max(1, min(resamples, TOGETHER // max(items, 1)))
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = generator.integers(0, items, (rows, items)) + np.arange(rows)[:, None] * items
        yield np.bincount(drawn.ravel(), minlength=rows * items).reshape(rows, items).astype(float)


Replicate = Callable[[Array], Mapping[str, Array]]


def replicates(
    scores: Replicate, items: int, seed: int, groups: Ints | None = None
) -> dict[str, Array]:
    """Every score on every resample of ``N`` items: counts ``[R, N]`` → ``R`` values a metric.

    With ``groups [N]``, numbers from 0, whole groups are drawn: their items depend on each other.
    """
    parts, done = list[Mapping[str, Array]](), 0
    units = items if groups is None else int(groups.max()) + 1
    for counts in resample_counts(units, seed):
        parts.append(scores(counts if groups is None else counts[:, groups]))
        done += len(counts)
        tell("intervals from resamples", done / RESAMPLES)
    if units < 2:  # a single item is every resample: nothing is learned about chance
        return {name: np.full(RESAMPLES, np.nan) for name in parts[0]}
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def interval(value: float, values: Array) -> Interval:
    """The percentile interval of ``values``; resamples without a value are left out."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Interval(value, value, value, known=False)
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def ratio(part: Array, whole: Array, empty: float = np.nan) -> Array:
    """``part / whole``, elementwise; ``empty`` where there is nothing to divide by."""
    quotients = np.full(np.broadcast(part, whole).shape, empty)
    return np.asarray(np.divide(part, whole, out=quotients, where=whole > 0))


def with_intervals(scores: Mapping[str, float],
                   resampled: Mapping[str, Array]) -> dict[str, Interval]:  # fmt: skip
    """Join point values with their bootstrap intervals."""
    return {name: interval(value, resampled[name]) for name, value in scores.items()}
