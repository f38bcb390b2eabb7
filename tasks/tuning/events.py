"""What happens while a worker tunes, as :func:`birnn.tasks.tuning.tuning.tune` yields it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn.search import Space, Value
from birnn.tasks.tuning.messages import Subject
from birnn.tasks.tuning.results import Findings, Row


@dataclass(frozen=True)
class Opened:
    """The data is read and the study is there."""

    folder: Path
    subject: Subject
    spaces: Mapping[str, Space]
    finished: int  # trials that others, or this worker before, have ended
    wanted: int  # trials in all; 0: as many as there is time for
    lighter: str = ""  # what trials have less of than runs


@dataclass(frozen=True)
class Started:
    """A configuration begins to be trained."""

    number: int
    values: Mapping[str, Value]
    what: str = "trial"  # or confirmation
    seed: int = 0


@dataclass(frozen=True)
class Reported:
    """An epoch of it is over."""

    number: int
    epoch: int
    epochs: int
    score: float


@dataclass(frozen=True)
class Ended:
    """A trial is over."""

    row: Row
    finished: int
    best: bool  # of all so far


@dataclass(frozen=True)
class Confirmed:
    """A finalist, or the default, is trained once more."""

    number: int
    seed: int
    score: float | None
    reason: str = ""


@dataclass(frozen=True)
class Waiting:
    """Nothing is left to take, but others are still at work."""

    running: int
    what: str


@dataclass(frozen=True)
class Found:
    """All is done, and what was found is written."""

    folder: Path
    findings: Findings
    config: Any


TuneEvent = Opened | Started | Reported | Ended | Confirmed | Waiting | Found
