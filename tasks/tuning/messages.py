"""What a worker and the process that trains for it say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from birnn.search import Space


@dataclass(frozen=True)
class Subject:
    """What the data are, and how a trial on them is scored: of the configuration that is tuned."""

    digest: str  # of train, validation and what was learned of them
    monitor: str  # the validation metric that is a trial's score
    lower: bool  # whether less of it is better
    source: str  # of the data, in words
    rows: Mapping[str, int]  # of train and validation
    spaces: Mapping[str, Space] = field(default_factory=dict)  # that depend on the data


@dataclass(frozen=True)
class Epoch:
    """An epoch is trained and validated; the trainer waits for an answer: whether to go on."""

    epoch: int  # from 1
    epochs: int
    score: float
    seconds: float


@dataclass(frozen=True)
class Score:
    """A configuration is trained."""

    score: float  # of the epoch that is kept
    epoch: int
    scores: Mapping[str, float]  # all that validation gives at that epoch
    seconds: float
    parameters: int


@dataclass(frozen=True)
class Failure:
    """It could not be trained."""

    reason: str
    kind: str = "error"  # error, diverged, memory, time, killed


@dataclass(frozen=True)
class Job:
    """Train this configuration."""

    task: str
    config: Any
    monitor: str = ""  # the validation metric that is the score


Message = Subject | Epoch | Score | Failure
