"""One run of a comparison, read from its folder: its scores, its options, its curve.

The scores are made anew from the test predictions that the run keeps. Where those are missing, as
in runs of older versions, the scores are those of ``metrics.json``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from birnn.config import flatten
from birnn.errors import BirnnError, CheckpointError
from birnn.storage.files import read_json
from birnn.tasks import TASKS
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.core.run_rows import MissingError, number, read_rows
from birnn.tasks.runs.folder import OWN_KEYS
from birnn.tasks.runs.test_records import TestRecord

Score = dict[str, float | None]  # value, low, high; of a difference also who is ahead
AGREE = 1e-6  # a score made anew may be so far from that of metrics.json


@dataclass(frozen=True)
class Curve:
    """What ``history.csv`` says: a list of values an epoch, by column."""

    columns: dict[str, list[float]]
    best: int  # the epoch that was kept


@dataclass(frozen=True)
class RunSummary:
    """A run in a comparison."""

    name: str  # short and unlike those of the others
    folder: Path
    config: dict[str, Any]  # its options, flat, under dotted names
    about: dict[str, Any]  # encoder, version, engine, parameters, epochs, seconds, bytes, seeds
    scores: dict[str, Score]  # value, low, high; over several seeds mean and std
    headline: list[str]  # the scores that its own report compares with baselines
    record: TestRecord | None  # of its test split; None where the run keeps none
    curve: Curve | None  # None where the history is missing or not usable
    notes: list[str]
    # From the reference, where they can be taken: value, low, high; ``clear`` where the interval
    # leaves 0 out; ``ahead``: run, reference or neither, and None where neither more nor less of
    # the score is better.
    differences: dict[str, dict[str, Any]] = field(default_factory=dict)


def short_names(folders: Sequence[Path]) -> list[str]:
    """The last part of each path, with as many parts before it as tell them all apart.

    >>> short_names([Path("/a/x/run"), Path("/a/y/run")])
    ['x/run', 'y/run']
    """
    parts = [folder.resolve().parts for folder in folders]
    for count in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-count:]) for part in parts]
        if len(set(names)) == len(names):
            break
    return names


def read_metrics(folder: Path) -> dict[str, Any]:
    """``metrics.json``, of the shape that is needed here.

    Raises:
        CheckpointError: it is missing, or of another shape.
    """
    path = folder / "metrics.json"
    metrics = read_json(path)
    try:
        scores, train = metrics["test"]["model"], metrics["train"]
        for score in scores.values():
            for key in ("value", "low", "high"):
                if not _is_number(score[key]) and (key == "value" or score[key] is not None):
                    raise TypeError(f"{key} is {score[key]!r}")
        for key in ("parameters", "epochs", "seconds", "best_epoch", "seed"):
            if not _is_number(train[key]):
                raise TypeError(f"{key} is {train[key]!r}")
        if not isinstance(metrics["test"]["differences"], dict):
            raise TypeError("differences is not a table")
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is not usable ({error}); train the run again") from None
    return dict(metrics)


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def read_run(name: str, folder: Path, config: Mapping[str, Any]) -> RunSummary:
    """The run in ``folder`` with its own scores, not yet beside others.

    Raises:
        CheckpointError: a file is not usable, or a score made anew is no finite number.
    """
    notes: list[str] = []
    metrics = read_metrics(folder)
    record = _read_record(name, folder, config, notes)
    train, test = metrics["train"], metrics["test"]
    seeds = train.get("seeds") if isinstance(train.get("seeds"), list) else None
    if seeds:
        chosen = f"compared is seed {train['seed']}, the best on validation"
        notes.append(f"{name}: trained with {len(seeds)} seeds; {chosen}")
    about = {"encoder": str(metrics.get("encoder", "")), "version": str(config.get("version", "")),
             "engine": str(config.get("engine", "")),
             **{k: train[k] for k in ("parameters", "epochs", "best_epoch", "seconds", "seed")},
             "seeds": seeds,
             "bytes": sum(p.stat().st_size for p in folder.iterdir() if p.is_file())}  # fmt: skip
    own = {k: v for k, v in config.items() if k not in ("format", "task")}
    options = dict(flatten(own, dotted=True))
    curve = _curve(name, folder, int(train["best_epoch"]), notes)
    scores = _scores(name, test["model"], record, notes)
    compared: Mapping[str, Any] = next(iter(test["differences"].values()), {})
    headline = [metric for metric in compared if metric in scores] or list(scores)[:2]
    return RunSummary(name, folder, options, about, scores, headline, record, curve, notes)


def _read_record(name: str, folder: Path, config: Mapping[str, Any],
                 notes: list[str]) -> TestRecord | None:  # fmt: skip
    """What the run keeps of its test split; None, with a note, where the file is missing."""
    reader = TASKS.require(config["task"], "test_record", "compare", folder)
    try:
        own = {k: v for k, v in config.items() if k not in OWN_KEYS}
        return cast(TestRecord, reader(folder, own))
    except MissingError as error:
        missing = f"{error.path.name} is missing, as in runs of older versions"
        scores = "scores of its metrics.json, no difference; train the run again for one"
        notes.append(f"{name}: {missing}: {scores}")
        return None


def _scores(name: str, written: Mapping[str, Mapping[str, Any]], record: TestRecord | None,
            notes: list[str]) -> dict[str, Score]:  # fmt: skip
    """The scores made anew, with what only ``metrics.json`` has; a note where the two disagree."""
    evaluation = record.evaluation if record else Evaluation({}, {})
    for metric, value in evaluation.scores.items():
        if not math.isfinite(value):
            problem = f"{name}: its predictions give {value} for {metric}"
            raise CheckpointError(f"{problem}: not as the run wrote them; train again")
    scores: dict[str, Score] = evaluation.to_json()
    for metric, score in written.items():
        own = scores.setdefault(metric, {k: score[k] for k in ("value", "low", "high")})
        own |= {k: score[k] for k in ("mean", "std") if _is_number(score.get(k))}
        value = evaluation.scores.get(metric, score["value"])
        if abs(value - score["value"]) > AGREE * max(1.0, abs(score["value"])):
            both = f"{value:.6g} by its predictions and {score['value']:.6g} in metrics.json"
            notes.append(f"{name}: {metric} is {both}; one of the two was changed")
    return scores


def _curve(name: str, folder: Path, best: int, notes: list[str]) -> Curve | None:
    """The history; None, with a note, where there is none: scores don't need it."""
    path = folder / "history.csv"
    columns: dict[str, list[float]] = {}
    try:
        for row in read_rows(path, ("epoch", "loss")):
            for column in row:
                columns.setdefault(column, []).append(number(path, row, column))
    except BirnnError as error:
        notes.append(f"{name}: no curve ({str(error).split(':')[0]})")
        return None
    return Curve(columns, best) if columns else None
