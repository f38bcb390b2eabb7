"""Train, evaluate: the one path that every task and encoder takes.

:func:`train` is a generator of events, the last of which holds the report; it draws nothing.
"""

import json
import shlex
import shutil
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from birnn.config import LARGEST_SEED
from birnn.errors import BirnnError, ConfigError, DataError, Stopped, TrainingError
from birnn.nn import engines
from birnn.nn.devices import check_precision, resolve_device, use_threads
from birnn.nn.model import count_parameters
from birnn.storage.files import check_free, read_json, write_json, write_text
from birnn.storage.unfilled import Unfilled
from birnn.tasks.core.environment import environment
from birnn.tasks.core.task import Baseline
from birnn.tasks.reporting.data_section import lengths_of
from birnn.tasks.reporting.document import write_report
from birnn.tasks.reporting.inputs import EXTRAS
from birnn.tasks.runs.card import write_card
from birnn.tasks.runs.data_digest import data_digest
from birnn.tasks.runs.events import AnyEvent, Evaluating, Finished, Prepared, SeedStarted
from birnn.tasks.runs.fitting import AnyData, AnyTask, Trained, little_data, train_one
from birnn.tasks.runs.folder import RUN, room_note, write_csv, write_model
from birnn.tasks.runs.growing import (
    SeedResult,
    growing_run,
    read_done,
    seed_folder,
    work_folder,
    write_done,
)
from birnn.tasks.runs.launch import Plan
from birnn.tasks.runs.plots import save_confusion, save_curves
from birnn.tasks.runs.report import add_spread, make_report
from birnn.tasks.runs.unfinished import Amendment, StartRecord, here, write_start
from birnn.tasks.scoring.metric_names import lower_is_better
from birnn.training.checkpoints import Checkpointer


def train(task: AnyTask, plan: Plan) -> Generator[AnyEvent, None, None]:
    """Train ``task`` and write the run folder ``plan.out``, whole or not at all.

    With several seeds, each stands in ``out/seed-S`` and the one that is best on validation in
    ``out`` itself, with the mean and standard deviation over all of them in ``metrics.json``.

    Whatever interrupts it, it can be taken up again: ``plan.start`` says how it began. It then ends
    with the same bits as if it had never stopped (on a CPU, with the same threads).

    Raises:
        BirnnError: bad data or configuration, a loss that isn't finite, a folder that is taken.
        Stopped: ``plan.stop`` asked for it; the message says how to go on.
    """
    first = task.config.train.seed
    check_free(plan.out, RUN, overwrite=plan.overwrite)
    if first + plan.seeds - 1 > LARGEST_SEED:
        raise ConfigError(f"seeds: --seed {first} leaves no room for {plan.seeds} of them")
    now = _set_machine(task, plan)
    with growing_run(plan.out, overwrite=plan.overwrite, resume=plan.start is not None) as growing:
        data, work = task.load(), growing.work
        now = replace(now, data=data_digest(task, data))
        if plan.start and plan.start.data != now.data:
            change = "the data has changed since the run began"
            raise DataError(f"{change}: put it back, or start another run with --out")
        prepared = _prepare(task, data, plan, now)
        done = {seed: read_done(work, seed) for seed in prepared.seeds} if plan.start else {}
        amendment = Amendment(work, now, written=plan.start is None)
        if plan.start is None:
            growing.begin()
            write_start(work, now)
        yield prepared
        baselines, results = list[Baseline](), list[SeedResult]()
        for number, seed in enumerate(prepared.seeds, start=1):
            if plan.seeds > 1:
                yield SeedStarted(seed, number, plan.seeds)
            if (result := done.get(seed)) is None:
                keeper = Checkpointer(seed_folder(work, seed), plan.keep, plan.stop,
                                      amendment.together)  # fmt: skip
                result = yield from _one_seed(task, data, plan, keeper, seed, baselines)
            results.append(result)
        metrics = _settle_seeds(work, results, prepared.monitor, plan.command)
        yield Evaluating("the report")
        notes = [_write_report(work, task, plan.out.name)]
    notes.append(room_note(plan.out))
    yield Finished(plan.out, metrics, results[0].labels, "\n".join(filter(None, notes)) or None)


def _set_machine(task: AnyTask, plan: Plan) -> StartRecord:
    """Set threads and engine as asked for, or as the run began; how the run begins here."""
    settings = task.config.train
    use_threads(settings.threads or (plan.start.threads if plan.start else 0))
    check_precision(resolve_device(settings.device), settings.mixed_precision)
    engine = engines.engine_for(task.config.encoder, settings)
    engines.force(settings.engine)
    return StartRecord(task.name, asdict(task.config), plan.seeds, plan.overwrite, plan.command,
                       plan.keep, torch.get_num_threads(), engine.name,
                       folder=here())  # fmt: skip


def _prepare(task: AnyTask, data: AnyData, plan: Plan, now: StartRecord) -> Prepared:
    """What is about to be trained; the model is only counted."""
    settings = task.config.train
    with torch.device("meta"), Unfilled():
        parameters = count_parameters(task.model(data.info))
    start = plan.start or now
    pairs = (("threads", start.threads, now.threads), ("engine", start.engine, now.engine))
    told = "the last bits can differ from one long run's"
    other = [f"{name} {old} → {new}: {told}" for name, old, new in pairs if old and old != new]
    seeds = list(range(settings.seed, settings.seed + plan.seeds))
    return Prepared(task, data, parameters, str(resolve_device(settings.device)), now.threads,
                    engines.engine_for(task.config.encoder, settings), seeds,
                    task.monitor(data.info), plan.out, [*plan.changes, *other],
                    little_data(task, data, settings))  # fmt: skip


def _one_seed(task: AnyTask, data: AnyData, plan: Plan, keeper: Checkpointer, seed: int,
              baselines: list[Baseline]) -> Generator[AnyEvent, None, SeedResult]:  # fmt: skip
    """Train, score and write one seed; fills ``baselines`` if they are not there yet."""
    settings, work = replace(task.config.train, seed=seed), work_folder(plan.out)
    try:
        trained = yield from train_one(task, data, settings, keeper)
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
    if not baselines:
        yield Evaluating("baselines")
        baselines += task.baselines(data)
    yield Evaluating("test scores")
    target = work / f"seed-{seed}" if plan.seeds > 1 else work
    metrics, predictions = make_report(task, data, trained, baselines)
    metrics |= task.settle(trained.model, data)
    try:
        target.mkdir(exist_ok=True)
        _write(target, task, data, trained, metrics, predictions)
        told = {"command": plan.command, "baselines": {b.name: b.label for b in baselines}}
        _write_extras(target, task, data, trained, predictions, baselines, told)
        write_card(target / "README.md", plan.command, metrics)
    except OSError as error:
        raise DataError(f"can't write {plan.out}: {error.strerror or error}") from error
    labels = {part.name: part.label for part in baselines}
    result = SeedResult(seed, trained.stop.score, metrics, labels)
    write_done(work, result)
    return result


def how_to_go_on(task: AnyTask, out: Path) -> str:
    """The command that takes up the run ``out``."""
    return f"go on with: python cli.py {task.name} --resume {shlex.quote(str(out))}"


def _settle_seeds(work: Path, results: list[SeedResult], monitor: str,
                  command: str) -> dict[str, Any]:  # fmt: skip
    """The metrics of the run; of several seeds, the best on validation becomes the run."""
    sign = -1 if lower_is_better(monitor) else 1
    best = max(results, key=lambda result: sign * result.score)
    metrics = best.metrics
    if len(results) > 1:
        shutil.copytree(work / f"seed-{best.seed}", work, dirs_exist_ok=True)
        seeds = [result.seed for result in results]
        add_spread(metrics, [result.metrics for result in results], seeds, best.seed)
        write_json(work / "metrics.json", metrics)
        write_card(work / "README.md", command, metrics)
    return metrics


def _write_report(work: Path, task: AnyTask, name: str) -> str | None:
    """Write ``report.html``; a run is whole without it, and then it is said why it has none."""
    try:
        write_report(work, read_json(work / "config.json"), task.config, name)
    except BirnnError as error:
        return f"note: no report.html: {error}"
    return None


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
    own.reading = data.reading
    write_model(folder, own, data.info, trained.model)
    write_csv(folder / "history.csv", trained.history)
    records = task.records(data.splits["test"], predictions, data.info)
    write_csv(folder / "predictions.csv", records)
    details, monitor = metrics["details"], task.monitor(data.info)
    task.save_extras(folder, trained.model, data, predictions, details)
    save_curves(folder / "curves.png", trained.history, monitor, trained.stop.epoch)
    if "confusion" in details:
        save_confusion(folder / "confusion.png", np.array(details["confusion"]), details["labels"])
    write_json(folder / "metrics.json", metrics)
