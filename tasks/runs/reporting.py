"""The report of a run that is on disk."""

from pathlib import Path

from birnn.errors import ConfigError, DataError
from birnn.tasks import TASKS
from birnn.tasks.reporting.document import REPORT, is_report, write_report
from birnn.tasks.runs.folder import config_of, is_of_run, read_config


def report_run(folder: Path, out: str = "", *, overwrite: bool = False) -> Path:
    """Write the report of the run in ``folder``; returns where it is.

    Raises:
        CheckpointError: no run, or one that lacks a file.
        ConfigError: ``out`` is no .html file.
        DataError: ``out`` holds what is no report, or can't be written.
    """
    config = read_config(folder)
    options = config_of(TASKS[config["task"]].part("options"), config)
    path = Path(out) if out else folder / REPORT
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"out: {out} is no .html file")
    if out and path.name != REPORT and is_of_run(path, folder):
        raise DataError(f"out: {out} is a file of the run; choose another")
    if not out and path.is_symlink():
        raise DataError(f"{path} is a link: its target is not the run's; give --out FILE")
    if path.exists() and not overwrite and not is_report(path):
        raise DataError(f"{path} is no report of birnn; choose another --out, or add --overwrite")
    return write_report(folder, config, options, path=path)
