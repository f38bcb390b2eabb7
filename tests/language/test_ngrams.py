"""The n-grams beside the textbook, counted one by one in dictionaries."""

import math
from collections import defaultdict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.passages.symbols import BORDER
from birnn.nn.one_way.ngrams import NGramTables
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
    found = model.read(stream_of(test))[0]
    place = 1
    for text in test:
        line = (BORDER, *text, BORDER)
        for end in range(1, len(line)):
            wanted = math.log(book.chance(line[:end], line[end]))
            assert found[place] == pytest.approx(wanted, abs=1e-9), (line[:end], line[end])
            place += 1


@quick
@given(documents, documents, st.integers(1, 4))
def test_tables_of_a_module_say_the_same(
    train: list[list[int]], test: list[list[int]], order: int
) -> None:
    model = NGrams.fit(stream_of(train), SYMBOLS, order)
    tables = NGramTables(SYMBOLS, [model.sizes])
    for number, level in enumerate(model.levels):
        for name in ("keys", "share", "rest"):
            tables.get_buffer(f"{name}_0_{number}").copy_(torch.from_numpy(getattr(level, name)))
    for text in test:
        stream = stream_of([text])
        logs, known = tables(0, torch.from_numpy(stream.astype(np.int64))[None])
        wanted = model.read(stream)
        np.testing.assert_allclose(logs[0], wanted[0], rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(known[0], wanted[1])


@quick
@given(documents, st.lists(st.integers(1, SYMBOLS - 1), max_size=6), st.integers(1, 4))
def test_chances_sum_to_one(train: list[list[int]], context: list[int], order: int) -> None:
    model = NGrams.fit(stream_of(train), SYMBOLS, order)
    streams = (np.array([BORDER, *context, symbol]) for symbol in range(SYMBOLS))
    assert sum(math.exp(model.read(s)[0][-1]) for s in streams) == pytest.approx(1)
