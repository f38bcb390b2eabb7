"""Texts to predict: as given, from a file, or from standard input."""

from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset

from birnn.data.tables.columns import find_column
from birnn.data.tables.csv_check import text_lines
from birnn.data.tables.hugging_face import guarded
from birnn.data.tables.sources import FORMATS
from birnn.data.text.choosing import choose_text, same_name
from birnn.data.text.plain_files import MARK, unmarked
from birnn.data.text.splits import load_texts
from birnn.errors import ConfigError, DataError
from birnn.tasks.serving.request import Request


def read_inputs(request: Request) -> list[str]:
    """The texts to predict: as given, from a file, or from standard input, one a line.

    Half a surrogate pair, which no encoding can hold, becomes a question mark.

    Raises:
        ConfigError: texts and a file at once, or nothing at all.
        DataError: a file that can't be read or has no text column.
    """
    if request.texts and request.input:
        raise ConfigError("give texts or --input, not both")
    texts = list(request.texts) or _read_source(request)
    if not texts:
        raise ConfigError("nothing to predict: the input holds no text")
    return [encodable(text) for text in texts]


def read_text_columns(request: Request, names: Sequence[str]) -> list[list[str]]:
    """Several columns of texts from the request's file, in the order of ``names``.

    Raises:
        DataError: the file can't be read or lacks a column.
        ConfigError: it holds no row.
    """
    table = _read_table(request)
    there = table.column_names
    columns = [
        same_name(name, there) or find_column(table, name, (), name, request.input)
        for name in names
    ]
    if not len(table):
        raise ConfigError("nothing to predict: the input holds no row")
    return [[encodable(text) for text in _cells(table, name, request.input)] for name in columns]


def encodable(text: str) -> str:
    """``text`` with a question mark for half a surrogate pair, which no encoding can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _read_source(request: Request) -> list[str]:
    if request.input:
        if (path := Path(request.input)).suffix.lower() == ".txt":
            lines = text_lines(path, request.encoding)
            if not lines or not all(unmarked(line)[0] for line in lines if line.strip()):
                return lines
            request.told.append(f"note: the labels ({MARK}…) are none of the texts")
            return [unmarked(line)[1] for line in lines]
        table = _read_table(request)
        name, notes = choose_text(table, request.text_column, request.columns, request.input)
        request.told.extend(f"note: {note}" for note in notes)
        return _cells(table, name, request.input)
    if request.standard_input is None:
        raise ConfigError("nothing to predict: give texts in quotes, --input FILE, or a pipe")
    try:
        lines = request.standard_input.read().decode(request.encoding).split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"standard input is not {request.encoding}: {error.reason}") from None
    except LookupError:
        raise DataError(f"encoding: there is no {request.encoding!r}; try utf-8") from None
    return [line.removesuffix("\r") for line in (lines[:-1] if not lines[-1] else lines)]


def _read_table(request: Request) -> Dataset:
    if Path(request.input).suffix.lower() not in FORMATS:
        known = ", ".join((".txt", *FORMATS))
        raise DataError(f"input: {request.input} has an unknown format; known: {known}")
    tables = load_texts(request.input, request.read)
    lost = [note for note in tables.notes if "left out" in note]
    request.told.extend(f"note: {note}" for note in [*lost, *tables.warnings])
    return next(iter(tables.splits.values()))


def _cells(table: Dataset, name: str, path: str) -> list[str]:
    values = guarded(path, lambda: table[name][:])
    return ["" if value is None else str(value) for value in values]
