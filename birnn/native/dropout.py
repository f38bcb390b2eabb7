"""Dropout in C: no mask is made, and none is kept for the way back."""

from typing import Any

import torch
from torch import Tensor

from birnn.native import library as native


def dropout(x: Tensor, dropped: int) -> Tensor:
    """Drop each number of ``x`` in ``dropped`` of 65,536 cases, and scale what is left.

    Float32 on the CPU, of any shape. The seed is drawn from torch's own generator.
    """
    seed = torch.empty((), dtype=torch.int64).random_(-(2**63), None)
    result: Tensor = _Dropout.apply(x, dropped, int(seed))
    return result


class _Dropout(torch.autograd.Function):
    """The way back drops the same places."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropped: int, seed: int) -> Tensor:
        ctx.how = dropped, seed
        x, out = x.contiguous(), torch.empty(x.shape)
        native.library().dropout(x, out, dropped, seed)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        dropped, seed = ctx.how
        return _Dropout.apply(gradient, dropped, seed), None, None
