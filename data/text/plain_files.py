"""Labelled texts in plain files: fastText's lines with marks, and a folder a class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Ints
from birnn.data.splits.cutting import SPLIT_ALIASES, SPLITS
from birnn.data.tables.arrow_table import ArrowTable
from birnn.data.tables.csv_check import check_text, encoding_of, text_lines
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.folders import split_of
from birnn.data.tables.formats import FORMATS
from birnn.data.tables.sources import Tables
from birnn.data.text.marks import MARK, unmarked
from birnn.data.wording import number_list, plural
from birnn.errors import DataError

MARKED = (".txt", ".train", ".valid", ".test")  # what such files are called
UNLABELLED = ("unsup", "unlabeled", "unlabelled")  # folders of texts that nobody has labelled
TAGGED = (".conll", ".conllu", ".conllup", ".iob", ".bio")  # beside them .txt files are raw text
LISTED = 8  # lines in a message


def split_name(given: str) -> str:
    """The split that a name means, if it means one, else the name."""
    plain = given.strip().casefold()
    return SPLIT_ALIASES.get(plain, plain if plain in SPLITS else given)


def plain_tables(path: Path, read: ReadOptions) -> Tables | None:
    """The texts of a file of marked lines, of a folder of such, or of folders named by classes.

    None if it is something else.

    Raises:
        DataError: a file that is no text, or lines with several labels.
    """
    if path.is_file():
        return _marked_files({"train": [path]}, read, str(path)) if is_marked(path, read) else None
    if not path.is_dir():
        return None
    files = [file for file in sorted(path.rglob("*")) if _is_data(file, path)]
    if any(file.suffix.lower() in (*FORMATS, *TAGGED) for file in files):
        return None  # these are the data
    marked = [file for file in files if is_marked(file, read)]
    if marked:
        splits: dict[str, list[Path]] = {}
        for file in marked:
            splits.setdefault(split_of(file.name) or "train", []).append(file)
        return _marked_files(splits, read, str(path))
    return _class_folders([f for f in files if f.suffix.lower() == ".txt"], path, read)


def looks_plain(path: Path, read: ReadOptions) -> bool:
    """Whether :func:`plain_tables` would read it."""
    try:
        return plain_tables(path, read) is not None
    except DataError:
        return True  # whoever reads it says what is wrong


def is_marked(path: Path, read: ReadOptions) -> bool:
    """Whether a file's first line begins with a label in fastText's way."""
    if path.suffix.lower() not in MARKED:
        return False
    with path.open(encoding=encoding_of(path, read.encoding), errors="replace") as file:
        return file.readline(10_000).lstrip("\ufeff \t").startswith(MARK)


def _is_data(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "__")) for part in file.relative_to(folder).parts)
    return file.is_file() and not hidden


def _marked_files(files: dict[str, list[Path]], read: ReadOptions, source: str) -> Tables:
    splits, lines = dict[str, Any](), dict[str, Ints]()
    for split, paths in files.items():
        texts, labels, at, several = [], list[str | None](), [], dict[Path, list[int]]()
        for path in paths:
            for number, line in enumerate(text_lines(path, read.encoding), 1):
                marks, text = unmarked(line)
                if len(marks) > 1:
                    several.setdefault(path, []).append(number)
                if marks or text.strip():
                    texts.append(text)
                    labels.append(marks[0] if marks else None)
                    at.append(number)
        for path, odd in several.items():
            more = ", …" if len(odd) > LISTED else ""
            what = f"{plural(len(odd), 'line')} with several labels"
            where = f"line {number_list(odd[:LISTED])}{more}"
            raise DataError(f"{path}: {what} ({where}); give each text one")
        splits[split] = ArrowTable.of({"text": texts, "label": labels})
        lines[split] = np.array(at, dtype=np.int64)
    note = f"lines marked as fastText's: the label after {MARK}, then the text"
    return Tables(splits, source, [note], lines=lines, files=files)


def _class_folders(files: Sequence[Path], folder: Path, read: ReadOptions) -> Tables | None:
    """A text a file, its class the name of the folder around it; None if there are no two."""
    found: dict[str, list[tuple[str, Path]]] = {}
    unlabelled = 0
    others = []
    for file in files:
        *above, inner = ["", *file.relative_to(folder).parts[:-1]]
        if split_name(inner) in SPLITS and len(above) > 1:  # a class, then the split
            above, inner = [inner], above[-1]
        split = next((name for part in above if (name := split_name(part)) in SPLITS), "train")
        if inner.casefold() in UNLABELLED:
            unlabelled += 1
        elif inner and not {split_name(inner), split_name(file.stem)} & {*SPLITS}:
            found.setdefault(split, []).append((inner, file))
        else:
            others.append(file.name)
    if len({label for label, _ in found.get("train", ())}) < 2:
        return None
    tables = {split: _one_a_file(pairs, read) for split, pairs in found.items()}
    counts = ", ".join(f"{split} {len(pairs):,}" for split, pairs in found.items())
    notes = [f"a text a file, its class the name of its folder: {counts} files"]
    if unlabelled:
        notes.append(f"not read, as they have no label: {plural(unlabelled, 'file')}")
    if others:
        more = ", …" if len(others) > LISTED else ""
        notes.append(f"not read, as no class is theirs: {', '.join(others[:LISTED])}{more}")
    return Tables(tables, str(folder), notes)


def _one_a_file(pairs: Sequence[tuple[str, Path]], read: ReadOptions) -> ArrowTable:
    texts = []
    for _, path in pairs:
        encoding = encoding_of(path, read.encoding)
        check_text(path, encoding)
        texts.append(path.read_text(encoding=encoding).strip())
    return ArrowTable.of(
        {"text": texts, "label": [label for label, _ in pairs],
         "file": [path.name for _, path in pairs]}
    )  # fmt: skip
