"""The process that trains for a worker: it reads the data once, for all configurations.

It never holds a test split: what it trains on comes from :meth:`Task.without_test`.
"""

import dataclasses
import math
import os
import signal
import threading
import time
import warnings
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from birnn.errors import BirnnError, MemoryLimitError, TrainingError
from birnn.tasks.tuning.messages import Epoch, Failure, Job, Message, Score, Subject

AnyTask = Any
AnyData = Any


def serve_jobs(pipe: Connection) -> None:
    """Answer jobs until the pipe closes or the worker is gone; signals are the worker's affair."""
    warnings.simplefilter("ignore")  # of libraries: a worker's terminal shows trials
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    with suppress(OSError):  # where memory runs out, the system ends this process first
        Path("/proc/self/oom_score_adj").write_text("1000")
    loaded = Loaded()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            kind, job = pipe.recv()
            try:
                answer = _subject(loaded, job) if kind == "look" else _train(loaded, job, pipe)
            except (BirnnError, MemoryError, RuntimeError, OSError) as error:
                answer = _failure(error)
            if answer is not None:
                pipe.send(answer)


def _end_with_the_worker() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _failure(error: Exception) -> Failure:
    from birnn.nn.devices import out_of_memory

    words = " ".join(str(error).split())[:400] or type(error).__name__
    if isinstance(error, MemoryLimitError | MemoryError) or out_of_memory(error):
        return Failure(words, "memory")
    known = isinstance(error, BirnnError)
    kind = "diverged" if isinstance(error, TrainingError) else "error"
    return Failure(words if known else f"{type(error).__name__}: {words}", kind)


@dataclasses.dataclass
class Loaded:
    """Data that stays from one configuration to the next, and the options that it came of."""

    data: Any = None
    read: dict[str, Any] = dataclasses.field(default_factory=dict)  # options → their values

    def of(self, name: str, config: Any) -> tuple[AnyTask, AnyData]:
        """The task of a configuration and its data without a test split, read if they must be."""
        from birnn.tasks.runs.launch import make_task

        if self.data is None or any(_value(config, k) != v for k, v in self.read.items()):
            self.data = None  # before there is another
            watched, seen = _watched(config)
            task = make_task(name, watched)
            data = task.without_test(task.load())
            self.read = {key: _value(config, key) for key in {"data", *seen}}
            self.data = data
        task = make_task(name, config)
        task.reading = self.data.reading
        return task, self.data


def _value(config: Any, key: str) -> Any:
    for part in key.split("."):
        config = getattr(config, part)
    return config


def _watched(config: Any) -> tuple[Any, set[str]]:
    """A copy of ``config`` that notes which of its groups' options are read."""
    seen: set[str] = set()
    groups = {}
    for part in dataclasses.fields(config):
        group = getattr(config, part.name)
        if dataclasses.is_dataclass(group) and part.name != "data":
            groups[part.name] = _watching(group, part.name, seen)
    return dataclasses.replace(config, **groups), seen


def _watching(group: Any, name: str, seen: set[str]) -> Any:
    options = {part.name for part in dataclasses.fields(group)}

    def read(self: Any, key: str) -> Any:
        if key in options:
            seen.add(f"{name}.{key}")
        return object.__getattribute__(self, key)

    kind = type(type(group).__name__, (type(group),), {"__getattribute__": read})
    copy: Any = object.__new__(kind)
    for key in options:
        object.__setattr__(copy, key, getattr(group, key))
    return copy


def _set_machine(config: Any) -> None:
    from birnn.nn import engines
    from birnn.nn.devices import check_precision, resolve_device, use_threads

    settings = config.train
    use_threads(settings.threads)
    check_precision(resolve_device(settings.device), settings.mixed_precision)
    engines.engine_for(config.encoder, settings)
    engines.force(settings.engine)


def _subject(loaded: Loaded, job: Job) -> Subject:
    """Read the data of a configuration and say what they are."""
    from birnn.tasks.core.data_digest import data_digest
    from birnn.tasks.scoring.metric_names import lower_is_better

    _set_machine(job.config)
    task, data = loaded.of(job.task, job.config)
    monitor = task.monitor(data.info)
    rows = {name: len(split) for name, split in data.splits.items()}
    return Subject(
        data_digest(task, data), monitor, lower_is_better(monitor),
        str(data.provenance.get("source", "")), rows, task.search_spaces(data.info),
    )  # fmt: skip


def _train(loaded: Loaded, job: Job, pipe: Connection) -> Message | None:
    """Train a configuration, epoch by epoch as long as the worker says so; None where it didn't.

    Raises:
        BirnnError: bad options or data, a loss that isn't finite.
    """
    import torch

    from birnn.nn.devices import give_back_memory
    from birnn.nn.model import count_parameters
    from birnn.storage.unfilled import Unfilled
    from birnn.tasks.runs.fitting import train_one
    from birnn.training.events import EpochEvent, StopEvent

    started = time.perf_counter()
    _set_machine(job.config)
    task, data = loaded.of(job.task, job.config)
    monitor = job.monitor
    with torch.device("meta"), Unfilled():
        parameters = count_parameters(task.model(data.info))
    scores: list[dict[str, float]] = []
    events = train_one(task, data, job.config.train)
    try:
        for event in events:
            if isinstance(event, EpochEvent):
                scores.append(event.scores)
                score = event.scores[monitor]
                if not math.isfinite(score):
                    raise TrainingError(f"{monitor} is {score} after epoch {event.epoch}")
                pipe.send(Epoch(event.epoch, event.epochs, score, event.seconds))
                if not pipe.recv():
                    return None
            elif isinstance(event, StopEvent):  # what is fitted after it has no part in the score
                kept = scores[event.epoch - 1]
                seconds = time.perf_counter() - started
                return Score(kept[monitor], event.epoch, dict(kept), seconds, parameters)
    finally:
        events.close()
        give_back_memory()
    raise TrainingError("training ended without an epoch")
