"""What a batch that several processes share needs of all of them: batch norm's sums, carried rows.

Statistics are over all positions of all processes; torch's own ``SyncBatchNorm`` works on GPUs
alone, and counts padding.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn import processes
from birnn.nn.batch import Batch

_counts: bool | None = None  # of the batch that training reads; None: none is read


@contextmanager
def counting(batch: Batch) -> Iterator[None]:
    """Within, training reads ``batch``, its share of which every process has."""
    global _counts
    _counts = batch.counts
    try:
        yield
    finally:
        _counts = None


def is_shared() -> bool:
    """Whether statistics are those of several processes."""
    return _counts is not None and processes.count() > 1


class _Sum(torch.autograd.Function):
    """The sum over all processes, whose gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        return _summed(part)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _summed(part: Tensor) -> Tensor:
    import torch.distributed as dist

    whole = part.detach().clone()
    with processes.together():
        dist.all_reduce(whole)
    return whole


def joined(own: Tensor, places: Tensor, whole: Tensor) -> Tensor:
    """``whole`` with what all processes have made of their rows, along its last axis but one.

    Args:
        own: this process's, ``[…, B, F]``.
        places: ``[B]`` the rows of ``whole`` that these are.
    """
    if not is_shared():
        return whole.index_copy(-2, places, own)
    made = torch.zeros_like(whole)
    return _summed(made.index_copy(-2, places, own) if _counts else made)


def shared_batch_norm(norm: nn.BatchNorm1d | nn.BatchNorm2d, real: Tensor) -> Tensor:
    """The positions ``real [P, F]`` of this process, normed with those of all; in float32.

    Running statistics are moved on alike everywhere. One position in all has no variance: it meets
    the running statistics.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    real = real.float()
    counted = real if _counts else real[:0]
    size = counted.new_full((1,), len(counted))
    *sums, number = _Sum.apply(torch.cat([counted.sum(0), size])).split([real.shape[1], 1])
    mean = sums[0] / number
    squares = _Sum.apply((counted - mean).square().sum(0))
    if number.item() <= 1:
        own = norm.running_mean, norm.running_var, norm.weight, norm.bias
        return F.batch_norm(real, *own, eps=norm.eps) + cast(Tensor, 0.0 * squares)
    with torch.no_grad():
        assert norm.momentum is not None
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(squares / (number - 1), norm.momentum)
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
    normed: Tensor = (real - mean) * (squares / number + norm.eps).rsqrt() * norm.weight + norm.bias
    return normed
