"""The shards of a source that is too large to be held, each read a few rows at a time."""

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from birnn.data import DATASETS
from birnn.data.splits.cutting import SPLIT_ALIASES, SPLITS
from birnn.data.tables.arrow_table import ArrowTable
from birnn.data.tables.dialect import Dialect, ReadOptions
from birnn.data.tables.disk_table import DiskTable
from birnn.data.tables.folders import split_of
from birnn.data.tables.formats import FORMATS
from birnn.data.tables.hugging_face import HUB_NAME, guarded, library
from birnn.data.tables.sources import files_in, load_tables, no_source
from birnn.errors import DataError

ROWS = 10_000  # of a table that is read at once
PAGES = 1 << 20  # bytes of a Parquet column that are read at once
Tables = Iterator[tuple[int, Any]]  # the number of its first row, from 0, and a table


@dataclass
class Shard:
    """A part of a split."""

    name: str
    identity: str  # by which it is known again, wherever it lies
    read: Callable[[int, Sequence[str]], Tables]  # from a row on, of these columns (none: all)
    rows: int | None = None
    bytes: int = 0


@dataclass(frozen=True)
class Source:
    """Splits of shards."""

    name: str
    splits: dict[str, list[Shard]]
    notes: list[str]
    dialects: list[Dialect]  # how the first delimited file was read, once one was

    @property
    def reading(self) -> dict[str, Any]:
        """What a run remembers."""
        return {"table": self.dialects[0].to_json()} if self.dialects else {}


def open_source(source: str, read: ReadOptions) -> Source:
    """The shards of a file, a folder, a pattern of files or a Hub name.

    Raises:
        DataError: nothing is there, or in no format that can be streamed.
    """
    path = Path(source).expanduser()
    if path.is_file():
        files = [path]
    elif path.is_dir():
        files = files_in(path, FORMATS)
    else:
        pattern = str(path.relative_to(path.anchor))
        found = Path(path.anchor).glob(pattern) if glob.has_magic(source) else ()
        files = sorted(part for part in found if part.is_file())
    if files:
        return _of_files(source, files, read)
    name = DATASETS.get(source, source)
    if source.startswith((".", "/", "~")) or not HUB_NAME.fullmatch(name):
        raise no_source(source, [*DATASETS])
    return _of_hub(name)


def _of_files(source: str, files: Sequence[Path], read: ReadOptions) -> Source:
    kinds = {FORMATS.get(path.suffix.lower(), "") for path in files}
    if len(kinds) > 1 or kinds == {""}:
        known = f"known: {', '.join(FORMATS)}"
        raise DataError(f"{source}: its files are not all of one format to stream; {known}")
    (kind,) = kinds
    dialects: list[Dialect] = []
    grouped: dict[str, list[Path]] = {}
    for path in files:
        if not path.stat().st_size:
            raise DataError(f"{path} is empty")
        own = split_of(path.name) or split_of(path.parent.name) if len(files) > 1 else ""
        grouped.setdefault(own or "train", []).append(path)
    splits = {
        split: [_parquet(path) if kind == "parquet" else _table(path, read, dialects)
                for path in paths]
        for split, paths in grouped.items()
    }  # fmt: skip
    return Source(source, splits, [], dialects)


def _parquet(path: Path) -> Shard:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = guarded(str(path), lambda: pq.read_metadata(path)).num_rows

    def read(start: int, columns: Sequence[str]) -> Tables:
        # Not through datasets, whose scanner reads a whole file ahead. Row groups before the row
        # are passed over; of others a few pages are held.
        file = guarded(str(path), partial(pq.ParquetFile, path, buffer_size=PAGES))
        groups, at = list(range(file.num_row_groups)), 0
        while groups and at + file.metadata.row_group(groups[0]).num_rows <= start:
            at += file.metadata.row_group(groups.pop(0)).num_rows
        there = [name for name in columns if name in file.schema_arrow.names] or None
        batches = file.iter_batches(ROWS, groups, there)
        tables = (pa.Table.from_batches([batch]) for batch in batches)
        yield from _datasets(str(path), tables, None, start, at)

    size = path.stat().st_size
    return Shard(str(path), f"{path.name} {size} {rows}", read, rows, size)


def _streamed(where: str, stream: Any, start: int) -> Tables:
    """The tables of an IterableDataset from a row on; the others are read and passed over."""
    from datasets import DatasetInfo

    tables = stream.with_format("arrow").iter(batch_size=ROWS)
    yield from _datasets(where, tables, DatasetInfo(features=stream.features), start)


def _datasets(where: str, tables: Iterable[Any], info: Any, start: int, at: int = 0) -> Tables:
    """Tables of Arrow's, the first of which begins at row ``at``, from a row on."""
    from datasets import Dataset
    from datasets.table import InMemoryTable

    tables = iter(tables)
    while (table := guarded(where, lambda: next(tables, None))) is not None:
        if at + len(table) > start:
            skipped = max(0, start - at)
            yield at + skipped, Dataset(InMemoryTable(table.slice(skipped)), info=info)
        at += len(table)


def _table(path: Path, read: ReadOptions, dialects: list[Dialect]) -> Shard:
    """A delimited file or one of JSON lines: made into Arrow's once, in the cache of datasets."""
    held: list[DiskTable] = []  # only where its rows are

    def opened() -> Any:
        if held:
            return held[0]
        known = replace(read, streamed=True, trained=(read.trained or next(iter(dialects), None)))
        tables = load_tables(str(path), known)
        if tables.dialect and not dialects:
            dialects.append(tables.dialect)
        (table,) = tables.splits.values()
        shard.rows = len(table)
        if isinstance(table, DiskTable):
            held.append(table)
        return table

    def tables(start: int, columns: Sequence[str]) -> Tables:
        table = opened()
        if isinstance(table, DiskTable):
            yield from _on_disk(table, start, columns or table.column_names)
            return
        for at in range(start, len(table), ROWS):
            yield at, _slice(table, at)

    size = path.stat().st_size
    shard = Shard(str(path), f"{path.name} {size}", tables, None, size)
    return shard


def _slice(table: Any, at: int) -> Any:
    rows = range(at, min(at + ROWS, len(table)))
    return table.select(rows)


def _on_disk(table: DiskTable, start: int, columns: Sequence[str]) -> Tables:
    """A few rows of a table on the disk, its columns side by side."""
    import pyarrow as pa

    parts = [_even(table, name, start) for name in columns]
    for at, cells in enumerate(zip(*parts, strict=True)):
        block = pa.table(dict(zip(columns, cells, strict=True)))
        yield start + at * ROWS, _with_features(block, table)


def _with_features(block: Any, table: DiskTable) -> Any:
    if not table.features:
        return ArrowTable(block)
    from datasets import Dataset, DatasetInfo, Features
    from datasets.table import InMemoryTable

    own = {n: f for n, f in table.features.items() if n in block.column_names}
    if any(name in table.written for name in own):
        return ArrowTable(block)
    return Dataset(InMemoryTable(block), info=DatasetInfo(features=Features(own)))


def _even(table: DiskTable, name: str, start: int) -> Iterator[Any]:
    """A column in pieces of :data:`ROWS` cells, but for the last."""
    import pyarrow as pa

    held: list[Any] = []
    count = 0
    for chunk in table.chunks(name, start):
        held.append(chunk)
        count += len(chunk)
        while count >= ROWS:
            whole = pa.concat_arrays(held)
            yield whole[:ROWS]
            held, count = [whole[ROWS:]], count - ROWS
    if count:
        yield pa.concat_arrays(held)


def _of_hub(name: str) -> Source:
    streams = guarded(name, lambda: library().load_dataset(name, streaming=True))
    named = streams if isinstance(streams, dict) else {"train": streams}
    splits: dict[str, list[Shard]] = {}
    notes = []
    for given, stream in named.items():
        split = SPLIT_ALIASES.get(given.casefold(), given.casefold())
        if split in SPLITS:
            splits[split] = [_hub_shard(name, given, stream, i) for i in range(stream.num_shards)]
        else:
            notes.append(f"the split {given!r} is not used")
    return Source(f"Hugging Face Hub: {name}", splits, notes, [])


def _hub_shard(name: str, split: str, stream: Any, number: int) -> Shard:
    where = f"{name}, {split}, shard {number + 1} of {stream.num_shards}"

    def read(start: int, columns: Sequence[str]) -> Tables:
        own = stream.shard(num_shards=stream.num_shards, index=number)
        yield from _streamed(where, own.select_columns(list(columns)) if columns else own, start)

    return Shard(where, where, read)
