"""One seed: trained to its end, its best epoch kept, and what validation fits put on top."""

import dataclasses
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from torch import nn

from birnn import processes
from birnn.config import TrainConfig
from birnn.data.splits.batching import BucketSampler
from birnn.errors import NonFiniteLossError, TrainingError
from birnn.nn.devices import give_back_memory, resolve_device
from birnn.nn.memory import peak_memory
from birnn.tasks.core.task import Task, TaskData
from birnn.tasks.scoring.metric_names import lower_is_better
from birnn.training.checkpoints import Checkpointer
from birnn.training.events import EpochEvent, Event, ResumeEvent, StopEvent
from birnn.training.exchange import same_weights
from birnn.training.loop import Batches, fit
from birnn.training.randomness import seed_everything
from birnn.training.state import Validation

T = TypeVar("T")
AnyTask = Task[Any, Any, Any]
AnyData = TaskData[Any, Any]


@dataclass(frozen=True)
class Trained:
    """One seed's model and what its training was like."""

    seed: int
    model: nn.Module
    history: list[dict[str, Any]]
    stop: StopEvent
    extra: dict[str, Any]
    items_per_second: float = 0.0
    peak_memory: int = 0  # bytes; 0: can't be told


def training_batches(task: AnyTask, data: AnyData, config: TrainConfig) -> Batches:
    """The training split in batches, as ``config`` and the task want them."""
    return data.stream(config) if data.stream else bucketed(task, data, config)


def bucketed(task: AnyTask, data: AnyData, config: TrainConfig) -> BucketSampler:
    """The training split in batches, where it is in memory."""
    return BucketSampler(
        data.splits["train"], config.batch_size, config.batch_tokens, config.seed,
        views=task.views, limit=task.epoch_items, least=config.epoch_steps,
        least_batch=task.least_batch)  # fmt: skip


def stretched(sampler: BucketSampler, config: TrainConfig) -> bool:
    """Whether an epoch isn't one pass in batches of the size that was asked for."""
    return sampler.batch_size < config.batch_size or sampler.batches() < sampler.steps(0)


def without_patience(task: AnyTask, sampler: Batches, config: TrainConfig) -> TrainConfig:
    """``config``; of few items the default patience ends nothing.

    Their whole schedule is short, and their validation too small to see the end by.
    """
    if not isinstance(sampler, BucketSampler):
        return config
    usual = type(task.config)().train.patience
    little = task.least_batch and stretched(sampler, config) and config.patience == usual
    return dataclasses.replace(config, patience=0) if little else config


def little_data(task: AnyTask, data: AnyData, config: TrainConfig) -> dict[str, Any]:
    """What few items change in training, with its names in ``metrics.json``; else empty.

    ``batch_size``, ``epoch_steps`` and ``passes`` where an epoch isn't one pass in batches of the
    size that was asked for; ``margin`` where validation is too small to choose an epoch by
    (:meth:`Task.margin`).
    """
    sampler, changed = training_batches(task, data, config), {}
    if isinstance(sampler, BucketSampler) and stretched(sampler, config):
        steps = sampler.steps(0)
        passes = round(steps / sampler.batches())
        changed = {"batch_size": sampler.batch_size, "epoch_steps": steps, "passes": passes}
    margin = task.margin(data)
    return {**changed, **({"margin": margin} if margin else {})}


def train_one(
    task: AnyTask, data: AnyData, config: TrainConfig, checkpointer: Checkpointer | None = None
) -> Generator[Event, None, Trained]:
    """Train one seed; yields the loop's events and returns a :class:`Trained`.

    ``config`` holds the seed; ``checkpointer`` keeps snapshots, and finds one to go on from.

    Raises:
        TrainingError: a loss that is not finite; the message names the rows of its batch.
        Stopped: it was asked to stop.
    """
    seed_everything(config.seed)
    model = task.model(data.info)
    if task.origin is not None:
        task.origin.give(model, data.info, task)
    sampler = training_batches(task, data, config)
    config = without_patience(task, sampler, config)
    history: list[EpochEvent] = []
    stop: StopEvent | None = None
    started = time.perf_counter()
    task.make_room(model, data)
    _by_main(lambda: task.prepare(model, data), model)
    prepared = time.perf_counter() - started
    try:
        validation = make_validation(task, data, config, model)
        for event in fit(model, task.loss, sampler, config, validation, checkpointer):
            if isinstance(event, ResumeEvent):
                history = list(event.history)
            elif isinstance(event, EpochEvent):
                history.append(event)
            elif isinstance(event, StopEvent):
                stop = event
            yield event
    except NonFiniteLossError as error:
        where = _rows_of(sampler, error, task, data)
        raise TrainingError(f"{error}; the batch: {where}") from None
    assert stop is not None
    rows = [epoch_row(epoch) for epoch in history]
    return _finished(task, data, config, model, rows, stop, prepared)


def _finished(task: AnyTask, data: AnyData, config: TrainConfig, model: nn.Module,
              rows: list[dict[str, Any]], stop: StopEvent, prepared: float) -> Trained:  # fmt: skip
    """The model on the CPU, with what is fitted after training; ``prepared``: seconds before it."""
    memory = peak_memory(resolve_device(config.device))
    started = time.perf_counter() - prepared
    model = model.to("cpu").eval()
    give_back_memory()
    extra = little_data(task, data, config) | _by_main(lambda: task.finish(model, data), model)
    stop = dataclasses.replace(stop, seconds=stop.seconds + time.perf_counter() - started)
    tokens = float(np.mean(data.splits["train"].lengths)) * task.views  # of an item
    rate = stop.tokens / max(tokens * stop.seconds, 1e-9)
    return Trained(config.seed, model, rows, stop, extra, rate, memory)


def _rows_of(sampler: Any, error: NonFiniteLossError, task: AnyTask, data: AnyData) -> str:
    """Where the rows of the batches stand whose loss is not finite."""
    if data.stream:
        last: str = sampler.last()
        return last
    plan = sampler.plan(error.epoch)
    items = np.concatenate([plan[number] for number in error.batches])
    return task.name_items(data.splits["train"], items)


def epoch_row(epoch: EpochEvent) -> dict[str, Any]:
    """An epoch as ``history.csv`` and ``history.jsonl`` have it."""
    return {"epoch": epoch.epoch, "loss": epoch.loss, **epoch.scores,
            "learning_rate": epoch.learning_rate, "seconds": round(epoch.seconds, 3)}  # fmt: skip


def _by_main(fitted: Callable[[], T], model: nn.Module) -> T:
    """What one process fits for all, with the weights that it leaves in the ``model``."""
    found = processes.from_main(fitted)
    same_weights(model)
    return found


def make_validation(task: AnyTask, data: AnyData, config: TrainConfig,
                    model: nn.Module) -> Validation:  # fmt: skip
    """How an epoch is scored, and which score chooses."""
    goal, monitor = task.monitor(data.info), task.chooser(model, data.info)
    known = task.monitors_for(data.info)
    losses = [name for name in known if name != goal and lower_is_better(name)]
    return Validation(
        lambda: task.validate(model, data, config), monitor, lower_is_better(goal),
        losses[0] if losses else "", task.margin(data), goal, task.floor(data.info))  # fmt: skip
