"""The folder of a study: what is found, for people and for ``--config``."""

import dataclasses
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from birnn.data.wording import CONTROL, plural
from birnn.errors import DataError, reason
from birnn.storage.files import atomic_path, write_json, write_text
from birnn.tasks.core.toml_text import write_options
from birnn.tasks.runs.folder import holds, write_csv
from birnn.tasks.scoring.metric_names import score_title
from birnn.tasks.tuning.report import save_pictures, study_report
from birnn.tasks.tuning.results import Findings
from birnn.tasks.tuning.spaces import with_values
from birnn.tasks.tuning.storage import without_password
from birnn.version import __version__

JOURNAL, RECORD, BEST, RUN = "journal.log", "study.json", "best.toml", "best"
FILES = (JOURNAL, f"{JOURNAL}.lock", RECORD, BEST, "report.html", "trials.csv", "history.png",
         "importance.png", RUN, f".{RUN}*", ".*.partial")  # fmt: skip


def default_storage(folder: Path) -> str:
    """Where a study is kept if nobody says."""
    return str(folder / JOURNAL)


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds anything but a study.

    Raises:
        DataError: it does, or it can't be read.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder} exists and is not a study; choose another --out")
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
    except (OSError, ValueError) as error:
        raise DataError(f"can't read {folder}: {reason(error)}") from None
    strangers = [name for name in names if not any(fnmatch(name, own) for own in FILES)]
    begun = (JOURNAL, f"{JOURNAL}.lock", ".*.partial")  # by a worker that has not written more yet
    new = all(any(fnmatch(name, own) for own in begun) for name in names)
    if strangers or not (new or holds(folder / RECORD, {"task": str, "study": str})):
        raise DataError(f"{folder} exists and is not a study; choose another --out")


def write_study(folder: Path, record: Mapping[str, Any], storage: str) -> None:
    """Write what the study is of, and where it is kept; of a password nothing.

    Raises:
        DataError: the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"can't write {folder}: {reason(error)}") from None
    write_json(folder / RECORD, {**record, "storage": without_password(storage)})


def write_findings(folder: Path, findings: Findings, config: Any, fixed: Mapping[str, Any],
                   command: str) -> Any:  # fmt: skip
    """Write what was found; returns the configuration of the best trial.

    Raises:
        DataError: the folder can't be written.
    """
    best = with_values(config, {**findings.best.values, "search_trials": findings.finished})
    write_text(folder / BEST, best_toml(findings, best, fixed, command))
    try:
        with atomic_path(folder / "trials.csv") as path:
            write_csv(path, trial_rows(findings))
        save_pictures(folder, findings)
    except OSError as error:
        raise DataError(f"can't write {folder}: {reason(error)}") from None
    write_text(folder / "report.html", study_report(findings, folder, command))
    return best


def trial_rows(findings: Findings) -> list[dict[str, Any]]:
    """A row a trial, an option a column."""
    names = list(dict.fromkeys(name for row in findings.rows for name in row.values))
    return [
        {"trial": row.number, "state": row.state, findings.monitor: row.score, "epoch": row.epoch,
         "seconds": row.seconds, **{name: row.values.get(name) for name in names},
         "reason": row.reason}
        for row in findings.rows
    ]  # fmt: skip


def best_toml(findings: Findings, best: Any, fixed: Mapping[str, Any], command: str) -> str:
    """The options of the best trial, and those that were given, for ``--config``."""
    row, monitor = findings.best, score_title(findings.monitor)
    lines = [
        f"Found by birnn {__version__} among {plural(findings.finished, 'trial')}: {row.number}.",
        f"Validation {monitor} of the search: {row.score}.",
        f"Why: {findings.how}.",
        *(f"The command: {command}" for command in [command] if command),
        f"To train it: python cli.py {findings.task} --config {BEST}",
    ]
    head = "\n".join("# " + CONTROL.sub(" ", line) for line in lines)
    wanted = {*row.values, *fixed, "search_trials"}
    return f"{head}\n\n{write_options(dict(_tables(best, wanted)))}"


def _tables(config: Any, wanted: set[str], title: str = "config") -> Sequence[tuple[str, Any]]:
    values = {part.name: getattr(config, part.name) for part in dataclasses.fields(config)}
    nested = {name: value for name, value in values.items() if dataclasses.is_dataclass(value)}
    own = {name: _anywhere(name, value) for name, value in values.items()
           if name in wanted and name not in nested}  # fmt: skip
    return [(title, own), *(part for n, v in nested.items() for part in _tables(v, wanted, n))]


def _anywhere(name: str, value: Any) -> Any:
    """A file by a path that holds in any folder."""
    if name in ("data", "vectors") and value:
        try:
            return str(Path(value).resolve()) if Path(value).exists() else value
        except (OSError, ValueError):
            return value
    return value
