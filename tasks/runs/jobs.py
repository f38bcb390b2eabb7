"""Members of a run side by side, each in a process of its own (:mod:`birnn.tasks.runs.job`).

Processes are started anew, not forked or spawned by :mod:`multiprocessing`: that would run the
user's own script again in each of them, and a fork keeps neither threads nor a GPU.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from birnn import processes
from birnn.data.tables.memory import in_memory
from birnn.errors import ConfigError, Stopped, TrainingError
from birnn.tasks.core.task import Task
from birnn.tasks.runs.events import AnyEvent, Evaluating, JobEnded, OfMember
from birnn.tasks.runs.fitting import AnyTask
from birnn.tasks.runs.growing import read_done, resumable, work_folder
from birnn.tasks.runs.job import Order
from birnn.tasks.runs.launch import Plan
from birnn.tasks.runs.member import how_to_go_on
from birnn.tasks.runs.members import Member
from birnn.training.events import EpochEvent, ResumeEvent, StepEvent, StopEvent

KINDS = {kind.__name__: kind for kind in (StepEvent, EpochEvent, StopEvent, Evaluating)}
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
WAIT = 0.2  # seconds between two looks at whether someone asked to stop
PATIENCE = 20.0  # seconds that a process has to end in when it must


def check_members(task: AnyTask, plan: Plan, members: int) -> None:
    """Refuse what can't be done with so many members, or in several processes.

    Raises:
        ConfigError: so it is.
    """
    if plan.ensemble and type(task).combined is Task.combined:
        raise ConfigError(f"ensemble: runs of {task.name} can't be averaged; leave it out")
    if plan.ensemble and members < 2:
        raise ConfigError("ensemble: one model is none; give --seeds or --folds")
    began = bool(plan.begin or (plan.start and plan.start.origin))
    folds: int = getattr(task.config.data, "folds", 0)
    if began and folds:
        what = "the run that it begins from can have learned from rows that a fold tests"
        raise ConfigError(f"folds: {what}; leave --from or --folds out")
    if began and plan.ensemble:
        raise ConfigError("ensemble: what all members forget of the run that they begin from is not"
                          " measured; leave --from or --ensemble out")  # fmt: skip
    if began and plan.jobs > 1:
        raise ConfigError("jobs: a run that begins from another trains one seed after the other")
    if plan.jobs == 1:
        return
    if processes.launched():
        what = "torchrun has started several processes, which share each training"
        raise ConfigError(f"jobs: {what}; leave --jobs out, or start one process")
    if in_memory(task.config.data.data) is not None:
        raise ConfigError("jobs: data held in memory is not there for other processes; write it to"
                          " a file and name that, or leave jobs at 1")  # fmt: skip
    if plan.track.names:
        raise ConfigError(
            "track: trackers follow one member after the other, and --jobs trains several at once;"
            " leave one of the two out (each member's history.jsonl grows in its folder)"
        )


@dataclass
class Job:
    """A process that trains one member."""

    member: Member
    process: subprocess.Popen[bytes]
    log: IO[bytes]  # what it says on standard error
    rest: bytes = b""  # of a line that isn't whole yet
    reason: str = ""  # why it failed, as it said itself
    told: list[str] = field(default_factory=list)

    def events(self) -> Iterator[Any]:
        """What it has said since the last look; None where it has ended."""
        assert self.process.stdout is not None
        piece = os.read(self.process.stdout.fileno(), 1 << 16)
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            event = json.loads(line)
            kind = event.pop("kind")
            if kind == "failed":
                self.reason = str(event["reason"])
            elif kind == "ResumeEvent":
                history = [EpochEvent(**epoch) for epoch in event.pop("history")]
                yield ResumeEvent(history=history, **event)
            elif kind in KINDS:
                yield KINDS[kind](**event)
        if not piece:
            yield None

    def why(self) -> str:
        """Why it has failed, in a line."""
        code = self.process.wait()
        if self.reason:
            return self.reason
        if code < 0:
            with suppress(ValueError):
                memory = ", perhaps for want of memory" if -code == signal.SIGKILL else ""
                return f"its process was ended by {signal.Signals(-code).name}{memory}"
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")
        return f"its process ended with code {code}: {last[:300]}"


def start(task: AnyTask, plan: Plan, member: Member, threads: int) -> Job:
    """Start the process of a member, in a session of its own: Ctrl-C is heard by this one alone."""
    order = Order(task.name, asdict(task.config), asdict(member), str(plan.out), threads,
                  plan.command, asdict(plan.keep))  # fmt: skip
    home = str(Path(processes.__file__).resolve().parents[1])
    paths = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": paths, **dict.fromkeys(POOLS, str(threads))}
    log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by end()
    process = subprocess.Popen(
        [sys.executable, "-m", "birnn.tasks.runs.job"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=log, env=environment, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it ended at once: its log says why
        process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        process.stdin.flush()
    return Job(member, process, log)


def end(jobs: Sequence[Job]) -> None:
    """Stop all processes, with a snapshot where they train, and wait until they are gone."""
    for job in jobs:
        job.process.terminate()
    for job in jobs:
        try:
            job.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            job.process.kill()
            job.process.wait()
        for pipe in (job.process.stdin, job.process.stdout, job.log):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def run_jobs(task: AnyTask, plan: Plan, members: Sequence[Member],
             threads: int) -> Generator[AnyEvent, None, None]:  # fmt: skip
    """Train ``members``, ``plan.jobs`` at a time; what is left of each stands in the run's folder.

    Where one fails, the others go on.

    Raises:
        Stopped: ``plan.stop`` asked for it; all have stopped, with their snapshots.
        TrainingError: one or more failed; the message says why, and how to go on.
    """
    waiting, failed = deque(members), dict[Member, str]()
    selector = selectors.DefaultSelector()
    running: list[Job] = []
    plan.stop.listening = True
    try:
        while (waiting or running) and not plan.stop.asked:
            while waiting and len(running) < plan.jobs:
                job = start(task, plan, waiting.popleft(), threads)
                running.append(job)
                selector.register(job.process.stdout, selectors.EVENT_READ, job)  # type: ignore[arg-type]
            for key, _ in selector.select(WAIT):
                job = key.data
                for event in job.events():
                    if event is not None:
                        yield OfMember(job.member, event)
                        continue
                    selector.unregister(key.fileobj)
                    running.remove(job)
                    done = read_done(work_folder(plan.out), job.member.name) is not None
                    reason = "" if done else job.why()
                    end([job])
                    if reason:
                        failed[job.member] = reason
                    yield JobEnded(job.member, reason)
    finally:
        plan.stop.listening = False
        end(running)
        selector.close()
    left = len(running) + len(waiting)
    if plan.stop.asked or failed:
        raise _ended(task, plan, failed, f"stopped {left} of {len(members)} members")


def _ended(
    task: AnyTask, plan: Plan, failed: Mapping[Member, str], stopped: str
) -> Stopped | TrainingError:
    """Why the run isn't whole, and how to go on."""
    go_on = how_to_go_on(task, plan.out) if resumable(work_folder(plan.out)) else ""
    if plan.stop.asked:
        return Stopped(f"{stopped}; {go_on or 'no run was written'}")
    (member, reason), *others = failed.items()
    more = f" (and {len(others)} more)" if others else ""
    known = "go on with" in reason
    advice = f"; what is done is kept: {go_on}" if go_on and not known else ""
    return TrainingError(f"{member.title} failed{more}: {reason}{advice}")
