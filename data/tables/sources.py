"""Anything a person has → named splits as Arrow tables, through Hugging Face datasets."""

import glob
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Ints
from birnn.data import DATASETS
from birnn.data.tables.arrow_table import ArrowTable
from birnn.data.tables.csv_file import IN_MEMORY, CsvFile, read_csv
from birnn.data.tables.dialect import AS_USUAL, Dialect, ReadOptions
from birnn.data.tables.disk_table import on_disk
from birnn.data.tables.folders import assign_splits
from birnn.data.tables.formats import ALONE, FORMATS
from birnn.data.tables.hugging_face import HUB_NAME, guarded, library, literal
from birnn.data.tables.memory import in_memory
from birnn.data.tables.numbers import plain_numbers
from birnn.data.tables.shape import Counts
from birnn.errors import DataError
from birnn.registry import suggestion

MANY_ROWS, ROWS_A_BYTE = 10_000_000, 10  # of a Parquet file: more of both is a bomb
SHEET, PACKED = "save its sheet as CSV; ", "unpack it first; "
MENDS = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods", ".numbers"), SHEET),
    **dict.fromkeys((".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar"), PACKED),
}


@dataclass(frozen=True)
class Tables:
    """Splits as they stand in a source, with what was noticed on the way."""

    splits: Mapping[str, Any]  # an ArrowTable each; of most sources, a Dataset
    source: str  # in plain words
    notes: list[str]
    counts: list[Counts] = field(default_factory=list)  # of the rows of each delimited file
    dialect: Dialect | None = None  # how the first file was read, if it is a delimited one
    warnings: list[str] = field(default_factory=list)  # what could be read in two ways
    lines: dict[str, Ints] = field(default_factory=dict)  # of files by lines: where rows begin
    files: dict[str, list[Path]] = field(default_factory=dict)  # of each split of a folder

    @property
    def ragged(self) -> int:
        """Rows left out because their fields don't fit the header."""
        return sum(part.of("ragged") for part in self.counts)

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
    splits = _as_dict(guarded(name, lambda: library().load_dataset(name)))
    return Tables(splits, f"Hugging Face Hub: {name}", [])


def with_plain_numbers(tables: Tables, options: ReadOptions, but: Collection[str] = ()) -> Tables:
    """The tables with numbers as Python writes them, in all columns of text but some.

    See :func:`birnn.data.tables.numbers.plain_numbers`; the splits after the first are read like
    it.
    """
    splits, notes, warnings = {}, list(tables.notes), list(tables.warnings)
    signs = dict(options.trained.numbers) if options.trained else {}
    given = options.table.sign("decimal"), options.table.sign("thousands")
    for split, table in tables.splits.items():
        found = plain_numbers(table.with_format("arrow")[:], *given, signs, but)
        signs |= found.signs
        splits[split] = ArrowTable(found.table) if found.notes else table
        notes += [note for note in found.notes if note not in notes]
        warnings += [warning for warning in found.warnings if warning not in warnings]
    dialect = replace(tables.dialect, numbers=signs) if tables.dialect else None
    return replace(tables, splits=splits, notes=notes, warnings=warnings, dialect=dialect)


def no_source(source: str, known: Sequence[str]) -> DataError:
    """Nothing is called ``source``: the nearest name, of files and of ``known`` ones."""
    path = Path(source).expanduser()
    near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    names = f"known names: {', '.join(known)}, or" if known else "give a file, a folder, or"
    if glob.has_magic(source):
        what = "no file matches; a pattern is for --streaming alone"
        return DataError(f"{source}: {what}; else give a file, or a folder of files")
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
    kind = FORMATS.get(path.suffix.lower(), ALONE.get(path.suffix.lower()))
    if kind is None:
        mend = MENDS.get(path.suffix.lower(), "")
        known = f"known: {', '.join(FORMATS)}"
        raise DataError(f"{path}: unknown format {path.suffix!r}; {mend}{known}")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    return _load_files(kind, {"train": [path]}, options, str(path))


def _load_folder(path: Path, options: ReadOptions) -> Tables:
    if is_saved(path):
        splits = _as_dict(guarded(str(path), lambda: library().load_from_disk(str(path))))
        return Tables(splits, f"saved data set {path}", [])
    if glob.has_magic(str(path.resolve())):
        raise DataError(f"{path}: a folder can't be read while its name holds *, ? or [; rename it")
    for file in files_in(path, FORMATS):
        if file.stat().st_size == 0:
            raise DataError(f"{file} is empty")
    folder = str(path.resolve())
    builder = guarded(str(path), lambda: library().load_dataset_builder(folder))
    there = (builder.config.data_files or {}).items()
    found = {str(split): [Path(name) for name in names] for split, names in there}
    if builder.name not in ("csv", "json", "parquet") or not found:
        return Tables(
            _as_dict(guarded(str(path), lambda: library().load_dataset(folder))), str(path), []
        )
    files, others = assign_splits(files_in(path, FORMATS), found)
    tables = _load_files(builder.name, files, options, str(path))
    notes = [
        f"{split}: {len(paths)} files read as one: {', '.join(part.name for part in paths[:5])}"
        for split, paths in files.items() if len(paths) > 1
    ]  # fmt: skip
    if others:
        names = ", ".join(other.name for other in others[:5])
        notes.append(f"not read, as no split is theirs: {names}")
    return replace(tables, notes=[*notes, *tables.notes], files=files)


def _load_files(
    kind: str, files: dict[str, list[Path]], options: ReadOptions, source: str
) -> Tables:
    if kind == "csv":
        return _load_csvs(files, options, source)
    import pyarrow.parquet as pq  # here, as the next: a delimited file needs neither

    from birnn.data.tables.json_file import read_json_rows
    from birnn.data.tables.json_lines import are_many_lines, read_json_lines

    loaded: dict[str, Any] = {}
    lines: dict[str, Ints] = {}
    counts: list[Counts] = []
    for split, paths in files.items():  # each apart: their columns may differ
        if kind == "json" and options.streamed and are_many_lines(paths, options):
            loaded[split], left = read_json_lines(paths[0], options, source)
            counts += left
        elif kind == "json":
            loaded[split], lines[split], left = read_json_rows(paths, options, source)
            counts += left
        else:
            for path in paths:
                _check_claim(path, guarded(source, partial(pq.read_metadata, path)).num_rows)
            one = {"train": [literal(path) for path in paths]}
            read = partial(library().load_dataset, kind, data_files=one, split="train")
            loaded[split] = guarded(source, read)
            if options.streamed and sum(path.stat().st_size for path in paths) > IN_MEMORY:
                loaded[split] = on_disk(loaded[split])
    by_line = {split: at for split, at in lines.items() if len(at) == len(loaded[split])}
    notes = [part.words() for part in counts]
    return Tables(loaded, source, notes, counts, lines=by_line)


def _check_claim(path: Path, rows: int) -> None:
    """Refuse a Parquet file of far more rows than its bytes can tell apart.

    Raises:
        DataError: so it is.
    """
    size = path.stat().st_size
    if rows > MANY_ROWS and rows > ROWS_A_BYTE * size:
        what = f"claims {rows:,} rows in {size:,} bytes: nearly all of them are one and the same"
        raise DataError(f"{path} {what}; give a file of the rows that differ")


def _load_csvs(files: dict[str, list[Path]], options: ReadOptions, source: str) -> Tables:
    splits, lines = {}, {}
    parts: list[CsvFile] = []
    for split, paths in files.items():
        own = [read_csv(path, options) for path in paths]
        splits[split] = guarded(source, partial(_as_one, [part.table for part in own]))
        if not options.streamed:
            lines[split] = np.concatenate([part.lines for part in own])
        parts += own
    names = [path.name for paths in files.values() for path in paths]
    several = len(parts) > 1
    notes = [
        f"{name}: {note}" if several else note
        for name, part in zip(names, parts, strict=True) for note in part.notes
    ]  # fmt: skip
    return Tables(
        splits, source, notes, [part.counts for part in parts],
        parts[0].dialect, [warning for part in parts for warning in part.warnings], lines,
    )  # fmt: skip


def _as_one(tables: Sequence[Any]) -> Any:
    """The rows of several tables, whose columns may differ."""
    if len(tables) == 1:
        return tables[0]
    from datasets import Dataset
    from datasets.table import InMemoryTable

    own = [Dataset(InMemoryTable(t.data)) if isinstance(t, ArrowTable) else t for t in tables]
    return library().concatenate_datasets(own)


def _as_dict(loaded: Any) -> Mapping[str, Any]:
    return loaded if isinstance(loaded, library().DatasetDict) else {"train": loaded}
