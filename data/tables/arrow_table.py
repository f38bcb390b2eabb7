"""A table in memory: Arrow's, asked as a ``Dataset`` of Hugging Face is asked, without its library.

A delimited file becomes one; to load that library takes half as long as to load torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from birnn.arrays import Ints


@dataclass(frozen=True)
class ArrowTable:
    """Columns of as many cells each."""

    data: pa.Table

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[str | None]]) -> "ArrowTable":
        """A table of texts."""
        return cls(pa.table({n: pa.array(cells, pa.string()) for n, cells in columns.items()}))

    @property
    def column_names(self) -> list[str]:
        """In their order."""
        return list(self.data.column_names)

    @property
    def features(self) -> dict[str, Any]:
        """Name → Arrow's type."""
        return {field.name: field.type for field in self.data.schema}

    def __len__(self) -> int:
        return int(self.data.num_rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for part in self.data.to_batches():
            yield from part.to_pylist()

    def __getitem__(self, key: "str | int | slice | Sequence[int] | Ints") -> Any:
        """The cells of a column by name; a row, or the columns of several, by number."""
        if isinstance(key, str):
            return self.data.column(key).to_pylist()
        if isinstance(key, int):
            return self.select([range(len(self))[key]]).data.to_pylist()[0]
        rows = range(len(self))[key] if isinstance(key, slice) else key
        if isinstance(rows, range) and rows.step == 1:  # no copy
            return self.data.slice(rows.start, len(rows)).to_pydict()
        return self.select(rows).data.to_pydict()

    def with_format(self, name: str) -> pa.Table:
        """The table as Arrow's, the one form that is asked for here."""
        return self.data

    def select(self, rows: "Sequence[int] | Ints") -> "ArrowTable":
        """The rows of these numbers, in this order."""
        return ArrowTable(self.data.take(pa.array(rows, pa.int64())))

    def to_list(self) -> list[dict[str, Any]]:
        """All rows."""
        return list(self)

    def unique(self, column: str) -> list[Any]:
        """The distinct cells of a column, by first appearance."""
        cells: list[Any] = self.data.column(column).unique().to_pylist()
        return cells

    def remove_columns(self, names: Sequence[str]) -> "ArrowTable":
        """Without these."""
        return ArrowTable(self.data.drop_columns(list(names)))

    def rename_columns(self, names: Mapping[str, str]) -> "ArrowTable":
        """With other names: old → new."""
        return ArrowTable(self.data.rename_columns([names.get(n, n) for n in self.column_names]))


def texts(cells: Sequence[str]) -> pa.Array:
    """A column of texts; ``pa.array`` would load pandas first, to ask whether they are its own."""
    data = [cell.encode() for cell in cells]
    ends = np.cumsum([0, *map(len, data)])
    if ends[-1] >= 1 << 31:  # more than a column's offsets reach
        return pa.array(cells, pa.string())
    borders = pa.py_buffer(ends.astype(np.int32))
    return pa.StringArray.from_buffers(len(data), borders, pa.py_buffer(b"".join(data)))
