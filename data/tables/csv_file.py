"""A delimited file as an Arrow table: every cell a text, every row counted."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from birnn.arrays import Ints
from birnn.data.tables.arrow_table import ArrowTable, texts
from birnn.data.tables.csv_check import check_text, encoding_of
from birnn.data.tables.delimited import BrokenError, Row, open_lines, parse
from birnn.data.tables.dialect import Dialect, ReadOptions
from birnn.data.tables.disk_table import DiskTable, column_chunks
from birnn.data.tables.hugging_face import library
from birnn.data.tables.shape import Counts, data_rows
from birnn.data.tables.sniffing import Reading, Text, sniff
from birnn.data.wording import agree, plural
from birnn.errors import DataError
from birnn.progress import tell
from birnn.storage.files import atomic_path

HEAD = 1 << 20  # characters of a file from which its dialect is told
CHUNK = 2_000  # rows
TOLD = 20_000  # rows, after which it is told how far the reading is
IN_MEMORY = 32 << 20  # bytes of a file; the table of a larger one lies in the cache of datasets
MAX_COLUMNS = 20_000
INDEX = ("", "Unnamed: 0")  # what pandas calls the index that it wrote


@dataclass(frozen=True)
class CsvFile:
    """A delimited file, read."""

    table: Any  # an ArrowTable; a Dataset where the file is large
    dialect: Dialect
    counts: Counts
    lines: Ints  # at which the rows begin
    notes: list[str]
    warnings: list[str]


def read_csv(path: Path, options: ReadOptions) -> CsvFile:
    """Read a delimited file in the dialect that is given, or that fits it.

    Raises:
        DataError: it is empty, not in the encoding, no table, or has rows that don't fit; one line
            that names the option which mends it.
    """
    options.table.check()
    trained = options.trained
    encoding = encoding_of(path, options.encoding, trained.encoding if trained else "")
    check_text(path, encoding)
    text = _head(path, encoding)
    try:
        readings, warnings = sniff(text, options.table, trained)
    except DataError as error:
        raise DataError(f"{path} is {error}") from None
    if text.whole:
        _refuse(path, readings[0], readings[0].counts, options)
    warnings = [f"{path.name}: {warning}" for warning in warnings]
    if encoding not in (options.encoding, "utf-16"):
        warnings.append(f"{path.name} is not UTF-8: it is read in the run's {encoding}")
    refusals: list[DataError] = []
    for reading in readings[:1] if text.whole else [*readings, _unquoted(readings[0])]:
        if refusals and not reading.regular:
            continue
        try:
            return _read_as(path, encoding, reading, options, warnings)
        except BrokenError as error:
            refusals.append(_broken(path, error.line, str(error)))
        except _RaggedError as error:
            refusals.append(DataError(str(error)))
    raise refusals[0]


def _unquoted(reading: Reading) -> Reading:
    """The reading of a beginning without quotes, where those that come later are letters."""
    quoted = any('"' in cell for _, cells in reading.rows for cell in cells)
    return reading if quoted else replace(reading, signs=replace(reading.signs, quote=""))


class _RaggedError(DataError):
    """Rows that don't fit."""


def _read_as(
    path: Path, encoding: str, reading: Reading, options: ReadOptions, warnings: list[str]
) -> CsvFile:
    """The file under one reading of its beginning."""
    signs, shape, counts, lines = reading.signs, reading.shape, Counts(), array("q")
    if shape.width > MAX_COLUMNS:
        what = f"{shape.width:,} columns; {MAX_COLUMNS:,} at most are read"
        raise DataError(f"{path} line {shape.skip + 1}: {what}; is --delimiter right?")

    def told(rows: Iterator[Row], file: Any, size: int) -> Iterator[list[str]]:
        for number, (line, cells) in enumerate(rows):
            if not options.streamed:
                lines.append(line)
            if not number % TOLD:
                tell("reading", file.buffer.tell() / size)
            yield cells

    with open_lines(path, encoding, signs) as file:
        rows = data_rows(parse(file, signs, shape.skip), shape, counts)
        cells = told(rows, file, path.stat().st_size)
        table = _table(path, cells, shape.width, f"{encoding} {signs} {shape}", options)
    _refuse(path, reading, counts, options)
    if not len(table):
        mend = "" if shape.names is None else "; if the header is a row, say --no-header"
        raise DataError(f"{path} has a header and no rows{mend}")
    names, left, notes = _names(path, reading, table, counts)
    table = table.rename_columns(names).remove_columns(left)
    dialect = Dialect(
        signs.delimiter, signs.quote, signs.escape, shape.names is not None, shape.skip, encoding,
        tuple(table.column_names),
    )  # fmt: skip
    if shape.doubt:
        taken = "a header" if shape.names is not None else "a row, and columns are numbered"
        option = "--no-header" if shape.names is not None else "--header"
        line = f"{path.name}: line {shape.skip + 1} is taken as {taken} ({shape.doubt})"
        warnings = [*warnings, f"{line}; {option} says otherwise"]
    told_of = [f"{counts.words()}; {dialect.words()}"]
    if shape.titles:
        lines_above = f"{plural(shape.titles, 'line')} above the table left out"
        told_of.append(lines_above)
    return CsvFile(table, dialect, counts, np.array(lines), [*told_of, *notes], warnings)


def _head(path: Path, encoding: str) -> Text:
    with path.open(encoding=encoding, newline="") as file:
        text = file.read(HEAD + 1)
    if len(text) <= HEAD:
        return Text(text, True, path.suffix.lower())
    return Text(text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text, False, path.suffix)


def _refuse(path: Path, reading: Reading, counts: Counts, options: ReadOptions) -> None:
    """Refuse a reading whose quotes don't pair, or with rows that don't fit."""
    if reading.broken:
        raise _broken(path, reading.broken, reading.reason)
    names, width = reading.shape.names, reading.shape.width
    if names is not None and len(names) != width:
        what = f"the header has {plural(len(names), 'field')}, the rows have {width}"
        mend = "mend it, or say --delimiter, --skip-lines or --no-header"
        raise _RaggedError(f"{path} line {reading.shape.skip + 1}: {what}; {mend}")
    count = counts.of("ragged")
    if count and not options.skip_ragged:
        lines = ", ".join(map(str, counts.left_out["ragged"][:3])) + (", …" if count > 3 else "")
        row = "the header's" if reading.shape.names is not None else "the other rows'"
        what = f"another number of fields than {row} {reading.shape.width} (line {lines})"
        mend = "quote fields that hold a delimiter, or leave such rows out with --skip-ragged"
        if width > 1 and {*reading.shape.kinds} <= {"text", ""}:
            mend += ", or take each line as one text with --delimiter tab"
        raise _RaggedError(f"{path}: {count} {agree(count, 'row has', 'rows have')} {what}; {mend}")


def _broken(path: Path, line: int, reason: str) -> DataError:
    what = "a quote is never closed" if "unexpected end" in reason else "letters follow a quote"
    mend = "double quotes within a field, or take them as letters with --quote none"
    return DataError(f"{path} line {line}: {what}; {mend}")


def _table(
    path: Path, rows: Iterator[list[str]], width: int, how: str, options: ReadOptions
) -> Any:
    """Rows as a table, in memory or, of a large file, in the cache of Hugging Face datasets."""
    names = [str(number) for number in range(width)]
    schema = pa.schema([(name, pa.string()) for name in names])

    def chunks() -> Iterator[pa.RecordBatch]:
        while some := list(islice(rows, CHUNK)):
            columns = [texts(cells) for cells in zip(*some, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    if path.stat().st_size <= IN_MEMORY:
        return ArrowTable(pa.Table.from_batches(chunks(), schema))
    place = _cached(path, schema, chunks(), how)
    if options.streamed:
        return DiskTable.of([place])
    from datasets import Dataset
    from datasets.table import MemoryMappedTable

    return Dataset(MemoryMappedTable.from_file(str(place)))


def _cached(path: Path, schema: pa.Schema, rows: Iterator[pa.RecordBatch], how: str) -> Path:
    """A large file's rows as an Arrow file, under a name of its content and of ``how``."""
    from datasets import Features
    from datasets.arrow_writer import ArrowWriter

    digest = hashlib.sha256(how.encode())
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    place = Path(library().config.HF_DATASETS_CACHE) / "birnn" / f"{digest.hexdigest()}.arrow"
    place.parent.mkdir(parents=True, exist_ok=True)
    features = Features.from_arrow_schema(schema)
    with atomic_path(place) as made, ArrowWriter(path=str(made), features=features) as writer:
        for part in rows:
            writer.write_table(pa.Table.from_batches([part]))
        writer.finalize()
    return place


def _names(
    path: Path, reading: Reading, table: Any, counts: Counts
) -> tuple[dict[str, str], list[str], list[str]]:
    """Names of the columns, those that are left out, and what is to be said of them.

    Raises:
        DataError: two columns have one name.
    """
    shape = reading.shape
    header = [name.removeprefix("\ufeff").strip() for name in shape.names or []]
    times = Counter(header)
    for name in header:
        if name and times[name] > 1:
            twice = f"the column {name!r} stands there twice"
            raise DataError(f"{path} line {shape.skip + 1}: {twice}; rename one")
    names: dict[str, str] = {}
    taken: set[str] = set()
    left, notes = [], []
    for number, given in enumerate(header or [""] * shape.width):
        name = given or str(number + 1)
        while name in taken or (not given and name in times):
            name += "_"
        names[str(number)] = name
        taken.add(name)
        if given and given not in INDEX:
            continue
        column = partial(column_chunks, table, number)
        if number == 0 and header and _counts_rows(column(), counts.rows):
            left.append(name)
            notes.append(f"the first column ({given or 'unnamed'}) counts the rows: not used")
        elif not given and (header or number == shape.width - 1 > 0) and _is_blank(column()):
            left.append(name)
            notes.append(f"column {number + 1} has no name and no cell: left out")
        elif header and not given:
            notes.append(f"column {number + 1} has no name: it is called {name!r}")
    if len(left) == len(names):
        raise DataError(f"{path}: no column has a name or a cell")
    return names, left, notes


def _is_blank(column: Iterator[pa.Array]) -> bool:
    return not any(cell.strip() for chunk in column for cell in chunk.unique().to_pylist())


def _counts_rows(column: Iterator[pa.Array], rows: int) -> bool:
    """Whether cells are row numbers from 0 or 1; some may lack, where rows were left out."""
    last = -1
    for chunk in column:
        for cell in chunk.to_pylist():
            if not (cell.isascii() and cell.isdigit()) or len(cell) > 12 or int(cell) <= last:
                return False
            if last < 0 and int(cell) > 1:
                return False
            last = int(cell)
    return last <= rows
