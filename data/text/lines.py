"""A large file of lines, of which a few are in memory at once."""

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from birnn.data.tables.cells import Cells
from birnn.data.tables.csv_check import check_text, encoding_of
from birnn.data.text.marks import unmarked
from birnn.progress import tell

IN_MEMORY = 32 << 20  # bytes of a file whose lines are held
LINES = 10_000  # that are taken at once


def long_lines(path: Path, given: str) -> tuple[Cells, bool]:
    """The lines of a file, as :func:`birnn.data.tables.csv_check.text_lines` has them.

    And whether each that is not blank begins with labels in fastText's way, which are left out.

    Raises:
        DataError: it can't be opened or decoded, or holds NUL characters.
    """
    encoding = encoding_of(path, given)
    check_text(path, encoding)
    end = "\n" if _has(path, encoding, "\n") or not _has(path, encoding, "\r") else "\r"
    return _cells(path, encoding, end, marks=True)


def piped_lines(path: Path, encoding: str) -> Cells:
    """The same of what a pipe held, whose lines end in line feeds and can begin with any sign.

    Raises:
        UnicodeDecodeError: it is not in that encoding.
    """
    return _cells(path, encoding, "\n", marks=False)[0]


def _cells(path: Path, encoding: str, end: str, *, marks: bool) -> tuple[Cells, bool]:
    count, filled, size = 0, False, max(1, path.stat().st_size)
    marked = marks
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding, newline=end) as file:
        for count, line in enumerate(file, 1):
            if marked and (text := _text(line, end, count, bom=marks)).strip():
                filled, marked = True, bool(unmarked(text)[0])
            if not count % LINES:
                tell("reading", raw.tell() / size)
    marked = marked and filled

    def parts(start: int) -> Iterator[list[str]]:
        with path.open(encoding=encoding, newline=end) as file:
            numbered = islice(enumerate(file, 1), start, None)
            while some := list(islice(numbered, LINES)):
                texts = [_text(line, end, number, bom=marks) for number, line in some]
                texts = [unmarked(text)[1] for text in texts] if marked else texts
                yield [text.encode("utf-8", "replace").decode("utf-8") for text in texts]

    return Cells(count, parts), marked


def _text(line: str, end: str, number: int, *, bom: bool) -> str:
    """A line without its end, the first one without the mark of its encoding."""
    line = line.removeprefix("\ufeff") if bom and number == 1 else line
    return line.removesuffix(end).removesuffix("\r")


def _has(path: Path, encoding: str, sign: str) -> bool:
    """Whether a sign stands in a file, other than as carriage returns at its end."""
    returns = 0
    with path.open(encoding=encoding, newline="") as file:
        while block := file.read(1 << 20):
            if sign == "\n" and sign in block:
                return True
            if sign == "\r" and ("\r" in block.rstrip("\r") or (returns and block.strip("\r"))):
                return True
            returns += block.endswith("\r")
    return False
