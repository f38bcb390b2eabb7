"""What becomes the run when all its members are done, and what is said of all of them."""

import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from birnn.errors import BirnnError, DataError
from birnn.storage.files import read_json, write_json
from birnn.tasks import TASKS
from birnn.tasks.core.joined_rows import PREDICTIONS, join_predictions
from birnn.tasks.reporting.document import write_report
from birnn.tasks.runs.card import write_card
from birnn.tasks.runs.fitting import AnyTask
from birnn.tasks.runs.folder import (
    BASELINE,
    ENSEMBLE,
    OWN_KEYS,
    load_run,
    predictions_of,
    write_csv,
)
from birnn.tasks.runs.growing import MemberResult, snapshot_folder
from birnn.tasks.runs.launch import Plan
from birnn.tasks.runs.members import Member, Shared, task_of
from birnn.tasks.runs.report import (
    Differences,
    add_spread,
    differences_of,
    tested_part,
    verdict_of,
)
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.folds import Spread, spread
from birnn.tasks.scoring.metric_names import is_percent, lower_is_better
from birnn.tasks.scoring.significance import Difference

# Files of a member that tell of its own fold alone: in the run, those of all folds stand.
OF_ONE_FOLD = ("predictions.*", "confusion.png", "*_by_step.png")
OF_ONE_MODEL = (*OF_ONE_FOLD, "forecast.*")


@dataclass(frozen=True)
class Done:
    """A member and what came of it."""

    member: Member
    result: MemberResult

    @property
    def rows(self) -> Mapping[str, int]:
        """How many items its splits have."""
        rows: Mapping[str, int] = self.result.metrics["data"]["rows"]
        return rows


def settle(
    shared: Shared, work: Path, done: Sequence[Done], monitor: str, plan: Plan
) -> dict[str, Any]:
    """Make the run of its members; returns its metrics. The task that is shared is the run's.

    Of several seeds, the best on validation becomes the run. Of folds it is the best, too, and of
    rolling origins the last one's; the scores are of all rows, each by the model of its fold.
    """
    if len(done) == 1:
        return done[0].result.metrics
    folds = bool(done[0].member.fold)
    rolling = folds and done[0].result.metrics["data"]["fold"]["rolling"]
    last = [one for one in done if one.member.fold == done[-1].member.fold]
    best = best_of(last if rolling else done, monitor)
    shutil.copytree(work / best.member.name, work, dirs_exist_ok=True)
    metrics = best.result.metrics
    if plan.ensemble:
        _join(work, [best, *(one for one in done if one is not best)])
    if folds:
        metrics = settle_folds(shared.task, work, done, best, monitor)
    else:
        seeds = [one.member.seed for one in done]
        if plan.ensemble:
            metrics = score_ensemble(shared, work, best)
        add_spread(metrics, [one.result.metrics for one in done], seeds, best.member.seed)
    if plan.ensemble:
        metrics["ensemble"] = [one.member.name for one in done]
    write_json(work / "metrics.json", metrics)
    write_card(work / "README.md", plan.command, metrics)
    return metrics


def _join(work: Path, done: Sequence[Done]) -> None:
    """Make the run an ensemble of its members: it keeps no weights of its own."""
    config = read_json(work / "config.json")
    names = [one.member.name for one in done]
    write_json(work / "config.json", {**config, "format": ENSEMBLE, "ensemble": names})
    for pattern in ("model.safetensors", *OF_ONE_MODEL):
        for path in work.glob(pattern):
            path.unlink()


def score_ensemble(shared: Shared, work: Path, best: Done) -> dict[str, Any]:
    """The metrics of an ensemble of seeds, whose test split no member was trained on."""
    task, data, run = shared.task, shared.data, load_run(work)
    test = data.splits["test"]
    _, predictions = predictions_of(run, lambda _: test)
    baselines = shared.baselines or task.baselines(data)
    score = partial(task.evaluate, test, info=run.info, seed=BOOTSTRAP_SEED)
    own, others = score(predictions), {part.name: score(part.predictions) for part in baselines}
    differences = differences_of(task, own, others)
    metrics = {k: v for k, v in best.result.metrics.items() if k not in ("advice", "chart")}
    settings = metrics["test"]["settings"]
    metrics["test"] = {**tested_part(task, own, others, differences), "settings": settings}
    metrics |= {"details": {}, "verdict": verdict_of(differences, best.result.labels)}
    write_csv(work / PREDICTIONS, task.records(test, predictions, run.info))
    task.save_record(work, test, predictions, run.info)
    return metrics


def best_of(done: Sequence[Done], monitor: str) -> Done:
    """The best on validation, the first of equals."""
    sign = -1 if lower_is_better(monitor) else 1
    return max(done, key=lambda one: sign * one.result.score)


def settle_folds(task: AnyTask, work: Path, done: Sequence[Done], best: Done,
                 monitor: str) -> dict[str, Any]:  # fmt: skip
    """Scores of all rows, by the models of their folds; means over folds; files of all rows.

    Of several seeds of a fold, the best on validation speaks for its rows.
    """
    if len({one.result.metrics["data"]["fold"]["digest"] for one in done}) > 1:
        raise DataError("folds: the data changed while they trained: start another run with --out")
    folds = list(dict.fromkeys(one.member.fold for one in done))
    spoken = [best_of([d for d in done if d.member.fold == fold], monitor) for fold in folds]
    members = [one.member for one in spoken]
    for pattern in OF_ONE_FOLD:
        for path in work.glob(pattern):
            path.unlink()
    labels = best.result.labels
    own = _pooled(task, work, members, best.member)
    others = {name: _pooled(task, work, members, best.member, name) for name in labels}
    differences = differences_of(task, own, others)
    metrics = {k: v for k, v in best.result.metrics.items() if k not in ("advice", "details")}
    settings = metrics["test"]["settings"]
    metrics["test"] = {**tested_part(task, own, others, differences), "settings": settings}
    metrics["details"] = {}
    metrics["folds"] = over_folds(task, done, folds)
    metrics["folds"]["chosen"] = best.member.name
    metrics["verdict"] = joint_verdict(verdict_of(differences, labels), differences,
                                       metrics["folds"])  # fmt: skip
    for one in done:
        _own_report(task, work, one.member)
    return metrics


def joint_verdict(sentence: str, differences: Differences, folds: Mapping[str, Any]) -> str:
    """Who wins on all rows, and over folds; where that is not the same, which to believe."""
    over = folds["verdict"]
    pairs = (
        (part.winner, folds["differences"][name][part.metric]["winner"])
        for name, parts in differences.items()
        for part in parts
        if part.metric in folds["differences"][name]  # a fold can lack a score
    )
    if all(one == other for one, other in pairs):
        return f"{sentence} {over}"
    first = f"These models on all rows: {sentence[0].lower()}{sentence[1:]}"
    return f"{first} {over} Other training rows count in the second: believe that one."


def _pooled(task: AnyTask, work: Path, members: Sequence[Member], best: Member,
            baseline: str = "") -> Any:  # fmt: skip
    """The scores of all rows, each predicted by what did not train on it; of a baseline, if named.

    The model's predictions are written into the run, a baseline's beside what is kept of it.
    """
    spec = TASKS[task.name]
    folders = fold_folders(work, members, baseline)
    target = work if not baseline else folders[0].with_name(f"{folders[0].name}-all")
    target.mkdir(exist_ok=True)
    items = [kept_items(work, member) for member in members]
    numbers = [member.fold for member in members]
    join_predictions(folders, items, numbers, task.item_column, target / PREDICTIONS)
    if baseline:
        for path in (work / best.name).glob("*.json"):
            shutil.copyfile(path, target / path.name)
    if spec.pool:
        spec.part("pool")(folders, target)
    config = {k: v for k, v in read_json(work / "config.json").items() if k not in OWN_KEYS}
    return spec.part("test_record")(target, config).evaluation


def over_folds(task: AnyTask, done: Sequence[Done], folds: Sequence[int]) -> dict[str, Any]:
    """The ``folds`` part of ``metrics.json``: every score over folds, and the differences.

    Seeds of one fold are averaged first; their own deviation stands beside that of the folds.
    """
    first = done[0]
    test, train = (statistics.fmean(one.rows[name] for one in done) for name in ("test", "train"))
    share = test / train
    models = {"model": _values(done, folds, lambda test: test["model"])}
    models |= {name: _values(done, folds, lambda test, n=name: test["baselines"][n])
               for name in first.result.labels}  # fmt: skip
    scores = {
        model: {n: spread(values, share, share=is_percent(n)) for n, values in found.items()}
        for model, found in models.items()
    }
    differences = {
        name: _differences(task, name, models["model"], models[name], share)
        for name in first.result.labels
    }
    found = first.result.metrics["data"]["fold"]
    sentence = verdict_of(differences, first.result.labels)
    return {
        "count": len(folds), "items": found["total"], "how": found["how"], "test_share": share,
        "seeds": sorted({one.member.seed for one in done}),
        "scores": {m: {n: part.to_json() for n, part in own.items()} for m, own in scores.items()},
        "seed_std": _seed_deviation(done, folds),
        "differences": {
            name: {d.metric: {**d.advantage.to_json(), "winner": d.winner} for d in parts}
            for name, parts in differences.items()},
        "verdict": f"Over {len(folds)} folds: {sentence[0].lower()}{sentence[1:]}",
        "members": [{"name": one.member.name, "fold": one.member.fold, "seed": one.member.seed,
                     "validation": one.result.score, "rows": dict(one.rows)} for one in done],
    }  # fmt: skip


def _values(done: Sequence[Done], folds: Sequence[int], of: Any) -> dict[str, list[float]]:
    """Each score that all members have, fold by fold, seeds averaged."""
    parts = {fold: [of(one.result.metrics["test"]) for one in done if one.member.fold == fold]
             for fold in folds}  # fmt: skip
    every = [part for own in parts.values() for part in own]
    names = [name for name in every[0] if all(name in part for part in every)]
    return {name: [statistics.fmean(part[name]["value"] for part in own)
                   for own in parts.values()] for name in names}  # fmt: skip


def _seed_deviation(done: Sequence[Done], folds: Sequence[int]) -> dict[str, float]:
    """Of each score of the model, the deviation over seeds within a fold; empty of one seed."""
    if len(done) == len(folds):
        return {}
    parts = [[one.result.metrics["test"]["model"] for one in done if one.member.fold == fold]
             for fold in folds]  # fmt: skip
    names = [n for n in parts[0][0] if all(n in score for part in parts for score in part)]
    return {
        name: statistics.fmean(
            statistics.variance([score[name]["value"] for score in part]) for part in parts
        ) ** 0.5
        for name in names
    }  # fmt: skip


def _differences(task: AnyTask, baseline: str, own: Mapping[str, list[float]],
                 other: Mapping[str, list[float]], share: float) -> list[Difference]:  # fmt: skip
    """How much better the model is than a baseline, fold by fold, with the corrected interval."""
    found = []
    for metric in task.headline:
        if metric not in own or metric not in other:
            continue
        sign = -1.0 if lower_is_better(metric) else 1.0
        pairs = list(zip(own[metric], other[metric], strict=True))
        gap: Spread = spread([sign * (a - b) for a, b in pairs], share)
        skill = None
        if task.errors and all(b > 0 for _, b in pairs):
            skill = spread([1 - a / b for a, b in pairs], share).interval
        found.append(Difference(baseline, metric, gap.interval, skill))
    return found


def _own_report(task: AnyTask, work: Path, member: Member) -> None:
    """The report of one fold, in its folder; a run is whole without it."""
    folder, own = work / member.name, task_of(task, member)
    try:
        write_report(folder, read_json(folder / "config.json"), own.config, member.name)
    except BirnnError:
        return


def report_of(work: Path, task: AnyTask, name: str) -> str | None:
    """Write ``report.html``; a run is whole without it, and then it is said why it has none."""
    try:
        write_report(work, read_json(work / "config.json"), task.config, name)
    except BirnnError as error:
        return f"note: no report.html: {error}"
    return None


def kept_items(work: Path, member: Member) -> list[int] | None:
    """The numbers of the items of a member's fold in the whole data; None: rolling origins."""
    items: list[int] | None = read_json(snapshot_folder(work, member.name) / "items.json")
    return items


def fold_folders(work: Path, members: Sequence[Member], baseline: str = "") -> list[Path]:
    """Where the predictions of each member's fold stand: the model's, or those of a baseline."""
    if not baseline:
        return [work / member.name for member in members]
    return [snapshot_folder(work, member.name) / f"{BASELINE}{baseline}" for member in members]
