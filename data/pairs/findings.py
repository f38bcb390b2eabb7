"""What is odd about pairs: empty, equal, and wildly uneven ones."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from birnn.data.splits.provenance import normalise

UNEVEN = 3.0  # times as long, or as short, as is usual
FEW = 12  # letters of the longer side below which no pair is called uneven
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
