"""What happens in an experiment, as :func:`birnn.tasks.runs.experiment.train` yields it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from birnn.nn.engines import Choice
from birnn.tasks.core.task import Task, TaskData
from birnn.tasks.runs.members import Member
from birnn.training.events import Event


@dataclass(frozen=True)
class Prepared:
    """The data is read and a model stands; training is about to start."""

    task: Task[Any, Any, Any]
    data: TaskData[Any, Any]
    parameters: int
    device: str
    threads: int
    engine: Choice
    seeds: Sequence[int]
    monitor: str  # the validation metric that chooses the epoch
    folder: Path  # of the run
    notes: list[str] = field(default_factory=list)  # of a run that is taken up
    folds: str = ""  # how they are cut, in a sentence; empty without any
    jobs: int = 1  # members that are trained side by side
    little: dict[str, Any] = field(default_factory=dict)  # what few items change in training


@dataclass(frozen=True)
class SeedStarted:
    """One training run of several begins."""

    seed: int
    number: int
    total: int
    fold: int = 0  # from 1; 0: the run has no folds
    title: str = ""  # in words


@dataclass(frozen=True)
class Estimated:
    """Training will be long: what its first steps tell of the rest."""

    seconds: float  # of the steps that are left, if all epochs are trained; without validation
    steps: int  # that are left
    peak_memory: int  # bytes so far; 0: can't be told


@dataclass(frozen=True)
class OfMember:
    """What happens in one of several members that are trained side by side."""

    member: Member
    event: Any


@dataclass(frozen=True)
class JobEnded:
    """A member that was trained beside others is done, or has failed."""

    member: Member
    reason: str = ""  # why it failed; empty: it is done


@dataclass(frozen=True)
class Evaluating:
    """Training is over; baselines are being fitted and the test split is read."""

    what: str


@dataclass(frozen=True)
class Finished:
    """The run is on disk."""

    folder: Path
    metrics: dict[str, Any]
    labels: dict[str, str]  # baseline key → its name in words
    note: str | None = None  # of a run that needs more memory than is granted unasked


AnyEvent = Event | Prepared | SeedStarted | Estimated | OfMember | JobEnded | Evaluating | Finished
