"""Linear-chain conditional random fields (Lafferty et al. 2001): loss, posteriors, confidences.

Every function takes the emissions ``[B, T, K]`` of a chain, true lengths ``[B]``, each in ``1..T``,
and the chain's potentials; ``tags [B, T]`` are int64 and may be anything in the padding.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from birnn.nn import chain, engines
from birnn.nn.batch import check_lengths, sequence_mask
from birnn.nn.cached import Cached
from birnn.nn.chain import Allowed, Marginals, Messages, Observed, Potentials, widen
from birnn.registry import load

UNLIKELY = 1e4  # what a forbidden tag loses: its sequences count for nothing, and none is illegal
MANY = 256  # tags, from which on the moves of a batch are added up before they are looked at


class PathConfidence(NamedTuple):
    """Posteriors of one path; 1 in the padding, so that products may run over it.

    The posterior of the span ``s..e`` is ``marginal[s] · Π conditional[s+1..e]``, and that of the
    whole path ``Π conditional``.
    """

    marginal: Tensor  # [B, T], p(y_t)
    conditional: Tensor  # [B, T], p(y_t | y_{t-1}); p(y_0) at the first step


def sequence_score(
    emissions: Tensor, tags: Tensor, lengths: Tensor, potentials: Potentials
) -> Tensor:
    """The scores ``[B]`` of given ``tags [B, T]``, −inf for an illegal sequence; differentiable."""
    emissions, potentials = widen(emissions, potentials)
    mask = sequence_mask(lengths, tags.shape[1])
    tags = tags.masked_fill(~mask, 0)
    moves = potentials.start[tags[:, :1]], potentials.transitions[tags[:, :-1], tags[:, 1:]]
    steps = emissions.gather(2, tags.unsqueeze(-1)).squeeze(-1) + torch.cat(moves, 1)
    last = tags.gather(1, lengths.unsqueeze(1) - 1).squeeze(1)
    return steps.masked_fill(~mask, 0.0).sum(1) + potentials.end[last]


def log_partition(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Tensor:
    """Log of the summed ``exp(score)`` of all sequences, ``[B]``; differentiable once.

    Its gradients are the marginals, so no graph is built: see :func:`marginals`.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    emissions, potentials = widen(emissions, potentials)
    value: Tensor = _LogPartition.apply(emissions, None, lengths, *potentials)
    return value


def negative_log_likelihood(
    emissions: Tensor, tags: Tensor, lengths: Tensor, potentials: Potentials
) -> Tensor:
    """The training loss, ``−log p(tags)`` of each item, ``[B]``; differentiable once.

    Raises:
        ValueError: a gold sequence is illegal: the caller mends or drops such data, as a loss
            of infinity would end the training. The message names the item and the step.
    """
    emissions, potentials = widen(emissions, potentials)
    loss: Tensor = _LogPartition.apply(emissions, tags, lengths, *potentials)
    return loss


def log_odds(
    emissions: Tensor, lengths: Tensor, potentials: Potentials, start: int, tags: Tensor
) -> Tensor:
    """How likely tags in a row are, as the logarithm of their odds, ``[B]``; differentiable once.

    From step ``start`` on, ``n`` steps have one of the tags that are True in ``tags [n, K]``. Both
    sides of the odds are sums over sequences, so that nothing cancels where either is near 0: the
    other side is the first step that has none of its tags, or the second where the first has, …
    """
    parts, inside = [], slice(start, start + len(tags))
    for other in range(-1, len(tags)):  # -1: all steps have one of their tags
        wanted = tags.clone()
        if other >= 0:
            wanted[other], wanted[other + 1 :] = ~tags[other], True
        less = torch.zeros_like(emissions[0])
        less[inside] = torch.where(wanted, 0.0, -UNLIKELY)
        parts.append(log_partition(emissions + less, lengths, potentials))
    return parts[0] - torch.stack(parts[1:]).logsumexp(0)


@torch.no_grad()
def marginals(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Marginals:
    """Posterior of each tag at each step, by forward-backward (Rabiner 1989).

    A message is normalised at each step, and a posterior at its position: rounding does not grow
    with the length.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    emissions, potentials = widen(emissions, potentials)
    centred, peaks, mask = chain.centre(emissions, lengths)
    posterior = chain.posteriors(chain.messages_of(centred, mask, potentials), mask)
    return posterior._replace(log_partition=posterior.log_partition + peaks)


@torch.no_grad()
def path_confidence(
    emissions: Tensor, tags: Tensor, lengths: Tensor, potentials: Potentials
) -> PathConfidence:
    """How sure the chain is of each step of the paths ``tags [B, T]``; 0 where one is illegal."""
    emissions, potentials = widen(emissions, potentials)
    centred, _, mask = chain.centre(emissions, lengths)
    messages = chain.messages_of(centred, mask, potentials)
    tags = tags.masked_fill(~mask, 0)

    def chosen(x: Tensor) -> Tensor:
        return x.gather(2, tags.unsqueeze(-1)).squeeze(-1)

    marginal = chosen(chain.unary_of(messages, mask))
    move = messages.moves[tags[:, :-1], tags[:, 1:]]
    right, beyond = chosen(messages.right)[:, 1:], chosen(messages.beyond)[:, :-1]
    # p(y_t | y_{t-1}) = move · right_t[y_t] / beyond_{t-1}[y_{t-1}]: no left needed.
    if messages.logs:
        conditional = (move + right - chain.finite(beyond)).exp()
    else:
        conditional = move * right / beyond.clamp_min(torch.finfo(beyond.dtype).tiny)
    conditional = torch.cat([marginal[:, :1], conditional.clamp_max(1.0)], dim=1)
    return PathConfidence(marginal.masked_fill(~mask, 1.0), conditional.masked_fill(~mask, 1.0))


class CRF(nn.Module):
    """Learned potentials of a chain of ``K = tags`` tags, of which some moves may be forbidden."""

    transitions: nn.Parameter
    start: nn.Parameter
    end: nn.Parameter
    allowed_transitions: Tensor
    allowed_start: Tensor
    allowed_end: Tensor

    def __init__(self, tags: int, allowed: Allowed | None = None) -> None:
        super().__init__()
        for name, free in chain.neutral(tags)._asdict().items():
            self.register_parameter(name, nn.Parameter(free.uniform_(-0.1, 0.1)))
            whole = allowed is None
            legal = torch.ones(free.shape, dtype=torch.bool) if whole else getattr(allowed, name)
            self.register_buffer(f"allowed_{name}", legal, persistent=False)
        self._potentials: Cached[Potentials] = Cached()

    def potentials(self) -> Potentials:
        """The potentials as they stand, forbidden moves −inf."""
        learned = Potentials(self.transitions, self.start, self.end)
        allowed = Allowed(self.allowed_transitions, self.allowed_start, self.allowed_end)
        parts = [*learned, *allowed]
        return self._potentials.get(parts, lambda: chain.constrain(learned, allowed))

    def forward(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """The loss of each item, ``[B]``: see :func:`negative_log_likelihood`."""
        return negative_log_likelihood(emissions, tags, lengths, self.potentials())


class _LogPartition(torch.autograd.Function):
    """Log-partition, less the score of gold tags if given; gradients without a graph.

    They are the posteriors, less what is observed in the gold tags.
    """

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, tags: Tensor | None, lengths: Tensor, *scores: Tensor
    ) -> Tensor:
        potentials = Potentials(*scores)
        ctx.together = False
        found = _compiled(emissions, tags, lengths, potentials)
        if found is not None:
            if tags is not None:
                _require_legal_gold(found.score, tags, lengths, potentials)
            ctx.save_for_backward(found.unary, found.moves, lengths, None, tags)
            return found.value
        # A shift of a step changes no probability: without it two large numbers would cancel.
        centred, peaks, mask = chain.centre(emissions, lengths)
        if tags is not None:
            tags = tags.masked_fill(~mask, 0)
            score = sequence_score(centred, tags, lengths, potentials)
            _require_legal_gold(score, tags, lengths, potentials)
        messages = chain.messages_of(centred, mask, potentials)
        ctx.together = not messages.logs and emissions.shape[2] >= MANY
        if ctx.together:
            unary, moves, value = chain.unary_of(messages, mask), messages.moves, messages[4]
        else:
            unary, moves, value = chain.posteriors(messages, mask)
        if tags is not None:
            observed = -mask.to(unary.dtype)
            unary.scatter_add_(2, tags.unsqueeze(-1), observed.unsqueeze(-1))
            pairs = tags[:, :-1] * unary.shape[2] + tags[:, 1:]
            if not ctx.together:
                moves.view(len(moves), -1).scatter_add_(1, pairs, observed[:, 1:])
        heard = messages[:3] if ctx.together else ()
        ctx.save_for_backward(unary, moves, lengths, mask, tags, *heard)
        return value + peaks if tags is None else value - score

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        unary, moves, lengths, mask, tags, *heard = ctx.saved_tensors
        unary = unary * grad.view(-1, 1, 1)
        last = unary[torch.arange(len(lengths), device=lengths.device), lengths - 1]
        if ctx.together:
            left, right, beyond = heard
            messages = Messages(left, right, beyond, moves, lengths, logs=False)
            moves = chain.summed_moves(messages, mask, grad)
            if tags is not None:
                observed = -(mask[:, 1:] * grad.unsqueeze(1)).flatten()
                pairs = (tags[:, :-1] * moves.shape[1] + tags[:, 1:]).flatten()
                moves.view(-1).index_add_(0, pairs, observed.to(moves.dtype))
        else:
            moves = (moves * grad.view(-1, 1, 1)).sum(0)
        return unary, None, None, moves, unary[:, 0].sum(0), last.sum(0)


def _compiled(
    emissions: Tensor, tags: Tensor | None, lengths: Tensor, potentials: Potentials
) -> Observed | None:
    """Posteriors by compiled code, where it serves; None: elsewhere, or where it gives up."""
    plain = all(p.is_cpu and p.dtype == torch.float32 for p in (emissions, *potentials))
    if not plain or emissions.shape[2] >= MANY or not engines.compiled_serves():
        return None
    check_lengths(emissions, lengths)
    found: Observed | None = load("birnn.native.posteriors:posteriors")(
        emissions, tags, lengths, potentials
    )
    return found


def _require_legal_gold(
    score: Tensor, tags: Tensor, lengths: Tensor, potentials: Potentials
) -> None:
    """Refuse gold sequences whose ``score [B]`` is −inf, saying where one breaks a rule.

    On a GPU, which would have to be waited for, their loss becomes infinite instead.
    """
    if score.device.type != "cpu":
        return
    illegal = score.isneginf().nonzero()
    if not len(illegal):
        return
    item = int(illegal[0])
    path = tags[item, : lengths[item]]
    if bool(potentials.start[path[0]].isneginf()):
        raise ValueError(f"item {item}, step 0: no sequence may start with tag {int(path[0])}")
    broken = potentials.transitions[path[:-1], path[1:]].isneginf().nonzero()
    step = int(broken[0]) + 1 if len(broken) else len(path) - 1
    before, tag = int(path[step - 1]), int(path[step])
    if len(broken):
        raise ValueError(f"item {item}, step {step}: tag {tag} may not follow {before}")
    raise ValueError(f"item {item}, step {step}: no sequence may end with tag {tag}")
