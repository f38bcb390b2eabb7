"""The embedded pairs: verses of two Bibles, from two packages that are read and not run."""

import ast
from pathlib import Path
from typing import Any

from birnn.data.samples import package_file
from birnn.data.tables.arrow_table import ArrowTable
from birnn.errors import DataError

OLD, PLAIN = "kjv", "bbe"  # King James Version of 1769; Bible in Basic English of 1949 and 1964
WAYS = str.maketrans({"[": "", "]": ""})  # marks of words that the translators added
CHAPTER = 1000  # a verse's number is that of its book, chapter and verse, three digits each


def verses() -> tuple[ArrowTable, list[str]]:
    """Old to plain English, verse by verse; see ``docs/translate.md`` for origin and licence.

    Returns:
        Columns ``source``, ``target`` and ``chapter``, in the order of the books, and notes.

    Raises:
        DataError: a package is missing, or is not as it was.
    """
    old, plain = _read(OLD), _read(PLAIN)
    both = sorted(old.keys() & plain.keys())
    rows = [(old[n].translate(WAYS), plain[n], str(n // CHAPTER)) for n in both]
    filled = [row for row in rows if row[0] and row[1]]
    columns = dict(zip(("source", "target", "chapter"), zip(*filled, strict=True), strict=True))
    alone = len(old.keys() ^ plain.keys()) + len(rows) - len(filled)
    notes = [f"{len(filled):,} verses in both versions" + (f", {alone:,} in one" if alone else "")]
    return ArrowTable.of({name: list(cells) for name, cells in columns.items()}), notes


def _read(version: str) -> dict[int, str]:
    """The verses of a version by their numbers.

    The package holds one call, of the whole text and of where each verse begins and ends: it is
    taken apart as it is written.
    """
    name = f"pythonbible_{version}/plain_text_readers_bible.py"
    path = package_file(f"pythonbible-{version}", name)
    try:
        text, starts, ends = _arguments(path)
        return {n: " ".join(text[starts[n] : ends[n]].split()) for n in starts}
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise DataError(f"{path} is not as it was: reinstall pythonbible-{version}") from None


def _arguments(path: Path) -> tuple[str, dict[int, int], dict[int, int]]:
    call: Any = ast.parse(path.read_text(encoding="utf-8")).body[-1]
    text, starts, ends = (ast.literal_eval(part) for part in call.value.args[1:4])
    return text, starts, ends


PAIR_SAMPLES = {"verses": verses}
