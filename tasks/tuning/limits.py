"""One process that trains for a worker, whose time and memory are bounded."""

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

import psutil

from birnn.errors import DataError, MemoryLimitError
from birnn.tasks.tuning.messages import Epoch, Failure, Job, Message, Score, Subject
from birnn.tasks.tuning.trainer import serve_jobs

GIGABYTE = 10**9
LOOK = 0.1  # seconds between two looks at memory and clock
MACHINE_SHARE = 0.8  # of the machine's memory that a trial may take where nobody says


@dataclass(frozen=True)
class Limits:
    """What a trial may take; 0: as long as it likes, or a share of the machine's memory."""

    minutes: float = 0.0
    gigabytes: float = 0.0

    @property
    def memory(self) -> float:
        """In bytes."""
        return self.gigabytes * GIGABYTE or MACHINE_SHARE * psutil.virtual_memory().total


class OutOfTime(Exception):  # noqa: N818
    """The worker's own time is over, in the middle of a trial."""


@contextmanager
def _quiet_tracker() -> Iterator[None]:
    """Python's tracker of semaphores, begun within, does not warn where a trainer is killed."""
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before, "ignore:resource_tracker")))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


@dataclass
class Trainer:
    """A process of its own for trials; a new one takes the place of one that had to be ended.

    ``alive`` is called all the while, several times a second.
    """

    limits: Limits
    deadline: float = float("inf")  # of the worker, as ``time.monotonic`` counts
    alive: Callable[[], None] = lambda: None
    process: SpawnProcess | None = field(default=None, init=False)
    pipe: Connection | None = field(default=None, init=False)

    def look(self, job: Job) -> Subject:
        """Read the data of a configuration.

        Raises:
            BirnnError: they, or the options, are unusable.
        """
        self._ask("look", job)
        answer: Message | None = None
        while answer is None:
            answer = self._hear(float("inf"))
        if isinstance(answer, Failure):
            kind = MemoryLimitError if answer.kind == "memory" else DataError
            raise kind(answer.reason)
        assert isinstance(answer, Subject)
        return answer

    def train(self, job: Job) -> Generator[Epoch, bool, Score | Failure | None]:
        """Train a configuration: yields each epoch, and is sent whether to go on.

        Returns:
            What came of it; None where it was not to go on.

        Raises:
            OutOfTime: the worker's time is over.
        """
        end = time.monotonic() + 60 * self.limits.minutes if self.limits.minutes else float("inf")
        self._ask("train", job)
        answer: Message | None = None
        while True:
            if answer is None:
                answer = self._hear(end)
            elif isinstance(answer, Epoch):
                go_on = yield answer
                self._send(go_on)
                if not go_on:
                    return None
                answer = None
            else:
                assert isinstance(answer, Score | Failure)
                return answer

    def stop(self) -> None:
        """End the process."""
        if self.pipe is not None:
            self.pipe.close()
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process.close()
        self.process = self.pipe = None

    def _ask(self, kind: str, job: Job) -> None:
        if self.process is None or not self.process.is_alive():
            self.stop()
            context = get_context("spawn")
            self.pipe, theirs = context.Pipe()
            self.process = context.Process(target=serve_jobs, args=(theirs,), daemon=True)
            with _quiet_tracker():
                self.process.start()
            theirs.close()
        self._send((kind, job))

    def _send(self, what: Any) -> None:
        assert self.pipe is not None
        with suppress(OSError):  # it is gone: which is heard next
            self.pipe.send(what)

    def _hear(self, end: float) -> Message | None:
        """The next message; None if there is none yet.

        Raises:
            OutOfTime: the worker's time is over.
        """
        assert self.pipe is not None
        assert self.process is not None
        try:
            if self.pipe.poll(LOOK):
                message: Message = self.pipe.recv()
                return message
        except (EOFError, OSError):
            return self._death()
        self.alive()
        now = time.monotonic()
        if now > self.deadline:
            self.stop()
            raise OutOfTime
        if now > end:
            self.stop()
            return Failure(f"took longer than {self.limits.minutes:g} minutes", "time")
        with suppress(psutil.Error):
            used = psutil.Process(self.process.pid).memory_info().rss
            if used > self.limits.memory:
                self.stop()
                most = f"{self.limits.memory / GIGABYTE:.3g} GB"
                return Failure(f"took more than {most} of memory", "memory")
        return None

    def _death(self) -> Failure:
        assert self.process is not None
        self.process.join(10)
        code = self.process.exitcode
        self.stop()
        if code == -9:
            return Failure("the system ended the process, as it does where memory runs out",
                           "memory")  # fmt: skip
        return Failure(f"the process ended with code {code}", "killed")
