"""Workers of a study whose trials take no training: a score is made of the values alone."""

import signal
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from birnn.tasks.regression.options import RegressionConfig
from birnn.tasks.tuning import tuning
from birnn.tasks.tuning.messages import Epoch, Failure, Job, Score, Subject
from birnn.tasks.tuning.options import TuneOptions
from birnn.tasks.tuning.tuning import TunePlan, tune

SUBJECT = Subject("digest", "mse", True, "numbers", {"train": 10, "validation": 5})


def score_of(config: Any) -> float:
    """Least at a hidden size of 12 and a learning rate of 0.01; seeds differ by a little."""
    off = abs(config.encoder.hidden_size - 12) / 10
    return off + abs(config.train.learning_rate - 0.01) + 1e-3 * config.train.seed


class PretendTrainer:
    """In place of :class:`birnn.tasks.tuning.limits.Trainer`."""

    seconds = 0.0
    subject = SUBJECT

    def __init__(self, limits: Any, deadline: float = float("inf")) -> None:
        self.limits, self.deadline = limits, deadline
        self.alive = lambda: None
        self.jobs: list[Job] = []

    def look(self, job: Job) -> Subject:
        """What :data:`SUBJECT` says."""
        return self.subject

    def train(self, job: Job) -> Generator[Epoch, bool, Score | Failure | None]:
        """Three epochs that come closer to :func:`score_of`."""
        self.jobs.append(job)
        for epoch in range(1, 4):
            time.sleep(self.seconds / 3)
            self.alive()
            if not (yield Epoch(epoch, 3, score_of(job.config) + 0.1 / epoch, 0.1)):
                return None
        if job.config.encoder.layers == 2:
            return Failure("two layers", "diverged")
        score = score_of(job.config)
        return Score(score, 3, {"mse": score}, 0.1, 100)

    def stop(self) -> None:
        """There is no process."""


def plan(folder: Path, trials: int = 10, **options: Any) -> TunePlan:
    """Tune a regression with pretended trials."""
    values = TuneOptions(trials=trials, out=str(folder), **options)
    config = RegressionConfig()
    config = replace(config, train=replace(config.train, epochs=3))
    return TunePlan("regression", config, {"epochs": 3}, values)


def work(folder: str, storage: str, trials: int, seconds: float, log: str) -> None:
    """A worker in a process of its own, that writes what happens to a file."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run unattended
    PretendTrainer.seconds = seconds
    tuning.Trainer = PretendTrainer  # type: ignore[misc, assignment]
    tuning.write_findings = lambda *_: None
    tuning.POLL = 0.2
    options = {"storage": storage} if storage else {}
    with Path(log).open("w", encoding="utf-8", buffering=1) as file:
        for event in tune(plan(Path(folder), trials, study="study", **options)):
            file.write(f"{type(event).__name__} {getattr(event, 'number', '')}\n")
