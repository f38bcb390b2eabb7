"""A column of texts that lies on the disk, asked as a list is asked."""

from collections.abc import Callable, Iterator, Sequence
from typing import overload


class Cells(Sequence[str]):
    """Texts of which a part is held at once: slices that follow each other are read once."""

    def __init__(self, count: int, parts: Callable[[int], Iterator[list[str]]]) -> None:
        """``parts`` reads them from the number it is given on."""
        self._count, self._parts = count, parts
        self._next, self._left, self._reading = 0, list[str](), iter(list[list[str]]())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        for part in self._parts(0):
            yield from part

    @overload
    def __getitem__(self, key: int) -> str: ...
    @overload
    def __getitem__(self, key: slice) -> list[str]: ...
    def __getitem__(self, key: int | slice) -> str | list[str]:
        if isinstance(key, int):
            at = range(self._count)[key]
            return self[at : at + 1][0]
        rows = range(self._count)[key]
        if rows.step != 1:
            raise ValueError("texts that lie on the disk are read forwards")
        if rows.start != self._next or not self._next:
            self._left, self._reading = [], self._parts(rows.start)
        while len(self._left) < len(rows):
            self._left += next(self._reading)
        taken, self._left = self._left[: len(rows)], self._left[len(rows) :]
        self._next = rows.stop
        return taken
