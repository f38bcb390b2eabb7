"""Attention of a decoder to the states of a source."""

import torch
from torch import Tensor, nn

KINDS = ("multiplicative", "additive")
NEAR = 10.0  # what one whole length away from the diagonal costs a score, at first


class Attention(nn.Module):
    """Where to look: scores of source steps, their softmax, and the mean of the states by it.

    ``multiplicative`` scores are ``qᵀ W m / √A`` (Luong et al. 2015), ``additive`` ones
    ``vᵀ tanh(W m + U q)`` (Bahdanau et al. 2015). With ``coverage``, what was looked at before
    counts, by a learned weight (Tu et al. 2016). With ``diagonal``, a source step costs what it is
    away from the place that the target has come to, as a share of the source's length: the prior of
    aligners (Dyer et al. 2013) as a term of attention (Cohn et al. 2016). What it costs, and how
    many source steps a target step goes on, are learned; without it, long texts that are not
    word for word find their alignment late or never.

    Args:
        query: size ``Q`` of what asks.
        states: size ``D`` of a source step.
        size: ``A``, in which both are compared.
        kind: one of :data:`KINDS`.
        coverage: whether to remember what was looked at.
        diagonal: whether places count.
    """

    def __init__(
        self, query: int, states: int, size: int, kind: str, *, coverage: bool, diagonal: bool
    ) -> None:
        super().__init__()
        self.additive = kind == "additive"
        self.key = nn.Linear(states, size, bias=False)
        self.query = nn.Linear(query, size, bias=self.additive)
        self.scale = size**-0.5
        self.score = nn.Linear(size, 1, bias=False) if self.additive else None
        self.coverage = nn.Parameter(torch.zeros(())) if coverage else None
        # Parts of NEAR, and source steps a target step; both near 1, as one rate trains them.
        self.diagonal = nn.Parameter(torch.ones(2)) if diagonal else None

    def forward(
        self, query: Tensor, keys: Tensor, mask: Tensor, steps: Tensor, before: Tensor | None = None
    ) -> Tensor:
        """The weights ``[B, U, T]`` of source steps; each row adds up to 1, over real ones alone.

        Args:
            query: ``[B, U, Q]``.
            keys: ``[B, T, A]``, :attr:`key` of the states: the same for every step.
            mask: ``[B, T]``, True where a step is real.
            steps: ``[U]`` or ``[B, U]``, numbers of the target's steps.
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
        if self.diagonal is not None:
            cost, pace = self.diagonal
            scores = scores - NEAR * cost * aside(steps * pace, mask)
        weights: Tensor = scores.masked_fill(~mask.unsqueeze(1), -torch.inf).float().softmax(-1)
        return weights


def aside(places: Tensor, mask: Tensor) -> Tensor:
    """How far each source step is from ``places [U]`` or ``[B, U]``: shares of its length.

    ``mask [B, T]`` says which steps are real. Returns ``[B, U, T]``.

    >>> aside(torch.tensor([0.0, 1.0]), torch.tensor([[True, True, True, True, False]]))[0, 1, :4]
    tensor([0.2500, 0.0000, 0.2500, 0.5000])
    """
    sources = torch.arange(mask.shape[1], device=mask.device)
    return (sources - places.unsqueeze(-1)).abs() / mask.sum(1).view(-1, 1, 1)
