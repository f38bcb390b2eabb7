"""Documents of running text, from whatever holds them, and their splits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from birnn.data.samples import PASSAGE_SAMPLES
from birnn.data.splits.cutting import SPLIT_ALIASES, SPLITS, complete_splits, cut
from birnn.data.tables.csv_check import text_lines
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.folders import split_of
from birnn.data.tables.formats import FORMATS
from birnn.data.wording import plural
from birnn.errors import DataError

PLAIN = (".txt", ".text", ".md")  # files of running text
FEW = 50  # documents below which each is cut, not their number
FEW_SHORT, SHORT = 10, 2000  # the same where most have fewer characters than this
PIECE, MOST_PIECES = 2500, 20  # characters of a piece of validation, at least, and pieces of a text
WHOLE, LINES = "whole", "lines"


@dataclass(frozen=True)
class Documents:
    """Texts of each split, and how they were read."""

    splits: Mapping[str, list[str]]
    source: str
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reading: Mapping[str, Any] = field(default_factory=dict)


def read_documents(
    source: str, read: ReadOptions, kind: str = WHOLE, column: str = "",
    remembered: Mapping[str, str] | None = None,
) -> Documents:  # fmt: skip
    """The documents of ``source``: a sample, a text file, a folder of such, or a table of texts.

    Args:
        source: as :func:`birnn.data.tables.sources.load_tables`, or of running text.
        read: how files are read.
        kind: of running text, ``whole``: a file is a document; ``lines``: each line is one.
        column: of a table, where the texts stand; empty: found.
        remembered: columns of a run's own data.

    Raises:
        DataError: nothing is there, or it holds no text; one line.
    """
    path = Path(source).expanduser()
    if source in PASSAGE_SAMPLES and not path.exists():
        text, notes = PASSAGE_SAMPLES[source]()
        return Documents({"train": _parts([text], kind)}, source, notes)
    if path.is_file() and path.suffix.lower() in PLAIN:
        return Documents({"train": _parts([_text(path, read)], kind)}, str(path))
    if path.is_dir() and (files := _plain_files(path)):
        return _folder(path, files, read, kind)
    return _table(source, read, column, remembered or {})


def _text(path: Path, read: ReadOptions) -> str:
    lines = text_lines(path, read.encoding)
    if not any(line.strip() for line in lines):
        raise DataError(f"{path} holds no text")
    return "\n".join(lines) + "\n"


def _parts(texts: Sequence[str], kind: str) -> list[str]:
    if kind == WHOLE:
        return list(texts)
    return [line for text in texts for line in text.split("\n") if line.strip()]


def _plain_files(folder: Path) -> list[Path]:
    """The text files of a folder, at any depth; none if it holds tables too."""
    files = [
        path for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
    ]  # fmt: skip
    if any(path.suffix.lower() in FORMATS for path in files):
        return []
    return [path for path in files if path.suffix.lower() in PLAIN and path.stat().st_size]


def _folder(folder: Path, files: Sequence[Path], read: ReadOptions, kind: str) -> Documents:
    """A document a file; its name, or that of a folder above it, can say of which split."""
    found: dict[str, list[str]] = {}
    for path in files:
        words = [*path.relative_to(folder).parts[:-1], path.stem]
        split = next(filter(None, map(split_of, words)), "") or "train"
        found.setdefault(split, []).append(_text(path, read))
    if "train" not in found:
        found = {"train": [text for texts in found.values() for text in texts]}
    notes = [f"{split}: {plural(len(texts), 'text file')}" for split, texts in found.items()]
    return Documents({s: _parts(texts, kind) for s, texts in found.items()}, str(folder), notes)


def _table(source: str, read: ReadOptions, column: str, remembered: Mapping[str, str]) -> Documents:
    from birnn.data.tables.sources import load_tables  # these bring libraries of tables
    from birnn.data.text.choosing import choose_text

    tables = load_tables(source, read, aliases={}, samples=tuple(PASSAGE_SAMPLES))
    splits, notes, name = dict[str, list[str]](), list(tables.notes), column
    for given, table in tables.splits.items():
        split = SPLIT_ALIASES.get(str(given).casefold(), str(given))
        name, more = choose_text(table, column, remembered, f"{tables.source} ({given})")
        notes += [note for note in more if note not in notes]
        cells = ("" if cell is None else str(cell) for cell in table[name][:])
        texts = [text for text in cells if text.strip()]
        if empty := len(table) - len(texts):
            notes.append(f"left out: {plural(empty, 'row')} of {split} without text")
        if split in SPLITS and texts:
            splits[split] = texts
    if "train" not in splits:
        raise DataError(f"{tables.source} has no train split with text in it")
    reading = {**tables.reading, "columns": {"text": name}}
    return Documents(splits, tables.source, notes, tables.warnings, reading)


def split_documents(
    given: Mapping[str, list[str]], shares: Mapping[str, float], seed: int, where: str
) -> tuple[dict[str, list[str]], list[str]]:
    """The three splits; those that are missing are cut from train.

    Of fewer than :data:`FEW` documents (:data:`FEW_SHORT`, if they are short), the end of each is
    the test split, and pieces of it, spread evenly over what is left, are validation: text changes
    on the way, and what comes just before the test split is worth most for it. Of more, whole
    documents are drawn by ``seed``, equal ones together.

    Raises:
        DataError: there is too little text.
    """
    sizes = sorted(map(len, given["train"]))
    if len(sizes) >= (FEW if sizes[len(sizes) // 2] >= SHORT else FEW_SHORT):

        def draw(docs: list[str], name: str, size: float) -> tuple[list[str], list[str]]:
            first, second = cut(docs, [""] * len(docs), size / len(docs), seed)
            return [docs[i] for i in first], [docs[i] for i in second]

        def drawn(count: int) -> str:
            return f"{plural(count, 'document')} drawn from train (seed {seed})"

        return complete_splits(given, shares, draw, drawn)
    splits, notes = {k: list(v) for k, v in given.items()}, []
    total, each = sum(map(len, splits["train"])), len(splits["train"]) > 1
    for name, share in shares.items():
        if name in splits:
            continue
        how = _cut_end if name == "test" else _cut_pieces
        pairs = [how(text, share * total / sum(map(len, splits["train"])))
                 for text in splits["train"]]  # fmt: skip
        splits["train"] = [part for kept, _ in pairs for part in kept if part]
        splits[name] = [part for _, taken in pairs for part in taken if part]
        pieces = f"{plural(len(splits[name]), 'piece')} spread over the rest"
        what = "the end" if name == "test" else pieces
        count = sum(map(len, splits[name]))
        notes.append(f"{name}: {what} of {'each' if each else 'the'} text, {count:,} characters")
    for name in SPLITS:
        if not splits[name]:
            raise DataError(f"{where} holds too little text: none is left for {name}")
    return {name: splits[name] for name in SPLITS}, notes


def _cut_end(text: str, share: float) -> tuple[list[str], list[str]]:
    at = len(text) - round(share * len(text))
    return [text[:at]], [text[at:]]


def _cut_pieces(text: str, share: float) -> tuple[list[str], list[str]]:
    """Pieces of :data:`PIECE` characters or more, as many as make the share, in equal distances."""
    size = round(share * len(text))
    count = max(1, min(MOST_PIECES, size // PIECE))
    kept, taken, done = list[str](), list[str](), 0
    for number in range(count):
        middle = round((number + 0.5) / count * len(text))
        begin, end = middle - size // count // 2, middle - size // count // 2 + size // count
        kept.append(text[done:begin])
        taken.append(text[begin:end])
        done = end
    return [*kept, text[done:]], taken
