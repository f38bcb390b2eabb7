"""Where the n-grams of a text stand in it: what a linear model of them says, word by word."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from birnn.arrays import Floats, Ints
from birnn.data.text.ngrams import CHARS, NgramTable
from birnn.data.text.places import Placed, words_of


class NgramShares(NamedTuple):
    """What the n-grams of a text add to a score, shared out."""

    tokens: Floats  # [T], to each token
    outside: float  # to characters in no token


def char_places(word: str) -> Iterator[tuple[str, range]]:
    """The character n-grams of a word between two blanks, each with the letters that it holds.

    They are those of :func:`birnn.data.text.ngrams.word_chars`.
    """
    padded = f" {word} "
    for size in CHARS:
        for start in range(max(len(padded) - size, 0) + 1):
            gram = padded[start : start + size]
            yield gram, range(max(start - 1, 0), min(start - 1 + size, len(word)))
        if len(padded) <= size:
            return


def share_out(
    text: str, placed: Sequence[Placed], table: NgramTable, columns: Ints, scores: Floats
) -> NgramShares:
    """Give each word what its n-grams add to a linear score, exactly.

    An n-gram that stands several times in the text is shared out equally among its places; a pair
    of words among the two, and an n-gram of characters among its letters, each of which belongs to
    the token that stands over it.

    Args:
        placed: the tokens of the text, ``T``.
        columns: ``[K]`` the table's numbers of the n-grams that the text has, each once.
        scores: ``[K]`` what each adds.
    """
    worth = dict(zip(columns.tolist(), scores.tolist(), strict=True))
    found: dict[int, list[tuple[str, Sequence[int]]]] = {}
    for kind, column, places in _occurrences(text, placed, table):
        if column in worth:
            found.setdefault(column, []).append((kind, places))
    sums = {"token": np.zeros(len(placed)), "letter": np.zeros(len(text))}
    for column, where in found.items():
        for kind, places in where:
            np.add.at(sums[kind], list(places), worth[column] / len(where) / len(places))
    tokens, letters = sums["token"], sums["letter"]
    for number, token in enumerate(placed):
        if token.place is not None:
            stretch = slice(*token.place)
            tokens[number] += letters[stretch].sum()
            letters[stretch] = 0.0
    return NgramShares(tokens, float(letters.sum()))


def _occurrences(
    text: str, placed: Sequence[Placed], table: NgramTable
) -> Iterator[tuple[str, int, Sequence[int]]]:
    """Each place of each known n-gram: what its places count, its column, and the places."""
    words = {name: column for column, name in enumerate(table.words)}
    chars = {name: column for column, name in enumerate(table.chars, len(words))}
    for number, token in enumerate(placed):
        if token.token in words:
            yield "token", words[token.token], (number,)
    for number, (one, two) in enumerate(pairwise(placed)):
        if (name := f"{one.token} {two.token}") in words:
            yield "token", words[name], (number, number + 1)
    for word, origin in words_of(text):
        for gram, letters in char_places(word):
            if gram in chars:
                yield "letter", chars[gram], [origin[i] for i in letters]
