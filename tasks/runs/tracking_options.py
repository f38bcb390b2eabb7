"""Where training is logged beside its run; light to import."""

from dataclasses import dataclass
from functools import partial

from birnn.config import option

tracking = partial(option, group="Tracking", level="advanced")
TRACKERS = ("tensorboard", "mlflow", "wandb", "trackio")


@dataclass(frozen=True)
class TrackConfig:
    """The trackers that a run is logged to, and how."""

    track: str = tracking(
        "", f"Also log to these trackers: {', '.join(TRACKERS)}; several with commas between."
    )
    track_to: str = tracking(
        "", "Folder of TensorBoard's files, or address of MLflow. Empty: tensorboard, beside the"
        " run; MLflow's own setting."
    )  # fmt: skip
    track_project: str = tracking("birnn", "Project or experiment that the trackers file it under.")
    track_steps: int = tracking(50, "Log the loss after every so many steps.", low=1)

    @property
    def names(self) -> list[str]:
        """The trackers that are asked for, each once."""
        return list(dict.fromkeys(filter(None, (part.strip() for part in self.track.split(",")))))
