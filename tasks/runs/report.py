"""What a run says about itself: scores, intervals, differences, provenance."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from birnn import processes
from birnn.nn.model import count_parameters
from birnn.tasks import TASKS
from birnn.tasks.core.task import Baseline, Evaluation
from birnn.tasks.runs.fitting import AnyData, AnyTask, Trained
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.folds import spread
from birnn.tasks.scoring.metric_names import is_percent
from birnn.tasks.scoring.significance import Difference, difference, strongest, verdict
from birnn.tasks.warm.forgetting import split_digest

Differences = Mapping[str, list[Difference]]  # baseline → one for each score of the headline


def make_report(task: AnyTask, data: AnyData, trained: Trained, baselines: list[Baseline],
                predictions: Any) -> dict[str, Any]:  # fmt: skip
    """What ``metrics.json`` holds: scores of model and baselines with intervals, and who wins.

    The ``predictions`` are those of :meth:`Task.backtest`.
    """
    test = data.splits["test"]
    score = partial(task.evaluate, test, seed=BOOTSTRAP_SEED)
    own = score(predictions, info=data.info)
    others = {part.name: score(part.predictions, info=part.info or data.info) for part in baselines}
    differences = differences_of(task, own, others)
    labels = {part.name: part.label for part in baselines}
    start = TASKS[task.name].warm and TASKS[task.name].part("warm")()
    digest = {"test_digest": split_digest(start, test, data.info)} if start else {}
    metrics: dict[str, Any] = {
        "task": task.name,
        "encoder": task.config.encoder.encoder,
        "test": tested_part(task, own, others, differences)
        | {"settings": {part.name: part.settings for part in baselines}},
        "validation": {
            name: value for name, value in trained.history[trained.stop.epoch - 1].items()
            if name not in ("epoch", "loss", "learning_rate", "seconds")},
        "data": {**data.provenance, **digest, "reading": data.reading, **fold_part(data)},
        "train": train_part(trained, task.config.train.search_trials),
        "details": task.details(test, predictions, data.info)}  # fmt: skip
    metrics["verdict"] = verdict_of(differences, labels)
    behind = any(parts[0].behind for parts in differences.values() if parts)
    if advice := task.advice(data, predictions, behind=behind):
        metrics["advice"] = advice
    return metrics


def fold_part(data: AnyData) -> dict[str, Any]:
    """``fold``: which of how many it is, and how they are cut; empty without folds."""
    if data.fold is None:
        return {}
    return {"fold": {k: v for k, v in vars(data.fold).items() if k != "items"}}


def train_part(trained: Trained, search_trials: int = 0) -> dict[str, Any]:
    """``train``: what training took, what validation set after it, how options were found."""
    stop, count = trained.stop, processes.count()
    searched = {"search_trials": search_trials} if search_trials else {}
    several = {"processes": count} if count > 1 else {}
    return {"seconds": round(stop.seconds, 3), "epochs": len(trained.history),
            "best_epoch": stop.epoch, "stopped": stop.reason,
            "parameters": count_parameters(trained.model),
            "tokens_per_second": round(stop.tokens / max(stop.seconds, 1e-9), 1),
            "items_per_second": round(trained.items_per_second, 1),
            "peak_memory": trained.peak_memory,
            "seed": trained.seed, **several, **searched, **trained.extra}  # fmt: skip


def differences_of(task: AnyTask, own: Evaluation,
                   others: Mapping[str, Evaluation]) -> Differences:  # fmt: skip
    """Of each baseline, how much better the model is in the scores of the headline."""
    return {
        name: [difference(name, metric, (own.scores[metric], own.replicates[metric]),
                          (other.scores[metric], other.replicates[metric]), relative=task.errors)
               for metric in task.headline if metric in own.scores and metric in other.scores]
        for name, other in others.items()}  # fmt: skip


def tested_part(task: AnyTask, own: Evaluation, others: Mapping[str, Evaluation],
              differences: Differences) -> dict[str, Any]:  # fmt: skip
    """The ``test`` part of ``metrics.json``, but for the settings of baselines."""
    part: dict[str, Any] = {
        "model": own.to_json(),
        "baselines": {name: other.to_json() for name, other in others.items()},
        "differences": {
            name: {d.metric: {**d.advantage.to_json(), "winner": d.winner} for d in parts}
            for name, parts in differences.items() if parts}}  # fmt: skip
    if task.errors:
        part["skill"] = {
            name: {d.metric: d.skill.to_json() for d in parts if d.skill is not None}
            for name, parts in differences.items()}  # fmt: skip
    return part


def verdict_of(differences: Differences, labels: Mapping[str, str]) -> str:
    """Who wins against the baseline that comes nearest, in a sentence."""
    nearest = strongest([part for parts in differences.values() for part in parts])
    return verdict(labels[nearest], *differences[nearest])


def add_spread(metrics: dict[str, Any], every: list[dict[str, Any]], seeds: list[int],
               chosen: int) -> None:  # fmt: skip
    """Add mean, its interval and standard deviation over seeds to each test score of the model."""
    for name, score in metrics["test"]["model"].items():
        values = [part["test"]["model"][name]["value"] for part in every]
        found = spread(values, share=is_percent(name))
        ends = {"mean_low": found.low, "mean_high": found.high}
        score |= {"mean": found.mean, "std": found.std, **ends, "values": found.values}
    metrics["train"] |= {"seeds": seeds, "chosen_seed": chosen}
