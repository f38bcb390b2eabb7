"""Predictions as files: the one writer of records, in the format that the extension names."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from birnn.data.tables.csv_cells import RowWriter
from birnn.errors import ConfigError
from birnn.storage.files import atomic_path, check_plain, same_file
from birnn.tasks.runs.folder import is_of_run
from birnn.tasks.serving.request import Request


def json_piece(record: dict[str, Any], *, first: bool) -> str:
    """A record as it stands in an indented list, whose bracket comes with the first."""
    text = json.dumps(record, ensure_ascii=False, indent=1).replace("\n", "\n ")
    return f"{'[' if first else ','}\n {text}"


def json_line(record: dict[str, Any]) -> str:
    """A record as a line of JSON."""
    return f"{json.dumps(record, ensure_ascii=False)}\n"


def _json_list(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A list of records as indented JSON, one by one."""
    first = True
    for record in records:
        yield json_piece(record, first=first)
        first = False
    yield "[]\n" if first else "\n]\n"


def check_output(path: Path, known: Sequence[str]) -> None:
    """Refuse an output that can't be written, before any work.

    Raises:
        ConfigError: an unknown extension or a folder that isn't there.
        DataError: a pipe, a device or a folder stands there.
    """
    if path.suffix.lower() not in known:
        raise ConfigError(f"output: {path} must end in one of {', '.join(known)}")
    if not path.parent.is_dir():
        raise ConfigError(f"output: there is no folder {path.parent}")
    check_plain(path)
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"output: {path} leads to where there is no folder")


def check_apart(output: Path, request: Request, folder: Path, data: str) -> None:
    """Refuse an output over what is read: the input, the run in ``folder``, or its ``data``.

    Raises:
        ConfigError: so it is; the message says over which.
        DataError: a pipe, a device or a folder stands there.
    """
    check_plain(output)
    if is_of_run(output, folder):
        raise ConfigError(f"output: {output} is a file of the run itself; name another")
    if request.input and same_file(output, Path(request.input)):
        raise ConfigError(f"output: {output} is the input itself; name another")
    if data and same_file(output, Path(data).expanduser()):
        raise ConfigError(f"output: {output} is what the run was trained on; name another")
    streams = {"input": request.standard_input, "output": sys.stdout, "error": sys.stderr}
    for name, stream in streams.items():
        try:
            given = stream and os.fstat(stream.fileno())
        except (OSError, ValueError):  # no file of the system's
            continue
        if given and output.exists() and os.path.samestat(given, output.stat()):
            raise ConfigError(f"output: {output} is standard {name} itself; name another")


def write_records(path: Path, records: Iterable[dict[str, Any]], rows: Iterable[Iterable[Any]],
                  lines: Iterable[str] = (), *, escape: bool = False) -> None:  # fmt: skip
    """Write records as UTF-8, whole or not at all.

    ``.json`` and ``.jsonl`` hold the ``records``, ``.csv`` the ``rows`` of a table, the header
    first, anything else the ``lines``, given without their ends. ``escape`` makes harmless the
    cells of a CSV file that a spreadsheet would run as a formula.
    """
    kind = path.suffix.lower()
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="replace", newline="") as file,
    ):
        if kind == ".csv":
            writer = RowWriter(file, escape=escape)
            for row in rows:
                writer.row(row)
        elif kind == ".json":
            file.writelines(_json_list(records))
        elif kind == ".jsonl":
            file.writelines(map(json_line, records))
        else:
            file.writelines(f"{line}\n" for line in lines)
