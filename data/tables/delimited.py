"""Rows of delimited text, strictly: whatever stands in a file is in a row, or the line is named."""

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

Row = tuple[int, list[str]]  # the line at which it begins, from 1, and its fields
BARE = re.compile(r"\r(?!\n)")
RETURN = "\udc0d"  # stands for a bare carriage return while Python's reader works: in no text

csv.field_size_limit(sys.maxsize)


class BrokenError(ValueError):
    """Quotes that don't pair; ``line`` is where the row begins."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True)
class Signs:
    """What cuts a text into rows and fields."""

    delimiter: str = ","
    quote: str = '"'  # empty: none
    escape: str = ""  # empty: a quote within a field is doubled
    padded: bool = False  # spaces after a delimiter are none of the field's
    returns: bool = False  # a bare carriage return is a letter, not the end of a row


def open_lines(path: Path, encoding: str, signs: Signs) -> TextIO:
    """The lines of a file as :func:`parse` takes them."""
    return path.open(encoding=encoding, newline="\n" if signs.returns else "")


def lines_of(text: str, signs: Signs) -> TextIO:
    """The same of a text."""
    return io.StringIO(text, newline="\n" if signs.returns else "")


def parse(lines: Iterable[str], signs: Signs, skip: int = 0) -> Iterator[Row]:
    """The rows of ``lines`` but the first ``skip`` lines; those of nothing but spaces are left out.

    Raises:
        BrokenError: a quote within a field that is not doubled, or that is never closed.
    """
    source = iter(lines)
    for _ in range(skip):
        next(source, None)
    if signs.returns:
        source = (BARE.sub(RETURN, line) for line in source)
    if signs.delimiter == " ":
        source = (line.strip(" \t\r\n") + "\n" for line in source)
    reader = csv.reader(
        source, delimiter=signs.delimiter, quotechar=signs.quote or None,
        quoting=csv.QUOTE_MINIMAL if signs.quote else csv.QUOTE_NONE,
        doublequote=not signs.escape, escapechar=signs.escape or None, strict=True,
        skipinitialspace=signs.padded or signs.delimiter == " ",
    )  # fmt: skip
    line = skip + 1
    try:
        for fields in reader:
            if len(fields) > 1 or (fields and (fields[0].strip() or not fields[0])):
                if signs.returns:
                    fields = [field.replace(RETURN, "\r") for field in fields]
                yield line, fields
            line = reader.line_num + skip + 1
    except csv.Error as error:
        raise BrokenError(line, str(error)) from None
