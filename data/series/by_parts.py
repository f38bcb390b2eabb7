"""Parquet panels too large to be read in one piece: some whole series at a time, kept on the disk.

A file whose series stand one after the other is read in parts of whole series, each as a file of
its own would be, after the first as a run's new file is read: with the same columns, clock and
formats. Values and covariates go to a file that the system drops with the process, and are mapped
into memory: pages come and go as they are looked at. Whatever can't be told part by part (series
that stand apart, something to be refused) is left to the reading of the whole.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from birnn.arrays import Array, Ints
from birnn.data.series.findings import Finding, Findings, Inspection, SeriesOptions
from birnn.data.series.panel import Panel
from birnn.data.tables.folders import split_of
from birnn.data.wording import plural
from birnn.errors import DataError
from birnn.progress import tell

LARGE = 512 << 20  # bytes of all columns, unpacked, from which on a panel is read by parts
ROWS = 1_000_000  # of a part, about
AT_ONCE = 100_000  # rows that are read at once
NOTES = 20  # of all parts, that are kept

Part = tuple[Panel | None, Inspection]
Examine = Callable[[pa.Table, int, SeriesOptions], Part]  # rows, the number of the first


class WholeError(Exception):
    """This file has to be read as a whole."""


def large_files(source: str) -> list[Path]:
    """The Parquet files of a source that is large; empty for all else."""
    path = Path(source).expanduser()
    if path.is_dir():
        files = sorted(part for part in path.rglob("*") if part.is_file())
        if any(part.suffix.lower() != ".parquet" or split_of(part.name) for part in files):
            return []
    else:
        files = [path] if path.is_file() and path.suffix.lower() == ".parquet" else []
    try:
        sizes = (
            metadata.row_group(group).total_byte_size
            for metadata in map(pq.read_metadata, files)
            for group in range(metadata.num_row_groups)
        )
        return files if sum(sizes) >= LARGE else []
    except (OSError, pa.ArrowException):
        return []  # the usual reading says what is wrong with it


def by_parts(
    files: Sequence[Path], source: str, options: SeriesOptions, examine: Examine
) -> tuple[Panel, Inspection] | None:
    """A large panel and what was found; None where it must be read whole."""
    merged = Merged()
    try:
        total = sum(pq.read_metadata(path).num_rows for path in files)
        for table in whole_series(files, lambda first: merged.look(*examine(first, 0, options))):
            own = replace(options, reading=merged.first.reading)
            merged.add(*examine(table, merged.rows, own), table.num_rows)
            tell("reading series", merged.rows / max(total, 1))
        return merged.panel(), merged.inspection(source)
    except (WholeError, DataError, OSError, pa.ArrowException):
        return None  # what is wrong is said of the whole
    finally:
        for spool in merged.spools:
            spool.file.close()


def whole_series(
    files: Sequence[Path], look: Callable[[pa.Table], list[str]]
) -> Iterator[pa.Table]:
    """Tables of some whole series each; ``look`` says of the first rows which columns name them.

    Raises:
        WholeError: the first rows name no series, or a series stands in two places.
    """
    waiting: list[pa.Table] = []
    seen: set[tuple[Any, ...]] = set()
    ids: list[str] = []
    for piece in _pieces(files):
        waiting.append(piece)
        if sum(part.num_rows for part in waiting) < ROWS:
            continue
        table = pa.concat_tables(waiting)
        ids = ids or look(table)
        borders = _borders(table, ids)
        if len(borders) > 1:
            cut = int(borders[-1])
            _note_series(table, ids, borders[:-1], seen)
            yield table.slice(0, cut)
            waiting = [table.slice(cut)]
    if waiting:
        table = pa.concat_tables(waiting)
        ids = ids or look(table)
        _note_series(table, ids, _borders(table, ids), seen)
        yield table


def _pieces(files: Sequence[Path]) -> Iterator[pa.Table]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(AT_ONCE):
                yield pa.Table.from_batches([batch])


def _borders(table: pa.Table, ids: Sequence[str]) -> Ints:
    """The rows at which another series begins, the first row among them."""
    change = np.zeros(table.num_rows, dtype=bool)
    change[:1] = True
    for name in ids:
        cells = table.column(name)
        if pa.types.is_nested(cells.type):
            raise WholeError
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        codes = pa.concat_arrays(cells.chunks).dictionary_encode().indices
        numbers = codes.fill_null(-1).to_numpy(zero_copy_only=False)
        change[1:] |= numbers[1:] != numbers[:-1]
    return np.flatnonzero(change)


def _note_series(
    table: pa.Table, ids: Sequence[str], borders: Ints, seen: set[tuple[Any, ...]]
) -> None:
    """Remember the series of a part, none of which may have been seen."""
    cells = [table.column(name).take(pa.array(borders)).to_pylist() for name in ids]
    for own in zip(*cells, strict=True):
        if own in seen:
            raise WholeError
        seen.add(own)


@dataclass
class Spool:
    """An array that grows on the disk; rows of ``width`` numbers, or plain numbers for None."""

    width: int | None = None
    rows: int = 0
    file: IO[bytes] = field(default_factory=TemporaryFile)

    def add(self, values: Array) -> None:
        """Append rows."""
        self.width = values.shape[1] if values.ndim == 2 else None
        self.rows += len(values)
        self.file.write(np.ascontiguousarray(values, dtype=np.float64).data)

    def array(self) -> Array:
        """All rows, mapped, whether the file is closed or not; changes stay in memory."""
        shape = (self.rows,) if self.width is None else (self.rows, self.width)
        if not self.rows or self.width == 0:
            return np.zeros(shape)
        self.file.flush()
        return np.memmap(self.file, np.float64, "c", shape=shape)


@dataclass
class Merged:
    """Parts, one after the other."""

    first: Inspection = field(init=False)  # of the first rows, by which all are read
    parts: list[Inspection] = field(default_factory=list)
    used: list[Inspection] = field(default_factory=list)  # those whose series are not all left out
    heads: list[Panel] = field(default_factory=list)  # of as many steps, without what they hold
    spools: tuple[Spool, Spool, Spool] = field(default_factory=lambda: (Spool(), Spool(), Spool()))
    rows: int = 0

    def look(self, panel: Panel | None, found: Inspection) -> list[str]:
        """Learn from the first rows how all are read: the columns that name series.

        Raises:
            WholeError: there is none, or no reading that a file of its own would be read by.
        """
        ids: list[str] = found.reading.get("series", {}).get("id_columns", [])
        if panel is None or found.layout != "long" or not ids:
            raise WholeError
        self.first = found
        return ids

    def add(self, panel: Panel | None, found: Inspection, rows: int) -> None:
        """Take over a part.

        Raises:
            WholeError: something in it is refused, or it is of another form.
        """
        only_short = all(part.kind == "short" for part in found.findings if part.fatal)
        if panel is None or not only_short or not self._like(panel, found):
            raise WholeError
        self.rows += rows
        if found.fatal:
            found = replace(found, findings=[_left_out(part) for part in found.findings])
        else:
            for spool, values in zip(
                self.spools, (panel.values, panel.past, panel.future), strict=True
            ):
                spool.add(values)
            steps = np.zeros((len(panel.past), 0))
            self.used.append(found)
            self.heads.append(replace(panel, values=np.zeros(0), past=steps, future=steps))
        self.parts.append(found)

    def _like(self, panel: Panel, found: Inspection) -> bool:
        if not self.heads:
            return True
        head, names = self.heads[0], ("clock", "past_names", "future_names", "static_names")
        same = all(getattr(head, name) == getattr(panel, name) for name in names)
        return same and found.targets == self.first.targets

    def panel(self) -> Panel:
        """All series.

        Raises:
            WholeError: there is none.
        """
        if not self.heads:
            raise WholeError
        shift, moved, own, covered = 0, 0, [], []
        values, past, future = (spool.array() for spool in self.spools)
        for head in self.heads:
            own.append(head.offsets[:-1] + shift)
            covered.append(head.covariate_offsets + moved)
            shift, moved = shift + int(head.offsets[-1]), moved + len(head.past)

        def joined(name: str) -> Array:
            return np.concatenate([getattr(head, name) for head in self.heads])

        return replace(
            self.heads[0], names=[name for head in self.heads for name in head.names],
            offsets=np.append(np.concatenate(own), shift), values=values, past=past, future=future,
            covariate_offsets=np.concatenate(covered), starts=joined("starts"),
            ends=joined("ends"), static=joined("static"),
        )  # fmt: skip

    def inspection(self, source: str) -> Inspection:
        """What was found in all parts."""
        first, findings = self.first, Findings()
        doubts = [one for one in first.findings if one.kind == "ambiguous"]
        for own in (doubts, *(part.findings for part in self.parts)):
            for one in own:
                findings.add(
                    one.kind, one.text, one.treatment, np.array(one.rows, np.int64),
                    series=one.series, count=one.count, fatal=one.fatal,
                )  # fmt: skip
        how = [note for note in first.notes if not note[:1].isdigit()]  # no counts: parts have them
        told = list(dict.fromkeys([*how, *(note for part in self.parts for note in part.notes)]))
        many = [f"{plural(len(told) - NOTES, 'more such note')} of parts"] * (len(told) > NOTES)
        parts = f"rows: {self.rows:,}, read in {plural(len(self.parts), 'part')} of whole series"

        def moment(text: str) -> Any:
            clock = first.clock
            return pd.Timestamp(text) if clock and clock.frequency else int(text)

        return replace(
            first, source=source, rows=self.rows, series=sum(map(len, self.heads)),
            shortest=min(part.shortest for part in self.used),
            longest=max(part.longest for part in self.used),
            start=min((part.start for part in self.used), key=moment),
            end=max((part.end for part in self.used), key=moment),
            findings=findings.kept, notes=[parts, *told[:NOTES], *many, *findings.all_notes()],
        )  # fmt: skip


def _left_out(finding: Finding) -> Finding:
    """A part of short series alone is no reason to refuse all."""
    return replace(finding, fatal=False, treatment="left out") if finding.fatal else finding
