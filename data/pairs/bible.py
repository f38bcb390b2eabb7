"""The embedded pairs: verses of two Bibles, from two packages that are read and not run."""

import ast
import re
from pathlib import Path
from typing import Any

from birnn.data.samples import package_file
from birnn.data.tables.arrow_table import ArrowTable
from birnn.errors import DataError

OLD, PLAIN = "kjv", "bbe"  # King James Version of 1769; Bible in Basic English of 1949 and 1964
WAYS = str.maketrans({"[": "", "]": ""})  # marks of words that the translators added
CHAPTER = 1000  # a verse's number is that of its book, chapter and verse, three digits each
BOOK = CHAPTER * CHAPTER
NUMBER = re.compile(r"<sup>(\d+)</sup>")
# The plain version makes two of chapter 64 of Isaiah: later ones are one too high.
LATER = range(23_066_000, 24_000_000)
OTHER = re.compile(r"\\(\d+):(\d+)\\")  # the older number of what follows
MARKS = re.compile(r"</?p>|\\")


def verses() -> tuple[ArrowTable, list[str]]:
    """Old to plain English, verse by verse; see ``docs/translate.md`` for origin and licence.

    Returns:
        Columns ``source``, ``target`` and ``chapter``, in the order of the books, and notes.

    Raises:
        DataError: a package is missing, or is not as it was.
    """
    old, plain = _read(OLD), _read(PLAIN)
    both = sorted(old.keys() & plain.keys())
    rows = [(old[n], plain[n], str(n // CHAPTER)) for n in both]
    filled = [row for row in rows if row[0] and row[1]]
    columns = dict(zip(("source", "target", "chapter"), zip(*filled, strict=True), strict=True))
    alone = len(old.keys() ^ plain.keys()) + len(rows) - len(filled)
    notes = [f"{len(filled):,} verses in both versions" + (f", {alone:,} in one" if alone else "")]
    return ArrowTable.of({name: list(cells) for name, cells in columns.items()}), notes


def _read(version: str) -> dict[int, str]:
    """The verses of a version by their numbers in the older one.

    The package holds one call, of the whole text and of where each verse begins and ends: it is
    taken apart as it is written. Where verses end is wrong in one of the versions, so they are told
    by the numbers in the text, which must be those of the list. Where the version counts otherwise
    (titles of Psalms, say), its text names the older number too, and that holds.
    """
    path = package_file(f"pythonbible-{version}", f"pythonbible_{version}/html_bible.py")
    try:
        text, numbers = _arguments(path)
        _, *parts = NUMBER.split(text)
        verses = list(zip(numbers, map(int, parts[::2]), parts[1::2], strict=True))
        if any(number % CHAPTER != verse for number, verse, _ in verses):
            raise ValueError("a verse is missing")
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise DataError(f"{path} is not as it was: reinstall pythonbible-{version}") from None
    plain, named = dict[int, str](), dict[int, list[str]]()
    for number, _, part in verses:
        own, *others = OTHER.split(part)
        plain[number - CHAPTER * (version == PLAIN and number in LATER)] = _clean(own)
        for chapter, verse, words in zip(*(others[i::3] for i in range(3)), strict=True):
            older = number // BOOK * BOOK + int(chapter) * CHAPTER + int(verse)
            named.setdefault(older, []).append(_clean(words))
    return {**plain, **{number: " ".join(words) for number, words in named.items()}}


def _clean(text: str) -> str:
    return " ".join(MARKS.sub(" ", text).translate(WAYS).split())


def _arguments(path: Path) -> tuple[str, list[int]]:
    call: Any = ast.parse(path.read_text(encoding="utf-8")).body[-1]
    text, starts = (ast.literal_eval(part) for part in call.value.args[1:3])
    return text, list(starts)


PAIR_SAMPLES = {"verses": verses}
