"""What a run says about itself: scores, intervals, differences, provenance."""

import statistics
from dataclasses import dataclass
from typing import Any

from torch import nn

from birnn.nn.model import count_parameters
from birnn.tasks.core.task import Baseline, Evaluation, Task, TaskData
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.metrics import with_intervals
from birnn.tasks.scoring.significance import Difference, difference, strongest, verdict
from birnn.training.events import StopEvent


@dataclass(frozen=True)
class Trained:
    """One seed's model and what its training was like."""

    seed: int
    model: nn.Module
    history: list[dict[str, Any]]
    stop: StopEvent
    extra: dict[str, Any]


@dataclass(frozen=True)
class Report:
    """What a run says about itself."""

    metrics: dict[str, Any]
    predictions: Any  # on the test split, as :meth:`Task.backtest` gives them


def make_report(
    task: Task[Any, Any, Any], data: TaskData[Any, Any], trained: Trained, baselines: list[Baseline]
) -> Report:
    """Read the test split: scores of model and baselines with intervals, and who wins."""
    test = data.splits["test"]
    predictions = task.backtest(trained.model, data, trained.stop.epoch)
    own = task.evaluate(test, predictions, data.info, BOOTSTRAP_SEED)
    others = {
        part.name: task.evaluate(test, part.predictions, data.info, BOOTSTRAP_SEED)
        for part in baselines
    }
    differences = _differences(task, own, others)
    labels = {part.name: part.label for part in baselines}
    seconds, stop = trained.stop.seconds, trained.stop
    metrics = {
        "task": task.name,
        "encoder": task.config.encoder.encoder,
        "test": {
            "model": _intervals(own),
            "baselines": {name: _intervals(other) for name, other in others.items()},
            "settings": {part.name: part.settings for part in baselines},
            "differences": {
                part.baseline: {
                    other.metric: {**other.advantage.to_json(), "winner": other.winner}
                    for other in differences
                    if other.baseline == part.baseline
                }
                for part in differences
            },
        },
        "validation": {
            k: v for k, v in trained.history[stop.epoch - 1].items() if k in _scores(trained)
        },
        "data": data.provenance,
        "train": {
            "seconds": round(seconds, 3),
            "epochs": len(trained.history),
            "best_epoch": stop.epoch,
            "stopped": stop.reason,
            "parameters": count_parameters(trained.model),
            "tokens_per_second": round(stop.tokens / max(seconds, 1e-9), 1),
            "seed": trained.seed,
            **trained.extra,
        },
        "details": task.details(test, predictions, data.info),
    }
    if task.errors:
        metrics["test"]["skill"] = {
            name: {
                part.metric: part.skill.to_json()
                for part in differences
                if part.baseline == name and part.skill is not None
            }
            for name in others
        }
    nearest = strongest(differences)
    metrics["verdict"] = verdict(
        labels[nearest], *(part for part in differences if part.baseline == nearest)
    )
    return Report(metrics, predictions)


def _scores(trained: Trained) -> set[str]:
    return set(trained.history[0]) - {"epoch", "loss", "learning_rate", "seconds"}


def _intervals(part: Evaluation) -> dict[str, Any]:
    scores = with_intervals(part.scores, part.replicates)
    return {name: value.to_json() for name, value in scores.items()}


def _differences(
    task: Task[Any, Any, Any], own: Evaluation, others: dict[str, Evaluation]
) -> list[Difference]:
    return [
        difference(
            name, metric,
            (own.scores[metric], own.replicates[metric]),
            (other.scores[metric], other.replicates[metric]),
            relative=task.errors,
        )
        for name, other in others.items()
        for metric in task.headline
        if metric in own.scores
    ]  # fmt: skip


def add_spread(
    metrics: dict[str, Any], every: list[dict[str, Any]], seeds: list[int], chosen: int
) -> None:
    """Add mean and standard deviation over seeds to each test score of the model."""
    for name, score in metrics["test"]["model"].items():
        values = [part["test"]["model"][name]["value"] for part in every]
        score["mean"] = statistics.mean(values)
        score["std"] = statistics.stdev(values)
        score["values"] = values
    metrics["train"]["seeds"] = seeds
    metrics["train"]["chosen_seed"] = chosen
