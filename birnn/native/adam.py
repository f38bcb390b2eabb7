"""AdamW and a moving average in C, over all weights of a model in one call."""

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from birnn.native import library as native

CHUNK = 8192  # weights that a thread takes at once, as in adam.h
_POINTERS = ("weight", "average", "first", "second", "gradient")
_PART = np.dtype(
    [(name, np.uint64) for name in _POINTERS]
    + [(name, np.int64) for name in ("count", "chunk")]
    + [(name, np.float64) for name in ("shrink", "rate", "root")]
)


class Weights(NamedTuple):
    """A parameter and what belongs to it, float32 and contiguous on the CPU, of one size each."""

    weight: Tensor
    average: Tensor | None
    first: Tensor  # AdamW's m
    second: Tensor  # its v
    gradient: Tensor | None  # None: only the average moves
    shrink: float  # 1 − η λ
    rate: float  # η / (1 − β1^t)
    root: float  # √(1 − β2^t)


class Constants(NamedTuple):
    """What is the same for all weights."""

    beta: float
    gamma: float
    eps: float
    scale: float = 1.0  # of gradients as they are given
    decay: float = 0.0  # of the average


def update(weights: Sequence[Weights], constants: Constants) -> None:
    """One step of AdamW, and of the average where there is one."""
    parts, chunks = np.zeros(len(weights), dtype=_PART), 0
    for i, part in enumerate(weights):
        addresses = [0 if tensor is None else tensor.data_ptr() for tensor in part[:5]]
        count = part.weight.numel()
        parts[i] = (*addresses, count, chunks, part.shrink, part.rate, part.root)
        chunks += -(-count // CHUNK)
    job = native.Adam(len(parts), chunks, ctypes.c_void_p(parts.ctypes.data), *constants)
    native.library().adam(job)
