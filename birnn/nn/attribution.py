"""How much each part of an input moved a score: integrated gradients, checked for completeness.

The attribution of a number ``x_i`` is ``(x_i − b_i) · ∫₀¹ ∂f(b + α (x − b)) / ∂x_i dα`` for a
baseline input ``b`` (Sundararajan et al. 2017). Their sum is ``f(x) − f(b)``; what an estimate of
the integral leaves of that is its gap.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from birnn.nn.batch import Batch
from birnn.nn.model import SequenceModel
from birnn.nn.precision import products

Score = Callable[[list[Tensor]], Tensor]  # P points, each input [P, …] → their scores [P]

NODES = 4  # of Gauss–Legendre on each piece of the path: exact to the seventh power
FIRST_PIECES = 4
TOLERANCE = 5e-3  # of how far the score moves: pieces whose gap is more are halved
ROUNDING = 2e-6  # of the largest score: what float32 cannot tell from 0
MOST_POINTS = 512  # at which gradients are asked for
AT_ONCE, NUMBERS = 64, 4_000_000  # points in one call, and numbers of their inputs


class Attributions(NamedTuple):
    """What moved a score from that of the baseline input to that of the input."""

    parts: list[Tensor]  # of each input, in its shape, float64 on the CPU
    value: float  # of the input
    baseline: float  # of the baseline input
    points: int  # at which gradients were taken

    @property
    def gap(self) -> float:
        """What the parts leave of the difference: 0 would be complete."""
        return self.value - self.baseline - sum(float(part.sum()) for part in self.parts)


class _Piece(NamedTuple):
    """A stretch of the path, and what was found on it."""

    start: float
    end: float
    parts: list[Tensor]
    gap: float


def integrated_gradients(
    score: Score, inputs: Sequence[Tensor], baselines: Sequence[Tensor], *,
    tolerance: float = TOLERANCE, most: int = MOST_POINTS,
) -> Attributions:  # fmt: skip
    """Attribute a score to all numbers of its inputs, which move together from their baselines.

    The straight path is cut into pieces, each integrated by Gauss–Legendre. Completeness holds for
    each piece on its own: one whose attributions miss the change of the score along it is halved,
    until all gaps together are at most ``tolerance`` of how far the score moves, or gradients have
    been taken at ``most`` points.

    The model behind ``score`` must be in evaluation mode, and rows must not depend on each other.

    >>> weights = torch.tensor([2.0, -1.0])
    >>> x = torch.tensor([3.0, 1.0])
    >>> found = integrated_gradients(lambda at: at[0] @ weights, [x], [torch.zeros(2)])
    >>> [round(part, 4) for part in found.parts[0].tolist()]
    [6.0, -1.0]

    Args:
        score: ``[P, …]`` for each input → ``[P]``, differentiable.
        inputs: floats of any shape, without a batch; at least one.
        baselines: of the same shapes.
    """
    path = _Path(score, [x.detach() for x in inputs], [b.detach() for b in baselines])
    edges = torch.linspace(0, 1, FIRST_PIECES + 1).tolist()
    heights = dict(zip(edges, path.scores(edges), strict=True))
    todo, pieces = list(pairwise(edges)), list[_Piece]()
    while todo:
        pieces += path.pieces(todo, heights)
        span = max(abs(height - heights[0.0]) for height in heights.values())
        allowed = tolerance * span + ROUNDING * max(map(abs, heights.values()))
        if sum(abs(piece.gap) for piece in pieces) <= allowed:
            break
        room = (most - path.points) // (2 * NODES)
        poor = sorted((p for p in pieces if abs(p.gap) > allowed * (p.end - p.start)),
                      key=lambda piece: -abs(piece.gap))[:max(room, 0)]  # fmt: skip
        pieces = [piece for piece in pieces if all(piece is not other for other in poor)]
        halves = [(p.start + p.end) / 2 for p in poor]
        heights.update(zip(halves, path.scores(halves), strict=True))
        todo = [pair for p, half in zip(poor, halves, strict=True)
                for pair in ((p.start, half), (half, p.end))]  # fmt: skip
    parts = [torch.stack(one).sum(0) for one in zip(*(p.parts for p in pieces), strict=True)]
    return Attributions(parts, heights[1.0], heights[0.0], path.points)


def embedded(models: Sequence[SequenceModel], batch: Batch) -> tuple[list[Tensor], list[Tensor]]:
    """What each model reads of a batch of one item, and of one of which nothing is known.

    Both ``[T, F]`` for each model, without a graph: inputs and baselines of
    :func:`integrated_gradients`.
    """
    with torch.no_grad(), products():
        steps = [model.embedder(batch)[0] for model in models]
        blank = [
            model.embedder.unknown().expand_as(x) for model, x in zip(models, steps, strict=True)
        ]
    return steps, blank


class _Path:
    """The straight line from the baselines (0) to the inputs (1), and the score along it."""

    def __init__(self, score: Score, inputs: list[Tensor], baselines: list[Tensor]) -> None:
        self.score, self.baselines, self.points = score, baselines, 0
        self.steps = [x - b for x, b in zip(inputs, baselines, strict=True)]
        numbers = sum(step.numel() for step in self.steps)
        self.together = max(1, min(AT_ONCE, NUMBERS // max(numbers, 1)))

    def _chunks(self, places: Sequence[float]) -> Iterator[Sequence[float]]:
        for start in range(0, len(places), self.together):
            yield places[start : start + self.together]

    def _at(self, places: Sequence[float]) -> list[Tensor]:
        """Each input at some places of the path, ``[P, …]``."""
        found = []
        for base, step in zip(self.baselines, self.steps, strict=True):
            far = torch.tensor(places, dtype=step.dtype, device=step.device)
            found.append(base + far.view(-1, *[1] * step.dim()) * step)
        return found

    def scores(self, places: Sequence[float]) -> list[float]:
        """The score at each place."""
        found: list[float] = []
        for part in self._chunks(places):
            with torch.no_grad(), products():
                found += self.score(self._at(part)).double().tolist()
        return found

    def _gradients(self, places: Sequence[float]) -> list[Tensor]:
        """The gradient by each input at each place, float64 ``[P, …]``."""
        rows: list[list[Tensor]] = [[] for _ in self.steps]
        for part in self._chunks(places):
            with torch.enable_grad(), products():
                at = [x.requires_grad_() for x in self._at(part)]
                total = self.score(at).sum()
                found = torch.autograd.grad(total, at, materialize_grads=True)
            for row, gradient in zip(rows, found, strict=True):
                row.append(gradient.detach().double().cpu())
        self.points += len(places)
        return [torch.cat(row) for row in rows]

    def pieces(
        self, todo: Sequence[tuple[float, float]], heights: dict[float, float]
    ) -> Iterator[_Piece]:
        """Integrate some stretches; ``heights`` knows the score at their ends."""
        nodes, weights = _gauss_legendre()
        places = [a + (b - a) * node for a, b in todo for node in nodes]
        gradients = self._gradients(places) if places else []
        for number, (start, end) in enumerate(todo):
            own, parts = slice(number * NODES, (number + 1) * NODES), []
            for gradient, step in zip(gradients, self.steps, strict=True):
                mean = torch.tensordot(weights, gradient[own], dims=1)
                parts.append(mean * step.double().cpu() * (end - start))
            moved = heights[end] - heights[start]
            yield _Piece(start, end, parts, moved - sum(float(part.sum()) for part in parts))


def _gauss_legendre() -> tuple[list[float], Tensor]:
    """Nodes and weights on ``0 … 1``."""
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return ((nodes + 1) / 2).tolist(), torch.from_numpy(weights / 2)
