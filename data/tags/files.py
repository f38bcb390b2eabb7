"""Where tagged sentences stand: a file, a folder with one file a split, a data set, a sample."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Dataset

from birnn.data import DATASETS
from birnn.data.samples import TAGGED_SAMPLES
from birnn.data.splits.cutting import SourceOptions
from birnn.data.tables.memory import in_memory
from birnn.data.tables.sources import HUB_NAME, files_in, is_saved, load_tables, no_source
from birnn.data.tags.conll import ColumnLayout, Sentence, read_columns
from birnn.data.tags.conllu import read_conllu
from birnn.data.tags.json_spans import read_json, read_rows
from birnn.errors import DataError

CONLLU = (".conllu", ".conllup")
COLUMNS = (
    ".conll", ".txt", ".tsv", ".iob", ".iob2", ".bio", ".bioes", ".iobes", ".ner", ".pos", ".tags",
    ".tag", ".col", ".dat", ".train", ".dev", ".valid", ".test", ".testa", ".testb",
)  # fmt: skip
ABOUT = ("readme", "license", "licence", "copying", "notice", "changelog")  # no data
JSON, TABLES = (".jsonl", ".json"), (".parquet",)
SUFFIXES = (*CONLLU, *COLUMNS, *JSON, *TABLES)
KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "testa"),  # CoNLL-2003 calls it testa
    "test": ("test", "testing", "eval", "evaluation", "testb"),
}


@dataclass(frozen=True)
class TagOptions(SourceOptions):
    """How tagged sentences are read and split; columns by name or number, empty for a usual one."""

    tag_column: str = ""
    token_column: str = ""


@dataclass(frozen=True)
class Part:
    """The sentences of one split, and where each stands."""

    sentences: list[Sentence]
    files: list[str]  # of each sentence
    layout: ColumnLayout
    unit: str = "line"  # what the numbers of sentences count
    left_out: dict[str, list[str]] = field(default_factory=dict)  # reason → where, and which


def read_parts(
    source: str, options: TagOptions, *, tagged: bool
) -> tuple[str, dict[str, Part], list[str]]:
    """Read all splits of a file, a folder, a saved data set, a sample, an alias or a Hub name.

    Where ``tagged`` is False, tags may be missing.

    Returns:
        The source in plain words, its splits (a file alone is ``train``), and notes.

    Raises:
        DataError: nothing there, an unknown format, or content that can't be read.
    """
    path = Path(source).expanduser()
    held = in_memory(source) is not None  # as tables, like those of a saved data set
    if source in TAGGED_SAMPLES:
        part = _read([TAGGED_SAMPLES[source]()], options, tagged)
        part = replace(part, files=[source] * len(part.files))
        return f"embedded {source}", {"train": part}, []
    if source and path.is_file() and not held:
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(f"{path}: unknown format {path.suffix!r}; known: {', '.join(SUFFIXES)}")
        return str(path), {"train": _read([path], options, tagged)}, []
    if source and path.is_dir() and not held and not is_saved(path):
        files, notes = find_splits(path)
        if files:
            parts = {name: _read(paths, options, tagged) for name, paths in files.items()}
            return str(path), parts, notes
    known = held or path.is_dir() or HUB_NAME.fullmatch(DATASETS.get(source, source))
    if source and not known:
        raise no_source(source, [*TAGGED_SAMPLES, *DATASETS])
    tables = load_tables(source, options.read)
    parts = {}
    for name, table in tables.splits.items():
        part = _of_table(table, f"{tables.source} ({name})", options, tagged)
        parts[split_name(str(name)) or str(name)] = part
    return tables.source, parts, list(tables.notes)


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
    there = files_in(folder, SUFFIXES, ABOUT)

    def split_of(path: Path) -> str:
        """By its name, else by that of its folder within ``folder``."""
        return split_name(path.name) or split_name(path.relative_to(folder).parent.name)

    named = [path for path in there if split_of(path)]
    # A treebank's .txt files hold its raw text.
    named = [path for path in named if path.suffix.lower() in CONLLU] or named
    if all(path.suffix.lower() in TABLES for path in named or there):
        return {}, []  # Hugging Face datasets knows how to read these
    if not named and len(there) == 1:
        return {"train": there}, []
    if not named:
        some = ", ".join(path.name for path in there[:5])
        raise DataError(f"{folder}: no file is called train, dev or test; there are: {some}")
    splits: dict[str, list[Path]] = {}
    for path in named:
        splits.setdefault(split_of(path), []).append(path)
    others = [path.name for path in there if path not in named]
    return splits, [f"not read, as no split is theirs: {', '.join(others[:5])}"] if others else []


def _read(paths: Sequence[Path], options: TagOptions, tagged: bool) -> Part:
    """The sentences of files of one split."""
    parts = [_read_file(path, options, tagged) for path in paths]
    first = parts[0]
    for path, part in zip(paths, parts, strict=True):
        if part.layout != first.layout:
            wrong = f"its columns are not laid out like those of {paths[0]}"
            raise DataError(f"{path}: {wrong}; give the files of a split one layout")
    left_out: dict[str, list[str]] = {}
    for part in parts:
        for reason, places in part.left_out.items():
            left_out.setdefault(reason, []).extend(places)
    return replace(
        first, sentences=[sentence for part in parts for sentence in part.sentences],
        files=[file for part in parts for file in part.files],
        left_out=dict(sorted(left_out.items())),
    )  # fmt: skip


def _read_file(path: Path, options: TagOptions, tagged: bool) -> Part:
    suffix, encoding = path.suffix.lower(), options.read.encoding
    if suffix in TABLES:
        (table,) = load_tables(str(path), options.read).splits.values()
        return _of_table(table, str(path), options, tagged)
    if suffix in JSON:
        unit = "row" if suffix == ".json" else "line"
        return _of_rows(read_json(path, encoding), str(path), options, unit, tagged)
    if suffix in CONLLU:
        sentences, layout = read_conllu(path, encoding, options.tag_column, tagged=tagged)
    else:
        columns = options.token_column, options.tag_column
        sentences, layout = read_columns(path, encoding, *columns, tagged=tagged)
        layout = replace(layout, suffix=suffix if suffix != ".txt" else ".conll")
    return Part(sentences, [str(path)] * len(sentences), layout)


def _of_rows(
    rows: Sequence[tuple[int, Any]], where: str, options: TagOptions, unit: str, tagged: bool
) -> Part:
    columns = options.token_column, options.tag_column
    sentences, layout, left_out = read_rows(rows, where, *columns, unit=unit, tagged=tagged)
    if not sentences:
        raise DataError(f"{where} holds no sentence")
    return Part(sentences, [where] * len(sentences), layout, unit, left_out)


def _of_table(table: Dataset, where: str, options: TagOptions, tagged: bool) -> Part:
    """The rows of an Arrow table; numbers of a ClassLabel become names."""
    inner = {name: getattr(kind, "feature", None) for name, kind in table.features.items()}
    names = {name: kind.names for name, kind in inner.items() if isinstance(kind, ClassLabel)}
    rows = [{key: _classes(value, names.get(key)) for key, value in row.items()} for row in table]
    return _of_rows(list(enumerate(rows, 1)), where, options, "row", tagged)


def _classes(value: Any, names: Sequence[str] | None) -> Any:
    if names is None or value is None:
        return value
    return [names[v] if v is not None and 0 <= v < len(names) else "" for v in value]
