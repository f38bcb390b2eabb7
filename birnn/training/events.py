"""What happens while a model is trained: :func:`birnn.training.loop.fit` yields these."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StepEvent:
    """One optimizer step is done."""

    epoch: int  # from 1
    step: int  # of all steps, from 1
    total_steps: int
    loss: float  # mean over the items of the epoch so far


@dataclass(frozen=True)
class EpochEvent:
    """One epoch is trained and validated."""

    epoch: int  # from 1
    epochs: int
    loss: float  # mean over the epoch's items
    scores: dict[str, float]  # on the validation split
    learning_rate: float
    seconds: float
    tokens: int
    improved: bool


@dataclass(frozen=True)
class StopEvent:
    """Training is over; the model holds its best epoch's weights."""

    epoch: int  # the epoch whose weights are kept
    score: float
    reason: str
    seconds: float
    tokens: int


@dataclass(frozen=True)
class ResumeEvent:
    """Training goes on from a snapshot."""

    epoch: int  # the one that is next or under way, from 1
    step: int  # optimizer steps that are done
    total_steps: int
    history: list[EpochEvent]
    torn: list[str]  # snapshots that were not complete, and were passed over


Event = StepEvent | EpochEvent | StopEvent | ResumeEvent
