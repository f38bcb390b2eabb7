"""How the learning rate moves, and the moving average of the weights."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def cosine(progress: float) -> float:
    """Fall from 1 to 0 along half a cosine (Loshchilov & Hutter 2017, without restarts)."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def learning_rate_factor(step: int, total: int, warmup: float, schedule: str) -> float:
    """The learning rate at ``step`` (from 0) of ``total``, as a share of its peak.

    ``constant`` and ``cosine`` rise linearly from near 0 over the first ``warmup`` share of the
    steps. ``one-cycle`` (Smith & Topin 2018) rises from 1/25 and falls to 1e-4, both along a
    cosine.
    """
    rise = warmup * total
    if step < rise:
        if schedule == "one-cycle":
            return 1 / 25 + (1 - 1 / 25) * (1 - cosine(step / rise))
        return min((step + 1) / rise, 1.0)
    progress = (step - rise) / max(total - rise, 1)
    if schedule == "one-cycle":
        return 1e-4 + (1 - 1e-4) * cosine(progress)
    return cosine(progress) if schedule == "cosine" else 1.0


class WeightAverage:
    """Exponential moving average of a module's parameters (Polyak & Juditsky 1992, EMA form).

    Early on, the decay is held below ``(1 + t) / (10 + t)`` so that the first, untrained weights
    are forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.parameters]

    def by_id(self) -> dict[int, Tensor]:
        """The averages, by the ``id`` of their parameter."""
        return {id(p): a for p, a in zip(self.parameters, self.average, strict=True)}

    def next_decay(self) -> float:
        """The decay of the update that comes."""
        return min(self.decay, (2 + self.updates) / (11 + self.updates))

    @torch.no_grad()
    def update(self) -> None:
        """Take in the module's present weights."""
        weights = [p.detach() for p in self.parameters]
        torch._foreach_lerp_(self.average, weights, 1 - self.next_decay())
        self.updates += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block, the module holds the average instead of its own weights."""
        weights = [p.detach() for p in self.parameters]
        own = [p.clone() for p in weights]
        torch._foreach_copy_(weights, self.average)
        try:
            yield
        finally:
            torch._foreach_copy_(weights, own)
