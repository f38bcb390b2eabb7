"""How often a checkpoint is written, and how it is asked to stop; light to import."""

from dataclasses import dataclass

from birnn.config import advanced


@dataclass(frozen=True)
class CheckpointConfig:
    """How often a checkpoint is written, to go on from after a stop."""

    checkpoint_epochs: int = advanced(
        1, "Keep a checkpoint after every so many epochs; 0: not by epochs.", low=0, group="Run"
    )
    checkpoint_minutes: float = advanced(
        5.0, "Keep one within an epoch too, after so many minutes; 0: never.", low=0, group="Run"
    )
    keep_checkpoints: int = advanced(
        2, "Checkpoints that stay while a run is trained: the newest.", low=1, group="Run"
    )


@dataclass
class StopRequest:
    """How a signal reaches training, which stops at its next step."""

    listening: bool = False  # whether training would notice; elsewhere a signal ends the work
    asked: bool = False  # set by whoever wants it to stop
