"""A table that lies on the disk: asked as any other, but its cells come a part at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from birnn.progress import tell

PARTS = 64  # after which it is told how far the reading is


@dataclass(frozen=True)
class DiskTable:
    """The rows of streams of Arrow's; only one batch of them is ever in memory."""

    paths: tuple[Path, ...]
    rows: int
    types: Mapping[str, pa.DataType]  # of the columns, in their order
    places: Mapping[str, str]  # of a column: what the files call it
    features: Mapping[str, Any] = field(default_factory=dict)  # of datasets, where it wrote them
    # Columns that stand in the source otherwise than Arrow has them.
    written: Mapping[str, Callable[[], Iterator[list[Any]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Sequence[Path], features: Mapping[str, Any] | None = None) -> "DiskTable":
        """The table of files that have the same columns."""
        rows = 0
        for path in paths:
            with pa.OSFile(str(path)) as file:
                reader = pa.ipc.open_stream(file)
                schema = reader.schema
                rows += sum(len(batch) for batch in reader)
        names = schema.names
        types = dict(zip(names, schema.types, strict=True))
        return cls(tuple(paths), rows, types, dict(zip(names, names, strict=True)), features or {})

    @property
    def column_names(self) -> list[str]:
        """In their order."""
        return list(self.types)

    def __len__(self) -> int:
        return self.rows

    def chunks(self, name: str, start: int = 0) -> Iterator[pa.Array]:
        """The cells of a column from row ``start`` on, a part at a time."""
        if name in self.written:
            yield from _after(map(pa.array, self.written[name]()), start)
            return
        yield from _after(self._batches(self.places[name]), start)

    def _batches(self, name: str) -> Iterator[pa.Array]:
        sizes = [path.stat().st_size for path in self.paths]
        read = 0
        for path, size in zip(self.paths, sizes, strict=True):
            with pa.OSFile(str(path)) as file:
                # Without the others: their bytes are read and passed over.
                number = pa.ipc.open_stream(file).schema.get_field_index(name)
                file.seek(0)
                options = pa.ipc.IpcReadOptions(included_fields=[number])
                for count, batch in enumerate(pa.ipc.open_stream(file, options=options)):
                    if not count % PARTS:
                        tell("reading", (read + file.tell()) / max(1, sum(sizes)))
                    yield batch.column(0)
            read += size

    def values(self, name: str, start: int = 0) -> Iterator[list[Any]]:
        """The cells of :meth:`chunks` as Python's own, as ``datasets`` gives them."""
        kind = self.types[name]
        plain = pa.types.is_string(kind) or pa.types.is_large_string(kind) or not self.features
        for chunk in self.chunks(name, start):
            if plain or name in self.written:
                yield chunk.to_pylist()
            else:
                yield _decoded(chunk, name, self.features)

    def __getitem__(self, name: str) -> "Iterator[Any]":
        return (value for part in self.values(name) for value in part)

    def rename_columns(self, names: Mapping[str, str]) -> "DiskTable":
        """The table with the columns called otherwise."""
        types = {names[name]: kind for name, kind in self.types.items()}
        places = {names[name]: place for name, place in self.places.items()}
        return replace(self, types=types, places=places)

    def remove_columns(self, names: Sequence[str]) -> "DiskTable":
        """The table without some columns."""
        return replace(self, types={n: k for n, k in self.types.items() if n not in names})


def _after(chunks: Iterator[pa.Array], start: int) -> Iterator[pa.Array]:
    for chunk in chunks:
        if start < len(chunk):
            yield chunk.slice(start)
        start = max(0, start - len(chunk))


def _decoded(chunk: pa.Array, name: str, features: Mapping[str, Any]) -> list[Any]:
    from datasets import Dataset, DatasetInfo, Features
    from datasets.table import InMemoryTable

    info = DatasetInfo(features=Features({name: features[name]}))
    table = InMemoryTable(pa.table({name: chunk}))
    return list(Dataset(table, info=info)[name][:])


def on_disk(table: Any) -> Any:
    """A Dataset that lies in files of its own as a :class:`DiskTable`; any other as it is."""
    files = [Path(part["filename"]) for part in table.cache_files]
    if not files or getattr(table, "_indices", None) is not None:
        return table
    made = DiskTable.of(files, table.features)
    return made if len(made) == len(table) else table


def column_chunks(table: Any, name: str | int) -> Iterator[pa.Array]:
    """The cells of a column of any table, by name or number, a part at a time."""
    if isinstance(table, DiskTable):
        yield from table.chunks(name if isinstance(name, str) else table.column_names[name])
    elif getattr(table, "_indices", None) is None:
        yield from table.data.column(name).chunks
    else:  # a copy of the table for each column would take the square of many
        yield from table.with_format("arrow")[:].column(name).chunks
