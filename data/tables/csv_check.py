"""Read a text file once before anything trusts it: encoding, NULs, ragged rows."""

import codecs
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from birnn.errors import DataError


@dataclass(frozen=True)
class CsvShape:
    """What a delimited file looks like."""

    columns: list[str]
    rows: int
    ragged: list[int]  # line numbers, at most the first hundred
    ragged_count: int


def check_csv(path: Path, delimiter: str, encoding: str) -> CsvShape:
    """Scan a delimited file and count its rows and the ragged ones among them.

    Raises:
        DataError: it can't be opened, is empty, is not in ``encoding``, holds NUL bytes, or has
            an unusable header; the message says where.
    """
    check_text(path, encoding)
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            columns = _check_header(path, next(reader, None))
            rows = count = 0
            ragged: list[int] = []
            for row in filter(None, reader):
                rows += 1
                if len(row) != len(columns):
                    count += 1
                    if len(ragged) < 100:
                        ragged.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path} is not a readable CSV file: {error}") from None
    return CsvShape(columns, rows, ragged, count)


def even_rows(path: Path, delimiter: str, encoding: str, columns: list[str]) -> Iterator[list[str]]:
    """The rows of a delimited file that have as many fields as there are ``columns``.

    Raises:
        DataError: quotes that are never closed; names the line.
    """
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            next(reader)
            yield from (row for row in reader if len(row) == len(columns))
        except csv.Error as error:
            raise DataError(f"{path} line {reader.line_num}: {error}") from None


def check_text(path: Path, encoding: str) -> None:
    """Refuse a file that is not text in ``encoding``.

    Raises:
        DataError: it can't be opened or decoded, or holds NUL characters; says on which line.
    """
    try:
        "".encode(encoding)  # refuses codecs that aren't of text, such as base64
        decoder = codecs.getincrementaldecoder(encoding)()
        with path.open("rb") as file:
            line = 1
            while block := file.read(1 << 20):
                try:
                    text = decoder.decode(block)
                except UnicodeDecodeError as error:
                    line += error.object[: error.start].count(b"\n")
                    byte = error.object[error.start]
                    what = f"is not {encoding}: byte 0x{byte:02x} can't be decoded"
                    mend = "save it as UTF-8 or name its encoding, as in --encoding latin-1"
                    raise DataError(f"{path} line {line} {what}; {mend}") from None
                if (place := text.find("\0")) >= 0:
                    line += text.count("\n", 0, place)
                    what = "holds a NUL character: it is binary, UTF-16 or damaged"
                    mend = "save it as UTF-8 text, or name its encoding with --encoding"
                    raise DataError(f"{path} line {line} {what}; {mend}")
                line += text.count("\n")
            decoder.decode(b"", final=True)
    except UnicodeError:
        raise DataError(f"{path} is not {encoding}: it can't be decoded to its end") from None
    except (LookupError, TypeError, ValueError):
        raise DataError(f"encoding: there is no {encoding!r}; try utf-8 or latin-1") from None
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from None


def _check_header(path: Path, header: list[str] | None) -> list[str]:
    if header is None or not any(name.strip() for name in header):
        raise DataError(f"{path} is empty: expected a header line with column names")
    columns = [name.removeprefix("\ufeff").strip() for name in header]
    for name in columns:
        if not name:
            there = ", ".join(columns)
            raise DataError(f"{path} line 1: a column has no name; the header is {there}")
        if columns.count(name) > 1:
            raise DataError(f"{path} line 1: the column {name!r} stands there twice")
    return columns
