"""Attention of a decoder to the states of a source."""

import torch
from torch import Tensor, nn

KINDS = ("multiplicative", "additive")


class Attention(nn.Module):
    """Where to look: scores of source steps, their softmax, and the mean of the states by it.

    ``multiplicative`` scores are ``qᵀ W m / √A`` (Luong et al. 2015), ``additive`` ones
    ``vᵀ tanh(W m + U q)`` (Bahdanau et al. 2015). With ``coverage``, what was looked at before
    counts, by a learned weight (Tu et al. 2016).

    Args:
        query: size ``Q`` of what asks.
        states: size ``D`` of a source step.
        size: ``A``, in which both are compared.
        kind: one of :data:`KINDS`.
        coverage: whether to remember what was looked at.
    """

    def __init__(self, query: int, states: int, size: int, kind: str, *, coverage: bool) -> None:
        super().__init__()
        self.additive = kind == "additive"
        self.key = nn.Linear(states, size, bias=False)
        self.query = nn.Linear(query, size, bias=self.additive)
        self.scale = size**-0.5
        self.score = nn.Linear(size, 1, bias=False) if self.additive else None
        self.coverage = nn.Parameter(torch.zeros(())) if coverage else None

    def forward(
        self, query: Tensor, keys: Tensor, mask: Tensor, before: Tensor | None = None
    ) -> Tensor:
        """The weights ``[B, U, T]`` of source steps; each row adds up to 1, over real ones alone.

        Args:
            query: ``[B, U, Q]``.
            keys: ``[B, T, A]``, :attr:`key` of the states: the same for every step.
            mask: ``[B, T]``, True where a step is real.
            before: ``[B, U, T]``, what was looked at already.
        """
        asked = self.query(query)
        if self.score is not None:
            both = torch.tanh(asked.unsqueeze(2) + keys.unsqueeze(1))
            scores = self.score(both).squeeze(-1)
        else:
            scores = torch.bmm(asked * self.scale, keys.transpose(1, 2))
        if self.coverage is not None and before is not None:
            scores = scores + self.coverage * before
        weights: Tensor = scores.masked_fill(~mask.unsqueeze(1), -torch.inf).float().softmax(-1)
        return weights
