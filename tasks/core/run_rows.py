"""Rows of the CSV files that a run keeps, read as if a stranger had written them."""

import csv
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from birnn.errors import CheckpointError

RETURN = "\udc0d"  # stands for a carriage return; no UTF-8 gives it


class MissingError(CheckpointError):
    """A run doesn't keep a file of its test split."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is missing: no single items without it; train the run again")
        self.path = path


def read_rows(path: Path, needed: Iterable[str]) -> Iterator[dict[str, str]]:
    """The rows of a CSV file of ours, each with every column of the header.

    Raises:
        CheckpointError: it is missing, too large, not UTF-8 or not CSV, a needed column is
            absent, or a row has more or fewer fields than the header; names the line.
    """
    check_file(path, 512 << 20)
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            # Runs of older versions hold carriage returns within cells that aren't quoted; Python's
            # reader would end the row there.
            reader = csv.reader((line.replace("\r", RETURN) for line in file), strict=True)
            columns = next(reader, [])
            if len(columns) > 4096 or len(set(columns)) < len(columns):
                raise CheckpointError(f"{path}: its header is not one of ours; train again")
            for name in needed:
                if name not in columns:
                    raise CheckpointError(f"{path} has no column {name!r}: no scores without it")
            for row in reader:
                if len(row) != len(columns):
                    fields = f"{len(row)} fields, expected {len(columns)}: not as the run wrote it"
                    raise CheckpointError(f"{path} line {reader.line_num}: {fields}; train again")
                cells = (cell.replace(RETURN, "\r") for cell in row)
                yield dict(zip(columns, cells, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is not a readable CSV file: {error}") from None
    except OSError as error:
        raise CheckpointError(f"can't read {path}: {error.strerror or error}") from None


def check_file(path: Path, limit: int) -> None:
    """Refuse what is no file of at most ``limit`` bytes.

    Raises:
        MissingError: there is none.
        CheckpointError: it is larger.
    """
    if not path.is_file():
        raise MissingError(path)
    if path.stat().st_size > limit:
        raise CheckpointError(f"{path}: larger than {limit >> 20} MiB; not a file of ours")


def is_pooled(path: Path) -> bool:
    """Whether a ``predictions.csv`` holds the test items of several folds."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            return "fold" in next(csv.reader(file), [])
    except (OSError, csv.Error, UnicodeDecodeError):
        return False


def number(path: Path, row: Mapping[str, str], column: str, *, share: bool = False) -> float:
    """A finite number of a row, or a share between 0 and 1.

    Raises:
        CheckpointError: it is none.
    """
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (share and not -1e-6 <= value <= 1 + 1e-6):
        what = "a share" if share else "a finite number"
        raise CheckpointError(f"{path}: {row[column][:40]!r} in column {column!r} is not {what}")
    return value


def whole(path: Path, row: Mapping[str, str], column: str, allowed: tuple[int, int]) -> int:
    """A whole number of a row that must be one of two: the last one, or the next.

    Raises:
        CheckpointError: it is neither.
    """
    cell, expected = row[column], [str(value) for value in allowed]
    if cell not in expected:
        where = f"{path}: {cell[:40]!r} in column {column!r}"
        raise CheckpointError(f"{where}, expected {' or '.join(expected)}")
    return int(cell)


def checked(path: Path, rows: list[Any]) -> None:
    """Refuse an empty list of rows with a :class:`CheckpointError`."""
    if not rows:
        raise CheckpointError(f"{path} has no rows: there is nothing to score")
