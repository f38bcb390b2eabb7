"""Faults for a training run: killed anywhere, a full disk, no permission, a disk that fails.

Each run is a process of its own. They are forked from a server that has loaded the libraries, so
that a start takes a blink; nothing of torch has run there yet. A run under fault is taken up again
until it is complete, and must then be what the undisturbed one is, bit for bit.
"""

import contextlib
import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from birnn.cli import main
from birnn.training.checkpoints import Checkpointer

SERVER = multiprocessing.get_context("forkserver")
MODULES = [
    "birnn.cli", "birnn.tasks.runs.experiment", "birnn.tasks.runs.member",
    "birnn.tasks.sentiment.task",
    "birnn.tasks.tagging.task", "birnn.tasks.forecast.task", "birnn.tasks.runs.unfinished",
    "birnn.terminal.views.progress", "sklearn.linear_model", "matplotlib.figure",
]  # fmt: skip
PATIENCE = 300  # seconds until a process counts as hanging


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Attributes:
        kind: ``time`` (SIGKILL after ``at`` seconds), ``write`` (SIGKILL at the ``at``-th call that
            changes the disk), ``fsync`` (the ``at``-th fsync fails), ``term`` (SIGTERM after ``at``
            seconds), ``none``.
        at: when.
    """

    kind: str
    at: float = 0


@dataclass
class Outcome:
    """How a process ended."""

    code: int  # −9 where it was killed
    err: str

    def one_line(self) -> bool:
        """Whether it ended as bad input does: one line, no traceback."""
        lines = self.err.strip().splitlines()
        return len(lines) == 1 and lines[0].startswith("birnn: error: ")


def run(arguments: list[str], fault: Fault, folder: Path) -> Outcome:
    """Run a command in a process of its own, under ``fault``."""
    SERVER.set_forkserver_preload(MODULES)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "stderr.txt"
    process: Any = SERVER.Process(target=_child, args=(arguments, fault, str(log)))
    process.start()
    if fault.kind in ("time", "term"):
        process.join(fault.at)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL if fault.kind == "time" else signal.SIGTERM)
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        raise AssertionError(f"hangs: {arguments}")
    return Outcome(process.exitcode, log.read_text(errors="replace") if log.is_file() else "")


def _child(arguments: list[str], fault: Fault, log: str) -> None:
    """The command, with its output in files."""
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(errors, 2)
    from birnn import cli

    _plant(fault)
    sys.argv = ["cli.py", *arguments]
    code = cli.main(arguments)
    sys.stderr.flush()
    os._exit(code)


def _plant(fault: Fault) -> None:
    """Let the calls that change the disk be counted, and the chosen one go wrong."""
    calls = 0

    def counted(call: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == int(fault.at):
                strike()
            return call(*arguments, **options)

        return wrapped

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def fail() -> None:
        raise OSError(5, "Input/output error")

    if fault.kind == "write":
        for name in ("fsync", "replace", "rename", "mkdir", "unlink", "rmdir"):
            setattr(os, name, counted(getattr(os, name), kill))
        _kill_within_files(fault, counted, kill)
    elif fault.kind == "fsync":
        os.fsync = counted(os.fsync, fail)


def _kill_within_files(fault: Fault, counted: Any, kill: Callable[[], None]) -> None:
    """A kill while the tensors are being written leaves half a file."""
    from safetensors.torch import save_file

    from birnn.storage import snapshots

    def torn(tensors: Any, path: Any, metadata: Any = None) -> None:
        save_file(tensors, path, metadata)
        size = Path(path).stat().st_size
        os.truncate(path, size // 2)
        half()
        save_file(tensors, path, metadata)

    half = counted(lambda: None, kill)
    snapshots.save_file = torn  # type: ignore[assignment]


@dataclass
class Trial:
    """One run, disturbed and taken up until it is complete.

    Attributes:
        task: the command.
        arguments: what a run is made with, without ``--out``.
        folder: where it goes.
        history: what happened, for messages.
    """

    task: str
    arguments: list[str]
    folder: Path
    history: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        """The run."""
        return self.folder / "run"

    def start(self, fault: Fault) -> Outcome:
        """Begin, or go on where there is something to go on with."""
        growing = self.folder / ".run.partial" / "checkpoints" / "run.json"
        given = [self.task, *self.arguments, "--out", str(self.out)]
        if growing.is_file() or self.out.exists():
            given = [self.task, "--resume", str(self.out)]
        outcome = run(given, fault, self.folder / "logs")
        self.history.append(f"{fault} → {outcome.code} {outcome.err.strip()[-200:]}")
        return outcome

    def until_complete(self, faults: Iterator[Fault], most: int = 12) -> int:
        """Go on under ``faults`` until the run is complete; returns how often it was disturbed."""
        disturbed = 0
        for _ in range(most):
            fault = next(faults, Fault("none"))
            outcome = self.start(fault)
            if outcome.code == 0:
                return disturbed
            disturbed += 1
            expected = {"time": (-9,), "write": (-9,), "term": (130,), "fsync": (2,)}
            assert outcome.code in expected.get(fault.kind, ()), self.history
            if outcome.code > 0:
                assert outcome.one_line(), self.history
        outcome = self.start(Fault("none"))
        assert outcome.code == 0, self.history
        return disturbed


def fingerprint(out: Path) -> dict[str, str]:
    """Checksums of what must be the same: weights, predictions, and the curve without its times."""
    found = {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in ("model.safetensors", "predictions.csv")
        if (out / name).is_file()
    }
    rows = (line.rpartition(",")[0] for line in (out / "history.csv").read_text().splitlines())
    return {**found, "history": hashlib.sha256("\n".join(rows).encode()).hexdigest()}


def faults(seed: int, seconds: float) -> Iterator[Fault]:
    """One to three seeded faults."""
    generator = random.Random(seed)
    for _ in range(generator.randint(1, 3)):
        kind = generator.choice(["time", "time", "write", "write", "term", "fsync"])
        at = generator.uniform(0.02, seconds) if kind in ("time", "term") else 0
        yield Fault(kind, at or generator.randint(1, 60))


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[bool]:
    """Mount a small memory disk at ``folder``; False where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            time.sleep(0.05)
            subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int, *given: object) -> None:
    """Begin a run that a signal ends once ``after`` snapshots are written."""
    save, left = Checkpointer.save, [after]

    def saved(self: Checkpointer, snapshot: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        save(self, snapshot)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "save", saved)
        assert main(["sentiment", *map(str, given)]) == 130
