"""Train, evaluate: the one path that every task and encoder takes.

:func:`train` is a generator of events, the last of which holds the report; it draws nothing.
"""

import dataclasses
import random
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from birnn import engines
from birnn.checkpoint import check_free, new_folder, write_json
from birnn.config import LARGEST_SEED, TrainConfig
from birnn.devices import resolve_device, use_threads
from birnn.engines import Choice
from birnn.errors import ConfigError, DataError
from birnn.model import count_parameters
from birnn.training import EpochEvent, Event, StopEvent, Validation, fit
from data.batching import BucketSampler
from tasks.base import Baseline, Task, TaskData
from tasks.bootstrap import Array
from tasks.inference import run_split
from tasks.machine import engine_of
from tasks.plots import save_confusion, save_curves
from tasks.report import Report, Trained, add_spread, make_report
from tasks.run import write_card, write_csv, write_model
from tasks.units import lower_is_better


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


AnyEvent = Event | Prepared | SeedStarted | Evaluating | Finished


def train(
    task: Task[Any, Any, Any], out: Path, *, seeds: int, overwrite: bool, command: str
) -> Iterator[AnyEvent]:
    """Train ``task`` with ``seeds`` seeds and write the run folder ``out``, whole or not at all.

    With several seeds, each stands in ``out/seed-S`` and the one that is best on validation in
    ``out`` itself, with the mean and standard deviation over all of them in ``metrics.json``.

    Raises:
        BirnnError: bad data or configuration, a loss that isn't finite, a folder that is taken.
    """
    check_free(out, overwrite=overwrite)
    settings = task.config.train
    if settings.seed + seeds - 1 > LARGEST_SEED:
        raise ConfigError(f"seeds: --seed {settings.seed} leaves no room for {seeds} of them")
    use_threads(settings.threads)
    device = resolve_device(settings.device)
    engine = engine_of(task.config)
    engines.force(settings.engine)
    data = task.load()
    monitor = task.monitor(data.info)
    all_seeds = list(range(settings.seed, settings.seed + seeds))
    with torch.device("meta"):
        parameters = count_parameters(task.model(data.info))
    threads = torch.get_num_threads()
    yield Prepared(task, data, parameters, str(device), threads, engine, all_seeds, monitor)
    with new_folder(out, overwrite=overwrite) as folder:
        results = []
        baselines: list[Baseline] = []
        for number, seed in enumerate(all_seeds, start=1):
            if seeds > 1:
                yield SeedStarted(seed, number, seeds)
            trained = yield from _train_one(task, data, dataclasses.replace(settings, seed=seed))
            yield Evaluating("baselines and test scores")
            baselines = baselines or task.baselines(data)
            target = folder / f"seed-{seed}" if seeds > 1 else folder
            target.mkdir(exist_ok=True)
            report = make_report(task, data, trained, baselines)
            report.metrics.update(task.settle(trained.model, data))
            try:
                _write(target, task, data, trained, report, command)
            except OSError as error:
                raise DataError(f"can't write {out}: {error.strerror or error}") from error
            results.append((trained, report))
        best, report = _best(results, monitor)
        if seeds > 1:
            chosen = best.seed
            shutil.copytree(folder / f"seed-{chosen}", folder, dirs_exist_ok=True)
            add_spread(report.metrics, [r.metrics for _, r in results], all_seeds, chosen)
            write_json(folder / "metrics.json", report.metrics)
            write_card(folder / "README.md", command, report.metrics)
    labels = {part.name: part.label for part in baselines}
    yield Finished(out, report.metrics, labels)


def seed_everything(seed: int) -> None:
    """Seed every generator that training may draw from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _train_one(
    task: Task[Any, Any, Any], data: TaskData[Any, Any], config: TrainConfig
) -> Generator[Event, None, Trained]:
    """Train one seed; yields the loop's events and returns a :class:`Trained`."""
    seed_everything(config.seed)
    model = task.model(data.info)
    sampler = BucketSampler(
        data.splits["train"],
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
    history: list[dict[str, Any]] = []
    stop: StopEvent | None = None
    for event in fit(model, task.loss, sampler, config, validation):
        if isinstance(event, EpochEvent):
            history.append(
                {
                    "epoch": event.epoch,
                    "loss": event.loss,
                    **event.scores,
                    "learning_rate": event.learning_rate,
                    "seconds": round(event.seconds, 3),
                }
            )
        if isinstance(event, StopEvent):
            stop = event
        yield event
    assert stop is not None
    started = time.perf_counter()
    model = model.to("cpu").eval()
    extra = task.finish(model, data)
    stop = dataclasses.replace(stop, seconds=stop.seconds + time.perf_counter() - started)
    return Trained(config.seed, model, history, stop, extra)


def _best(results: list[tuple[Trained, Report]], monitor: str) -> tuple[Trained, Report]:
    sign = -1 if lower_is_better(monitor) else 1
    return max(results, key=lambda pair: sign * pair[0].stop.score)


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
