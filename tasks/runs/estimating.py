"""What a run will take, from a few steps that are measured, and the batch that a GPU holds."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from time import perf_counter

import numpy as np
import torch
from torch import nn

from birnn import processes
from birnn.arrays import Ints
from birnn.config import TrainConfig
from birnn.data.splits.batching import BucketSampler, by_length
from birnn.errors import ConfigError, MemoryLimitError
from birnn.nn import engines
from birnn.nn.batch import Batch
from birnn.nn.devices import check_precision, give_back_memory, resolve_device, use_threads
from birnn.nn.memory import peak_memory
from birnn.tasks.core.inference import run_split
from birnn.tasks.runs.events import AnyEvent, Estimated
from birnn.tasks.runs.fitting import (
    AnyData,
    AnyTask,
    Trained,
    bucketed,
    make_validation,
)
from birnn.tasks.runs.members import Shared, members_of
from birnn.training.events import Event, StepEvent
from birnn.training.loop import Batches, fit
from birnn.training.randomness import seed_everything

WARM_UP = 3  # steps of a measurement that don't count: libraries load, buffers grow
LEAST_STEPS, MOST_STEPS = 10, 40  # that count
MOST_SECONDS, PATIENCE = 5.0, 60.0  # after the most steps, and after the least, it is enough
LONG = 60.0  # seconds of training from which on it is said beforehand how long it will be


@dataclass(frozen=True)
class Estimate:
    """What training a model once would take."""

    epochs: int  # at most
    steps: int  # of all epochs
    measured: int  # steps
    prepare_seconds: float  # what is fitted before the first step, the model too
    epoch_seconds: float  # of an epoch's steps
    validation_seconds: float  # of an epoch's
    peak_memory: int  # bytes, at the longest batch; 0: can't be told
    device: str

    @property
    def seconds(self) -> float:
        """Of all epochs; baselines, test scores and the report come on top."""
        return self.prepare_seconds + self.epochs * (self.epoch_seconds + self.validation_seconds)


class Few:
    """Some batches of a training split: the one of most padded tokens, then evenly spaced ones.

    Where the split has fewer than ``most``, they come again.
    """

    def __init__(self, sampler: BucketSampler, most: int) -> None:
        self.sampler = sampler
        plan, lengths = sampler.plan(0), sampler.split.lengths
        self.total = len(plan)
        padded = [len(batch) * int(lengths[batch].max()) for batch in plan]
        spaced = np.resize(np.linspace(0, len(plan) - 1, min(most, len(plan))).astype(int), most)
        self.plan = [plan[number] for number in (int(np.argmax(padded)), *spaced)]

    def steps(self, epoch: int) -> int:
        """As :class:`birnn.training.loop.Batches`."""
        return len(self.plan)

    def epoch(self, epoch: int, start: int = 0) -> Iterable[Batch]:
        """As :class:`birnn.training.loop.Batches`."""
        return batches(self.sampler, self.plan[start:])


class First:
    """The first batches of a stream, which can't be read at other places."""

    def __init__(self, stream: Batches, most: int) -> None:
        self.stream, self.total = stream, stream.steps(0)
        self.count = min(most, self.total)

    def steps(self, epoch: int) -> int:
        """As :class:`birnn.training.loop.Batches`."""
        return self.count

    def epoch(self, epoch: int, start: int = 0) -> Iterable[Batch]:
        """As :class:`birnn.training.loop.Batches`."""
        return islice(self.stream.epoch(epoch, start), self.count - start)


def few_batches(task: AnyTask, data: AnyData, config: TrainConfig, most: int) -> Few | First:
    """Some of the batches that training has."""
    if data.stream:
        return First(data.stream(config), most)
    return Few(bucketed(task, data, config), most)


def batches(sampler: BucketSampler, plan: Sequence[Ints]) -> Iterator[Batch]:
    """The batches of ``plan`` as training has them, dropout views and all."""
    for items in plan:
        batch = sampler.split.batch(np.tile(items, sampler.views))
        yield replace(batch, views=sampler.views)


def estimate_run(task: AnyTask, seeds: int) -> tuple[Estimate, int]:
    """What a run would take: of one model, and how many it would train.

    Raises:
        BirnnError: bad data or configuration, or too little memory.
    """
    if processes.count() > 1:
        raise ConfigError("estimate: it measures one process; run it without a launcher")
    members = members_of(task.config, seeds)
    settings = task.config.train
    use_threads(settings.threads)
    check_precision(resolve_device(settings.device), settings.mixed_precision)
    engines.engine_for(task.config.encoder, settings)
    engines.force(settings.engine)
    shared = Shared.load(task, members[0])
    return estimate(shared.task, shared.data), len(members)


def estimate(task: AnyTask, data: AnyData) -> Estimate:
    """Train a model for a few steps and validate it on a few batches; nothing is kept.

    Raises:
        MemoryLimitError: the longest batch doesn't fit.
    """
    config, started = task.config.train, perf_counter()
    seed_everything(config.seed)
    model = task.model(data.info)
    few = few_batches(task, data, config, (WARM_UP + MOST_STEPS) * config.accumulate)
    task.make_room(model, data)
    task.prepare(model, data)
    prepared = perf_counter() - started
    times = step_times(task, data, config, model, few)
    steps = -(-few.total // config.accumulate)
    counted = times[WARM_UP:] or times
    device = resolve_device(config.device)
    return Estimate(
        config.epochs, steps * config.epochs, len(counted), prepared,
        steps * float(np.mean(counted)), _validation_seconds(task, data, config, model),
        peak_memory(device), str(device),
    )  # fmt: skip


def step_times(task: AnyTask, data: AnyData, config: TrainConfig, model: nn.Module,
               few: Batches) -> list[float]:  # fmt: skip
    """Seconds of each optimizer step over ``few`` batches, for at most ``MOST_SECONDS``."""
    once = replace(config, epochs=1)
    events = fit(model, task.loss, few, once, make_validation(task, data, once, model))
    times: list[float] = []
    began = before = perf_counter()
    for event in events:
        if not isinstance(event, StepEvent):
            break  # before validation: this one would be of the whole split
        _wait(resolve_device(config.device))
        now = perf_counter()
        times.append(now - before)
        before = now
        counted = len(times) - WARM_UP
        began = now if counted <= 0 else began
        most = MOST_SECONDS if counted >= LEAST_STEPS else PATIENCE
        if event.step == event.total_steps or now - began > most:
            break
    events.close()  # type: ignore[attr-defined]
    return times


def _validation_seconds(task: AnyTask, data: AnyData, config: TrainConfig,
                        model: nn.Module) -> float:  # fmt: skip
    """Of one pass over validation, from its first batches."""
    split = data.splits["validation"]
    plan = by_length(split.lengths, config.batch_size, config.batch_tokens)
    total = sum(len(items) * int(split.lengths[items].max()) for items in plan)
    done, started = 0, perf_counter()
    with torch.no_grad():
        for items, batch, outputs in run_split(model.eval(), split, config, stay=True):
            task.count(outputs, batch, data.info)
            done += len(items) * int(split.lengths[items].max())
            if perf_counter() - started > MOST_SECONDS:
                break
    return (perf_counter() - started) * total / max(done, 1)


def _wait(device: torch.device) -> None:
    """Until a GPU has done what it was told to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def foretold(
    events: Generator[Event, None, Trained], device: torch.device
) -> Generator[AnyEvent, None, Trained]:
    """Hand on ``events``; of a long run, say after a few steps how long it will take.

    It costs nothing: the steps are the run's own. Validation is told of with the first epoch.
    """
    began: tuple[float, int] | None = None  # when, and after which step
    told = False
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            trained: Trained = end.value
            return trained
        yield event
        if not isinstance(event, StepEvent):
            began = None
        elif not told:
            now = perf_counter()
            began = began or (now, event.step)
            seconds, steps = now - began[0], event.step - began[1]
            if steps >= MOST_STEPS or (steps >= LEAST_STEPS and seconds > MOST_SECONDS):
                told, left = True, event.total_steps - event.step
                if left * seconds / steps > LONG:
                    yield Estimated(left * seconds / steps, left, peak_memory(device))


def with_largest_batch(task: AnyTask, data: AnyData) -> AnyTask:
    """The task with the largest batches that its GPU holds: a power of two times those asked for.

    Both limits of a batch grow alike. Each size is tried with a step on the longest items.

    Raises:
        ConfigError: training is on a CPU.
        MemoryLimitError: not even one item fits.
    """
    train = task.config.train
    device = resolve_device(train.device)
    if processes.count() > 1:
        raise ConfigError("largest-batch: one process finds it; find it without a launcher, and"
                          " give that --batch-size to all")  # fmt: skip
    if device.type == "cpu":
        raise ConfigError("largest-batch: it asks how much a GPU holds, and training is on a CPU; "
                          "choose --batch-size")  # fmt: skip
    size = largest(train.batch_size, len(data.splits["train"]), lambda n: _fits(task, data, n))
    tokens = max(1, train.batch_tokens * size // train.batch_size)
    grown = replace(train, batch_size=size, batch_tokens=tokens)
    return type(task)(replace(task.config, train=grown))


def largest(size: int, most: int, fits: Callable[[int], None]) -> int:
    """The largest of ``size`` · 2ⁿ that ``fits`` doesn't raise at; no more than holds ``most``.

    Raises:
        MemoryLimitError: 1 doesn't fit.
    """
    tried = shrunk = False
    while True:
        try:
            fits(size)
        except MemoryLimitError:
            if size == 1:
                raise
            if not shrunk and tried:
                return size // 2
            size, shrunk = size // 2, True
        else:
            if shrunk or size >= most:
                return size
            size, tried = 2 * size, True


def _fits(task: AnyTask, data: AnyData, size: int) -> None:
    """Train steps with the longest items in batches of ``size``.

    Raises:
        MemoryLimitError: there is too little memory.
    """
    train = task.config.train
    tokens = max(1, train.batch_tokens * size // train.batch_size)
    config = replace(train, batch_size=size, batch_tokens=tokens, epochs=1)
    seed_everything(config.seed)
    try:
        model = task.model(data.info)
        few = few_batches(task, data, config, 2)
        if isinstance(few, Few):
            few.plan = [few.plan[0]] * 2  # the second has the optimizer's state beside it
        step_times(task, data, config, model, few)
    finally:
        model = few = None  # type: ignore[assignment]
        give_back_memory()
        torch.cuda.empty_cache()
