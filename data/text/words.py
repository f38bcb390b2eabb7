"""What a model knows of a word: its trained row, its pretrained rows, its character n-grams."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import NamedTuple

import numpy as np

from birnn.arrays import Ints
from birnn.data.text.tokenizers import UNKNOWN_ID
from birnn.data.text.word_rows import WordRows

PARTS = re.compile(r"[^\W_]+")
MAX_GRAMS = 64  # of a word; a longer word is a link or noise
CACHE = 200_000  # tokens remembered


def word_grams(word: str, buckets: int) -> list[int]:
    """Buckets of a word's 3- to 5-grams with borders marked (Bojanowski et al. 2017).

    The hash is CRC-32: the same on every machine.
    """
    marked = f"<{word}>"
    grams = [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)]
    known = grams[:MAX_GRAMS] or [marked]
    return [zlib.crc32(gram.encode("utf-8", "surrogatepass")) % buckets for gram in known]


class Known(NamedTuple):
    """What a :class:`Lexicon` knows of a token."""

    word: int
    vectors: list[int]
    grams: list[int]


@dataclass(frozen=True)
class Lexicon:
    """From a token to numbers."""

    words: list[str]  # the trained rows, <pad> and <unk> first
    vector_words: Sequence[str]  # the rows of the pretrained table; empty without one
    buckets: int  # of character n-grams; 0 without them
    _word_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _vector_rows: WordRows = field(init=False, repr=False, compare=False)
    _cache: dict[str, "Known"] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_word_ids", dict(zip(self.words, count(), strict=False)))
        object.__setattr__(self, "_vector_rows", WordRows(self.vector_words))
        object.__setattr__(self, "_cache", {})

    def known(self, token: str) -> "Known":
        """As :meth:`describe`; remembered for the tokens met first."""
        known = self._cache.get(token)
        if known is None:
            known = self.describe(token)
            if len(self._cache) < CACHE:
                self._cache[token] = known
        return known

    def describe(self, token: str) -> "Known":
        """All three of the below."""
        return Known(self.word_id(token), self.vector_rows(token), self.grams(token))

    def word_id(self, token: str) -> int:
        """The trained row of ``token``, or that of ``<unk>``."""
        return self._word_ids.get(token, UNKNOWN_ID)

    def vector_rows(self, token: str) -> list[int]:
        """Pretrained rows whose mean stands for ``token``; none if nothing fits.

        The token itself, else the token without ``#`` or ``@``, each as it is written and in lower
        case; else its parts.
        """
        for form in forms(token):
            if (row := self._vector_rows.get(form)) is not None:
                return [row]
        found = map(self._vector_rows.get, parts(token))
        return [row for row in found if row is not None]

    def prepare(self, tokens: Sequence[str]) -> None:
        """Before :meth:`vector_rows` is asked of these; where they are few, no table is made."""
        self._vector_rows.prepare(
            lambda: (word for token in tokens for word in (*forms(token), *parts(token)))
        )

    def grams(self, token: str) -> list[int]:
        """Buckets of the token's character n-grams; none if the model has no such table."""
        return word_grams(token, self.buckets) if self.buckets else []


def forms(token: str) -> tuple[str, ...]:
    """How a token may be written where it has a vector of its own, the nearest first."""
    bare = token.lstrip("#@")
    return token, token.lower(), bare, bare.lower()


def parts(token: str) -> list[str]:
    """The words within a token, in lower case."""
    return PARTS.findall(token.lower()) if len(token) > 1 else []


class Ragged(NamedTuple):
    """Rows of ids, of whatever sizes, joined."""

    flat: Ints
    starts: Ints  # [N], where a row begins in ``flat``
    sizes: Ints  # [N]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "Ragged":
        """Join rows."""
        sizes = np.fromiter(map(len, rows), np.int64, len(rows))
        flat = np.fromiter(chain.from_iterable(rows), np.int64, int(sizes.sum()))
        return cls(flat, np.cumsum(sizes) - sizes, sizes)

    def take(self, rows: Ints) -> "Ragged":
        """The rows of these numbers, in this order."""
        sizes = self.sizes[rows]
        starts = np.cumsum(sizes) - sizes
        places = np.arange(sizes.sum()) + np.repeat(self.starts[rows] - starts, sizes)
        return Ragged(self.flat[places], starts, sizes)


@dataclass(frozen=True)
class WordFeatures:
    """What a :class:`Lexicon` knows of ``V`` words, as arrays; None where it has no such table."""

    word_ids: Ints  # [V]
    vectors: Ragged | None
    grams: Ragged | None

    @staticmethod
    def of(lexicon: Lexicon, words: Sequence[str], *, remember: bool = True) -> "WordFeatures":
        """Look the words up; ``remember``: the next time that one comes, it takes less."""
        lexicon.prepare(words)
        known = list(map(lexicon.known if remember else lexicon.describe, words))
        return WordFeatures(
            np.array([entry.word for entry in known], dtype=np.int64),
            Ragged.of([entry.vectors for entry in known]) if lexicon.vector_words else None,
            Ragged.of([entry.grams for entry in known]) if lexicon.buckets else None,
        )

    def inputs(self, words: Ints) -> dict[str, Ints]:
        """Of the words of these numbers, ``[U]``: what a ``WordEmbedder`` takes."""
        arrays = {"word_ids": self.word_ids[words]}
        for name, rows in (("vector_rows", self.vectors), ("gram_ids", self.grams)):
            if rows is not None:
                part = rows.take(words)
                arrays[name] = part.flat
                arrays[f"{name.split('_')[0]}_offsets"] = part.starts
        return arrays
