"""What a task knows of the run that another run begins from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import nn

    from birnn.data.text.vectors import VectorTable


@dataclass(frozen=True)
class Choice:
    """What becomes of what the run knows of its data."""

    vocabulary: str = "grow"  # or keep, or refit
    scaler: str = "keep"  # or refit


class Beginning(Protocol):
    """See :class:`birnn.tasks.warm.origin.Origin`."""

    def merged(self, fresh: Any) -> Any:
        """The info of the new run, from what its training split says."""

    def vectors(self, name: str, limit: int) -> "VectorTable | None":
        """The pretrained vectors of the new run, whose options name them."""

    def give(self, model: "nn.Module", info: Any, task: Any) -> None:
        """Hand the weights to a fresh ``model`` of the new run's ``task``."""

    def told(self) -> Mapping[str, Any]:
        """What the new run says of where it came from: its ``from`` in ``config.json``."""
