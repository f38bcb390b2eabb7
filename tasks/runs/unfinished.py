"""How an unfinished run began, and what may change when it is taken up again."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from birnn import processes
from birnn.config import flatten, from_dict
from birnn.errors import BirnnError, CheckpointError, ConfigError
from birnn.storage.files import atomic_path, json_text, read_json, write_json
from birnn.tasks import TASKS
from birnn.tasks.runs.folder import STATE
from birnn.tasks.runs.growing import unfinished_beside, work_folder
from birnn.tasks.runs.tracking_options import TrackConfig
from birnn.training.checkpoint_options import CheckpointConfig
from birnn.version import __version__

FORMAT = 2  # of run.json; 1 told data by a sample of it, and by where they lay

# What may be given anew when a run is taken up: it changes how training goes on, not what it is.
CHANGEABLE = (
    "learning_rate", "clip_norm", "patience", "device", "threads", "engine", "mixed_precision",
    "checkpoint_epochs", "checkpoint_minutes", "keep_checkpoints",
)  # fmt: skip
# Where files lie: what is read there is compared by its digest.
PLACES = ("data", "vectors")


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
    data: str = ""  # digest
    origin: Mapping[str, str] = field(default_factory=dict)  # the run that it begins from
    folder: str = ""  # where the command was given: relative paths begin there
    track: TrackConfig = field(default_factory=TrackConfig)
    processes: int = 1  # that shared each batch
    ensemble: bool = False


def has_begun(out: Path) -> bool:
    """Whether ``out`` is a run, complete or not."""
    return os.path.lexists(_record_path(out)) or (out / "config.json").is_file()


def _record_path(out: Path) -> Path:
    return work_folder(out) / STATE / "run.json"


def read_start(out: Path) -> StartRecord | None:
    """How the unfinished run ``out`` began; None if it is complete.

    Raises:
        CheckpointError: there is neither, or it is not one that this version can go on with.
    """
    path = _record_path(out)
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
        track = from_dict(TrackConfig, record.get("track", {}))
        own = {k: v for k, v in record.items() if k not in ("format", "version", "keep", "track")}
        start = StartRecord(keep=keep, track=track, **own)
        kinds = {name: type(value) for name, value in vars(StartRecord("", {})).items()}
        for name, value in vars(start).items():
            if type(value) is not kinds[name]:
                raise ValueError(f"{name} {value!r}")
        if not (1 <= start.seeds <= 1000 and 0 <= start.threads <= 1024):
            raise ValueError(f"seeds {start.seeds!r} or threads {start.threads!r}")
        if start.processes < 1:
            raise ValueError(f"processes {start.processes!r}")
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
        config = from_dict(TASKS[start.task].part("options"), start.config)
    except ConfigError as error:
        raise CheckpointError(f"run.json is not usable: {error}") from None
    if not start.folder or start.folder == here():
        return config
    data = {name: place_from(start.folder, getattr(config.data, name, "")) for name in PLACES}
    return replace(config, data=replace(config.data, **{n: v for n, v in data.items() if v}))


def here() -> str:
    """The working directory; empty where it is gone."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def place_from(folder: str, name: str) -> str:
    """A file that was named by a path from ``folder``, by a path that holds anywhere."""
    if not folder or folder == here():
        return name
    path = Path(folder) / name
    try:
        there = bool(name) and not Path(name).expanduser().is_absolute() and path.exists()
    except (OSError, ValueError):  # no path at all
        there = False
    return str(path) if there else name


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
    changed = {n: plain for n, plain in changed.items() if not _same_place(n, before, after)}
    for name, plain in changed.items():
        if plain not in CHANGEABLE and name not in {f"data.{place}" for place in PLACES}:
            began = f"the run began with {before[name]!r}, not {after[name]!r}"
            advice = "leave the option out, or start another run with --out"
            raise ConfigError(f"{plain}: {began}; that can't change on the way: {advice}")
    return [f"{plain} {before[name]} → {after[name]}" for name, plain in changed.items()]


def _same_place(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an option names the same file or folder in other words."""
    if name not in {f"data.{place}" for place in PLACES}:
        return False
    try:
        return Path(before[name]).samefile(after[name])
    except (OSError, ValueError):
        return False


def write_start(work: Path, start: StartRecord) -> None:
    """Write ``run.json``; of several processes, the main one does."""
    if processes.is_main():
        write_json(work / STATE / "run.json", _record(start))


def _record(start: StartRecord) -> dict[str, Any]:
    return {"format": FORMAT, "version": __version__, **asdict(start)}


@dataclass
class Amendment:
    """What a run that is taken up changes of its ``run.json``: written with its first snapshot.

    Until then nothing on the disk has changed: a run that can't go on is what it was.
    """

    work: Path
    start: StartRecord
    written: bool = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """Within the block, a snapshot is written; both stand at its end, or neither."""
        if self.written:
            yield
            return
        with atomic_path(self.work / STATE / "run.json") as temporary:
            temporary.write_text(json_text(_record(self.start)), encoding="utf-8")
            yield
        self.written = True

    def write(self) -> None:
        """Write it now: others write the snapshots."""
        with self.together():
            pass
