"""From the states of a sequence to one vector; padding never counts."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from birnn.errors import ConfigError
from birnn.nn import engines
from birnn.nn.batch import sequence_mask
from birnn.nn.encoders import Encoded
from birnn.nn.precision import full
from birnn.registry import load, suggestion

POOLINGS = ("last", "mean", "max", "attention")


class Pooled(NamedTuple):
    """A vector for each item, and what attention looked at."""

    vector: Tensor  # [B, P]
    weights: Tensor | None  # [B, T], summing to 1 over real positions; None without attention


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Mean over real positions: ``states [B, T, D]``, ``mask [B, T]`` → ``[B, D]``."""
    counts = mask.sum(1, keepdim=True)  # whole numbers: half precision would round beyond 256
    return states.masked_fill(~mask.unsqueeze(-1), 0.0).sum(1) / counts


def max_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Maximum over real positions: ``states [B, T, D]``, ``mask [B, T]`` → ``[B, D]``."""
    return states.masked_fill(~mask.unsqueeze(-1), -torch.inf).amax(1)


class AdditiveAttention(nn.Module):
    """``softmax_t(v · tanh(W s_t + b))`` (Bahdanau et al. 2015, without a query)."""

    def __init__(self, size: int, hidden_size: int = 64) -> None:
        super().__init__()
        self.project = nn.Linear(size, hidden_size)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """``states [B, T, D]``, ``mask [B, T]`` → the weights of a sum over steps, ``[B, T]``."""
        scores = full(self.score(torch.tanh(self.project(states))).squeeze(-1))
        weights: Tensor = scores.masked_fill(~mask, -torch.inf).softmax(-1)
        return weights


def parse_pooling(text: str) -> tuple[str, ...]:
    """Read ``"max+mean"`` as ``("max", "mean")``.

    Raises:
        ConfigError: an unknown or repeated part.
    """
    parts = tuple(part.strip() for part in text.split("+"))
    for part in parts:
        if part not in POOLINGS:
            names = f"{', '.join(POOLINGS)}{suggestion(part, POOLINGS)}"
            raise ConfigError(f"pooling: {part!r} is not one of {names}; join several with '+'")
    if len(set(parts)) < len(parts):
        raise ConfigError(f"pooling: {text!r} names a part twice")
    return parts


class Pooling(nn.Module):
    """A concatenation of pooled views of the states, in the order named.

    ``size`` is ``D``; the ``parts`` are names from ``POOLINGS``; ``P = D · len(parts)``.
    """

    def __init__(self, size: int, parts: tuple[str, ...]) -> None:
        super().__init__()
        self.parts = parts
        self.output_size = size * len(parts)
        self.attention = AdditiveAttention(size) if "attention" in parts else None

    def forward(self, encoded: Encoded, lengths: Tensor) -> Pooled:
        """Pool ``encoded.states [B, T, D]`` to ``[B, P]``."""
        states, weights = encoded.states, None
        mask = sequence_mask(lengths, states.shape[1])
        if self.attention is not None:
            weights = self.attention(states, mask)
        views = {"last": encoded.summary, **self._views(states, lengths, mask, weights)}
        return Pooled(torch.cat([views[part] for part in self.parts], dim=-1), weights)

    def _views(
        self, states: Tensor, lengths: Tensor, mask: Tensor, weights: Tensor | None
    ) -> dict[str, Tensor]:
        """``[B, D]`` each: what :attr:`parts` names beside the summary, in one pass where C can."""
        mean, maximum = "mean" in self.parts, "max" in self.parts
        if not mean and not maximum and weights is None:
            return {}
        kinds = {part.dtype for part in (states, weights) if part is not None}
        if states.is_cpu and kinds == {torch.float32} and engines.compiled_serves():
            pooled = load("birnn.native.pooling:pooled")
            found = pooled(states, lengths, weights, mean=mean, maximum=maximum)
            names = ("mean", "max", "attention")
            return {n: view for n, view in zip(names, found, strict=True) if view is not None}
        views = {"mean": mean_pool(states, mask)} if mean else {}
        if maximum:
            views["max"] = max_pool(states, mask)
        if weights is not None:
            views["attention"] = (weights.unsqueeze(1) @ states).squeeze(1)
        return views
