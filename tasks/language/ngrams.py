"""Interpolated Kneser-Ney n-grams of numbers of symbols, of any order, in arrays.

Modified smoothing with three discounts an order (Chen & Goodman 1998): an order's counts are of
distinct symbols before, but for the highest and for what begins a document. The shortest order is
interpolated with equal chances for all symbols.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from birnn.arrays import Array, Ints
from birnn.data.passages.symbols import BORDER

LEAST_ORDER = 3


@dataclass(frozen=True)
class Level:
    """The n-grams of one order: ``G`` of them, whose contexts are n-grams of the order below."""

    keys: Ints  # [G] ascending: number of the context times the symbols there are, plus the symbol
    share: Array  # [G] of the context's counts, discounted
    rest: Array  # [contexts] what the discounts leave to the order below; 1: nothing is known


@dataclass(frozen=True)
class NGrams:
    """A model of ``V`` symbols."""

    symbols: int
    levels: Sequence[Level]  # orders 1, 2, …

    @classmethod
    def fit(cls, stream: Ints, symbols: int, order: int) -> "NGrams":
        """Learn from ``stream [S]``, documents between borders."""
        counts = Counts.of(stream, symbols)
        while counts.order < order and counts.grow():
            pass
        return counts.model()

    @classmethod
    def choose(cls, stream: Ints, symbols: int, most: int, validation: Ints) -> "NGrams":
        """The order that is best on another stream, of up to ``most``.

        From :data:`LEAST_ORDER` on, an order is tried until one is no better.
        """
        counts, best, lowest = Counts.of(stream, symbols), None, np.inf
        while counts.order < min(LEAST_ORDER, most) and counts.grow():
            pass
        while True:
            model = counts.model()
            loss = -float(model.read(validation)[0][1:].sum())
            if best is not None and loss >= lowest:
                return best
            best, lowest = model, loss
            if counts.order >= most or not counts.grow():
                return best

    def read(self, stream: Ints) -> tuple[Array, Ints]:
        """Log-chances ``[S]`` of each symbol of ``stream``, and how long a context is known.

        What stands before a document's border is not looked at.
        """
        stream, reach = stream.astype(np.int64), reach_back(stream)
        chance = np.full(len(stream), 1.0 / self.symbols)
        number = np.zeros(len(stream), dtype=np.int64)
        longest = np.zeros(len(stream), dtype=np.int64)
        for n, level in enumerate(self.levels, start=1):
            before = np.zeros_like(number)
            if n > 1:
                before[1:] = number[:-1]
                before[0] = -1
                before[reach < n - 1] = -1
            place = find(level.keys, before * self.symbols + stream)
            place[before < 0] = -1
            known = before >= 0
            share = np.where(place >= 0, level.share[place], 0.0)
            rest = level.rest[np.where(known, before, 0)]
            chance = np.where(known, share + rest * chance, chance)
            longest = np.where(known & (rest < 1), n - 1, longest)
            number = place
        return np.log(np.maximum(chance, 1e-30)), longest

    @property
    def sizes(self) -> list[list[int]]:
        """Of each order how many n-grams there are, and contexts."""
        return [[len(level.keys), len(level.rest)] for level in self.levels]


@dataclass
class Counts:
    """How often the n-grams of a stream stand there; of each order, from 1 on, as lists."""

    stream: Ints
    symbols: int
    reach: Ints
    uniques: list[Ints]  # their numbers: as the keys of a level
    first: list[Ints]  # where each ends for the first time
    numbers: list[Ints]  # which one ends at each place of the stream; -1: none
    times: list[Ints]

    @classmethod
    def of(cls, stream: Ints, symbols: int) -> "Counts":
        """Single symbols, counted."""
        unique, place, inverse, times = np.unique(
            stream.astype(np.int64), return_index=True, return_inverse=True, return_counts=True
        )
        return cls(stream, symbols, reach_back(stream), [unique], [place], [inverse], [times])

    @property
    def order(self) -> int:
        """The longest that are counted."""
        return len(self.uniques)

    def grow(self) -> bool:
        """Count those that are one longer; says whether there are any."""
        there = np.flatnonzero(self.reach >= self.order)
        if not len(there):
            return False
        keys = self.numbers[-1][there - 1] * self.symbols + self.stream[there]
        unique, inverse, times = np.unique(keys, return_inverse=True, return_counts=True)
        own = np.full(len(self.stream), -1, dtype=np.int64)
        own[there] = inverse
        place = np.zeros(len(unique), dtype=np.int64)
        place[inverse] = there
        for part, more in ((self.uniques, unique), (self.first, place), (self.numbers, own),
                           (self.times, times)):  # fmt: skip
            part.append(more)
        return True

    def model(self) -> NGrams:
        """Smoothed."""
        return NGrams(self.symbols, [self._level(n) for n in range(1, self.order + 1)])

    def _level(self, n: int) -> Level:
        times = self.times[n - 1].astype(np.float64)
        if n < self.order:  # distinct symbols before, but for what begins a document
            suffix = self.numbers[n - 1][self.first[n]]
            before = np.bincount(suffix, minlength=len(times)).astype(np.float64)
            begins = self.stream[self.first[n - 1] - n + 1] == BORDER
            times = np.where((begins & (n > 1)) | (before == 0), times, before)
        contexts = 1 if n == 1 else len(self.uniques[n - 2])
        return _level(self.uniques[n - 1], times, self.symbols, contexts)


def reach_back(stream: Ints) -> Ints:
    """``[S]``: how many symbols of its document stand before each, the border among them."""
    places = np.arange(len(stream))
    borders = np.where(stream == BORDER, places, 0)
    last = np.maximum.accumulate(borders)
    before = np.concatenate([[0], last[:-1]])
    reach: Ints = places - before
    return reach


def find(keys: Ints, wanted: Ints) -> Ints:
    """Where each of ``wanted`` stands in ascending ``keys``; -1: nowhere."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found: Ints = np.where(keys[places] == wanted, places, -1)
    return found


def _level(keys: Ints, count: Array, symbols: int, contexts: int) -> Level:
    """Discounted shares, and what is left, of n-grams with these counts."""
    discounts = _discounts(count)
    discount = discounts[np.minimum(count, 3).astype(np.int64)]
    context = keys // symbols
    total = np.bincount(context, weights=count, minlength=contexts)
    taken = np.bincount(context, weights=discount, minlength=contexts)
    known = total > 0
    rest = np.divide(taken, total, out=np.ones(contexts), where=known)
    share = (count - discount) / total[context]
    return Level(keys, share, rest)


def _discounts(count: Array) -> Array:
    """What is taken from counts of 0, 1, 2 and more (Chen & Goodman 1998)."""
    n1, n2, n3, n4 = (float(np.sum(count == i)) for i in (1, 2, 3, 4))
    if not n1 or not n2:
        return np.array([0.0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    d = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3 if n3 else 1.5]
    most = (0.95, 1.9, 2.85)
    return np.array([0.0, *(min(max(x, 0.05), top) for x, top in zip(d, most, strict=True))])
