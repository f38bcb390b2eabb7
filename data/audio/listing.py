"""Which recordings there are: rows of a table with paths, or a folder with a subfolder a label."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from birnn.data.audio.recordings import Listing, Recording, SoundOptions
from birnn.data.audio.waves import SUFFIXES
from birnn.data.splits.cutting import SPLIT_ALIASES, SPLITS
from birnn.data.tables.columns import check_column, find_column, usual_columns
from birnn.data.tables.formats import FORMATS
from birnn.data.tables.sources import Tables, load_tables
from birnn.data.wording import number_list, plural
from birnn.errors import ConfigError, DataError

PATH_NAMES: tuple[str, ...] = (
    "path", "file", "audio", "filename", "file_name", "audio_path", "audio_filepath", "wav",
)  # fmt: skip
TEXT_NAMES: tuple[str, ...] = (
    "text", "transcript", "transcription", "sentence", "label", "labels", "class", "word", "words",
)  # fmt: skip
SPEAKER_NAMES: tuple[str, ...] = ("speaker", "speaker_id", "client_id", "reader", "user")
SPOKEN = "spoken"  # the name of the embedded recordings
LISTED = 5  # names in a message


def list_recordings(options: SoundOptions) -> Listing:
    """The recordings of ``options.source``, in the splits that it gives.

    Raises:
        DataError: nothing there, no such column, or no recording with a text.
    """
    if options.source == SPOKEN:
        from birnn.data.audio.spoken import SOURCE, spoken_recordings

        return Listing({"train": spoken_recordings()}, SOURCE)
    path = Path(options.source).expanduser()
    if path.is_dir() and not any(file.suffix.lower() in FORMATS for file in path.iterdir()):
        return _of_folder(path, options)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return Listing({"train": [Recording(path.name, path, row=1)]}, str(path))
    return _of_tables(path, options)


def text_form(text: str, *, lower: bool) -> str:
    """A text as it is learned: its spacing evened out and, if ``lower``, in small letters."""
    return " ".join((text.lower() if lower else text).split())


def speaker_of(name: str, pattern: str) -> str:
    """What the first group of ``pattern`` finds in a file's name; empty where it finds nothing.

    >>> speaker_of("7_jackson_32.wav", "_([a-z]+)_")
    'jackson'

    Raises:
        ConfigError: the pattern is no regular expression with a group.
    """
    if not pattern:
        return ""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"speaker_pattern: {pattern!r} is no regular expression ({error})"
        ) from None
    if not compiled.groups:
        raise ConfigError(f"speaker_pattern: {pattern!r} has no group; put the speaker in ( )")
    found = compiled.search(name)
    return (found.group(1) or "") if found else ""


def _of_folder(path: Path, options: SoundOptions) -> Listing:
    """``LABEL/…/file.wav``, or ``SPLIT/LABEL/…/file.wav``."""
    files = sorted(
        file for file in path.rglob("*")
        if file.is_file() and file.suffix.lower() in SUFFIXES
        and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
    )  # fmt: skip
    if not files:
        raise DataError(
            f"{path} holds no recording and no table of them; known: {', '.join(SUFFIXES)}"
        )
    names = {part.name.lower(): part.name for part in path.iterdir() if part.is_dir()}
    known = {name: SPLIT_ALIASES.get(name, name) for name in names}
    parted = "train" in known.values() and set(known.values()) <= set(SPLITS)
    splits: dict[str, list[Recording]] = {}
    for row, file in enumerate(files, start=1):
        parts = file.relative_to(path).parts
        split = known[parts[0].lower()] if parted and len(parts) > 1 else "train"
        labels = parts[1:-1] if parted else parts[:-1]
        if options.texts and not labels:
            raise DataError(f"{file} is in no subfolder: a recording's subfolder is its label")
        label = text_form(labels[0].replace("_", " "), lower=options.lower) if labels else ""
        speaker = speaker_of(str(file.relative_to(path)), options.speaker_pattern)
        recording = Recording("/".join(parts), file, label, speaker, row)
        splits.setdefault(split, []).append(recording)
    return Listing(splits, str(path))


def _of_tables(path: Path, options: SoundOptions) -> Listing:
    """Rows with the path of a recording each."""
    tables = _tables(path, options)
    home = path if path.is_dir() else path.parent
    splits: dict[str, list[Recording]] = {}
    notes, columns = list(tables.notes), dict[str, str]()
    for name, table in tables.splits.items():
        where = options.source if len(tables.splits) == 1 else f"{options.source} ({name})"
        columns = _columns(table, options, where)
        rows = list(_rows(table, columns, home, options))
        if "split" in columns and len(tables.splits) == 1:
            for split, row in zip(_splits(table, columns["split"], where), rows, strict=True):
                splits.setdefault(split, []).append(row)
        else:
            splits[str(name)] = rows
    splits, left = _with_texts(splits, options)
    reading = {**tables.reading, "columns": columns}
    return Listing(splits, tables.source, [*notes, *left], tables.warnings, reading)


def _tables(path: Path, options: SoundOptions) -> Tables:
    """The tables of a source; of a folder that holds sounds too, its tables alone."""
    if not path.is_dir() or not any(file.suffix.lower() in SUFFIXES for file in path.rglob("*")):
        return load_tables(options.source, options.read, aliases={})
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in FORMATS)
    found = {file.stem.lower(): load_tables(str(file), options.read) for file in files}
    first = next(iter(found.values()))
    if len(files) == 1:
        return first
    splits = dict[str, Any]()
    for name, tables in found.items():
        split = SPLIT_ALIASES.get(name, name)
        if split not in SPLITS or len(tables.splits) > 1:
            mend = f"keep one table, or call them {', '.join(SPLITS)}"
            raise DataError(f"{path}: {name!r} among {len(files)} tables names no split; {mend}")
        splits[split] = next(iter(tables.splits.values()))
    notes = [note for tables in found.values() for note in tables.notes]
    warnings = [text for tables in found.values() for text in tables.warnings]
    return Tables(splits, str(path), notes, dialect=first.dialect, warnings=warnings)


def _columns(table: Any, options: SoundOptions, where: str) -> dict[str, str]:
    """Which columns hold path, text, speaker and split; the last two only where they are there."""
    names, known = table.column_names, options.known
    columns = dict[str, str]()
    wanted = {"path": (options.path_column, PATH_NAMES)}
    if options.texts:
        wanted["text"] = (options.text_column, TEXT_NAMES)
    for what, (given, usual) in wanted.items():
        own = known.get(what, "")
        remembered = own if not given and own in names else given
        columns[what] = find_column(table, remembered, usual, what, where)
    others = {"speaker": (options.speaker_column, SPEAKER_NAMES),
              "split": (options.split_column, ("split",))}  # fmt: skip
    for what, (given, usual) in others.items():
        if given == "none":
            continue
        if given:
            check_column(given, names, where)
        found = [given] if given else usual_columns(usual, names)
        if found:
            columns[what] = found[0]
    return columns


def _rows(
    table: Any, columns: dict[str, str], home: Path, options: SoundOptions
) -> Iterable[Recording]:
    cells = {what: table[name][:] for what, name in columns.items() if what != "split"}
    empty = [""] * len(table)
    texts, speakers = cells.get("text", empty), cells.get("speaker", empty)
    for row, (path, text, speaker) in enumerate(
        zip(cells["path"], texts, speakers, strict=True), 1
    ):
        name = _text(path).strip()
        who = _text(speaker) or speaker_of(name, options.speaker_pattern)
        said = text_form(_text(text), lower=options.lower)
        yield Recording(name, home / expanded(name), said, who, row)


def expanded(name: str) -> Path:
    """A path with the home folder that ``~`` stands for, where there is one."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _splits(table: Any, column: str, where: str) -> list[str]:
    """The split of each row.

    Raises:
        DataError: a row has another word there.
    """
    names = [_text(cell).strip().lower() for cell in table[column][:]]
    found = [SPLIT_ALIASES.get(name, name) for name in names]
    for row, split in enumerate(found, start=1):
        if split not in SPLITS:
            mend = f"use {', '.join(SPLITS)}, or --split-column none"
            raise DataError(
                f"{where} row {row}: {names[row - 1]!r} in column {column!r} is no split; {mend}"
            )
    return found


def _with_texts(
    splits: dict[str, list[Recording]], options: SoundOptions
) -> tuple[dict[str, list[Recording]], list[str]]:
    """Without rows that name no file or, where it is needed, no text; and what was left out."""
    kept: dict[str, list[Recording]] = {}
    unnamed, silent = list[int](), list[int]()
    for name, rows in splits.items():
        unnamed += [row.row for row in rows if not row.name.strip()]
        named = [row for row in rows if row.name.strip()]
        silent += [row.row for row in named if options.texts and not row.text]
        kept[name] = [row for row in named if row.text or not options.texts]
    notes = [
        f"left out: {plural(len(rows), 'row')} without {what} ({some(rows)})"
        for what, rows in (("a path", unnamed), ("a text", silent)) if rows
    ]  # fmt: skip
    if not any(kept.values()):
        raise DataError(f"{options.source}: no row has both a path and a text")
    return {name: rows for name, rows in kept.items() if rows}, notes


def some(rows: Sequence[int]) -> str:
    """The first few rows of a list, in words."""
    return f"rows {number_list(rows[:LISTED])}{', …' if len(rows) > LISTED else ''}"
