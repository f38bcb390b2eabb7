"""How an unfinished run began, and what may change when it is taken up again."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from birnn.config import flatten, from_dict
from birnn.errors import BirnnError, CheckpointError, ConfigError
from birnn.storage.files import read_json, write_json
from birnn.tasks import TASKS
from birnn.tasks.core.task import Task, TaskData
from birnn.tasks.runs.folder import STATE
from birnn.tasks.runs.growing import unfinished_beside, work_folder
from birnn.training.checkpoint_options import CheckpointConfig
from birnn.version import __version__

FORMAT = 1  # of run.json

# What may be given anew when a run is taken up: it changes how training goes on, not what it is.
CHANGEABLE = ("learning_rate", "clip_norm", "patience", "device", "threads", "engine",
              "checkpoint_epochs", "checkpoint_minutes", "keep_checkpoints")  # fmt: skip


@dataclass(frozen=True)
class StartRecord:
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


def read_start(out: Path) -> StartRecord | None:
    """How the unfinished run ``out`` began; None if it is complete.

    Raises:
        CheckpointError: there is neither, or it is not one that this version can go on with.
    """
    path = work_folder(out) / STATE / "run.json"
    if not os.path.lexists(path):
        if (out / "config.json").is_file():
            return None
        others = ", ".join(unfinished_beside(out)[:5])
        more = f"; unfinished there: {others}" if others else f"; start it with --out {out}"
        raise CheckpointError(f"{out}: there is no run to go on with{more}")
    record = read_json(path)
    try:
        if record["format"] != FORMAT:
            made = f"the format {record['format']!r}, made by version {record['version']!r}"
            here = f"this version {__version__} goes on with format {FORMAT}"
            raise CheckpointError(f"{path} has {made}; {here}")
        if record["task"] not in TASKS:
            raise ValueError(f"unknown task {record['task']!r}")
        keep = from_dict(CheckpointConfig, record["keep"])
        own = {k: v for k, v in record.items() if k not in ("format", "version", "keep")}
        start = StartRecord(keep=keep, **own)
        kinds = {name: type(value) for name, value in vars(StartRecord("", {})).items()}
        for name, value in vars(start).items():
            if type(value) is not kinds[name]:
                raise ValueError(f"{name} {value!r}")
        if not (1 <= start.seeds <= 1000 and 0 <= start.threads <= 1024):
            raise ValueError(f"seeds {start.seeds!r} or threads {start.threads!r}")
    except CheckpointError:
        raise
    except (BirnnError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not usable: {error}") from None
    return start


def start_config(start: StartRecord) -> Any:
    """The configuration of the task, as it was.

    Raises:
        CheckpointError: it is not one of this version.
    """
    try:
        return from_dict(TASKS[start.task].part("options"), start.config)
    except ConfigError as error:
        raise CheckpointError(f"run.json is not usable: {error}") from None


def check_changes(start: StartRecord, config: Any, seeds: int) -> list[str]:
    """What ``config`` changes in a run that is taken up, as sentences.

    Raises:
        ConfigError: it changes what the run is.
    """
    if seeds != start.seeds:
        raise ConfigError(f"seeds: the run began with {start.seeds}; that can't change on the way")
    configs = start_config(start), config
    before, after = (dict(flatten(asdict(part), dotted=True)) for part in configs)
    changed = {n: n.rpartition(".")[2] for n in after if after[n] != before[n]}
    for name, plain in changed.items():
        if plain not in CHANGEABLE:
            began = f"the run began with {before[name]!r}, not {after[name]!r}"
            advice = "leave the option out, or start another run with --out"
            raise ConfigError(f"{plain}: {began}; that can't change on the way: {advice}")
    return [f"{plain} {before[name]} → {after[name]}" for name, plain in changed.items()]


def write_start(work: Path, start: StartRecord) -> None:
    """Write ``run.json``."""
    own = {"format": FORMAT, "version": __version__}
    write_json(work / STATE / "run.json", {**own, **asdict(start)})


def data_digest(task: Task[Any, Any, Any], data: TaskData[Any, Any]) -> str:
    """A checksum of what training reads, to notice that it has changed.

    It covers what was learned of the training split, where the rows came from, every length, and
    the tensors of some items of each split, evenly spaced.
    """
    digest = hashlib.sha256()
    for part in (task.name, data.info.files(), data.provenance):
        digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    for name, split in data.splits.items():
        lengths = np.asarray(split.lengths, dtype=np.int64)
        digest.update(name.encode() + lengths.tobytes())
        if len(lengths):
            chosen = np.unique(np.linspace(0, len(lengths) - 1, 256).astype(np.int64))
            batch = split.batch(chosen)
            for tensor in (*batch.inputs.values(), batch.targets):
                if tensor is not None:
                    digest.update(np.ascontiguousarray(tensor.numpy()).tobytes())
    return digest.hexdigest()
