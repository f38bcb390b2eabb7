"""The run folder: what it holds, how it is written whole, and how it is read again."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from birnn.config import from_dict
from birnn.data.tables.csv_cells import RowWriter
from birnn.errors import BirnnError, CheckpointError, ConfigError, brief
from birnn.storage.files import (
    FolderKind,
    read_json,
    same_file,
    write_json,
)
from birnn.storage.untrusted import charge, check_weights, json_memory, one_budget
from birnn.tasks import TASKS
from birnn.version import __version__

if TYPE_CHECKING:
    from torch import nn

    from birnn.tasks.core.task import Task

OWN_KEYS = (
    "format",
    "version",
    "task",
    "engine",
    "reading",
    "from",
    "ensemble",
)  # of config.json; the rest are options
T = TypeVar("T")
MOST_MEMBERS = 10_000  # of an ensemble
STATE = "checkpoints"  # the subfolder of a growing run: how it began, and how far it is
MEMBER = re.compile(r"seed-\d+|fold-\d+(?:-seed-\d+)?")  # the subfolder of one seed, or one fold
INNER = re.compile(rf"{MEMBER.pattern}|baseline-\w+")
BASELINE = "baseline-"  # how the folders of what baselines say of a fold begin, while a run grows
# Everything that a version of birnn has written into any run's folder, as patterns; what a task
# adds is in its specification.
FILES = (
    "config.json", "model.safetensors", "metrics.json", "history.csv", "history.jsonl",
    "curves.png", "README.md",
    "predictions.*", "learned.bin", "confusion.png", "report.html", "report.json",
    # While it grows: how it began, its lock, seeds that are done, snapshots, what a kill left.
    "run.json", "lock", "done-*.json", "items.json",
    "[0-9]*.safetensors", "[0-9]*.sha256", ".*.partial",
)  # fmt: skip
ENSEMBLE = 2  # the format of a run that is several: who knows 1 alone would take one for all
FORMAT = 1  # of the run folder; raised when an older reader could misread a newer run


def run_strangers(folder: Path) -> list[str] | None:
    """What a run folder holds that birnn did not write; None if it is no run."""
    parts = {"format": int, "version": str, "task": str, "encoder": dict, "train": dict}
    return unknown_names(folder) if holds(folder / "config.json", parts) else None


def holds(path: Path, parts: Mapping[str, type]) -> bool:
    """Whether a JSON file is there and holds ``parts``: key → the type of its value."""
    try:
        value = read_json(path)
    except CheckpointError:
        return False
    return isinstance(value, dict) and all(type(value.get(k)) is t for k, t in parts.items())


def unknown_names(folder: Path) -> list[str]:
    """What a run folder, whole or growing, holds under names that no version of birnn has used."""
    unknown = []
    for path in sorted(folder.iterdir()):
        inner = path.is_dir() and not path.is_symlink()
        if inner and (path.name == STATE or INNER.fullmatch(path.name)):
            unknown += [f"{path.name}/{name}" for name in unknown_names(path)]
        elif inner or not own_name(path.name):
            unknown.append(path.name)
    return unknown


def own_name(name: str) -> bool:
    """Whether a version of birnn has written a file of that name into a run's folder."""
    patterns = [*FILES, *(pattern for spec in TASKS.values() for pattern in spec.files)]
    return any(fnmatch(name, pattern) for pattern in patterns)


def is_of_run(path: Path, folder: Path) -> bool:
    """Whether to write ``path`` would be to write a file of the run in ``folder``.

    It is told by where ``path`` leads and by what is there, so that links and a disk that takes
    upper case for lower hide nothing.
    """
    target = path.resolve()
    if own_name(target.name) and target.parent.is_relative_to(folder.resolve()):
        return True
    return any(same_file(path, part) for part in folder.rglob("*"))


RUN = FolderKind("run", run_strangers)


@dataclass(frozen=True)
class LoadedRun:
    """A trained model, ready to use on the device that it is on."""

    folder: Path
    task: "Task[Any, Any, Any]"
    info: Any
    model: "nn.Module"
    engine: str = ""  # that trained it, where that is known
    members: "tuple[LoadedRun, ...]" = ()  # of an ensemble; task and model are those of the first


def write_model(
    folder: Path, task: "Task[Any, Any, Any]", info: Any, model: "nn.Module", engine: str = ""
) -> None:
    """Write ``config.json``, the info's files and ``model.safetensors``.

    The ``engine`` is that of training; empty: the one that would train it here.
    """
    from birnn.nn.engines import engine_for  # here: to read what a run says takes no torch
    from birnn.storage.weights import save_weights

    with suppress(ConfigError):  # trained on a machine with another device
        engine = engine or engine_for(task.config.encoder, task.config.train).name
    own = {"format": FORMAT, "version": __version__, "task": task.name, "engine": engine,
           "reading": dict(task.reading)}  # fmt: skip
    if task.began:
        own["from"] = dict(task.began)
    for name, value in info.files().items():
        write_json(folder / name, value)
    save_weights(folder / "model.safetensors", model)
    write_json(folder / "config.json", {**own, **dataclasses.asdict(task.config)})


def read_config(folder: Path) -> dict[str, Any]:
    """The ``config.json`` of a run of this format, its ``task`` a known one.

    Raises:
        CheckpointError: it is missing, foreign or of a newer format.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such run folder")
    config = read_json(folder / "config.json")
    if not isinstance(config, dict) or "format" not in config or "task" not in config:
        raise CheckpointError(f"{folder / 'config.json'} is not a run's configuration")
    if config["format"] != ENSEMBLE or "ensemble" not in config:
        _check_format(folder, config["format"], config.get("version"))
    if config["task"] not in TASKS:
        raise CheckpointError(
            f"{folder} is a run of the task {brief(config['task'])}, unknown here"
        )
    return config


def _check_format(folder: Path, number: Any, version: Any) -> None:
    """Refuse a run of another format, and say which version reads it."""
    if type(number) is int and number == FORMAT:
        return
    if type(number) is not int or number < FORMAT:
        says = f"{folder} says it has the run format {brief(number)}"
        none = "which no version of birnn has written"
        raise CheckpointError(f"{says}, {none}; this one reads format {FORMAT}")
    maker, advice = "of an unknown version", "install a newer birnn"
    if isinstance(version, str) and len(version) < 40:
        maker, advice = version, f"install birnn {version} or newer"
    newer = f"{folder} has the run format {brief(number)}, made by birnn {maker}"
    raise CheckpointError(f"{newer}; this version {__version__} reads format {FORMAT}: {advice}")


def config_of(kind: type[T], config: Mapping[str, Any]) -> T:
    """The options that ``config.json`` holds beside what is said of the run itself.

    Raises:
        ConfigError: an unknown option, or a value that it can't have.
    """
    return from_dict(kind, {k: v for k, v in config.items() if k not in OWN_KEYS})


def load_run(folder: Path, device: str = "cpu") -> LoadedRun:
    """Load a run folder: JSON and safetensors only, to ``device`` whatever it was trained on.

    Raises:
        ConfigError: there is no such device.
        CheckpointError: it is missing, incomplete, foreign or of a newer format, or its files
            together would take more memory than :func:`birnn.storage.untrusted.memory_limit`.
    """
    from birnn.nn.devices import resolve_device
    from birnn.nn.forking import survive_forks
    from birnn.storage.weights import load_weights

    place = resolve_device(device)
    survive_forks()
    config = read_config(folder)
    if config["format"] == ENSEMBLE:
        return _load_ensemble(folder, config, device)
    with one_budget():
        try:
            spec = TASKS[config["task"]]
            task: Task[Any, Any, Any] = spec.part("task")(config_of(spec.part("options"), config))
            task.reading = config.get("reading", {})
            if not isinstance(task.reading, dict):
                raise ConfigError(f"reading: expected a table, got {brief(task.reading)}")
            task.began = config.get("from", {})
            if not isinstance(task.began, dict):
                raise ConfigError(f"from: expected a table, got {brief(task.began)}")
            info = task.read_info(folder)
        except CheckpointError:
            raise
        except (BirnnError, KeyError, TypeError) as error:
            raise CheckpointError(f"{folder / 'config.json'} is not usable: {error}") from None
        model = load_weights(folder / "model.safetensors", lambda: task.model(info))
        return LoadedRun(folder, task, info, model.to(place), str(config.get("engine", "")))


def _load_ensemble(folder: Path, config: Mapping[str, Any], device: str) -> LoadedRun:
    """A run that is several, each a run of its own in a folder within.

    Raises:
        CheckpointError: it names none, or something else than its own folders.
    """
    names = config.get("ensemble")
    if not isinstance(names, list) or not names or len(names) > MOST_MEMBERS:
        raise CheckpointError(f"{folder / 'config.json'} names no members of its ensemble")
    if not all(isinstance(name, str) and MEMBER.fullmatch(name) for name in names):
        raise CheckpointError(f"{folder / 'config.json'}: {brief(names)} are no members of a run")
    configs = [read_config(folder / name) for name in names]
    if any(c["format"] != FORMAT or c["task"] != config["task"] for c in configs):
        raise CheckpointError(f"{folder}: a member is itself an ensemble, or of another task")
    members = tuple(load_run(folder / name, device) for name in names)
    first = members[0]
    info = first.task.joint_info([member.info for member in members])
    return LoadedRun(folder, first.task, info, first.model, first.engine, members)


def single(run: LoadedRun, verb: str) -> LoadedRun:
    """The run, which is one model.

    Raises:
        ConfigError: it is an ensemble, which ``verb`` doesn't take.
    """
    if run.members:
        own = run.members[0].folder
        several = f"{run.folder} is an ensemble of {len(run.members)} models"
        raise ConfigError(f"{verb}: {several}; name one of them: {own}")
    return run


def predictions_of(run: LoadedRun, split_for: Callable[[LoadedRun], Any]) -> tuple[Any, Any]:
    """A split, and what is predicted of it: by the model, or by all members of an ensemble.

    ``split_for`` makes the split for one of them, whose vocabulary or scale is its own; that of the
    first comes back.
    """
    if not run.members:
        split = split_for(run)
        return split, run.task.predictions(run.model, split, run.info)
    parts = []
    for member in run.members:
        split = split_for(member)
        parts.append((split, member.task.soft(member.model, split, member.info), member.info))
    return parts[0][0], run.task.combined(parts, run.info)


def room_note(folder: Path) -> str | None:
    """What to say of a run that is written and too large to be loaded without being asked to."""
    try:
        with one_budget():
            for path in sorted(folder.glob("*.json")):
                if path.name != "metrics.json":
                    charge(path, json_memory(path.read_bytes()))
            if (folder / "model.safetensors").is_file():  # an ensemble has them in its members
                check_weights(folder / "model.safetensors")
    except CheckpointError as error:
        return f"note: {error}"
    return None


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of one shape, at least one, as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = RowWriter(file)
        for number, row in enumerate(rows):
            if not number:
                writer.row(row)
            writer.row(row.values())
