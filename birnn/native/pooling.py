"""Views of a sequence's states as one vector, in C, as a function that autograd can differentiate.

Letters as in ``pool.h``: ``B`` sequences, ``T`` steps, ``D`` features of a state.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from birnn.native import library as native


class Views(NamedTuple):
    """What is asked for, ``[B, D]`` each; None where it is not."""

    mean: Tensor | None
    max: Tensor | None
    sum: Tensor | None


def pooled(
    states: Tensor, lengths: Tensor, weights: Tensor | None, *, mean: bool, maximum: bool
) -> Views:
    """The mean and the maximum over real steps, and the sum of all steps times ``weights``.

    Float32 on the CPU: ``states [B, T, D]``, whose padding is never read, ``lengths [B]``,
    ``weights [B, T]`` or None. Gradients flow once, to states and weights; that of a maximum goes
    to its first step.
    """
    return Views(*_Pooled.apply(states, lengths, weights, mean, maximum))


class _Pooled(torch.autograd.Function):
    """One pass over the states, and one back."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, lengths: Tensor, weights: Tensor | None, mean: bool, maximum: bool
    ) -> tuple[Tensor | None, ...]:
        states, lengths = states.contiguous(), lengths.contiguous()
        weights = None if weights is None else weights.contiguous()
        batch, _, size = states.shape
        asked = (mean, maximum, weights is not None)
        views = [torch.empty(batch, size) if view else None for view in asked]
        place = torch.empty(batch, size, dtype=torch.int32) if maximum else None
        pool = _pool(states, lengths, weights=weights, place=place)
        _point(pool, dict(zip(("mean", "max", "sum"), views, strict=True)))
        native.library().pool(pool)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(states, lengths, weights, place)
        return tuple(views)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: Tensor | None) -> tuple[Tensor | None, ...]:
        states, lengths, weights, place = ctx.saved_tensors
        parts = [None if part is None else part.contiguous() for part in given]
        of_states = torch.empty_like(states)
        of_weights = None if weights is None or parts[2] is None else torch.empty_like(weights)
        pool = _pool(states, lengths, weights=weights, place=place, state_gradient=of_states)
        names = ("mean_gradient", "max_gradient", "sum_gradient")
        _point(pool, {**dict(zip(names, parts, strict=True)), "weight_gradient": of_weights})
        native.library().pool(pool, back=True)
        return of_states, None, of_weights, None, None


def _pool(states: Tensor, lengths: Tensor, **parts: Tensor | None) -> native.Pool:
    pool = native.Pool(*states.shape, lengths.data_ptr(), states.data_ptr())
    _point(pool, parts)
    return pool


def _point(pool: native.Pool, parts: dict[str, Tensor | None]) -> None:
    """Say where the parts lie; None is left as it is, NULL."""
    for name, part in parts.items():
        if part is not None:
            setattr(pool, name, part.data_ptr())
