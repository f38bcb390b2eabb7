"""One member of a run: trained, scored, and written into its own folder."""

import json
import shlex
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from birnn import processes
from birnn.errors import DataError, Stopped, TrainingError
from birnn.nn import engines
from birnn.nn.devices import resolve_device
from birnn.storage.files import write_json, write_text
from birnn.tasks.core.environment import environment
from birnn.tasks.core.joined_rows import PREDICTIONS
from birnn.tasks.core.plots import save_confusion, save_curves
from birnn.tasks.core.task import Baseline
from birnn.tasks.reporting.data_section import lengths_of
from birnn.tasks.reporting.inputs import EXTRAS
from birnn.tasks.runs.card import write_card
from birnn.tasks.runs.estimating import foretold
from birnn.tasks.runs.events import AnyEvent, Evaluating
from birnn.tasks.runs.fitting import AnyData, AnyTask, Trained, train_one
from birnn.tasks.runs.folder import BASELINE, write_csv, write_model
from birnn.tasks.runs.growing import MemberResult, snapshot_folder, work_folder, write_done
from birnn.tasks.runs.history import HISTORY, kept_history
from birnn.tasks.runs.launch import Plan
from birnn.tasks.runs.members import Member, Shared
from birnn.tasks.runs.report import make_report
from birnn.tasks.warm.learned import write_learned
from birnn.training.checkpoints import Checkpointer


def train_member(
    shared: Shared, plan: Plan, keeper: Checkpointer, member: Member, target: Path
) -> Generator[AnyEvent, None, MemberResult]:
    """Train, score and write one member into ``target``; fits the baselines, if none has yet.

    Raises:
        BirnnError: as :func:`birnn.tasks.runs.experiment.train`.
    """
    task, data = shared.task, shared.data
    settings = replace(task.config.train, seed=member.seed)
    try:
        events = kept_history(train_one(task, data, settings, keeper), target / HISTORY)
        trained = yield from foretold(events, resolve_device(settings.device))
    except Stopped as stopped:
        there = keeper.saved_step or plan.start
        advice = how_to_go_on(task, plan.out) if there else "no run was written"
        raise Stopped(f"{stopped}; {advice}") from None
    except TrainingError as error:
        if not keeper.saved_step:
            raise
        kept = f"the last good checkpoint, of step {keeper.saved_step:,}, is kept"
        advice = f"{how_to_go_on(task, plan.out)} --learning-rate …"
        raise TrainingError(f"{error}; {kept}: {advice}") from None
    if not shared.baselines and processes.is_main():
        yield Evaluating("baselines")
        shared.baselines.extend(task.baselines(data))
        shared.baselines.extend(shared.told.baselines(data) if shared.told else [])
    processes.barrier()
    yield Evaluating("test scores")
    with processes.sharing():
        predictions = task.backtest(trained.model, data, trained.stop.epoch)
    return processes.from_main(lambda: _report(shared, plan, trained, member, target, predictions))


def _report(shared: Shared, plan: Plan, trained: Trained, member: Member, target: Path,
            predictions: Any) -> MemberResult:  # fmt: skip
    """Score and write a member that is trained."""
    task, data, baselines = shared.task, shared.data, shared.baselines
    metrics = make_report(task, data, trained, baselines, predictions)
    metrics |= task.settle(trained.model, data)
    metrics |= shared.told.metrics(task, data, trained.model) if shared.told else {}
    try:
        target.mkdir(exist_ok=True)
        _write(target, task, data, trained, metrics, predictions)
        told = {"command": plan.command, "baselines": {b.name: b.label for b in baselines}}
        _write_extras(target, task, data, trained, predictions, baselines, told)
        write_card(target / "README.md", plan.command, metrics)
    except OSError as error:
        raise DataError(f"can't write {plan.out}: {error.strerror or error}") from error
    if member.fold:
        keep_baselines(work_folder(plan.out), member, shared)
    labels = {part.name: part.label for part in baselines}
    result = MemberResult(member.seed, trained.stop.score, metrics, labels, member.fold)
    write_done(work_folder(plan.out), member.name, result)
    return result


def keep_baselines(work: Path, member: Member, shared: Shared) -> None:
    """Keep what the baselines say of a member's fold, and which items that fold has."""
    task, data, home = shared.task, shared.data, snapshot_folder(work, member.name)
    assert data.fold is not None
    home.mkdir(parents=True, exist_ok=True)
    split, items = data.splits["test"], data.fold.items
    for part in shared.baselines:
        folder = home / f"{BASELINE}{part.name}"
        folder.mkdir(exist_ok=True)
        info = part.info or data.info
        write_csv(folder / PREDICTIONS, task.records(split, part.predictions, info))
        task.save_record(folder, split, part.predictions, info)
    write_json(home / "items.json", None if items is None else items.tolist())


def how_to_go_on(task: AnyTask, out: Path) -> str:
    """The command that takes up the run ``out``."""
    return f"go on with: python cli.py {task.name} --resume {shlex.quote(str(out))}"


def _write_extras(folder: Path, task: AnyTask, data: AnyData, trained: Trained, predictions: Any,
                  baselines: Sequence[Baseline], told: Mapping[str, Any]) -> None:  # fmt: skip
    """Write what the report shows that no other file holds."""
    engine = engines.engine_for(task.config.encoder, task.config.train).name
    extras = {
        **told, "warnings": data.warnings, "notes": data.notes, "unit": task.unit,
        "environment": environment(torch.get_num_threads(), engine),
        "lengths": lengths_of(data.splits, task.length_unit),
        **task.report_extras(trained.model, data, predictions, baselines),
    }  # fmt: skip
    write_text(folder / EXTRAS, json.dumps(extras, ensure_ascii=False, separators=(",", ":")))


def _write(folder: Path, task: AnyTask, data: AnyData, trained: Trained, metrics: dict[str, Any],
           predictions: Any) -> None:  # fmt: skip
    """Write everything that a run folder holds but its card."""
    own = type(task)(replace(task.config, train=replace(task.config.train, seed=trained.seed)))
    own.reading, own.began = data.reading, task.began
    write_model(folder, own, data.info, trained.model)
    write_csv(folder / "history.csv", trained.history)
    records = task.records(data.splits["test"], predictions, data.info)
    write_csv(folder / "predictions.csv", records)
    details, monitor = metrics["details"], task.monitor(data.info)
    task.save_extras(folder, trained.model, data, predictions, details)
    save_curves(folder / "curves.png", trained.history, monitor, trained.stop.epoch)
    if "confusion" in details:
        save_confusion(folder / "confusion.png", np.array(details["confusion"]), details["labels"])
    write_learned(folder, task, data)
    write_json(folder / "metrics.json", metrics)
