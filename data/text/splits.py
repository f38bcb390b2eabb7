"""The splits of a source of texts as they stand: files, a column that says them, exports."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from birnn.arrays import Ints
from birnn.data.samples import SAMPLES
from birnn.data.splits.cutting import SPLITS, SourceOptions
from birnn.data.tables.annotations import flat_tasks, is_label_studio
from birnn.data.tables.columns import check_column
from birnn.data.tables.csv_check import check_text, encoding_of
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.hugging_face import guarded, library
from birnn.data.tables.memory import in_memory
from birnn.data.tables.sources import Tables, load_tables
from birnn.data.text.choosing import same_name
from birnn.data.text.plain_files import plain_tables, split_name
from birnn.data.wording import plural
from birnn.errors import DataError

SPLIT_COLUMN = "split"
AS_CUT = "none"  # in place of a column of splits: there is none
EXPORTS = (".json", ".jsonl")
HEAD = 4096  # characters of a file that tell an export


@dataclass(frozen=True)
class RawSplit:
    """A split's table, the number of each row in the file, and where it stands, from 1."""

    table: Any
    rows: Sequence[int]
    places: Sequence[int]
    unit: str = "row"  # what the places count


@dataclass(frozen=True)
class RawTexts:
    """What a source holds, by the names of splits; those that are none are said in a note."""

    tables: Tables
    splits: dict[str, RawSplit]
    notes: list[str] = field(default_factory=list)

    def place_of(self, name: str) -> str:
        """Where a split stands: its files, or its name."""
        for given, paths in self.tables.files.items():
            if split_name(given) == name:
                return ", ".join(map(str, paths))
        return f"{self.tables.source}, {name}"


def read_raw(options: SourceOptions, split_column: str = "") -> RawTexts:
    """Read a source of texts.

    Raises:
        DataError: it can't be read, or has no column of that name.
    """
    tables = _load(options)
    notes = list(tables.notes)
    parts = {
        str(name): _with_places(table, tables.lines.get(str(name)))
        for name, table in tables.splits.items()
    }
    if len(parts) == 1:
        ((_, whole),) = parts.items()
        if column := _split_column(whole.table, split_column, tables.source):
            parts = _by_column(whole, column)
            counts = ", ".join(f"{name} {len(part.table):,}" for name, part in parts.items())
            notes.append(f"splits: as the column {column!r} says ({counts}); --split-column none"
                         " cuts them anew")  # fmt: skip
    splits = {}
    for given, part in parts.items():
        name = split_name(given)
        if name in SPLITS:
            splits[name] = part
        else:
            notes.append(f"the split {name!r} ({plural(len(part.table), 'row')}) is not used")
    return RawTexts(tables, splits, notes)


def _with_places(table: Any, lines: Ints | None) -> RawSplit:
    """A split with the lines at which its rows begin, or with their numbers."""
    rows = range(1, len(table) + 1)
    if lines is None or len(lines) != len(table):
        return RawSplit(table, rows, rows)
    return RawSplit(table, rows, lines.tolist(), "line")


def _load(options: SourceOptions) -> Tables:
    if options.data in SAMPLES:
        table, notes = SAMPLES[options.data]()
        return Tables({"train": table}, f"embedded {options.data}", notes)
    return load_texts(options.data, options.read)


def load_texts(source: str, read: ReadOptions) -> Tables:
    """The tables of an annotation tool's export, flat, of plain files, or of any other source.

    Raises:
        DataError: as :func:`birnn.data.tables.sources.load_tables`.
    """
    path = Path(source).expanduser()
    if source and in_memory(source) is None and (tables := plain_tables(path, read)):
        return tables
    if path.suffix.lower() in EXPORTS and path.is_file():
        rows = _label_studio(path, read.encoding)
        if rows:
            flat = partial(library().Dataset.from_dict, flat_tasks(rows))
            table = guarded(str(path), flat)
            note = f"an export of Label Studio: {plural(len(rows), 'task')}"
            return Tables({"train": table}, str(path), [note])
    return load_tables(source, read)


def _label_studio(path: Path, encoding: str) -> list[dict[str, Any]]:
    """The tasks of a JSON export of Label Studio's; none if it is something else."""
    encoding = encoding_of(path, encoding)
    check_text(path, encoding)
    with path.open(encoding=encoding) as file:
        head = file.read(HEAD)
    if '"data"' not in head and '"annotations"' not in head and '"completions"' not in head:
        return []
    if not _could_be_tasks(head):
        return []
    text = path.read_text(encoding=encoding)
    try:
        parsed = json.loads(text)
    except RecursionError:
        raise DataError(f"{path} can't be loaded: it is nested too deeply") from None
    except ValueError:
        try:
            parsed = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            return []  # whoever reads it next says what is wrong
    rows = parsed if isinstance(parsed, list) else [parsed]
    return rows if rows and all(map(is_label_studio, rows)) else []


def _could_be_tasks(head: str) -> bool:
    """Whether a file whose first line is an object can be an export, which has only such lines."""
    first = head.lstrip("\ufeff \t\r\n").split("\n", 1)[0]
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return True  # a list, or a line longer than the head
    return not isinstance(row, dict) or is_label_studio(row)


def _split_column(table: Any, asked: str, where: str) -> str:
    """The column that says each row's split: as asked for, or one of the usual name and values.

    Raises:
        DataError: it isn't there, or says something else.
    """
    if asked == AS_CUT:
        return ""
    column = same_name(asked or SPLIT_COLUMN, table.column_names)
    if asked and not column:
        check_column(asked, table.column_names, where)
    if not column:
        return ""
    names = {split_name(str(value or "")) for value in table.unique(column)}
    if names <= set(SPLITS) and "train" in names:
        return column
    if asked:
        there = ", ".join(sorted(map(repr, names))[:5])
        wanted = f"{', '.join(SPLITS)} or usual names of these, train among them"
        raise DataError(f"{where}: the column {column!r} holds {there}; expected {wanted}")
    return ""


def _by_column(whole: RawSplit, column: str) -> dict[str, RawSplit]:
    """The rows of each split that a column names."""
    rows: dict[str, list[int]] = {}
    for row, value in enumerate(whole.table[column][:]):
        rows.setdefault(split_name(str(value)), []).append(row)
    table = whole.table.remove_columns([column])
    return {
        name: RawSplit(
            table.select(own),
            [whole.rows[row] for row in own],
            [whole.places[row] for row in own],
            whole.unit,
        )
        for name, own in rows.items()
    }
