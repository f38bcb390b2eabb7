"""A long list of words of which few are looked up: in little memory, gone through but once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count
from typing import Any

FEW = 2000  # words that are looked for in one pass
MANY = 10_000  # words that are worth packing
PART = 1 << 16  # characters that are taken apart at once


class PackedWords(Sequence[str]):
    """Words as one text: of 400,000, in a seventh of a list's memory."""

    def __init__(self, words: Sequence[str]) -> None:
        self.text, self.size = "\n".join(words), len(words)

    def __len__(self) -> int:
        return self.size

    def parts(self) -> Iterator[list[str]]:
        """Some of the words after the others: all at once would take the memory of a list."""
        start = end = 0
        while end >= 0:
            end = self.text.find("\n", start + PART)
            yield self.text[start : end if end >= 0 else None].split("\n")
            start = end + 1

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.parts())

    def __getitem__(self, key: Any) -> Any:
        return list(self)[key]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(self.text)


def packed(words: Sequence[str]) -> Sequence[str]:
    """The words, as one text if they are many and none has more than one line."""
    if len(words) < MANY:
        return words
    text = PackedWords(words)
    return text if text.text.count("\n") == len(words) - 1 else words


class WordRows:
    """The rows of distinct words.

    A table of all of 400,000 words takes 30 MB and longer to make than to go through them once; who
    asks for one text needs none.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._rows: dict[str, int | None] | None = None  # of the words looked for, or of all
        self._whole = False

    def prepare(self, wanted: Callable[[], Iterable[str]]) -> None:
        """Go through the words once for those that are asked for next; only the first time."""
        if self._rows is not None:
            return
        rows: dict[str, int | None] = dict.fromkeys(wanted())
        if len(rows) <= FEW:
            first = 0
            for part in self.words.parts() if isinstance(self.words, PackedWords) else [self.words]:
                for word in filter(rows.__contains__, part):
                    rows[word] = first + part.index(word)
                first += len(part)
            self._rows = rows

    def get(self, word: str) -> int | None:
        """The row of a word; None if it has none."""
        rows = self._rows
        if rows is None or not (self._whole or word in rows):
            rows = dict(zip(self.words, count(), strict=False))
            self._rows, self._whole = rows, True
        return rows.get(word)
