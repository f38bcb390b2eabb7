"""How a request becomes a question, and a question an answer."""

import asyncio
import json
import sys
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import Request, Response

from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.web.jobs import Job, Worker
from birnn.tasks.web.metrics import Metrics
from birnn.tasks.web.options import ServeOptions
from birnn.tasks.web.question import Question, of_json, of_query, of_table, why_of_json
from birnn.tasks.web.refusals import Refused, beyond
from birnn.tasks.web.served import Desk, ServedRun, served_runs
from birnn.tasks.web.strict_json import parse

JSON = "application/json"
TABLES = {"text/csv": ".csv", "text/tab-separated-values": ".tsv"}
BODIES = 8  # largest bodies that may be in memory together
MEGABYTE = 1_000_000
LARGE = 1 << 16  # bytes of JSON


@dataclass
class Bodies:
    """Reads bodies; all together they may hold so many bytes."""

    limits: ServeOptions
    held: int = field(default=0)

    @property
    def most(self) -> int:
        """Bytes of one body."""
        return int(self.limits.max_body * MEGABYTE)

    async def read(self, request: Request) -> bytes:
        """The body of a request, in time.

        Raises:
            Refused: it is too large, or too slow.
        """
        claimed = request.headers.get("content-length", "0")
        if not claimed.isdigit() or int(claimed[:20]) > self.most:
            raise self._too_large()
        taken = 0
        try:
            async with asyncio.timeout(self.limits.timeout), aclosing(request.stream()) as stream:
                parts = []
                async for part in stream:
                    taken += len(part)
                    self.held += len(part)
                    if taken > self.most:
                        raise self._too_large()
                    if self.held > BODIES * self.most:
                        raise Refused(429, "too_many_bytes", "other requests are being read; try"
                                      " again", headers={"Retry-After": "1"})  # fmt: skip
                    parts.append(part)
                return b"".join(parts)
        except TimeoutError:
            what = "the body took too long to arrive"
            raise beyond(408, "too_slow", what, self.limits.timeout, "--timeout") from None
        finally:
            self.held -= taken

    def _too_large(self) -> Refused:
        most = self.limits.max_body
        return beyond(413, "body_too_large", "the body is too large", most, "--max-body", " MB")


@dataclass
class Service:
    """What answers requests of the API."""

    runs: dict[str, ServedRun]
    limits: ServeOptions
    desk: Desk
    worker: Worker
    metrics: Metrics
    bodies: Bodies
    examples: dict[str, Any] = field(default_factory=dict)  # answers to the samples

    async def warm(self) -> None:
        """Ask every run its own sample: the first answer is a slow one, and an example to show."""
        for run in self.runs.values():
            if run.sample:
                try:
                    question = of_json({"run": run.name, **run.sample}, self.limits)
                    body = await self.answer(self.desk.job(question))
                    self.examples[run.name] = json.loads(body)
                except Refused:
                    continue  # by small limits, or as the run's files have columns of their own
                except Exception as error:
                    traceback.print_exception(error, file=sys.stderr)

    async def explain(self, request: Request) -> Response:
        """Say why an answer is what it is."""
        self.check_kind(request, (JSON,))
        question = await self.read_json(request, why_of_json)
        return await self.respond(question, JSON)

    async def predict(self, request: Request) -> Response:
        """Answer a question."""
        question = await self.question(request)
        kind = "text/csv; charset=utf-8" if wants_csv(request) else JSON
        return await self.respond(question, kind)

    async def respond(self, question: Question, kind: str) -> Response:
        """The worker's answer, and how long it took in milliseconds."""
        job = self.desk.job(question)
        body = await self.answer(job)
        now = time.monotonic() - job.begun
        timing = f"wait;dur={job.waited * 1000:.2f}, model;dur={job.ran * 1000:.2f}"
        headers = {"Server-Timing": f"{timing}, total;dur={now * 1000:.2f}"}
        return Response(body, media_type=kind, headers=headers)

    def check_kind(self, request: Request, known: Collection[str]) -> str:
        """The media type of a body, which is one of the known.

        Raises:
            Refused: it is another, or packed.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in known:
            taken = f"send {' or '.join(known)}"
            raise Refused(415, "content_type", f"a body of {kind[:80] or 'no type'}: {taken}")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(415, "content_encoding", "a body that is packed: send it as it is")
        return kind

    async def question(self, request: Request) -> Question:
        """What a request asks.

        Raises:
            Refused: a body of another kind, or one that asks what can't be.
        """
        kind = self.check_kind(request, (JSON, *TABLES))
        asked = of_query(request.query_params.multi_items()) if kind in TABLES else {}
        if kind in TABLES:
            body = await self.bodies.read(request)
            return of_table(
                body, self.limits, suffix=TABLES[kind], csv_answer=wants_csv(request), **asked
            )
        question = await self.read_json(request, of_json)
        if wants_csv(request):
            if question.kind != "table":
                raise Refused(406, "accept", "an answer as text/csv goes with a table")
            question = replace(question, csv_answer=True)
        return question

    async def read_json(
        self, request: Request, check: Callable[[Any, ServeOptions], Question]
    ) -> Question:
        """The question that a body of JSON is.

        Raises:
            Refused: as ``check``, or it is no JSON.
        """
        body = await self.bodies.read(request)

        def read() -> Question:
            return check(parse(body), self.limits)

        # A large one takes a while, and others shall not wait for it.
        return await asyncio.to_thread(read) if len(body) > LARGE else read()

    async def answer(self, job: Job) -> bytes:
        """Wait for the worker's answer.

        Raises:
            Refused: the queue is full, or it took too long.
        """
        self.worker.submit(job)
        try:
            async with asyncio.timeout(max(job.deadline - time.monotonic(), 0.0)):
                return await asyncio.wrap_future(job.future)
        except TimeoutError:
            what = "no answer in time: send less at once, or later"
            raise beyond(408, "too_late", what, self.limits.timeout, "--timeout") from None
        finally:
            job.dropped = True


def wants_csv(request: Request) -> bool:
    """Whether an answer is asked for as a file for spreadsheets."""
    return request.headers.get("accept", "").partition(",")[0].strip().lower() == "text/csv"


def make_service(
    loaded: Sequence[tuple[str, LoadedRun]], limits: ServeOptions, scratch: Path
) -> Service:
    """The service of loaded runs; its worker is not started yet.

    Raises:
        ConfigError: a run of a task that can't be served.
    """
    runs = served_runs(loaded)
    metrics = Metrics()
    worker = Worker(limits.max_requests, metrics.batch)
    metrics.queue.set_function(lambda: len(worker.waiting))
    return Service(runs, limits, Desk(runs, limits, scratch), worker, metrics, Bodies(limits))
