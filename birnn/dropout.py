"""Dropout whose mask is shared along an axis: over time, over a word's uses, over its features.

Each is the identity in evaluation and keeps expectations in training.
"""

import torch
from torch import Tensor, nn


def keep_mask(shape: tuple[int, ...], rate: float, like: Tensor) -> Tensor:
    """A mask of ``shape`` holding 0 with probability ``rate`` and ``1/(1-rate)`` otherwise."""
    return torch.empty(shape, dtype=like.dtype, device=like.device).bernoulli_(1 - rate) / (
        1 - rate
    )


class LockedDropout(nn.Module):
    """One mask for all steps of a sequence (Gal & Ghahramani 2016, variational dropout)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """``[B, T, F] → [B, T, F]``."""
        if not self.training or self.rate == 0:
            return x
        return x * keep_mask((x.shape[0], 1, x.shape[2]), self.rate, x)


def word_dropout(ids: Tensor, rate: float, unknown: int, protect: int) -> Tensor:
    """Replace each id by ``unknown`` with probability ``rate``, so that it is trained too.

    Args:
        ids: integers of any shape.
        rate: strictly below 1.
        unknown: the id that stands for words never trained on.
        protect: an id that stays (padding).
    """
    dropped = torch.rand(ids.shape, device=ids.device) < rate
    return ids.masked_fill(dropped & (ids != protect), unknown)
