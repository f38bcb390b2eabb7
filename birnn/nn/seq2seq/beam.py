"""Beam search: the likeliest targets of each source, whatever else is in the batch.

All that decides about a source is its own: its scores, its limit of steps, and when it is done.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from birnn.nn.seq2seq.decoder import Memory
from birnn.nn.seq2seq.translator import Translator

LEAST, TIMES = 10, 2  # steps that a target may have: so many, and so many times the source's


@dataclass(frozen=True)
class Search:
    """How targets are searched for."""

    beam: int = 1  # K; 1 takes the likeliest word at each step
    length_penalty: float = 0.0  # α: log-probabilities are divided by ((5 + n) / 6)^α
    coverage_penalty: float = 0.0  # β: for source steps that nobody has looked at
    end: int = 1  # the number of the target's end


@dataclass(frozen=True)
class Hypothesis:
    """A target, its score, and where was looked at each of its words."""

    numbers: list[int]  # without the end
    score: float
    weights: Tensor  # [n + 1, T], the end's too


@dataclass
class _Pool:
    """The best finished targets of each source: score, last step and beam, ``[B, K]``."""

    scores: Tensor
    steps: Tensor
    beams: Tensor

    @classmethod
    def empty(cls, size: int, beam: int, device: torch.device) -> "_Pool":
        """With nothing in it."""
        scores = torch.full((size, beam), -torch.inf, device=device)
        nowhere = torch.zeros(size, beam, dtype=torch.int64, device=device)
        return cls(scores, nowhere, nowhere.clone())

    def add(self, rows: Tensor, scores: Tensor, step: int) -> None:
        """Targets of the sources ``rows`` that end at ``step`` on the beams ``0 … K − 1``."""
        count = scores.shape[1]
        beams = torch.arange(count, device=scores.device).expand_as(scores)
        every = torch.cat([self.scores[rows], scores], 1)
        best, place = every.topk(self.scores.shape[1], 1)
        steps = torch.cat([self.steps[rows], torch.full_like(beams, step)], 1).gather(1, place)
        at = torch.cat([self.beams[rows], beams], 1).gather(1, place)
        self.scores[rows], self.steps[rows], self.beams[rows] = best, steps, at


@torch.no_grad()
def search(
    model: Translator, memory: Memory, lengths: Tensor, how: Search
) -> list[list[Hypothesis]]:
    """The best ``how.beam`` targets of each source, the best first.

    A source is done when as many targets as there are beams have ended; a target that reaches its
    limit of steps is ended there. Scores are those of Wu et al. (2016).

    Args:
        model: in evaluation mode.
        memory: of ``B`` sources.
        lengths: ``[B]`` of the sources.
        how: the search.
    """
    device, size, beam = memory.states.device, len(memory.states), how.beam
    limits, ended = TIMES * lengths + LEAST, torch.zeros_like(lengths)
    pool = _Pool.empty(size, beam, device)
    rows = torch.arange(size, device=device)
    scores = torch.full((size, beam), -torch.inf, device=device)
    scores[:, 0] = 0.0
    state, words = model.decoder.begin(memory, beam), memory.start.unsqueeze(1).expand(-1, beam, -1)
    history: list[tuple[Tensor, ...]] = []
    while len(rows):
        step = len(history) + 1
        made, state, weights = model.decoder.step(words, state, memory)
        chances = scores.unsqueeze(-1) + model.logits(made).float().log_softmax(-1)
        ends = chances[..., how.end].clone()
        chances[..., how.end] = -torch.inf
        best, place = chances.flatten(1).topk(beam, 1)
        last = step >= limits[rows]
        # A target ends where its end is as good as what goes on.
        ending = (ends >= best[:, -1:]) | last.unsqueeze(1)
        now = torch.where(ending, _score(ends, step, state.seen, memory.mask, how), -torch.inf)
        pool.add(rows, now, step)
        ended[rows] += now.isfinite().sum(1)
        parents, numbers = place // chances.shape[-1], place % chances.shape[-1]
        history.append(tuple(_whole(part, rows, size) for part in (parents, numbers, weights)))
        left = (~last & (ended[rows] < beam)).nonzero().squeeze(1)
        state, scores, numbers = state.select(left, parents[left]), best[left], numbers[left]
        if len(left) < len(rows):
            rows, memory = rows[left], memory.select(left)
        words = model.words(model.target, numbers)
    return _traced(pool, history, ended)


def _score(ends: Tensor, step: int, seen: Tensor, mask: Tensor, how: Search) -> Tensor:
    """``[B, K]`` the scores of targets of ``step`` words, from their log-probabilities."""
    score = ends / penalty(step, how.length_penalty)
    return score + how.coverage_penalty * covered(seen, mask) if how.coverage_penalty else score


def penalty(length: int, alpha: float) -> float:
    """By how much the log-probability of so many words is divided."""
    return float(((5 + length) / 6) ** alpha)


def covered(seen: Tensor, mask: Tensor) -> Tensor:
    """``[B, K]``: the summed logarithms of what each source step was looked at, 1 at most."""
    logs = seen.clamp(1e-6, 1.0).log().masked_fill(~mask.unsqueeze(1), 0.0)
    return logs.sum(-1)


def _whole(part: Tensor, rows: Tensor, size: int) -> Tensor:
    """Rows of some sources among all ``size`` of them, on the CPU."""
    full = part.new_zeros(size, *part.shape[1:])
    full[rows] = part
    return full.cpu()


def _traced(
    pool: _Pool, history: list[tuple[Tensor, ...]], ended: Tensor
) -> list[list[Hypothesis]]:
    """Every finished target, read back from its end."""
    parents, numbers = (torch.stack([part[i] for part in history]) for i in (0, 1))
    found: list[list[Hypothesis]] = []
    for row, count in enumerate(ended.tolist()):
        own = []
        for rank in range(min(count, pool.scores.shape[1])):
            step, beam = int(pool.steps[row, rank]) - 1, int(pool.beams[row, rank])
            words, looked = list[int](), [history[step][2][row, beam]]
            for at in range(step - 1, -1, -1):
                words.append(int(numbers[at, row, beam]))
                beam = int(parents[at, row, beam])
                looked.append(history[at][2][row, beam])
            own.append(Hypothesis(words[::-1], float(pool.scores[row, rank]),
                                  torch.stack(looked[::-1])))  # fmt: skip
        found.append(own)
    return found
