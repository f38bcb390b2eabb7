"""One member of a run in a process of its own: ``python -m birnn.tasks.runs.job``.

What it is to do comes as a line of JSON on standard input, which then stays open: where it ends,
the process that started this one is gone, and this one stops as by a signal. What happens goes to
standard output, an event a line; the result stands in the run's folder, as without jobs.
"""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from birnn.config import from_dict
from birnn.errors import BirnnError, Stopped
from birnn.tasks import TASKS
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest

STEP_SECONDS = 0.2  # between two steps that are told of


@dataclass(frozen=True)
class Order:
    """What a job is to do."""

    task: str
    config: dict[str, Any]
    member: dict[str, Any]
    out: str
    threads: int
    command: str = ""
    keep: dict[str, Any] = field(default_factory=dict)


def carry_out(order: Order, stop: StopRequest) -> Iterator[Any]:
    """Train, score and write the member; yields the events of training.

    Raises:
        BirnnError: as :func:`birnn.tasks.runs.experiment.train`.
    """
    from birnn.nn import engines
    from birnn.nn.devices import check_precision, resolve_device, use_threads
    from birnn.tasks.runs.growing import snapshot_folder, work_folder
    from birnn.tasks.runs.launch import Plan, make_task
    from birnn.tasks.runs.member import train_member
    from birnn.tasks.runs.members import Member, Shared
    from birnn.training.checkpoints import Checkpointer

    keep = from_dict(CheckpointConfig, order.keep)
    config = from_dict(TASKS[order.task].part("options"), order.config)
    plan = Plan(Path(order.out), command=order.command, keep=keep, stop=stop)
    member, work, settings = Member(**order.member), work_folder(plan.out), config.train
    use_threads(order.threads)
    check_precision(resolve_device(settings.device), settings.mixed_precision)
    engines.force(settings.engine)
    shared = Shared.load(make_task(order.task, config), member)
    keeper = Checkpointer(snapshot_folder(work, member.name), keep, stop)
    yield from train_member(shared, plan, keeper, member, work / member.name)


def stopping(stop: StopRequest) -> None:
    """From here on a signal, or the end of standard input, stops the work as in one process."""

    def on_signal(number: int, frame: Any) -> None:
        if not stop.listening or stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    def watch() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the terminal's: whoever started this one hears it
    threading.Thread(target=watch, daemon=True).start()


def own_output() -> TextIO:
    """Standard output for events alone: what libraries print goes to standard error."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events


def tell(events: TextIO, kind: str, **parts: Any) -> None:
    """Write an event."""
    events.write(json.dumps({"kind": kind, **parts}) + "\n")
    events.flush()


def main() -> int:
    """Do what standard input says; 0: done, 2: failed and told why, 3: stopped."""
    events, stop = own_output(), StopRequest()
    order = Order(**json.loads(sys.stdin.readline()))
    stopping(stop)
    told = 0.0
    try:
        for event in carry_out(order, stop):
            kind = type(event).__name__
            if kind == "StepEvent" and time.monotonic() - told < STEP_SECONDS:
                continue
            told = time.monotonic()
            tell(events, kind, **asdict(event))
    except (Stopped, KeyboardInterrupt):
        return 3
    except BirnnError as error:
        tell(events, "failed", reason=str(error))
        return 2
    except Exception as error:  # of a library: its words are told, the rest stands in the log
        traceback.print_exc()
        words = " ".join(str(error).split())[:400] or "no reason"
        tell(events, "failed", reason=f"{type(error).__name__}: {words}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
