"""Requests that arrive together are run together: a queue, and the one thread that runs models.

The thread never waits for a batch to fill: it takes what is there. Of each request it takes a part
at a time, so that a short one is not held up by a long one that came first.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from birnn.errors import BirnnError
from birnn.tasks.web.refusals import Refused, beyond

PART = 20_000  # characters of a request that are run at once
TOO_LATE = "too late for an answer"

Records = list[dict[str, Any]]


@dataclass(eq=False)
class Job:
    """A request that waits for its answer: the bytes that ``future`` will hold."""

    deadline: float  # of time.monotonic
    future: "Future[bytes]" = field(default_factory=Future)
    dropped: bool = False  # nobody waits any longer
    begun: float = field(default_factory=time.monotonic)
    waited: float = 0.0  # seconds until it was first looked at
    ran: float = 0.0  # seconds of the model, shared with others that ran in the same batch

    @property
    def dead(self) -> bool:
        """Whether nobody would read its answer."""
        return self.dropped or time.monotonic() > self.deadline

    def fail(self, error: BaseException) -> None:
        """Its answer is ``error``."""
        if not self.future.done():
            self.future.set_exception(error)

    def finish(self, body: bytes) -> None:
        """Its answer is ``body``."""
        if not self.future.done():
            self.future.set_result(body)


@dataclass(eq=False)
class Items(Job):
    """Texts, or lists of tokens, for one run."""

    group: tuple[Any, ...] = ()  # jobs of one group can run together
    run: Callable[[Sequence[Any]], Records] = lambda items: []
    items: Sequence[Any] = ()
    render: Callable[[Records], bytes] = lambda records: b""
    records: Records = field(default_factory=list)

    def part(self) -> Sequence[Any]:
        """The next items: as many as :data:`PART` has room for, at least one."""
        begin = end = len(self.records)
        room = PART
        while end < len(self.items) and (end == begin or room > 0):
            room -= sum(map(len, self.items[end])) if self.items[end] else 1
            end += 1
        return self.items[begin:end]

    @property
    def done(self) -> bool:
        """Whether every item has its record."""
        return len(self.records) == len(self.items)


@dataclass(eq=False)
class Table(Job):
    """A table for one run: ``work`` answers, or says which items there are to run."""

    work: Callable[["Table"], "bytes | Items"] = lambda job: b""


class Worker(threading.Thread):
    """The thread that runs models; ``most`` jobs wait at the same time."""

    def __init__(
        self, most: int, observe: Callable[[int, float], None] = lambda n, s: None
    ) -> None:
        super().__init__(name="birnn-models", daemon=True)
        self.most, self.observe = most, observe
        self.waiting: list[Job] = []
        self.changed = threading.Condition()
        self.stopping = False

    def submit(self, job: Job) -> None:
        """Put a job into the queue.

        Raises:
            Refused: it is full.
        """
        with self.changed:
            if len(self.waiting) >= self.most:
                what = f"{len(self.waiting):,} requests wait already"
                raise beyond(429, "too_many_requests", what, self.most, "--max-requests",
                             Retry_After="1")  # fmt: skip
            self.waiting.append(job)
            self.changed.notify()

    def stop(self) -> None:
        """End after what waits is answered."""
        with self.changed:
            self.stopping = True
            self.changed.notify()

    def run(self) -> None:
        """Answer until stopped."""
        while jobs := self._take():
            now = time.monotonic()
            for job in jobs:
                job.waited = job.waited or now - job.begun
                if job.dead:
                    job.fail(TimeoutError(TOO_LATE))
            alive = [job for job in jobs if not job.future.done()]
            self._run_items(job for job in alive if isinstance(job, Items))
            table = next((job for job in alive if isinstance(job, Table)), None)
            if table is not None:
                self._run_table(table)
            with self.changed:
                self.waiting = [job for job in self.waiting if not job.future.done()]

    def _take(self) -> list[Job]:
        with self.changed:
            while not self.waiting and not self.stopping:
                self.changed.wait()
            return list(self.waiting)

    def _run_items(self, jobs: Iterable[Items]) -> None:
        groups: dict[tuple[Any, ...], list[Items]] = defaultdict(list)
        for job in jobs:
            groups[job.group].append(job)
        for together in groups.values():
            try:
                self._run_group(together)
            except Exception as error:
                if len(together) == 1:
                    together[0].fail(reported(error))
                    continue
                for job in together:  # whose fault was it?
                    self._run_items([job])

    def _run_group(self, jobs: Sequence[Items]) -> None:
        parts = [job.part() for job in jobs]
        items = [item for part in parts for item in part]
        begin = time.perf_counter()
        answers = iter(jobs[0].run(items)) if items else iter(())
        seconds = time.perf_counter() - begin
        self.observe(len(items), seconds)
        for job, part in zip(jobs, parts, strict=True):
            job.ran += seconds
            job.records += _first(answers, len(part))
            if job.done:
                job.finish(job.render(job.records))

    def _run_table(self, job: Table) -> None:
        from birnn.nn.devices import give_back_memory  # brings torch

        begin = time.perf_counter()
        try:
            answer = job.work(job)
        except Exception as error:
            job.fail(reported(error))
            return
        job.ran += time.perf_counter() - begin
        if isinstance(answer, bytes):
            job.finish(answer)
            give_back_memory()  # of gradients, or of a large table
            return
        answer.future, answer.deadline, answer.waited = job.future, job.deadline, job.waited
        with self.changed:  # the place in the queue stays
            self.waiting = [answer if other is job else other for other in self.waiting]


def _first(answers: Iterator[dict[str, Any]], count: int) -> Records:
    return [next(answers) for _ in range(count)]


def reported(error: Exception) -> Exception:
    """What a client is told of an error; one that is no fault of the input stays what it is."""
    from birnn.nn.devices import out_of_memory

    if isinstance(error, Refused):
        return error
    if isinstance(error, BirnnError):
        return Refused(422, "unusable", str(error))
    if out_of_memory(error):
        return Refused(413, "too_large", "this takes more memory than there is; send less at once")
    return error
