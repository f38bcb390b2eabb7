"""Texts to predict: as given, from a file, or from standard input."""

from collections.abc import Sequence
from pathlib import Path

from birnn.data.tables.csv_check import text_lines
from birnn.data.text.marks import MARK, unmarked
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
    from birnn.tasks.serving.text_tables import read_columns

    columns = read_columns(request, names)
    if not columns[0]:
        raise ConfigError("nothing to predict: the input holds no row")
    return [[encodable(text) for text in column] for column in columns]


def encodable(text: str) -> str:
    """``text`` with a question mark for half a surrogate pair, which no encoding can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _read_source(request: Request) -> list[str]:
    if request.input:
        if (path := Path(request.input)).suffix.lower() == ".txt":
            lines = text_lines(path, request.encoding)
            filled = [line for line in lines if line.strip()]
            if not filled or not all(unmarked(line)[0] for line in filled):
                return lines
            request.told.append(f"note: the labels ({MARK}…) are none of the texts")
            return [unmarked(line)[1] for line in lines]
        from birnn.tasks.serving.text_tables import read_column  # brings a library of tables

        return read_column(request)
    if request.standard_input is None:
        raise ConfigError("nothing to predict: give texts in quotes, --input FILE, or a pipe")
    try:
        lines = request.standard_input.read().decode(request.encoding).split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"standard input is not {request.encoding}: {error.reason}") from None
    except LookupError:
        raise DataError(f"encoding: there is no {request.encoding!r}; try utf-8") from None
    return [line.removesuffix("\r") for line in (lines[:-1] if not lines[-1] else lines)]
