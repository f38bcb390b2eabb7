"""Texts to predict that stand in a table: a file in one of the formats that hold tables."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from birnn.data.tables.cells import Cells
from birnn.data.tables.columns import find_column
from birnn.data.tables.disk_table import DiskTable
from birnn.data.tables.formats import FORMATS
from birnn.data.tables.hugging_face import guarded
from birnn.data.text.choosing import choose_text, same_name
from birnn.data.text.splits import load_texts
from birnn.errors import DataError
from birnn.tasks.serving.request import Request
from birnn.tasks.serving.texts import encodable


def read_column(request: Request) -> Sequence[str]:
    """The column of texts of the request's file, as it is named or found.

    Raises:
        DataError: the file can't be read or has no text column.
    """
    table = _read_table(request)
    name, notes = choose_text(table, request.text_column, request.columns, request.input)
    request.told.extend(f"note: {note}" for note in notes)
    return _cells(table, name, request.input)


def read_columns(request: Request, names: Sequence[str]) -> list[Sequence[str]]:
    """Several columns of texts of the request's file, in the order of ``names``.

    Raises:
        DataError: the file can't be read or lacks a column.
    """
    table = _read_table(request)
    there = table.column_names
    columns = [
        same_name(name, there) or find_column(table, name, (), name, request.input)
        for name in names
    ]
    return [_cells(table, name, request.input) for name in columns]


def _read_table(request: Request) -> Any:
    if Path(request.input).suffix.lower() not in FORMATS:
        known = ", ".join((".txt", *FORMATS))
        raise DataError(f"input: {request.input} has an unknown format; known: {known}")
    tables = load_texts(request.input, replace(request.read, streamed=True))
    lost = [note for note in tables.notes if "left out" in note]
    request.told.extend(f"note: {note}" for note in [*lost, *tables.warnings])
    return next(iter(tables.splits.values()))


def _cells(table: Any, name: str, path: str) -> Sequence[str]:
    if isinstance(table, DiskTable):
        parts = partial(table.values, name)
        return Cells(len(table), lambda start: map(_as_texts, parts(start)))
    return _as_texts(guarded(path, lambda: table[name][:]))


def _as_texts(values: Sequence[Any]) -> list[str]:
    """Cells as texts; half a surrogate pair, which no encoding can hold, is a question mark."""
    return [encodable("" if value is None else str(value)) for value in values]
