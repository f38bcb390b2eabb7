"""How a run began, kept beside it while it is made, so that ``--resume`` needs no other option.

The run ``runs/x`` grows in ``runs/.x.partial`` (hidden, so that nobody takes it for a run or for
data); its subfolder ``checkpoints`` holds ``run.json``.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from birnn.config import flatten, from_dict
from birnn.errors import BirnnError, CheckpointError, ConfigError
from birnn.registry import resolve
from birnn.storage.files import read_json, write_json
from birnn.tasks import TASKS
from birnn.training.checkpoint_options import CheckpointConfig
from birnn.version import __version__

FORMAT = 1  # of run.json
STATE = "checkpoints"

# What may be given anew when a run is taken up: it changes how training goes on, not what it is.
CHANGEABLE = (
    "learning_rate", "clip_norm", "patience", "device", "threads", "engine",
    "checkpoint_epochs", "checkpoint_minutes", "keep_checkpoints",
)  # fmt: skip


@dataclass(frozen=True)
class Begun:
    """How a run began."""

    task: str
    config: Mapping[str, Any]  # the task's configuration, as plain values
    seeds: int = 1
    overwrite: bool = False
    command: str = ""
    keep: CheckpointConfig = field(default_factory=CheckpointConfig)
    threads: int = 0
    engine: str = ""
    data: str = ""  # digest; empty until the data is read


def work_folder(out: Path) -> Path:
    """Where the run ``out`` grows."""
    path = out.resolve()
    return path.with_name(f".{path.name}.partial")


def run_name(folder: Path) -> Path:
    """The run that ``folder`` is meant to be: the folder in which it grows stands for it."""
    growing = folder.name.startswith(".") and folder.suffix == ".partial"
    return folder.with_name(folder.name[1:].removesuffix(".partial")) if growing else folder


def unfinished_beside(out: Path) -> list[str]:
    """The names of unfinished runs in the folder of ``out``."""
    found = work_folder(out).parent.glob(f".*.partial/{STATE}/run.json")
    return sorted(run_name(path.parent.parent).name for path in found)


def read_begun(out: Path) -> Begun | None:
    """How the unfinished run ``out`` began; None if it is complete.

    Raises:
        CheckpointError: there is neither, or it is not one that this version can go on with.
    """
    path = work_folder(out) / STATE / "run.json"
    if not os.path.lexists(path):
        if (out / "config.json").is_file():
            return None
        there = ", ".join(unfinished_beside(out)[:5])
        more = f"; unfinished there: {there}" if there else f"; start it with --out {out}"
        raise CheckpointError(f"{out}: there is no run to go on with{more}")
    found = read_json(path)
    try:
        if found["format"] != FORMAT:
            raise CheckpointError(
                f"{path} has the format {found['format']!r}, made by version {found['version']!r};"
                f" this version {__version__} goes on with format {FORMAT}"
            )
        if found["task"] not in list(TASKS):
            raise ValueError(f"unknown task {found['task']!r}")
        keep = from_dict(CheckpointConfig, found["keep"])
        own = {k: v for k, v in found.items() if k not in ("format", "version", "keep")}
        begun = Begun(keep=keep, **own)
        _check(begun)
    except CheckpointError:
        raise
    except (BirnnError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not usable: {error}") from None
    return begun


def _check(begun: Begun) -> None:
    kinds = {
        "config": dict, "seeds": int, "overwrite": bool, "command": str,
        "threads": int, "engine": str, "data": str,
    }  # fmt: skip
    for name, kind in kinds.items():
        if type(getattr(begun, name)) is not kind:
            raise ValueError(f"{name} {getattr(begun, name)!r}")
    if not (1 <= begun.seeds <= 1000 and 0 <= begun.threads <= 1024):
        raise ValueError(f"seeds {begun.seeds!r} or threads {begun.threads!r}")


def begun_config(begun: Begun) -> Any:
    """The configuration of the task, as it was.

    Raises:
        CheckpointError: it is not one of this version.
    """
    entry = TASKS[begun.task]
    try:
        return from_dict(resolve({"config": entry.config}, "config", "task"), begun.config)
    except ConfigError as error:
        raise CheckpointError(f"run.json is not usable: {error}") from None


def check_changes(begun: Begun, config: Any, seeds: int) -> list[str]:
    """What ``config`` changes in a run that is taken up, as sentences.

    Raises:
        ConfigError: it changes what the run is.
    """
    if seeds != begun.seeds:
        raise ConfigError(f"seeds: the run began with {begun.seeds}; that can't change on the way")
    configs = begun_config(begun), config
    before, after = (dict(flatten(asdict(part), dotted=True)) for part in configs)
    changed = [name for name in after if after[name] != before[name]]
    for name in changed:
        plain = name.rpartition(".")[2]
        if plain not in CHANGEABLE:
            raise ConfigError(
                f"{plain}: the run began with {before[name]!r}, not {after[name]!r}; that can't"
                " change on the way: leave the option out, or start another run with --out"
            )
    return [f"{name.rpartition('.')[2]} {before[name]} → {after[name]}" for name in changed]


def write_begun(work: Path, begun: Begun) -> None:
    """Write ``run.json``."""
    values = {"format": FORMAT, "version": __version__, **asdict(begun)}
    write_json(work / STATE / "run.json", values)
