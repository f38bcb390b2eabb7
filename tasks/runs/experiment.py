"""Train, evaluate: the one path that every task and encoder takes.

:func:`train` is a generator of events, the last of which holds the report; it draws nothing.
"""

import dataclasses
import shlex
import shutil
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from birnn.arrays import Array
from birnn.config import LARGEST_SEED, TrainConfig
from birnn.data.splits.batching import BucketSampler
from birnn.errors import ConfigError, DataError, NonFiniteLossError, Stopped, TrainingError
from birnn.nn import engines
from birnn.nn.devices import resolve_device, use_threads
from birnn.nn.engines import Choice
from birnn.nn.model import count_parameters
from birnn.storage.files import check_free, write_json
from birnn.tasks.core.inference import run_split
from birnn.tasks.core.task import Baseline, Task, TaskData
from birnn.tasks.runs.begun import Begun, write_begun
from birnn.tasks.runs.folder import RUN, room_note, write_card, write_csv, write_model
from birnn.tasks.runs.plots import save_confusion, save_curves
from birnn.tasks.runs.report import Report, Trained, add_spread, make_report
from birnn.tasks.runs.unfinished import (
    SeedResult,
    data_digest,
    growing_run,
    read_done,
    seed_folder,
    write_done,
)
from birnn.tasks.scoring.metric_names import lower_is_better
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest
from birnn.training.checkpoints import Checkpointer
from birnn.training.events import EpochEvent, Event, ResumeEvent, StopEvent
from birnn.training.loop import fit
from birnn.training.randomness import seed_everything
from birnn.training.state import Validation


@dataclass(frozen=True)
class Prepared:
    """The data is read and a model stands; training is about to start."""

    task: Task[Any, Any, Any]
    data: TaskData[Any, Any]
    parameters: int
    device: str
    threads: int
    engine: Choice
    seeds: Sequence[int]
    monitor: str  # the validation metric that chooses the epoch
    folder: Path  # of the run
    notes: list[str] = field(default_factory=list)  # of a run that is taken up


@dataclass(frozen=True)
class SeedStarted:
    """One training run of several begins."""

    seed: int
    number: int
    total: int


@dataclass(frozen=True)
class Evaluating:
    """Training is over; baselines are being fitted and the test split is read."""

    what: str


@dataclass(frozen=True)
class Finished:
    """The run is on disk."""

    folder: Path
    metrics: dict[str, Any]
    labels: dict[str, str]  # baseline key → its name in words
    note: str | None = None  # of a run that needs more memory than is granted unasked


AnyEvent = Event | Prepared | SeedStarted | Evaluating | Finished


@dataclass(frozen=True)
class Plan:
    """What is made, where, and how it is kept on the way."""

    out: Path
    seeds: int = 1
    overwrite: bool = False
    command: str = ""
    keep: CheckpointConfig = field(default_factory=CheckpointConfig)
    begun: Begun | None = None  # how it began, if it is taken up
    changes: list[str] = field(default_factory=list)  # what was given anew
    stop: StopRequest = field(default_factory=StopRequest)


def train(task: Task[Any, Any, Any], plan: Plan) -> Generator[AnyEvent, None, None]:
    """Train ``task`` and write the run folder ``plan.out``, whole or not at all.

    With several seeds, each stands in ``out/seed-S`` and the one that is best on validation in
    ``out`` itself, with the mean and standard deviation over all of them in ``metrics.json``.

    Whatever interrupts it, it can be taken up again: ``plan.begun`` says how it began. It then ends
    with the same bits as if it had never stopped (on a CPU, with the same threads).

    Raises:
        BirnnError: bad data or configuration, a loss that isn't finite, a folder that is taken.
        Stopped: ``plan.stop`` asked for it; the message says how to go on.
    """
    settings, begun = task.config.train, plan.begun
    check_free(plan.out, RUN, overwrite=plan.overwrite)
    if settings.seed + plan.seeds - 1 > LARGEST_SEED:
        raise ConfigError(f"seeds: --seed {settings.seed} leaves no room for {plan.seeds} of them")
    use_threads(settings.threads or (begun.threads if begun else 0))
    device = resolve_device(settings.device)
    engine = engines.engine_for(task.config.encoder, settings)
    engines.force(settings.engine)
    threads = torch.get_num_threads()
    now = Begun(
        task.name, dataclasses.asdict(task.config), plan.seeds, plan.overwrite, plan.command,
        plan.keep, threads, engine.name,
    )  # fmt: skip
    seeds = list(range(settings.seed, settings.seed + plan.seeds))
    with growing_run(plan.out, now, resume=begun is not None) as work:
        data = task.load()
        now = dataclasses.replace(now, data=data_digest(task, data))
        if begun:
            check_same_data(begun, now)
        write_begun(work, now)
        monitor = task.monitor(data.info)
        with torch.device("meta"):
            parameters = count_parameters(task.model(data.info))
        notes = [*plan.changes, *changed_machine(begun, now)] if begun else []
        yield Prepared(
            task, data, parameters, str(device), threads, engine, seeds, monitor, plan.out, notes
        )
        baselines: list[Baseline] = []
        results = []
        for number, seed in enumerate(seeds, start=1):
            if plan.seeds > 1:
                yield SeedStarted(seed, number, plan.seeds)
            done = read_done(work, seed)
            if done is None:
                done = yield from _one_seed(task, data, plan, work, seed, baselines)
            results.append(done)
        metrics = _settle_seeds(work, results, monitor, plan.command)
    yield Finished(plan.out, metrics, results[0].labels, room_note(plan.out))


def _one_seed(
    task: Task[Any, Any, Any],
    data: TaskData[Any, Any],
    plan: Plan,
    work: Path,
    seed: int,
    baselines: list[Baseline],
) -> Generator[AnyEvent, None, SeedResult]:
    """Train, score and write one seed; fills ``baselines`` if they are not there yet."""
    settings = dataclasses.replace(task.config.train, seed=seed)
    keeper = Checkpointer(seed_folder(work, seed), plan.keep, plan.stop)
    try:
        trained = yield from train_one(task, data, settings, keeper)
    except Stopped as stopped:
        more = how_to_go_on(task, plan.out) if keeper.saved_step else "no run was written"
        raise Stopped(f"{stopped}; {more}") from None
    except TrainingError as error:
        last = f"the last good checkpoint, of step {keeper.saved_step:,}, is kept:"
        more = f"; {last} {how_to_go_on(task, plan.out)} --learning-rate …"
        raise TrainingError(f"{error}{more if keeper.saved_step else ''}") from None
    yield Evaluating("baselines and test scores")
    if not baselines:
        baselines += task.baselines(data)
    target = work / f"seed-{seed}" if plan.seeds > 1 else work
    report = make_report(task, data, trained, baselines)
    report.metrics.update(task.settle(trained.model, data))
    try:
        target.mkdir(exist_ok=True)
        _write(target, task, data, trained, report, plan.command)
    except OSError as error:
        raise DataError(f"can't write {plan.out}: {error.strerror or error}") from error
    labels = {part.name: part.label for part in baselines}
    result = SeedResult(seed, trained.stop.score, report.metrics, labels)
    write_done(work, result)
    return result


def how_to_go_on(task: Task[Any, Any, Any], out: Path) -> str:
    """The command that takes up the run ``out``."""
    return f"go on with: python cli.py {task.name} --resume {shlex.quote(str(out))}"


def check_same_data(begun: Begun, now: Begun) -> None:
    """Refuse to go on with other data.

    Raises:
        DataError: the data is not what the run began with.
    """
    if begun.data and begun.data != now.data:
        raise DataError(
            "the data has changed since the run began: put it back, or start another run with --out"
        )


def changed_machine(begun: Begun, now: Begun) -> list[str]:
    """What is other than it was, so that the last bits can be."""
    found = []
    for name in ("threads", "engine"):
        before, after = getattr(begun, name), getattr(now, name)
        if before and before != after:
            found.append(f"{name} {before} → {after}: the last bits can differ from one long run's")
    return found


def train_one(
    task: Task[Any, Any, Any],
    data: TaskData[Any, Any],
    config: TrainConfig,
    keeper: Checkpointer | None = None,
) -> Generator[Event, None, Trained]:
    """Train one seed; yields the loop's events and returns a :class:`Trained`.

    Args:
        task: what is trained.
        data: its splits train and validation.
        config: with the seed.
        keeper: keeps snapshots, and finds one to go on from.

    Raises:
        TrainingError: a loss that is not finite; the message names the rows of its batch.
        Stopped: the keeper was asked to stop.
    """
    seed_everything(config.seed)
    model = task.model(data.info)
    train_split = data.splits["train"]
    sampler = BucketSampler(
        train_split,
        config.batch_size,
        config.batch_tokens,
        config.seed,
        views=task.views,
        limit=task.epoch_items,
        least=task.epoch_steps,
    )
    monitor = task.monitor(data.info)

    def score() -> dict[str, float]:
        device = next(model.parameters()).device
        counts: dict[str, Array] = {}
        for _, batch, outputs in run_split(model, data.splits["validation"], config, device):
            for name, part in task.count(outputs, batch, data.info).items():
                counts[name] = counts[name] + part if name in counts else part
        return task.scores(counts)

    validation = Validation(score, monitor, lower_is_better(monitor))
    history: list[EpochEvent] = []
    stop: StopEvent | None = None
    try:
        for event in fit(model, task.loss, sampler, config, validation, keeper):
            if isinstance(event, ResumeEvent):
                history = list(event.history)
            if isinstance(event, EpochEvent):
                history.append(event)
            if isinstance(event, StopEvent):
                stop = event
            yield event
    except NonFiniteLossError as error:
        plan = sampler.plan(error.epoch)
        items = np.concatenate([plan[number] for number in error.batches])
        raise TrainingError(f"{error}; the batch: {task.name_items(train_split, items)}") from None
    assert stop is not None
    started = time.perf_counter()
    model = model.to("cpu").eval()
    extra = task.finish(model, data)
    stop = dataclasses.replace(stop, seconds=stop.seconds + time.perf_counter() - started)
    return Trained(config.seed, model, [history_row(part) for part in history], stop, extra)


def history_row(event: EpochEvent) -> dict[str, Any]:
    """A row of ``history.csv``."""
    return {
        "epoch": event.epoch,
        "loss": event.loss,
        **event.scores,
        "learning_rate": event.learning_rate,
        "seconds": round(event.seconds, 3),
    }


def _settle_seeds(
    work: Path, results: list[SeedResult], monitor: str, command: str
) -> dict[str, Any]:
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


def _write(
    folder: Path,
    task: Task[Any, Any, Any],
    data: TaskData[Any, Any],
    trained: Trained,
    report: Report,
    command: str,
) -> None:
    """Write everything that a run folder holds."""
    own = type(task)(
        dataclasses.replace(
            task.config, train=dataclasses.replace(task.config.train, seed=trained.seed)
        )
    )
    write_model(folder, own, data.info, trained.model)
    write_csv(folder / "history.csv", trained.history)
    test = data.splits["test"]
    write_csv(folder / "predictions.csv", task.records(test, report.predictions, data.info))
    details = report.metrics["details"]
    task.save_extras(folder, trained.model, data, report.predictions, details)
    monitor = task.monitor(data.info)
    save_curves(folder / "curves.png", trained.history, monitor, trained.stop.epoch)
    if "confusion" in details:
        save_confusion(folder / "confusion.png", np.array(details["confusion"]), details["labels"])
    write_json(folder / "metrics.json", report.metrics)
    write_card(folder / "README.md", command, report.metrics)
