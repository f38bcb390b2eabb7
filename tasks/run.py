"""The run folder: what it holds, how it is written whole, and how it is read again."""

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from birnn import __version__
from birnn.checkpoint import load_weights, read_json, save_weights, write_json
from birnn.config import from_dict
from birnn.errors import BirnnError, CheckpointError, ConfigError
from birnn.registry import resolve
from tasks import TASKS
from tasks.base import Task
from tasks.card import write_card as write_card
from tasks.machine import engine_of
from tasks.request import Answer, Request

OWN_KEYS = ("format", "version", "task", "engine")  # of config.json; the rest are options
FORMAT = 1  # of the run folder; raised when an older reader could misread a newer run


@dataclass(frozen=True)
class LoadedRun:
    """A trained model, ready to use on the CPU."""

    folder: Path
    task: Task[Any, Any, Any]
    info: Any
    model: nn.Module


def write_model(folder: Path, task: Task[Any, Any, Any], info: Any, model: nn.Module) -> None:
    """Write ``config.json``, the info's files and ``model.safetensors``."""
    config = {
        "format": FORMAT,
        "version": __version__,
        "task": task.name,
        "engine": engine_of(task.config).name,
        **dataclasses.asdict(task.config),
    }
    for name, value in info.files().items():
        write_json(folder / name, value)
    save_weights(folder / "model.safetensors", model)
    write_json(folder / "config.json", config)


def read_config(folder: Path) -> dict[str, Any]:
    """The ``config.json`` of a run of this format, its ``task`` a known one.

    Raises:
        CheckpointError: it is missing, foreign or of a newer format.
    """
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such run folder")
    found = read_json(folder / "config.json")
    if not isinstance(found, dict) or "format" not in found or "task" not in found:
        raise CheckpointError(f"{folder / 'config.json'} is not a run's configuration")
    if found["format"] != FORMAT:
        raise CheckpointError(
            f"{folder} has the run format {found['format']!r}, made by version"
            f" {found.get('version')!r}; this version {__version__} reads format {FORMAT}"
        )
    if found["task"] not in list(TASKS):
        raise CheckpointError(f"{folder} is a run of the task {found['task']!r}, unknown here")
    return found


def serve(folder: Path, request: Request) -> Answer:
    """Answer ``request`` with the run in ``folder``.

    Raises:
        BirnnError: an unusable run, input or output, or a run that answers no such request.
    """
    name = read_config(folder)["task"]
    if not TASKS[name].serve:
        able = " or ".join(task for task, entry in TASKS.items() if entry.serve)
        raise ConfigError(f"predict takes a run of {able}; {folder} is of {name}: use evaluate")
    answer: Answer = resolve({name: TASKS[name].serve}, name, "task")(folder, request)
    return answer


def load_run(folder: Path) -> LoadedRun:
    """Load a run folder: JSON and safetensors only, on the CPU whatever it was trained on.

    Raises:
        CheckpointError: it is missing, incomplete, foreign or of a newer format.
    """
    found = read_config(folder)
    try:
        entry = TASKS[found["task"]]
        groups = {k: v for k, v in found.items() if k not in OWN_KEYS}
        config = from_dict(resolve({"config": entry.config}, "config", "task"), groups)
        task: Task[Any, Any, Any] = resolve({"task": entry.task}, "task", "task")(config)
        info = task.read_info(folder)
    except CheckpointError:
        raise
    except (BirnnError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / 'config.json'} is not usable: {error}") from None
    model = load_weights(folder / "model.safetensors", lambda: task.model(info))
    return LoadedRun(folder, task, info, model)


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of one shape, at least one, as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(file, fieldnames=list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow(row)
