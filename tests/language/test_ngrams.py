"""The n-grams beside the textbook, counted one by one in dictionaries."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.passages.symbols import BORDER
from birnn.tasks.language.ngrams import NGrams

from strategies import quick

SYMBOLS = 5
documents = st.lists(st.lists(st.integers(1, SYMBOLS - 1), max_size=12), min_size=1, max_size=6)


def stream_of(texts: list[list[int]]) -> np.ndarray:
    """Documents between borders."""
    return np.array([BORDER, *(n for text in texts for n in (*text, BORDER))], dtype=np.int32)


class Textbook:
    """Chen & Goodman 1998, section 4.1.6, with dictionaries of tuples."""

    def __init__(self, texts: list[list[int]], order: int) -> None:
        raw: dict[tuple[int, ...], int] = defaultdict(int)
        raw[(BORDER,)] += 1
        longest = 1
        for text in texts:
            line = [BORDER, *text, BORDER]
            for end in range(1, len(line)):
                for n in range(1, min(order, end + 1) + 1):
                    raw[tuple(line[end - n + 1 : end + 1])] += 1
                    longest = max(longest, n)
        before: dict[tuple[int, ...], set[int]] = defaultdict(set)
        for gram in raw:
            if len(gram) > 1:
                before[gram[1:]].add(gram[0])
        self.order = longest
        self.counts = {
            gram: count if len(gram) == longest or (gram[0] == BORDER and len(gram) > 1)
            else len(before[gram]) or count
            for gram, count in raw.items()
        }  # fmt: skip
        self.discounts = {n: self._discounts(n) for n in range(1, longest + 1)}

    def _discounts(self, n: int) -> tuple[float, ...]:
        n1, n2, n3, n4 = (
            sum(1 for g, c in self.counts.items() if len(g) == n and c == i) for i in (1, 2, 3, 4)
        )
        if not n1 or not n2:
            return (0.5, 0.5, 0.5)
        y = n1 / (n1 + 2 * n2)
        d1, d2 = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2
        d3 = 3 - 4 * y * n4 / n3 if n3 else 1.5
        return min(max(d1, 0.05), 0.95), min(max(d2, 0.05), 1.9), min(max(d3, 0.05), 2.85)

    def chance(self, context: tuple[int, ...], symbol: int) -> float:
        """Of ``symbol`` after ``context``."""
        context = context[-(self.order - 1) :] if self.order > 1 else ()
        n = len(context) + 1
        shorter = self.chance(context[1:], symbol) if context else 1 / SYMBOLS
        same = {g[-1]: c for g, c in self.counts.items() if len(g) == n and g[:-1] == context}
        if not (total := sum(same.values())):
            return shorter
        taken = {s: self.discounts[n][min(c, 3) - 1] for s, c in same.items()}
        own = same[symbol] - taken[symbol] if symbol in same else 0.0
        return (own + sum(taken.values()) * shorter) / total


@quick
@given(documents, documents, st.integers(1, 4))
def test_chances_are_those_of_the_textbook(
    train: list[list[int]], test: list[list[int]], order: int
) -> None:
    model, book = NGrams.fit(stream_of(train), SYMBOLS, order), Textbook(train, order)
    found = model.chances(stream_of(test))[-1]
    place = 1
    for text in test:
        line = (BORDER, *text, BORDER)
        for end in range(1, len(line)):
            wanted = math.log(book.chance(line[:end], line[end]))
            assert found[place] == pytest.approx(wanted, abs=1e-9), (line[:end], line[end])
            place += 1


@quick
@given(documents, st.lists(st.integers(1, SYMBOLS - 1), max_size=6), st.integers(1, 4))
def test_chances_sum_to_one(train: list[list[int]], context: list[int], order: int) -> None:
    model = NGrams.fit(stream_of(train), SYMBOLS, order)
    streams = (np.array([BORDER, *context, symbol]) for symbol in range(SYMBOLS))
    assert sum(math.exp(model.chances(s)[-1][-1]) for s in streams) == pytest.approx(1)
