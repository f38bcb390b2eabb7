"""What is odd about pairs: empty, equal, and wildly uneven ones."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from birnn.arrays import Floats
from birnn.data.splits.provenance import normalise

UNEVEN = 3.0  # times as long, or as short, as is usual
FEW = 12  # letters of the longer side below which no pair is called uneven
BLOCK = 200  # pairs whose lengths are compared
TOGETHER, APART = 0.5, 0.3  # correlations: at least where pairs belong together, at most where not
KINDS = {
    "empty": "with an empty side",
    "equal": "whose sides are equal",
    "uneven": "with one side unusually long",
}


class OddPairs(NamedTuple):
    """The numbers of odd pairs, from 0, by kind; a pair is of one kind at most."""

    empty: list[int]
    equal: list[int]
    uneven: list[int]


def odd_pairs(sources: Sequence[str], targets: Sequence[str]) -> OddPairs:
    """The odd pairs among ``N`` of them.

    Uneven is a pair whose ratio of letters is more than :data:`UNEVEN` times off the median ratio.
    """
    pairs = [(a.strip(), b.strip()) for a, b in zip(sources, targets, strict=True)]
    usual = median(_ratios(pairs) or [0.0])
    odd = OddPairs([], [], [])
    for number, (a, b) in enumerate(pairs):
        if not a or not b:
            odd.empty.append(number)
        elif normalise(a) == normalise(b):
            odd.equal.append(number)
        elif max(len(a), len(b)) > FEW and abs(_ratio(a, b) - usual) > math.log(UNEVEN):
            odd.uneven.append(number)
    return odd


def _ratios(pairs: Iterable[tuple[str, str]]) -> list[float]:
    return [_ratio(a, b) for a, b in pairs if a and b]


def _ratio(one: str, other: str) -> float:
    """The logarithm of how many times longer the other is."""
    return math.log(len(other) / len(one))


def apart_from(sources: Sequence[str], targets: Sequence[str]) -> int | None:
    """From which pair on, about, sources and targets don't belong together; None: they may.

    Long texts have long translations: the logarithms of lengths correlate, by 0.8 and more in most
    corpora (Gale & Church 1993). Where a line is missing on one side they do no more from there on.
    Told by blocks of :data:`BLOCK` pairs, of which two at least must say so, up to the last.
    """
    sizes = [[math.log(1 + len(text)) for text in side] for side in (sources, targets)]
    blocks = len(sources) // BLOCK
    parts = np.split(np.array(sizes)[:, : blocks * BLOCK], max(blocks, 1), axis=1)
    found = [_correlation(part) for part in parts if part.size]
    good = [k for k, value in enumerate(found) if value > APART]
    first = good[-1] + 1 if good else 0
    if blocks - first < 2 or (first > 1 and median(found[:first]) < TOGETHER):
        return None
    return first * BLOCK


def _correlation(sizes: Floats) -> float:
    """Of both rows of ``[2, B]``; 1 where one of them hardly varies."""
    if float(np.std(sizes, axis=1).min()) < 0.1:
        return 1.0
    table: Floats = np.asarray(np.corrcoef(sizes))
    return float(table[0, 1])
