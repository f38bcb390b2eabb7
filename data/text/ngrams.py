"""Sparse n-gram features of words and characters, weighted by TF-IDF, kept as plain counts.

They are those of scikit-learn's ``TfidfVectorizer`` (with ``sublinear_tf``, of characters by its
analyser ``char_wb``). Here the n-grams of each distinct word are made once: the counts of texts are
sums of its words'.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, count, pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from birnn.arrays import Ints
from birnn.data.text.tokenizers import Tokenizer

if TYPE_CHECKING:
    import scipy.sparse as sp

CHARS = (2, 3, 4, 5)  # sizes of character n-grams
ROWS = 4096  # counted or weighted at once
FEW = 32  # texts that are counted one by one


@dataclass(frozen=True)
class Counts:
    """How often each n-gram stands in each text."""

    names: list[str]  # of the columns, each another
    rows: "sp.csr_matrix"  # [N, V]

    def in_columns(self, columns: Mapping[str, int]) -> "sp.csr_matrix":
        """The n-grams that have a column there, in its place: ``[N, len(columns)]``."""
        targets = np.array([columns.get(name, -1) for name in self.names], dtype=np.int32)
        places = targets[self.rows.indices]
        known = places >= 0
        before = np.zeros(len(known) + 1, dtype=self.rows.indptr.dtype)
        np.cumsum(known, out=before[1:])
        ends = before[self.rows.indptr]
        del before  # as long as all counts
        return _summed(self.rows.data[known], places[known], ends, len(columns))

    def vocabulary(self, least: int = 1) -> dict[str, int]:
        """The n-grams of ``least`` texts or more by alphabet, and in how many texts each stands."""
        return _frequent(
            self.names, np.bincount(self.rows.indices, minlength=len(self.names)), least
        )


@dataclass(frozen=True)
class WordwiseCounts:
    """How often each n-gram stands in each text, by way of the words that it stands in.

    Asked as :class:`Counts` are; the counts of all n-grams in all texts are never held at once.
    """

    names: list[str]  # of the n-grams, each another
    texts: "sp.csr_matrix"  # [N, W], the words of texts
    words: "sp.csr_matrix"  # [W, V], the n-grams of words

    def in_columns(self, columns: Mapping[str, int]) -> "sp.csr_matrix":
        """As :meth:`Counts.in_columns`."""
        rows = self.texts @ Counts(self.names, self.words).in_columns(columns)
        rows.sort_indices()
        return rows

    def vocabulary(self, least: int = 1) -> dict[str, int]:
        """As :meth:`Counts.vocabulary`."""
        texts = np.zeros(len(self.names), dtype=np.int64)
        for start in range(0, self.texts.shape[0], ROWS):
            part = self.texts[start : start + ROWS] @ self.words
            texts += np.bincount(part.indices, minlength=len(texts))
        return _frequent(self.names, texts, least)


def _frequent(names: Iterable[str], texts: Ints, least: int) -> dict[str, int]:
    pairs = zip(names, texts.tolist(), strict=True)
    return dict(sorted(pair for pair in pairs if pair[1] >= least))


class _Numbers(dict[str, int]):
    """A number for each string, in the order in which they are first asked for."""

    def __missing__(self, name: str) -> int:
        self[name] = number = len(self)
        return number

    def rows(self, texts: Iterable[Iterable[str]]) -> tuple[Ints, Ints]:
        """Number the strings of all texts ``[M]``; with where each text ends ``[1 + N]``."""
        numbers, ends = array("i"), array("q", [0])
        for text in texts:
            numbers.extend(map(self.__getitem__, text))
            ends.append(len(numbers))
        return np.array(numbers, dtype=np.int64), np.array(ends, dtype=np.int64)


def _summed(values: NDArray[np.float32], columns: Ints, ends: Ints, width: int) -> "sp.csr_matrix":
    """Sparse rows ``[N, width]`` from values in any order; those of one place are added."""
    import scipy.sparse as sp  # here: a few texts are counted without it

    rows = sp.csr_matrix((values, columns, ends), shape=(len(ends) - 1, width))
    rows.sum_duplicates()
    return rows


def _beside(left: "sp.csr_matrix", right: "sp.csr_matrix") -> "sp.csr_matrix":
    """``[N, V + W]``; scipy's own way takes four times the memory."""
    import scipy.sparse as sp

    lengths = np.stack([np.diff(left.indptr), np.diff(right.indptr)], axis=1)
    is_left = np.repeat(np.tile([True, False], len(lengths)), lengths.ravel())
    values = np.empty(len(is_left), dtype=np.float32)
    values[is_left], values[~is_left] = left.data, right.data
    columns = np.empty(len(is_left), dtype=np.int32)
    columns[is_left], columns[~is_left] = left.indices, right.indices + left.shape[1]
    shape = (len(lengths), left.shape[1] + right.shape[1])
    return sp.csr_matrix((values, columns, left.indptr + right.indptr), shape=shape)


def _counted(numbers: Ints, ends: Ints, width: int) -> "sp.csr_matrix":
    """``[N, width]``: how often each number stands in each text."""
    return _summed(np.ones(len(numbers), dtype=np.float32), numbers, ends, width)


@dataclass(frozen=True)
class Tokens:
    """The tokens of texts as numbers."""

    names: list[str]  # of the numbers
    numbers: Ints  # [M], all texts in a row
    ends: Ints  # [1 + N]

    @staticmethod
    def cut(texts: Sequence[str], tokenizer: Tokenizer) -> "Tokens":
        """Tokenise ``N`` texts."""
        numbers = _Numbers()
        rows, ends = numbers.rows(map(tokenizer, texts))
        return Tokens(list(numbers), rows, ends)

    def count(self, longest: int) -> Counts:
        """Count the tokens and, where ``longest`` is 2, the pairs of neighbours.

        Tokens that hold blanks can give two n-grams one name: they count as one.
        """
        names, width = list(self.names), len(self.names)
        rows = _counted(self.numbers, self.ends, width)
        if longest == 1:
            return Counts(names, rows)
        within = np.ones(len(self.numbers) + 1, dtype=bool)
        within[self.ends] = False  # a text's first token is no pair's second
        seconds = np.flatnonzero(within)
        pairs = self.numbers[seconds - 1] * width + self.numbers[seconds]
        distinct, which = np.unique(pairs, return_inverse=True)
        pair_ends = np.cumsum(np.concatenate([[0], np.maximum(np.diff(self.ends) - 1, 0)]))
        rows = _beside(rows, _counted(which, pair_ends, len(distinct)))
        names += [f"{names[pair // width]} {names[pair % width]}" for pair in distinct.tolist()]
        columns = {name: i for i, name in enumerate(dict.fromkeys(names))}
        if len(columns) < len(names):
            places = np.array([columns[name] for name in names])
            rows = _summed(rows.data, places[rows.indices], rows.indptr, len(columns))
        return Counts(list(columns), rows)


def word_chars(word: str) -> Iterator[str]:
    """The character n-grams of a word between two blanks; a shorter word than n is one, once."""
    padded = f" {word} "
    for size in CHARS:
        for start in range(max(len(padded) - size, 0) + 1):
            yield padded[start : start + size]
        if len(padded) <= size:
            return


def count_chars(texts: Sequence[str]) -> WordwiseCounts:
    """Count the character n-grams within the borders of words, in lower case."""
    words, grams = _Numbers(), _Numbers()
    in_texts, ends = words.rows(text.lower().split() for text in texts)
    in_words, word_ends = grams.rows(map(word_chars, words))
    counts = _counted(in_texts, ends, len(words)), _counted(in_words, word_ends, len(grams))
    return WordwiseCounts(list(grams), *counts)


def inverse_frequencies(vocabulary: Mapping[str, int], texts: int) -> NDArray[np.float32]:
    """Smoothed idf ``[V]`` of n-grams that stand in so many of ``texts``."""
    counts = np.array(list(vocabulary.values()), dtype=np.float64)
    return (np.log((1 + texts) / (1 + counts)) + 1).astype(np.float32)


def weigh(counts: "sp.csr_matrix", idf: NDArray[np.float32]) -> "sp.csr_matrix":
    """TF-IDF of counts ``[N, V]``, which are overwritten: 1 + ln count, rows of norm 1 (or 0)."""
    _weigh(counts.data, counts.indices, counts.indptr, idf)
    return counts


def _weigh(
    values: NDArray[np.float32], columns: Ints, ends: Ints, idf: NDArray[np.float32]
) -> None:
    """As :func:`weigh`, of what sparse rows hold."""
    np.log(values, out=values)
    values += 1
    for start in range(0, len(ends) - 1, ROWS):
        part = ends[start : start + ROWS + 1]
        own = values[part[0] : part[-1]]
        own *= idf[columns[part[0] : part[-1]]]
        rows = np.repeat(np.arange(len(part) - 1), np.diff(part))
        norms = np.sqrt(np.bincount(rows, weights=own * own, minlength=len(part) - 1))
        own[:] = own / norms[rows]


def _counts(texts: Sequence[str], tokenizer: Tokenizer) -> tuple[Counts, WordwiseCounts]:
    return Tokens.cut(texts, tokenizer).count(2), count_chars(texts)


@dataclass(frozen=True)
class NgramRows:
    """The weighted n-grams of a few texts."""

    columns: list[Ints]  # of each text
    values: list[NDArray[np.float32]]

    def __getitem__(self, texts: Ints) -> "NgramRows":
        return NgramRows([self.columns[i] for i in texts], [self.values[i] for i in texts])


@dataclass(frozen=True)
class NgramTable:
    """The n-grams of a training split and in how many of its texts each one stands."""

    texts: int
    words: dict[str, int]
    chars: dict[str, int]
    _fitted: list[tuple[Counts, WordwiseCounts]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.words) + len(self.chars)

    @staticmethod
    def fit(texts: Sequence[str], tokenizer: Tokenizer) -> "NgramTable":
        """Count word 1-2-grams and character 2-5-grams (those of two texts or more)."""
        words, chars = counts = _counts(texts, tokenizer)
        table = NgramTable(len(texts), words.vocabulary(), chars.vocabulary(least=2))
        table._fitted.append(counts)
        return table

    @cached_property
    def _parts(self) -> list[tuple[dict[str, int], NDArray[np.float32]]]:
        """Of words and of characters: the columns, and the idf of each."""
        return [(dict(zip(part, count(), strict=False)), inverse_frequencies(part, self.texts))
                for part in (self.words, self.chars)]  # fmt: skip

    def transform(self, texts: Sequence[str], tokenizer: Tokenizer) -> "sp.csr_matrix":
        """TF-IDF features ``[N, V]``, each half of a row with a norm of 1 (or 0)."""
        return self._weighed(*_counts(texts, tokenizer))

    def transform_fitted(self, texts: Sequence[str], tokenizer: Tokenizer) -> "sp.csr_matrix":
        """As :meth:`transform` of the texts that it was fitted to, which are counted already.

        The first time: what was counted is then let go.
        """
        return self._weighed(*(self._fitted.pop() if self._fitted else _counts(texts, tokenizer)))

    def _weighed(self, words: Counts, chars: WordwiseCounts) -> "sp.csr_matrix":
        (word_columns, word_idf), (char_columns, char_idf) = self._parts
        left = weigh(words.in_columns(word_columns), word_idf)
        return _beside(left, weigh(chars.in_columns(char_columns), char_idf))

    def rows(self, texts: Sequence[str], tokenizer: Tokenizer) -> "NgramRows | sp.csr_matrix":
        """What :meth:`transform` gives, to the bit; of a few texts without a sparse matrix."""
        if len(texts) > FEW:
            return self.transform(texts, tokenizer)
        parts = [self._row(text, tokenizer) for text in texts]
        return NgramRows([columns for columns, _ in parts], [values for _, values in parts])

    def _row(self, text: str, tokenizer: Tokenizer) -> tuple[Ints, NDArray[np.float32]]:
        tokens = tokenizer(text)
        pairs = (f"{one} {two}" for one, two in pairwise(tokens))
        grams = chain.from_iterable(map(word_chars, text.lower().split()))
        columns, values, first = [], [], 0
        for names, (known, idf) in zip((chain(tokens, pairs), grams), self._parts, strict=True):
            there = [known[name] for name in names if name in known]
            own, times = np.unique(np.array(there, dtype=np.int64), return_counts=True)
            columns.append(own + first)
            values.append(times.astype(np.float32))
            _weigh(values[-1], own, np.array([0, len(own)]), idf)
            first += len(known)
        return np.concatenate(columns), np.concatenate(values)


def bag(rows: "NgramRows | sp.csr_matrix") -> tuple[Ints, NDArray[np.float32], Ints]:
    """The ids, values and row offsets of sparse rows, as an embedding bag takes them."""
    if isinstance(rows, NgramRows):
        sizes = np.array(list(map(len, rows.columns)), dtype=np.int64)
        return np.concatenate(rows.columns), np.concatenate(rows.values), np.cumsum(sizes) - sizes
    ids, offsets = rows.indices.astype(np.int64), rows.indptr[:-1].astype(np.int64)
    return ids, rows.data.astype(np.float32), offsets
