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
        reach = reach_back(stream)
        unique, place, inverse, times = np.unique(
            stream.astype(np.int64), return_index=True, return_inverse=True, return_counts=True
        )
        # Of each order: its n-grams, where each stands first, the one that ends at each place, and
        # how often each stands.
        uniques, first, numbers, raw = [unique], [place], [inverse], [times]
        for n in range(2, order + 1):
            there = np.flatnonzero(reach >= n - 1)
            if not len(there):
                break
            before = numbers[-1][there - 1]
            keys = before * symbols + stream[there]
            unique, inverse, times = np.unique(keys, return_inverse=True, return_counts=True)
            own = np.full(len(stream), -1, dtype=np.int64)
            own[there] = inverse
            place = np.zeros(len(unique), dtype=np.int64)
            place[inverse] = there
            numbers.append(own)
            uniques.append(unique)
            first.append(place)
            raw.append(times)
        levels = []
        for n in range(1, len(numbers) + 1):
            count = raw[n - 1].astype(np.float64)
            if n < len(numbers):  # distinct symbols before, but for what begins a document
                suffix = numbers[n - 1][first[n]]
                count = np.bincount(suffix, minlength=len(count)).astype(np.float64)
                begins = stream[first[n - 1] - n + 1] == BORDER
                count = np.where(begins & (n > 1), raw[n - 1], count)
                count = np.maximum(count, np.where(count == 0, raw[n - 1], 0))
            contexts = 1 if n == 1 else len(uniques[n - 2])
            levels.append(_level(uniques[n - 1], count, symbols, contexts))
        return cls(symbols, levels)

    def chances(self, stream: Ints) -> Array:
        """Log-probabilities ``[orders, S]`` of each symbol of ``stream`` under each order.

        What stands before a document's border is not looked at.
        """
        stream, reach = stream.astype(np.int64), reach_back(stream)
        logs = np.zeros((len(self.levels), len(stream)))
        chance = np.full(len(stream), 1.0 / self.symbols)
        number = np.zeros(len(stream), dtype=np.int64)
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
            mixed = share + level.rest[np.where(known, before, 0)] * chance
            chance = np.where(known, mixed, chance)
            number = place
            logs[n - 1] = np.log(np.maximum(chance, 1e-30))
        return logs


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
