"""A model's layers by depth: which of them learn in an epoch, and how fast.

Layers near the input know what is general and need to change little: each learns at the rate of
the one above it over a factor, and those that are frozen are thawed from the top down, one more
every few epochs (Howard & Ruder 2018, ULMFiT).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from birnn.config import TrainConfig
from birnn.errors import ConfigError
from birnn.nn.model import SequenceModel

CELL = re.compile(r"(?:forward_cells|backward_cells|norms)\.(\d+)\.")


@dataclass(frozen=True)
class Layers:
    """The depth of parameters: embedders are 0, recurrent layers come next, heads are last."""

    depth: dict[int, int]  # by the ``id`` of the parameter
    top: int

    @classmethod
    def of(cls, model: nn.Module) -> "Layers":
        """Of all networks within ``model``; what belongs to none of them is as deep as heads."""
        depth: dict[int, int] = {}
        networks = [part for part in model.modules() if isinstance(part, SequenceModel)]
        for network in networks:
            depth |= {id(p): 0 for p in network.embedder.parameters()}
            for name, parameter in network.encoder.named_parameters():
                found = CELL.match(name)
                depth[id(parameter)] = 1 + (int(found[1]) if found else 0)
        top = 1 + max(depth.values(), default=-1)
        return cls({**{id(p): top for p in model.parameters()}, **depth}, top)

    def rate(self, parameter: nn.Parameter, decay: float) -> float:
        """The learning rate of a parameter, as a share of the heads'."""
        return float(decay ** (self.depth[id(parameter)] - self.top))

    def frozen(self, config: TrainConfig, epoch: int) -> int:
        """Below which depth nothing learns in an ``epoch``, from 0."""
        bottom = {"none": 0, "embeddings": min(1, self.top), "encoder": self.top}[config.freeze]
        thawed = epoch // config.thaw_every if config.thaw_every else 0
        return max(bottom - thawed, 0)

    def thawing(self, config: TrainConfig) -> int:
        """Epochs until all layers learn that ever will; 0 where none is thawed."""
        return self.frozen(config, 0) * config.thaw_every

    def check(self, config: TrainConfig, trained: Iterable[nn.Parameter]) -> None:
        """Refuse a schedule that would do nothing.

        Raises:
            ConfigError: nothing is frozen that could thaw, or that could be frozen.
        """
        if config.freeze == "none":
            if config.thaw_every:
                raise ConfigError("thaw_every: nothing is frozen; add --freeze encoder")
            return
        bottom = self.frozen(config, 0)
        if not any(self.depth[id(parameter)] < bottom for parameter in trained):
            raise ConfigError(f"freeze: the model has no {config.freeze} that would learn")
