"""Connectionist temporal classification (Graves et al. 2006): loss, and greedy decoding.

``B`` items, ``T`` steps, ``K`` symbols, of which number 0 is the blank.
"""

from typing import NamedTuple

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from birnn.arrays import Array

BLANK = 0


class Outputs(NamedTuple):
    """What a model says of each step."""

    scores: Tensor  # [B, T, K] logarithms of shares
    lengths: Tensor  # [B]


class Symbol(NamedTuple):
    """A symbol that was read, and where; a row of what :func:`greedy` gives."""

    symbol: int
    start: int  # the first step that says so
    end: int  # the step after the last
    confidence: float


def ctc_losses(outputs: Outputs, targets: Tensor, target_lengths: Tensor) -> Tensor:
    """``[B]`` negative log-likelihoods of the ``targets [B, L]``.

    An item too short for its target has no path: it counts 0, and gives no gradient.
    """
    scores = outputs.scores.float().transpose(0, 1)
    return F.ctc_loss(
        scores, targets, outputs.lengths, target_lengths, BLANK, "none", zero_infinity=True
    )  # fmt: skip


def steps_needed(targets: Array) -> int:
    """Steps that ``targets [L]`` take at least: equal neighbours need a blank between them.

    >>> steps_needed(np.array([3, 3, 1]))
    4
    """
    return len(targets) + int((targets[1:] == targets[:-1]).sum())


def greedy(scores: Array) -> Array:
    """The best symbol of each step, repeats joined and blanks left out, ``[T, K] → [L, 4]``.

    A row is a :class:`Symbol`; its confidence is the largest share that one of its steps gives it.
    """
    best = scores.argmax(1)
    borders = np.flatnonzero(np.diff(best)) + 1
    starts, ends = np.r_[0, borders], np.r_[borders, len(best)]
    said = best[starts] != BLANK
    starts, ends = starts[said], ends[said]
    shares = np.exp(scores.max(1))
    sure = [float(shares[a:b].max()) for a, b in zip(starts, ends, strict=True)]
    rows = np.stack([best[starts], starts, ends, np.array(sure)], axis=1)
    return np.asarray(rows, dtype=np.float32)
