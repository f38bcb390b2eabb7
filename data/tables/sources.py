"""Anything a person has → named splits as Arrow tables, through Hugging Face datasets."""

import glob
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import datasets
from datasets import Dataset, DatasetDict, Features, Value, load_dataset

from birnn.data import DATASETS
from birnn.data.tables.csv_check import CsvShape, check_csv, check_text, even_rows
from birnn.data.tables.dialect import AS_USUAL, Dialect, ReadOptions
from birnn.data.tables.memory import in_memory
from birnn.data.wording import agree
from birnn.errors import DataError
from birnn.registry import suggestion

datasets.disable_progress_bars()
datasets.logging.set_verbosity(logging.CRITICAL)  # what it says becomes our error
logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)

FORMATS = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".parquet": "parquet"}
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Tables:
    """Splits as they stand in a source, with what was noticed on the way."""

    splits: DatasetDict
    source: str  # in plain words
    notes: list[str]
    ragged: int = 0  # rows left out because their fields don't fit the header
    dialect: Dialect | None = None  # how the first file was read, if it is a delimited one
    warnings: list[str] = field(default_factory=list)  # what could be read in two ways

    @property
    def reading(self) -> dict[str, Any]:
        """What a run remembers of it, under the key ``table``."""
        return {"table": self.dialect.to_json()} if self.dialect else {}


def load_tables(
    source: str, options: ReadOptions = AS_USUAL, *, aliases: Mapping[str, str] = DATASETS,
    samples: Sequence[str] = (),
) -> Tables:  # fmt: skip
    """Load ``source``: a file, a folder, a saved data set, an alias or a Hub name.

    ``aliases`` are short names of data on the Hub that the task can use; ``samples`` are other
    names that the caller knows, for the error.

    Raises:
        DataError: nothing there, an unknown format, or content that can't be read; one line.
    """
    if (held := in_memory(source)) is not None:
        return Tables(held, source, [])
    if not source:
        raise DataError("data: nothing is named; give a file, a folder, or a Hub name")
    path = Path(source).expanduser()
    if path.is_file():
        return _load_file(path, options)
    if path.is_dir():
        return _load_folder(path, options)
    name = aliases.get(source, source)
    looks_local = path.suffix.lower() in FORMATS or source.startswith((".", "/", "~"))
    if looks_local or not HUB_NAME.fullmatch(name):
        raise no_source(source, [*samples, *aliases])
    splits = _as_dict(guarded(name, lambda: load_dataset(name)))
    return Tables(splits, f"Hugging Face Hub: {name}", [])


def no_source(source: str, known: Sequence[str]) -> DataError:
    """Nothing is called ``source``: the nearest name, of files and of ``known`` ones."""
    path = Path(source).expanduser()
    near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    names = f"known names: {', '.join(known)}, or" if known else "give a file, a folder, or"
    what = f"{source}: no such file or folder{suggestion(path.name, [*near, *known])}"
    return DataError(f"{what}; {names} owner/name on the Hugging Face Hub")


def is_saved(folder: Path) -> bool:
    """Whether ``datasets`` has saved a data set there."""
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def files_in(folder: Path, suffixes: Collection[str], but: Collection[str] = ()) -> list[Path]:
    """The files in a folder, at any depth, that can hold data: sorted, hidden ones left out.

    ``but`` are names, without suffix, of what is no data.

    Raises:
        DataError: there is none.
    """
    files = sorted(
        path for path in folder.rglob("*")
        if path.is_file() and path.suffix.lower() in suffixes and path.stem.lower() not in but
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
    )  # fmt: skip
    if not files:
        raise DataError(f"{folder} holds no data file; known formats: {', '.join(suffixes)}")
    return files


def _load_file(path: Path, options: ReadOptions) -> Tables:
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise DataError(f"{path}: unknown format {path.suffix!r}; known: {', '.join(FORMATS)}")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    return _load_files(kind, {"train": [path]}, options, str(path))


def _load_folder(path: Path, options: ReadOptions) -> Tables:
    if is_saved(path):
        splits = _as_dict(guarded(str(path), lambda: datasets.load_from_disk(str(path))))
        return Tables(splits, f"saved data set {path}", [])
    if glob.has_magic(str(path.resolve())):
        raise DataError(f"{path}: a folder can't be read while its name holds *, ? or [; rename it")
    for file in files_in(path, FORMATS):
        if file.stat().st_size == 0:
            raise DataError(f"{file} is empty")
    folder = str(path.resolve())
    builder = guarded(str(path), lambda: datasets.load_dataset_builder(folder))
    there = (builder.config.data_files or {}).items()
    files = {str(split): [Path(name) for name in names] for split, names in there}
    if builder.name in ("csv", "json") and files:
        return _load_files(builder.name, files, options, str(path))
    return Tables(_as_dict(guarded(str(path), lambda: load_dataset(folder))), str(path), [])


def _load_files(
    kind: str, files: dict[str, list[Path]], options: ReadOptions, source: str
) -> Tables:
    if kind == "csv":
        return _load_csvs(files, options, source)
    extra = {}
    if kind == "json":
        extra = {"encoding": options.encoding.removesuffix("-sig")}
        for path in chain.from_iterable(files.values()):
            check_text(path, options.encoding)
            if not path.read_text(encoding=options.encoding).strip(" \t\r\n[]"):
                raise DataError(f"{path} holds no rows")
    loaded = {}
    for split, paths in files.items():  # each apart: their columns may differ
        one = {"train": [literal(path) for path in paths]}
        loaded[split] = guarded(
            source, lambda one=one: load_dataset(kind, data_files=one, split="train", **extra)
        )
    return Tables(DatasetDict(loaded), source, [])


def _load_csvs(files: dict[str, list[Path]], options: ReadOptions, source: str) -> Tables:
    splits, notes, ragged = {}, [], 0
    for split, paths in files.items():
        parts = []
        for path in paths:
            part, shape = _load_csv(path, options)
            parts.append(part)
            if shape.ragged_count:
                ragged += shape.ragged_count
                notes.append(f"{_ragged(path, shape)}: left out")
        splits[split] = guarded(source, lambda parts=parts: datasets.concatenate_datasets(parts))
    return Tables(DatasetDict(splits), source, notes, ragged)


def _load_csv(path: Path, options: ReadOptions) -> tuple[Dataset, CsvShape]:
    """Load one CSV or TSV file with every column as text, so that ``NA`` stays a word."""
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    shape = check_csv(path, delimiter, options.encoding)
    if shape.rows == 0:
        raise DataError(f"{path} has a header and no rows")
    if shape.ragged_count and not options.skip_ragged:
        mend = "quote fields that hold a delimiter, or leave such rows out with --skip-ragged"
        raise DataError(f"{_ragged(path, shape)}; {mend}")
    features = Features({name: Value("string") for name in shape.columns})
    if shape.ragged_count:
        rows = list(even_rows(path, delimiter, options.encoding, shape.columns))
        named = {name: [row[i] for row in rows] for i, name in enumerate(shape.columns)}
        return Dataset.from_dict(named, features=features), shape
    loaded = guarded(str(path), lambda: load_dataset(
        "csv", data_files={"train": [literal(path)]}, split="train", sep=delimiter,
        names=shape.columns, skiprows=1, header=None, features=features, keep_default_na=False,
        encoding=options.encoding,
    ))  # fmt: skip
    return loaded, shape


def _ragged(path: Path, shape: CsvShape) -> str:
    count = shape.ragged_count
    lines = ", ".join(map(str, shape.ragged[:3])) + (", …" if count > 3 else "")
    what = f"another number of fields than the header's {len(shape.columns)} (line {lines})"
    return f"{path}: {count} {agree(count, 'row has', 'rows have')} {what}"


def literal(path: Path) -> str:
    """``path`` as a pattern that matches itself alone; ``datasets`` globs whatever it is given."""
    return glob.escape(str(path))


def _as_dict(loaded: Any) -> DatasetDict:
    return loaded if isinstance(loaded, DatasetDict) else DatasetDict({"train": loaded})


def guarded(source: str, load: Any) -> Any:
    """Call ``load``; whatever the libraries raise becomes one line about ``source``."""
    try:
        return load()
    except DataError:
        raise
    except Exception as error:  # the libraries raise dozens of kinds for one unreadable file
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        text = " ".join(str(cause).split()) or type(cause).__name__
        if "same data file format" in text:
            text = "its splits are files of different formats; save them all in one"
        if "corresponds to no data" in text:
            text = "it holds no rows"
        if isinstance(cause, OSError) and HUB_NAME.fullmatch(source) and not Path(source).exists():
            text += "; is there a network, and is the name right?"
        raise DataError(f"{source} can't be loaded: {text[:300]}") from error
