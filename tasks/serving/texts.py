"""Texts to predict: as given, from a file, or from standard input."""

import atexit
import shutil
from collections.abc import Sequence
from pathlib import Path

from birnn.data.tables.cells import Cells
from birnn.data.tables.csv_check import text_lines
from birnn.data.text import lines as lines_on_disk
from birnn.data.text.marks import MARK, unmarked
from birnn.errors import ConfigError, DataError, reason
from birnn.storage.scratch import scratch_folder
from birnn.tasks.serving.request import Request

MARKED = f"note: the labels ({MARK}…) are none of the texts"


def read_inputs(request: Request) -> Sequence[str]:
    """The texts to predict: as given, from a file, or from standard input, one a line.

    Those of a large file stay on the disk, and are read as they are asked for. Half a surrogate
    pair, which no encoding can hold, becomes a question mark.

    Raises:
        ConfigError: texts and a file at once, or nothing at all.
        DataError: a file that can't be read or has no text column.
    """
    if request.texts and request.input:
        raise ConfigError("give texts or --input, not both")
    texts = list(request.texts) or _read_source(request)
    if not texts:
        raise ConfigError("nothing to predict: the input holds no text")
    return _encodable(texts)


def read_text_columns(request: Request, names: Sequence[str]) -> list[Sequence[str]]:
    """Several columns of texts from the request's file, in the order of ``names``.

    Raises:
        DataError: the file can't be read or lacks a column.
        ConfigError: it holds no row.
    """
    from birnn.tasks.serving.text_tables import read_columns

    columns = read_columns(request, names)
    if not columns[0]:
        raise ConfigError("nothing to predict: the input holds no row")
    return [_encodable(column) for column in columns]


def encodable(text: str) -> str:
    """``text`` with a question mark for half a surrogate pair, which no encoding can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _encodable(texts: Sequence[str]) -> Sequence[str]:
    """Texts that are held, all :func:`encodable`; those on the disk are so when they are read."""
    return texts if isinstance(texts, Cells) else [encodable(text) for text in texts]


def _read_source(request: Request) -> Sequence[str]:
    if request.input:
        if (path := Path(request.input)).suffix.lower() == ".txt":
            if path.is_file() and path.stat().st_size > lines_on_disk.IN_MEMORY:
                cells, marked = lines_on_disk.long_lines(path, request.encoding)
                request.told.extend([MARKED] if marked else [])
                return cells
            lines = text_lines(path, request.encoding)
            filled = [line for line in lines if line.strip()]
            if not filled or not all(unmarked(line)[0] for line in filled):
                return lines
            request.told.append(MARKED)
            return [unmarked(line)[1] for line in lines]
        from birnn.tasks.serving.text_tables import read_column  # brings a library of tables

        return read_column(request)
    if request.standard_input is None:
        raise ConfigError("nothing to predict: give texts in quotes, --input FILE, or a pipe")
    try:
        start = request.standard_input.read(lines_on_disk.IN_MEMORY + 1)
        if len(start) > lines_on_disk.IN_MEMORY:
            return _spooled(start, request)
        lines = start.decode(request.encoding).split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"standard input is not {request.encoding}: {error.reason}") from None
    except LookupError:
        raise DataError(f"encoding: there is no {request.encoding!r}; try utf-8") from None
    return [line.removesuffix("\r") for line in (lines[:-1] if not lines[-1] else lines)]


def _spooled(start: bytes, request: Request) -> Sequence[str]:
    """The lines of a pipe that holds more than should be in memory, in a temporary file."""
    assert request.standard_input is not None
    try:
        held = scratch_folder()
        atexit.register(held.close)
        path = held.path / "input.txt"
        with path.open("wb") as file:
            file.write(start)
            shutil.copyfileobj(request.standard_input, file, 1 << 20)
    except OSError as error:
        raise DataError(f"can't keep standard input on the disk: {reason(error)}") from None
    return lines_on_disk.piped_lines(path, request.encoding)
