"""What a run says about itself: scores, intervals, differences, provenance."""

import statistics
from dataclasses import dataclass
from typing import Any

from birnn.nn.model import count_parameters
from birnn.tasks.core.task import Baseline, Evaluation
from birnn.tasks.runs.fitting import AnyData, AnyTask, Trained
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.metrics import with_intervals
from birnn.tasks.scoring.significance import Difference, difference, strongest, verdict


@dataclass(frozen=True)
class Report:
    """What a run says about itself."""

    metrics: dict[str, Any]
    predictions: Any  # on the test split, as :meth:`Task.backtest` gives them


def make_report(
    task: AnyTask, data: AnyData, trained: Trained, baselines: list[Baseline]
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
    metrics = {
        "task": task.name,
        "encoder": task.config.encoder.encoder,
        "test": _test_part(task, own, others, baselines, differences),
        "validation": {
            name: value
            for name, value in trained.history[trained.stop.epoch - 1].items()
            if name not in ("epoch", "loss", "learning_rate", "seconds")
        },
        "data": data.provenance,
        "train": _train_part(trained),
        "details": task.details(test, predictions, data.info),
    }
    nearest = strongest(differences)
    label = next(part.label for part in baselines if part.name == nearest)
    metrics["verdict"] = verdict(label, *(d for d in differences if d.baseline == nearest))
    return Report(metrics, predictions)


def _test_part(
    task: AnyTask, own: Evaluation, others: dict[str, Evaluation], baselines: list[Baseline],
    differences: list[Difference],
) -> dict[str, Any]:  # fmt: skip
    """``test``: scores of model and baselines, and how far they are apart."""
    by_baseline = {name: [d for d in differences if d.baseline == name] for name in others}
    test: dict[str, Any] = {
        "model": _intervals(own),
        "baselines": {name: _intervals(other) for name, other in others.items()},
        "settings": {part.name: part.settings for part in baselines},
        "differences": {
            name: {d.metric: {**d.advantage.to_json(), "winner": d.winner} for d in parts}
            for name, parts in by_baseline.items()
            if parts
        },
    }
    if task.errors:
        test["skill"] = {
            name: {d.metric: d.skill.to_json() for d in parts if d.skill is not None}
            for name, parts in by_baseline.items()
        }
    return test


def _train_part(trained: Trained) -> dict[str, Any]:
    """``train``: what training took, and what validation set after it."""
    stop = trained.stop
    return {
        "seconds": round(stop.seconds, 3),
        "epochs": len(trained.history),
        "best_epoch": stop.epoch,
        "stopped": stop.reason,
        "parameters": count_parameters(trained.model),
        "tokens_per_second": round(stop.tokens / max(stop.seconds, 1e-9), 1),
        "seed": trained.seed,
        **trained.extra,
    }


def _intervals(part: Evaluation) -> dict[str, Any]:
    scores = with_intervals(part.scores, part.replicates)
    return {name: value.to_json() for name, value in scores.items()}


def _differences(task: AnyTask, own: Evaluation, others: dict[str, Evaluation]) -> list[Difference]:
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
