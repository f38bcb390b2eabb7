"""Where tagged sentences stand: a file, a folder with one file a split, a data set, a sample."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from datasets import ClassLabel, Dataset, List

from birnn.data import DATASETS
from birnn.data.samples import TAGGED_SAMPLES
from birnn.data.tables.memory import in_memory
from birnn.data.tables.sources import HUB_NAME, ReadOptions, load_tables
from birnn.data.tags.conll import ColumnLayout, Sentence, read_columns
from birnn.data.tags.conllu import read_conllu
from birnn.data.tags.json_spans import read_json, read_rows
from birnn.errors import DataError
from birnn.registry import suggestion

CONLLU = (".conllu", ".conllup")
COLUMNS = (
    ".conll", ".txt", ".tsv", ".iob", ".iob2", ".bio", ".bioes", ".iobes", ".ner", ".pos", ".tags",
    ".tag", ".col", ".dat", ".train", ".dev", ".valid", ".test", ".testa", ".testb",
)  # fmt: skip
ABOUT = ("readme", "license", "licence", "copying", "notice", "changelog")  # no data
JSON = (".jsonl", ".json")
TABLES = (".parquet",)
SUFFIXES = (*CONLLU, *COLUMNS, *JSON, *TABLES)
KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "testa"),  # CoNLL-2003 calls it testa
    "test": ("test", "testing", "eval", "evaluation", "testb"),
}


class Columns(Protocol):
    """What must be known to read a source."""

    @property
    def tag_column(self) -> str:
        """Name or number; empty: the usual one."""

    @property
    def token_column(self) -> str:
        """Likewise."""

    @property
    def read(self) -> ReadOptions:
        """How files are read."""


@dataclass(frozen=True)
class Part:
    """The sentences of one split, and where each stands."""

    sentences: list[Sentence]
    files: list[str]  # of each sentence
    layout: ColumnLayout
    unit: str = "line"  # what the numbers of sentences count
    left_out: dict[str, list[str]] = field(default_factory=dict)  # reason → where, and which


def read_parts(
    source: str, columns: Columns, *, tagged: bool
) -> tuple[str, dict[str, Part], list[str]]:
    """Read all splits of ``source``.

    Args:
        source: a file, a folder, a saved data set, a sample, an alias or a Hub name.
        columns: which columns, and how files are read.
        tagged: False where tags may be missing.

    Returns:
        The source in plain words, its splits (a file alone is ``train``), and notes.

    Raises:
        DataError: nothing there, an unknown format, or content that can't be read.
    """
    if source in TAGGED_SAMPLES:
        path = TAGGED_SAMPLES[source]()
        part = _read([path], columns, tagged, {path: source})
        return f"embedded {source}", {"train": part}, []
    path = Path(source).expanduser()
    if in_memory(source) is not None:
        saved = True  # its tables are at hand, as those of a saved data set are
    elif source and path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(f"{path}: unknown format {path.suffix!r}; known: {', '.join(SUFFIXES)}")
        return str(path), {"train": _read([path], columns, tagged)}, []
    else:
        saved = (path / "dataset_dict.json").is_file() or (path / "state.json").is_file()
    if source and path.is_dir() and not saved:
        files, notes = find_splits(path)
        if files:
            parts = {name: _read(paths, columns, tagged) for name, paths in files.items()}
            return str(path), parts, notes
    elif source and not saved and not HUB_NAME.fullmatch(DATASETS.get(source, source)):
        near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        known = [*TAGGED_SAMPLES, *DATASETS]
        raise DataError(
            f"{source}: no such file or folder{suggestion(path.name, near + known)};"
            f" known names: {', '.join(known)}, or owner/name on the Hugging Face Hub"
        )
    tables = load_tables(source, columns.read)
    return (
        tables.source,
        {
            split_name(str(name)) or str(name): _of_table(table, source, str(name), columns, tagged)
            for name, table in tables.splits.items()
        },
        list(tables.notes),
    )


def split_name(name: str) -> str:
    """The split that a file's name speaks of, as Hugging Face finds it; ``""`` if none.

    >>> split_name("en_ewt-ud-dev"), split_name("eval.en"), split_name("latest"), split_name("x")
    ('validation', 'test', '', '')
    """
    for split, words in KEYWORDS.items():
        if re.search(rf"(?:^|[^a-z])(?:{'|'.join(words)})(?:[^a-z]|$)", name.lower()):
            return split
    return ""


def find_splits(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """The files of each split in a folder; others are no data, and are named in a note.

    Raises:
        DataError: no file that could hold sentences, or several of which none names a split.
    """
    there = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix.lower() in SUFFIXES
        and path.stem.lower() not in ABOUT
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
    )
    if not there:
        raise DataError(f"{folder} holds no data file; known formats: {', '.join(SUFFIXES)}")

    def split_of(path: Path) -> str:
        """By its name, else by that of its folder within ``folder``."""
        return split_name(path.name) or split_name(path.relative_to(folder).parent.name)

    named = [path for path in there if split_of(path)]
    treebank = [path for path in named if path.suffix.lower() in CONLLU]
    named = treebank or named  # a treebank's .txt files hold its raw text
    if all(path.suffix.lower() in TABLES for path in named or there):
        return {}, []  # Hugging Face datasets knows how to read these
    if not named and len(there) == 1:
        return {"train": there}, []
    if not named:
        raise DataError(
            f"{folder}: no file is called train, dev or test; there are:"
            f" {', '.join(path.name for path in there[:5])}"
        )
    found: dict[str, list[Path]] = {}
    for path in named:
        found.setdefault(split_of(path), []).append(path)
    others = [path.name for path in there if path not in named]
    notes = [f"not read, as no split is theirs: {', '.join(others[:5])}"] if others else []
    return found, notes


def _read(
    paths: Sequence[Path], columns: Columns, tagged: bool, names: dict[Path, str] | None = None
) -> Part:
    """The sentences of files of one split."""
    parts = [_read_file(path, columns, tagged) for path in paths]
    first = parts[0]
    for path, part in zip(paths, parts, strict=True):
        if part.layout != first.layout:
            raise DataError(
                f"{path}: its columns are not laid out like those of {paths[0]};"
                " give the files of a split one layout"
            )
    reasons = {reason for part in parts for reason in part.left_out}
    files = [
        (names or {}).get(path, str(path))
        for path, part in zip(paths, parts, strict=True)
        for _ in part.sentences
    ]
    return Part(
        [sentence for part in parts for sentence in part.sentences],
        files,
        first.layout,
        first.unit,
        {
            reason: [place for part in parts for place in part.left_out.get(reason, [])]
            for reason in sorted(reasons)
        },
    )


def _read_file(path: Path, columns: Columns, tagged: bool) -> Part:
    suffix, encoding = path.suffix.lower(), columns.read.encoding
    if suffix in TABLES:
        (table,) = load_tables(str(path), columns.read).splits.values()
        return _of_table(table, str(path), "", columns, tagged)
    if suffix in JSON:
        found = read_rows(
            read_json(path, encoding), str(path), columns.token_column, columns.tag_column,
            unit="row" if suffix == ".json" else "line", tagged=tagged,
        )  # fmt: skip
        if not found.sentences:
            raise DataError(f"{path} holds no sentence")
        return Part(
            found.sentences,
            [str(path)] * len(found.sentences),
            found.layout,
            "row" if suffix == ".json" else "line",
            found.left_out,
        )
    if suffix in CONLLU:
        sentences, layout = read_conllu(path, encoding, columns.tag_column, tagged=tagged)
    else:
        sentences, layout = read_columns(
            path, encoding, columns.token_column, columns.tag_column, tagged=tagged
        )
        kept = suffix if suffix != ".txt" else ".conll"
        layout = ColumnLayout(**{**vars(layout), "suffix": kept})
    return Part(sentences, [str(path)] * len(sentences), layout)


def _of_table(table: Dataset, source: str, split: str, columns: Columns, tagged: bool) -> Part:
    """The rows of an Arrow table; numbers of a ClassLabel become names."""
    names = {
        name: inner.names
        for name, kind in table.features.items()
        if isinstance(inner := getattr(kind, "feature", None), ClassLabel)
        or (isinstance(kind, List) and isinstance(inner, ClassLabel))
    }
    where = f"{source} ({split})" if split else source
    rows = enumerate((_named(row, names) for row in table), 1)
    found = read_rows(
        list(rows), where, columns.token_column, columns.tag_column, unit="row", tagged=tagged
    )
    if not found.sentences:
        raise DataError(f"{where} holds no sentence")
    files = [where] * len(found.sentences)
    return Part(found.sentences, files, found.layout, "row", found.left_out)


def _named(row: dict[str, Any], names: dict[str, list[str]]) -> dict[str, Any]:
    return {
        key: _classes(value, names[key]) if key in names and value is not None else value
        for key, value in row.items()
    }


def _classes(values: Iterable[int], names: Sequence[str]) -> list[Any]:
    return [names[v] if v is not None and 0 <= v < len(names) else "" for v in values]
