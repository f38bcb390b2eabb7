"""How often a model is right beside how sure it is, and intervals of shares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from birnn.arrays import Array

BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """Items of about the same certainty."""

    start: float
    end: float
    items: int
    confidence: float  # their mean certainty
    accuracy: float  # the share that is right
    low: float  # the 95 % Wilson interval of that share
    high: float


def reliability_bins(confidence: Array, right: Array, bins: int = BINS) -> Sequence[ReliabilityBin]:
    """Items ``[N]`` by certainty, in equal parts of 0 to 1; empty parts are left out.

    Source: DeGroot & Fienberg 1983.
    """
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    parts = []
    for place in range(bins):
        inside = places == place
        if count := int(inside.sum()):
            hits = int(right[inside].sum())
            mean = float(confidence[inside].mean())
            parts.append(ReliabilityBin(place / bins, (place + 1) / bins, count, mean,
                                        hits / count, *wilson(hits, count)))  # fmt: skip
    return parts


def wilson(hits: int, items: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927): of ``hits`` among at least one item."""
    from scipy.stats import binomtest

    interval = binomtest(hits, items).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
