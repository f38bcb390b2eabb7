"""Dropout: of each number, or with a mask shared along an axis (time, a word's features).

Each is the identity in evaluation and keeps expectations in training.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from birnn.nn import engines
from birnn.registry import load

GRAINS = 1 << 16  # rates are rounded to this many parts


def grains(rate: float) -> int:
    """The rate in parts of :data:`GRAINS`, never all of them."""
    return min(round(rate * GRAINS), GRAINS - 1)


def keep_mask(shape: tuple[int, ...], rate: float, like: Tensor) -> Tensor:
    """A mask of ``shape`` holding 0 with probability ``rate`` and ``1/(1-rate)`` otherwise.

    Each 64 random bits serve four places, which is five times as quick as a draw a place. The rate
    is rounded to 1/65,536, and what survives is scaled by the rounded one: expectations are exact.
    """
    dropped = grains(rate)
    size = math.prod(shape)
    bits = torch.empty((size + 3) // 4, dtype=torch.int64, device=like.device)
    bits.random_(-(2**63), None)
    survives = bits.view(torch.int16)[:size].view(shape) >= dropped - GRAINS // 2
    return survives.to(like.dtype).mul_(GRAINS / (GRAINS - dropped))


class MaskedDropout(nn.Module, ABC):
    """Multiply by a mask in training; a subclass says what shares a place of it."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    @staticmethod
    @abstractmethod
    def mask_shape(x: Tensor) -> tuple[int, ...]:
        """A shape that broadcasts to that of ``x``."""

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape that :meth:`mask_shape` takes → the same shape."""
        if not self.training or self.rate == 0:
            return x
        return x * keep_mask(self.mask_shape(x), self.rate, x)


class Dropout(MaskedDropout):
    """Each number is dropped by itself (Srivastava et al. 2014).

    On a CPU in compiled code, which makes no mask: a fifth of the time.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape → the same shape."""
        active = self.training and self.rate > 0
        if active and x.is_cpu and x.dtype == torch.float32 and engines.compiled_serves():
            dropped: Tensor = load("birnn.native.dropout:dropout")(x, grains(self.rate))
            return dropped
        return super().forward(x)

    @staticmethod
    def mask_shape(x: Tensor) -> tuple[int, ...]:
        """That of ``x``."""
        return tuple(x.shape)


class LockedDropout(MaskedDropout):
    """One mask for all steps of a sequence (Gal & Ghahramani 2016, variational dropout)."""

    @staticmethod
    def mask_shape(x: Tensor) -> tuple[int, ...]:
        """``[B, T, F] → [B, 1, F]``."""
        return x.shape[0], 1, x.shape[2]


def dropped_places(types: Tensor, rate: float | Tensor) -> Tensor:
    """Which places of ``types``, of any shape, are dropped: each with probability ``rate``.

    One for all, or one for each.
    """
    return torch.rand(types.shape, device=types.device) < rate
