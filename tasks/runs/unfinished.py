"""An unfinished run: how it began, where it grows, how it is taken up again, when it is complete.

The run ``runs/x`` grows in ``runs/.x.partial`` (hidden, so that nobody takes it for a run or for
data) and is renamed when it is complete. Its subfolder ``checkpoints`` holds how it began
(``run.json``), the snapshots of each seed (``seed-S/``) and the scores of the seeds that are done
(``done-S.json``); all of it is JSON and safetensors.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from birnn.config import flatten, from_dict
from birnn.errors import BirnnError, CheckpointError, ConfigError, DataError
from birnn.storage.files import check_free, put_in_place, read_json, write_json
from birnn.storage.snapshots import snapshots
from birnn.storage.untrusted import check_file
from birnn.tasks import TASKS
from birnn.tasks.core.task import Task, TaskData
from birnn.tasks.runs.folder import RUN, STATE, unknown_names
from birnn.training.checkpoint_options import CheckpointConfig
from birnn.version import __version__

FORMAT = 1  # of run.json

# What may be given anew when a run is taken up: it changes how training goes on, not what it is.
CHANGEABLE = (
    "learning_rate", "clip_norm", "patience", "device", "threads", "engine",
    "checkpoint_epochs", "checkpoint_minutes", "keep_checkpoints",
)  # fmt: skip


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


def read_start(out: Path) -> StartRecord | None:
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
        if found["task"] not in TASKS:
            raise ValueError(f"unknown task {found['task']!r}")
        keep = from_dict(CheckpointConfig, found["keep"])
        own = {k: v for k, v in found.items() if k not in ("format", "version", "keep")}
        start = StartRecord(keep=keep, **own)
        _check(start)
    except CheckpointError:
        raise
    except (BirnnError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not usable: {error}") from None
    return start


def _check(start: StartRecord) -> None:
    kinds = {
        "config": dict, "seeds": int, "overwrite": bool, "command": str,
        "threads": int, "engine": str, "data": str,
    }  # fmt: skip
    for name, kind in kinds.items():
        if type(getattr(start, name)) is not kind:
            raise ValueError(f"{name} {getattr(start, name)!r}")
    if not (1 <= start.seeds <= 1000 and 0 <= start.threads <= 1024):
        raise ValueError(f"seeds {start.seeds!r} or threads {start.threads!r}")


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
    changed = [name for name in after if after[name] != before[name]]
    for name in changed:
        plain = name.rpartition(".")[2]
        if plain not in CHANGEABLE:
            raise ConfigError(
                f"{plain}: the run began with {before[name]!r}, not {after[name]!r}; that can't"
                " change on the way: leave the option out, or start another run with --out"
            )
    return [f"{name.rpartition('.')[2]} {before[name]} → {after[name]}" for name in changed]


def write_start(work: Path, start: StartRecord) -> None:
    """Write ``run.json``."""
    values = {"format": FORMAT, "version": __version__, **asdict(start)}
    write_json(work / STATE / "run.json", values)


LOCK = "lock"
SAMPLE = 256  # items of each split whose tensors are remembered


@contextlib.contextmanager
def growing_run(out: Path, start: StartRecord, *, resume: bool) -> Iterator[Path]:
    """Yield the folder in which ``out`` grows; give it its name if all goes well.

    Whatever interrupts the block, ``out`` is what it was. The growing folder stays if there is a
    snapshot to go on from, and goes if there is none.

    Raises:
        DataError: ``out`` is taken, an unfinished run stands there, another process makes it, or
            the disk refuses.
    """
    check_free(out, RUN, overwrite=start.overwrite)
    path = out.resolve()  # a link stays one: what it points to is made or replaced
    work = work_folder(out)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(work, out):
            if not resume:
                _make_way(work, out, start)
            try:
                _sweep(work)
                write_start(work, start)
                yield work
                check_free(out, RUN, overwrite=start.overwrite)
                put_in_place(work, path)
            finally:
                if not resumable(work):
                    shutil.rmtree(work, ignore_errors=True)
            shutil.rmtree(path / STATE, ignore_errors=True)
            for old in path.parent.glob(f".{path.name}.*.old"):  # of a stop between two renamings
                if RUN.owns(old):
                    shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise DataError(f"can't write {out}: {error.strerror or error}") from error


def _make_way(work: Path, out: Path, start: StartRecord) -> None:
    """Refuse to begin over an unfinished run, unless it may be overwritten; sweep it away."""
    if strangers := unknown_names(work):
        raise DataError(
            f"{work} holds what birnn did not write: {', '.join(strangers[:3])}; move that"
            " elsewhere, or choose another --out"
        )
    if resumable(work) and not start.overwrite:
        raise DataError(
            f"{work} holds an unfinished run; go on with --resume {out}, or add --overwrite to"
            " begin anew"
        )
    for folder in (work, work / STATE):
        for part in folder.iterdir():
            if part.is_dir() and part.name != STATE:
                shutil.rmtree(part)
            elif part.name not in (STATE, LOCK):
                part.unlink()


def _sweep(work: Path) -> None:
    """Remove half-written files that a kill left."""
    for path in work.rglob(".*.partial"):
        path.unlink(missing_ok=True)


def resumable(work: Path) -> bool:
    """Whether there is anything to go on from."""
    state = work / STATE
    return any(state.glob("done-*.json")) or any(
        snapshots(folder) for folder in state.glob("seed-*")
    )


@contextlib.contextmanager
def _locked(work: Path, out: Path) -> Iterator[None]:
    """Hold the growing folder for this process; a kill lets go of it."""
    (work / STATE).mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        yield
        return
    lock = work / STATE / LOCK
    if os.path.lexists(lock):
        check_file(lock)  # opening a pipe would wait for ever
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{out} is being made by another process") from None
        yield


def seed_folder(work: Path, seed: int) -> Path:
    """Where the snapshots of ``seed`` are."""
    return work / STATE / f"seed-{seed}"


@dataclass(frozen=True)
class SeedResult:
    """What is left of a seed that is trained, scored and written."""

    seed: int
    score: float  # of the kept epoch, on validation
    metrics: dict[str, Any]
    labels: dict[str, str]  # baseline key → its name in words


def write_done(work: Path, result: SeedResult) -> None:
    """Say that a seed is done; its snapshots go."""
    write_json(work / STATE / f"done-{result.seed}.json", asdict(result))
    shutil.rmtree(seed_folder(work, result.seed), ignore_errors=True)


def read_done(work: Path, seed: int) -> SeedResult | None:
    """What :func:`write_done` wrote of ``seed``; None if it is not done.

    Raises:
        CheckpointError: the file is not that.
    """
    path = work / STATE / f"done-{seed}.json"
    if not path.is_file():
        return None
    try:
        found = SeedResult(**read_json(path))
        kinds = (int, float, dict, dict)
        values = (found.seed, found.score, found.metrics, found.labels)
        if any(type(value) is not kind for value, kind in zip(values, kinds, strict=True)):
            raise ValueError("a value of another type")
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not usable: {error}") from None
    return found


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
            chosen = np.unique(np.linspace(0, len(lengths) - 1, SAMPLE).astype(np.int64))
            batch = split.batch(chosen)
            for tensor in (*batch.inputs.values(), batch.targets):
                if tensor is not None:
                    digest.update(np.ascontiguousarray(tensor.numpy()).tobytes())
    return digest.hexdigest()
