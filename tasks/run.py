"""The run folder: what it holds, how it is written whole, and how it is read again."""

import csv
import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from birnn import __version__
from birnn.checkpoint import load_weights, read_json, save_weights, write_json, write_text
from birnn.config import from_dict
from birnn.errors import BirnnError, CheckpointError, ConfigError
from birnn.registry import resolve
from data.counts import agree, plural
from tasks import TASKS
from tasks.base import Task
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
        writer = careful = csv.writer(file, lineterminator="\n")
        for number, row in enumerate(rows):
            if not number:
                writer.writerow(row)
                careful = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            # Python's writer leaves a carriage return bare, and readers end the row there.
            returns = any(isinstance(cell, str) and "\r" in cell for cell in row.values())
            (careful if returns else writer).writerow(row.values())


def write_card(path: Path, command: str, metrics: Mapping[str, Any]) -> None:
    """Write the run's README: what it is, what it scores, how to use it."""
    test, data, train = metrics["test"], metrics["data"], metrics["train"]
    example = TASKS[metrics["task"]].example
    models = {"model": test["model"], **test["baselines"]}
    names = [name for name in test["model"] if isinstance(test["model"][name], dict)]
    names = [name for name in names if not name.startswith("width_")]
    seeds = "seeds" in train
    heads = [label.replace("_", " ") for label in models]
    heads += [f"model, mean of {len(train['seeds'])} seeds"] if seeds else []
    lines = [
        f"# {metrics['task']}: {metrics['encoder']}",
        "",
        f"Made by birnn {__version__} with `{command}`.",
        "",
        "## Test scores",
        "",
        "| | " + " | ".join(heads) + " |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for name in names:
        cells = [_cell(scores.get(name)) for scores in models.values()]
        if seeds:
            score = test["model"][name]
            cells.append(f"{score['mean']:.4f} ± {score['std']:.4f}")
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    lines += ["", "Brackets hold 95 % bootstrap intervals.", ""]
    lines += [metrics["verdict"]]
    lines += ["", "## Data", "", f"Source: {data['source']}.", ""]
    unit = data.get("unit", "rows")
    one = unit.removesuffix("s")
    lines += [f"- {name}: {plural(count, one)}" for name, count in data["rows"].items()]
    notes = data.get("notes", [])
    lines += [f"- {note}" for note in [*notes, *(s for s in data["splits"] if s not in notes)]]
    for pair, count in data.get("overlap", {}).get("normalised", {}).items():
        if count:
            first, second = pair.split("/")
            rows = plural(count, f"row of {second}", f"rows of {second}")
            said = f"{rows} also {agree(count, 'stands', 'stand')} in {first}"
            lines.append(f"- **Warning: {said}: scores on {second} are flattered.**")
    lines += [
        "",
        "## Training",
        "",
        f"{train['parameters']:,} parameters, {train['epochs']} epochs,"
        f" {train['seconds']:.0f} seconds; settings in `config.json`, curve in `history.csv`.",
        "",
        "## Use",
        "",
        "```",
        "python cli.py evaluate RUN",
        *([f"python cli.py predict RUN {example}"] if example else []),
        "```",
        "",
        "## Limits",
        "",
        "The scores hold for data like the test split's. A change of domain, time or language can",
        "lower them, and the data's biases are the model's.",
        "",
    ]  # fmt: skip
    write_text(path, "\n".join(lines))


def _cell(score: Any) -> str:
    if not isinstance(score, dict):
        return "–"
    if score["low"] is None:
        return f"{score['value']:.4f}"
    return f"{score['value']:.4f} [{score['low']:.4f}, {score['high']:.4f}]"
