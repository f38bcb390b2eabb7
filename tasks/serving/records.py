"""Predictions as files: the one writer of records, in the format that the extension names."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from birnn.data.tables.csv_cells import RowWriter
from birnn.errors import ConfigError
from birnn.storage.files import atomic_path


def check_output(path: Path, known: Sequence[str]) -> None:
    """Refuse an output that can't be written, before any work.

    Raises:
        ConfigError: an unknown extension or a folder that isn't there.
    """
    if path.suffix.lower() not in known:
        raise ConfigError(f"output: {path} must end in one of {', '.join(known)}")
    if not path.parent.is_dir():
        raise ConfigError(f"output: there is no folder {path.parent}")


def write_records(path: Path, records: Sequence[dict[str, Any]], rows: Iterable[Iterable[Any]],
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
            json.dump(list(records), file, ensure_ascii=False, indent=1)
            file.write("\n")
        else:
            jsonl = (json.dumps(record, ensure_ascii=False) for record in records)
            file.writelines(f"{line}\n" for line in (jsonl if kind == ".jsonl" else lines))
