"""Tables of plain lists: texts to be predicted need no library of tables around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from birnn.arrays import Ints


@dataclass(frozen=True)
class PlainTable:
    """Columns of as many cells each, asked as a ``Dataset`` of Hugging Face is asked.

    >>> table = PlainTable({"text": ["a", "b"]})
    >>> table["text"], table[1], table[[1, 0]]
    (['a', 'b'], {'text': 'b'}, {'text': ['b', 'a']})
    """

    columns: dict[str, list[Any]]

    @property
    def column_names(self) -> list[str]:
        """In their order."""
        return list(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, key: "str | int | slice | Sequence[int] | Ints") -> Any:
        """A column by name; a row, or several, by number."""
        if isinstance(key, str):
            return self.columns[key]
        if isinstance(key, (int, slice)):
            return {name: cells[key] for name, cells in self.columns.items()}
        return self.select(key).columns

    def select(self, rows: "Sequence[int] | Ints") -> "PlainTable":
        """The rows of these numbers, in this order."""
        return PlainTable({n: [cells[row] for row in rows] for n, cells in self.columns.items()})

    def with_columns(self, **columns: list[Any]) -> "PlainTable":
        """With more columns, or others."""
        return PlainTable({**self.columns, **columns})
