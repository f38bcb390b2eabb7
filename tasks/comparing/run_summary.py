"""One run of a comparison, read from its folder: its scores, its options, its curve.

The scores are made anew from the test predictions that the run keeps. Where those are missing, as
in runs of older versions, the scores are those of ``metrics.json``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from birnn.config import flatten
from birnn.errors import BirnnError, CheckpointError
from birnn.storage.files import read_json
from birnn.tasks.runs.test_records import TestRecord, number, read_rows
from birnn.tasks.scoring.metrics import with_intervals

Score = dict[str, float | None]  # value, low, high; of a difference also who is ahead
AGREE = 1e-6  # a score made anew may be so far from that of metrics.json


@dataclass(frozen=True)
class Curve:
    """What ``history.csv`` says: a list of values an epoch, by column."""

    columns: dict[str, list[float]]
    best: int  # the epoch that was kept


@dataclass(frozen=True)
class RunSummary:
    """A run in a comparison.

    Attributes:
        name: short and unlike those of the others.
        folder: of the run.
        config: its options, flat, under dotted names.
        about: encoder, version, engine, parameters, epochs, seconds, bytes, seeds.
        scores: of each metric ``value``, ``low``, ``high``; over several seeds ``mean``, ``std``.
        differences: from the reference, where they can be taken: ``value``, ``low``, ``high``,
            ``clear`` where the interval leaves 0 out, and ``ahead``: ``run``, ``reference``, or
            ``neither``; None of a score of which neither more nor less is better.
        curve: None where the history is missing or not usable.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    about: dict[str, Any]
    scores: dict[str, Score]
    differences: dict[str, dict[str, Any]] = field(default_factory=dict)
    curve: Curve | None = None


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
    found = read_json(path)
    try:
        scores, train = found["test"]["model"], found["train"]
        for score in scores.values():
            for key in ("value", "low", "high"):
                if not _is_number(score[key]) and (key == "value" or score[key] is not None):
                    raise TypeError(f"{key} is {score[key]!r}")
        for key in ("parameters", "epochs", "seconds", "best_epoch", "seed"):
            if not _is_number(train[key]):
                raise TypeError(f"{key} is {train[key]!r}")
        if not isinstance(found["test"]["differences"], dict):
            raise TypeError("differences is not a table")
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is not usable ({error}); train the run again") from None
    return dict(found)


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def make_run(
    name: str, folder: Path, config: Mapping[str, Any], metrics: Mapping[str, Any],
    record: TestRecord | None, notes: list[str],
) -> RunSummary:  # fmt: skip
    """A run with its own scores, not yet beside others.

    Args:
        name: short.
        folder: of the run.
        config: its ``config.json``.
        metrics: its ``metrics.json``.
        record: what it keeps of its test split; None where that is missing.
        notes: are added to.

    Raises:
        CheckpointError: a score made anew is no finite number.
    """
    train = metrics["train"]
    seeds = train.get("seeds") if isinstance(train.get("seeds"), list) else None
    if seeds:
        notes.append(
            f"{name}: trained with {len(seeds)} seeds; compared is seed {train['seed']}, the best"
            " on validation"
        )
    about = {
        "encoder": str(metrics.get("encoder", "")),
        "version": str(config.get("version", "")),
        "engine": str(config.get("engine", "")),
        **{k: train[k] for k in ("parameters", "epochs", "best_epoch", "seconds", "seed")},
        "seeds": seeds,
        "bytes": sum(p.stat().st_size for p in folder.iterdir() if p.is_file()),
    }
    own = {k: v for k, v in config.items() if k not in ("format", "task")}
    flat = dict(flatten(own, dotted=True))
    curve = _curve(name, folder, int(train["best_epoch"]), notes)
    scores = _scores(name, metrics["test"]["model"], record, notes)
    return RunSummary(name, folder, flat, about, scores, {}, curve)


def _scores(
    name: str, said: Mapping[str, Mapping[str, Any]], record: TestRecord | None, notes: list[str]
) -> dict[str, Score]:
    """The scores made anew, with what only ``metrics.json`` has; a note where the two disagree."""
    scores: dict[str, Score] = {}
    if record is not None:
        found = record.evaluation
        for metric, score_now in found.scores.items():
            if not math.isfinite(score_now):
                raise CheckpointError(
                    f"{name}: its predictions give {score_now} for {metric}: not as the"
                    " run wrote them; train again"
                )
        parts = with_intervals(found.scores, found.replicates)
        scores = {metric: dict(part.to_json()) for metric, part in parts.items()}
    for metric, score in said.items():
        own = scores.setdefault(metric, {k: score[k] for k in ("value", "low", "high")})
        own |= {k: score[k] for k in ("mean", "std") if _is_number(score.get(k))}
        value = own["value"]
        assert value is not None
        if abs(value - score["value"]) > AGREE * max(1.0, abs(score["value"])):
            notes.append(
                f"{name}: {metric} is {value:.6g} by its predictions and {score['value']:.6g} in"
                " metrics.json; one of the two was changed"
            )
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
