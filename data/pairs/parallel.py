"""Pairs in parallel files: a line of one is the translation of the same line of the other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from birnn.data.tables.arrow_table import ArrowTable
from birnn.data.tables.csv_check import text_lines
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.folders import split_of
from birnn.data.tables.formats import FORMATS
from birnn.data.tables.sources import Tables
from birnn.errors import DataError

BOTH = 2


def parallel_tables(
    source: str, target: str, read: ReadOptions, *, told: bool = True
) -> Tables | None:
    """The pairs of two files, or of a folder of such; None where ``source`` is something else.

    Unless it is ``told`` which language is the source, a warning says that it is the first.

    Raises:
        DataError: files of another number of lines, or one that can't be read.
    """
    path = Path(source).expanduser()
    if target:
        other = Path(target).expanduser()
        for one in (path, other):
            if not one.is_file():
                raise DataError(f"{one}: no such file; --target-data names the lines of --data")
        table = _table(path, other, ("source", "target"), read)
        note = f"parallel lines of {path.name} and {other.name}"
        return Tables({"train": table}, str(path), [note], lines=_lines({"train": table}))
    if not path.is_dir():
        return None
    files = [file for file in sorted(path.iterdir()) if file.is_file() and file.name[0] != "."]
    if any(file.suffix.lower() in FORMATS for file in files):
        return None
    pairs = _same_stems(files)
    if not pairs:
        return None
    splits = {}
    for one, other in pairs:
        split = split_of(one.stem) or ("train" if len(pairs) == 1 else one.stem)
        if split in splits:
            raise DataError(f"{path}: several pairs of files are of the split {split}; keep one")
        names = one.suffix[1:], other.suffix[1:]
        splits[split] = _table(one, other, names, read)
    files_told = ", ".join(f"{one.name} and {other.name}" for one, other in pairs)
    note = f"parallel lines of {files_told}"
    first, second = (file.suffix[1:] for file in pairs[0])
    way = f"translated from {first!r} to {second!r}, as their names are sorted"
    warnings = [] if told else [f"{way}: --source-column {second} turns it round"]
    return Tables(splits, str(path), [note], lines=_lines(splits), warnings=warnings)


def _lines(
    splits: dict[str, ArrowTable],
) -> dict[str, "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    return {name: np.arange(1, len(table) + 1) for name, table in splits.items()}


def _same_stems(files: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Pairs of files that differ in their last suffix alone, which is then a language."""
    groups: dict[str, list[Path]] = {}
    for file in files:
        if file.suffix:
            groups.setdefault(file.stem, []).append(file)
    return [(own[0], own[1]) for own in groups.values() if len(own) == BOTH]


def _table(one: Path, other: Path, names: tuple[str, str], read: ReadOptions) -> ArrowTable:
    sources, targets = text_lines(one, read.encoding), text_lines(other, read.encoding)
    if len(sources) != len(targets):
        counts = f"{one} has {len(sources):,} lines, {other} has {len(targets):,}"
        raise DataError(
            f"{counts}: a line of one must be the translation of the other's; where one has no"
            " translation, leave its line empty"
        )
    return ArrowTable.of({names[0]: list(sources), names[1]: list(targets)})
