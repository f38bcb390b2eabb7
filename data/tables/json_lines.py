"""Large files of JSON lines as tables on the disk, of which a few lines are in memory at once."""

import json
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from birnn.data.tables.csv_check import check_text, encoding_of
from birnn.data.tables.csv_file import IN_MEMORY
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.disk_table import on_disk
from birnn.data.tables.json_file import (
    BROKEN,
    as_written,
    check_depth,
    fault,
    load_json,
    refusal,
    taken_for_stamps,
)
from birnn.data.tables.shape import Counts
from birnn.errors import DataError

ROWS = 10_000  # lines that are taken at once
Lines = Iterator[tuple[int, str]]  # with their numbers, from 1


def are_many_lines(paths: Sequence[Path], options: ReadOptions) -> bool:
    """Whether the paths are one large file that begins with an object on a line of its own."""
    (path, *others) = paths
    if others or path.stat().st_size <= IN_MEMORY:
        return False
    try:
        with path.open(encoding=encoding_of(path, options.encoding)) as file:
            first = next((line for line in file if line.strip()), "")
            alone = isinstance(json.loads(first.removeprefix("\ufeff")), dict)
            return alone and bool(next(file, ""))
    except (LookupError, ValueError, RecursionError):  # whoever reads it whole says what is wrong
        return False


def read_json_lines(
    path: Path, options: ReadOptions, source: str
) -> tuple[Any, list[Counts]]:  # fmt: skip
    """The rows of a file of JSON lines, and what was left out of it, if anything was.

    Raises:
        DataError: as :func:`birnn.data.tables.json_file.read_json_rows`.
    """
    encoding = encoding_of(path, options.encoding)
    check_text(path, encoding)
    blank = False
    for part in _parts(_lines(path, encoding)):
        check_depth(path, "".join(line for _, line in part), part[0][0])
        blank = blank or not all(line.strip() for _, line in part)
    try:
        return _as_written(load_json([path], encoding, source), path, encoding, ()), []
    except DataError:
        broken, filled = _broken(path, encoding)
        if not broken and not blank:
            raise
    if 2 * len(broken) >= filled:
        first, reason = next(iter(broken.items()))
        raise DataError(f"{path} line {first} is not JSON: {reason}; mend it")
    if broken and not options.skip_ragged:
        raise refusal([path], [broken])
    counts = Counts()
    with tempfile.TemporaryDirectory(prefix="birnn-") as folder:
        whole = Path(folder) / "0.jsonl"
        with whole.open("w", encoding="utf-8") as file:
            for at, line in _filled(path, encoding):
                counts.rows += 1
                if at in broken:
                    counts.leave(BROKEN, at)
                else:
                    file.write(line)
        table = load_json([whole], "utf-8", source)
    return _as_written(table, path, encoding, broken), [counts] if broken else []


def _broken(path: Path, encoding: str) -> tuple[dict[int, str], int]:
    """The lines that hold no object, and why; and how many hold something."""
    broken, filled = dict[int, str](), 0
    for at, line in _filled(path, encoding):
        filled += 1
        if why := fault(line):
            broken[at] = why
    return broken, filled


def _as_written(table: Any, path: Path, encoding: str, but: Collection[int]) -> Any:
    """The table on the disk; its texts that Arrow took for time stamps stand as in the file."""
    made = on_disk(table)
    if made is table:
        return as_written(table, [path], encoding)
    stamps = taken_for_stamps(table)
    written = {name: partial(_cells, path, encoding, name, but) for name in stamps}
    return replace(made, written=written)


def _cells(
    path: Path, encoding: str, name: str, but: Collection[int]
) -> Iterator[list[Any]]:  # fmt: skip
    """The values of a field of the lines, as they stand there."""
    for part in _parts(_filled(path, encoding)):
        yield [json.loads(line).get(name) for at, line in part if at not in but]


def _lines(path: Path, encoding: str) -> Lines:
    with path.open(encoding=encoding) as file:
        yield from enumerate(file, 1)


def _filled(path: Path, encoding: str) -> Lines:
    return ((at, line) for at, line in _lines(path, encoding) if line.strip())


def _parts(lines: Lines) -> Iterator[list[tuple[int, str]]]:
    while some := list(islice(lines, ROWS)):
        yield some
