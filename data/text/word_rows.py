"""Which row of a long list a word has: looked through once for a few, with a table for many."""

from collections.abc import Callable, Iterable, Sequence
from itertools import count

FEW = 2000  # words that are looked for in one pass


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
            for row, word in enumerate(self.words):
                if word in rows:
                    rows[word] = row
            self._rows = rows

    def get(self, word: str) -> int | None:
        """The row of a word; None if it has none."""
        rows = self._rows
        if rows is None or not (self._whole or word in rows):
            rows = dict(zip(self.words, count(), strict=False))
            self._rows, self._whole = rows, True
        return rows.get(word)
