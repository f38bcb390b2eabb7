"""Linear-chain conditional random fields (Lafferty et al. 2001): loss, decoding, confidences.

A chain scores a tag sequence by ``start[y_0] + Σ e_t[y_t] + Σ transitions[y_{t-1}, y_t] +
end[y_last]``. ``K`` is the number of tags; a move that is −inf never comes out of a decoder. With
zero potentials the chain is a softmax at each step, and with :func:`constrain` one that is legal.

Everything runs in float32 at least, whatever autocast says, and nothing in the padding matters.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from birnn.batch import check_lengths, reverse_index, reverse_padded, sequence_mask

WILDEST = 1e30  # a decoder reads emissions beyond as this: sums over any length stay finite


class Potentials(NamedTuple):
    """Scores of the moves of a chain; forbidden ones are −inf."""

    transitions: Tensor  # [K, K], from row to column
    start: Tensor  # [K]
    end: Tensor  # [K]


class Allowed(NamedTuple):
    """Which moves of a chain are legal, as bools."""

    transitions: Tensor  # [K, K], from row to column
    start: Tensor  # [K]
    end: Tensor  # [K]


class Marginals(NamedTuple):
    """Posteriors under a chain."""

    unary: Tensor  # [B, T, K], p(y_t); 0 in the padding
    moves: Tensor  # [B, K, K], how often each move is expected in a sequence
    log_partition: Tensor  # [B]


class PathConfidence(NamedTuple):
    """Posteriors of one path; 1 in the padding, so that products may run over it.

    The posterior of the span ``s..e`` is ``marginal[s] · Π conditional[s+1..e]``, and that of the
    whole path ``Π conditional``.
    """

    marginal: Tensor  # [B, T], p(y_t)
    conditional: Tensor  # [B, T], p(y_t | y_{t-1}); p(y_0) at the first step


class _Messages(NamedTuple):
    """What each position hears from both sides, up to a factor for each position."""

    left: Tensor  # [B, T, K], from the start up to and with this step
    right: Tensor  # [B, T, K], from the end down to and with this step
    beyond: Tensor  # [B, T, K], from the end, without this step
    moves: Tensor  # [K, K], from row to column
    log_partition: Tensor  # [B]
    logs: bool  # whether messages and moves are logarithms


def neutral(tags: int) -> Potentials:
    """Potentials that prefer no move: the chain of a softmax over ``K = tags``."""
    return Potentials(torch.zeros(tags, tags), torch.zeros(tags), torch.zeros(tags))


def constrain(potentials: Potentials, allowed: Allowed) -> Potentials:
    """Forbid the moves that are not ``allowed``; their potentials get no gradient."""
    pairs = zip(potentials, allowed, strict=True)
    return Potentials(*(scores.masked_fill(~legal, -torch.inf) for scores, legal in pairs))


def sequence_score(
    emissions: Tensor, tags: Tensor, lengths: Tensor, potentials: Potentials
) -> Tensor:
    """Score given tag sequences; differentiable.

    Args:
        emissions: ``[B, T, K]``.
        tags: ``[B, T]`` int64; anything in the padding.
        lengths: ``[B]``, each in ``1..T``.
        potentials: of the chain.

    Returns:
        ``[B]``, −inf for an illegal sequence.
    """
    emissions, potentials = _widen(emissions, potentials)
    mask = sequence_mask(lengths, tags.shape[1])
    tags = tags.masked_fill(~mask, 0)
    moves = potentials.start[tags[:, :1]], potentials.transitions[tags[:, :-1], tags[:, 1:]]
    steps = emissions.gather(2, tags.unsqueeze(-1)).squeeze(-1) + torch.cat(moves, 1)
    last = tags.gather(1, lengths.unsqueeze(1) - 1).squeeze(1)
    return steps.masked_fill(~mask, 0.0).sum(1) + potentials.end[last]


def log_partition(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Tensor:
    """Log of the summed ``exp(score)`` of all sequences; differentiable once.

    Its gradients are the marginals, so no graph is built: see :func:`marginals`.

    Args:
        emissions: ``[B, T, K]``.
        lengths: ``[B]``, each in ``1..T``.
        potentials: of the chain.

    Returns:
        ``[B]``.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    emissions, potentials = _widen(emissions, potentials)
    found: Tensor = _LogPartition.apply(emissions, None, lengths, *potentials)
    return found


def negative_log_likelihood(
    emissions: Tensor, tags: Tensor, lengths: Tensor, potentials: Potentials
) -> Tensor:
    """The training loss, ``−log p(tags)`` of each item; differentiable once.

    Args:
        emissions: ``[B, T, K]``.
        tags: ``[B, T]`` int64, legal under the potentials; anything in the padding.
        lengths: ``[B]``, each in ``1..T``.
        potentials: of the chain.

    Returns:
        ``[B]``.

    Raises:
        ValueError: a gold sequence is illegal: the caller mends or drops such data, as a loss
            of infinity would end the training. The message names the item and the step.
    """
    emissions, potentials = _widen(emissions, potentials)
    found: Tensor = _LogPartition.apply(emissions, tags, lengths, *potentials)
    return found


@torch.no_grad()
def marginals(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Marginals:
    """Posterior of each tag at each step, by forward-backward (Rabiner 1989).

    A message is normalised at each step, and a posterior at its position: rounding does not grow
    with the length.

    Args:
        emissions: ``[B, T, K]``.
        lengths: ``[B]``, each in ``1..T``.
        potentials: of the chain.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    emissions, potentials = _widen(emissions, potentials)
    centred, peaks, mask = _centre(emissions, lengths)
    found = _posteriors(_messages(centred, mask, potentials), mask)
    return found._replace(log_partition=found.log_partition + peaks)


@torch.no_grad()
def path_confidence(
    emissions: Tensor, tags: Tensor, lengths: Tensor, potentials: Potentials
) -> PathConfidence:
    """How sure the chain is of each step of the paths ``tags [B, T]``; 0 where one is illegal.

    Args:
        emissions: ``[B, T, K]``.
        tags: ``[B, T]`` int64; anything in the padding.
        lengths: ``[B]``, each in ``1..T``.
        potentials: of the chain.
    """
    emissions, potentials = _widen(emissions, potentials)
    centred, _, mask = _centre(emissions, lengths)
    messages = _messages(centred, mask, potentials)
    tags = tags.masked_fill(~mask, 0)

    def chosen(x: Tensor) -> Tensor:
        return x.gather(2, tags.unsqueeze(-1)).squeeze(-1)

    marginal = chosen(_unary(messages, mask))
    move = messages.moves[tags[:, :-1], tags[:, 1:]]
    right, beyond = chosen(messages.right)[:, 1:], chosen(messages.beyond)[:, :-1]
    # p(y_t | y_{t-1}) = move · right_t[y_t] / beyond_{t-1}[y_{t-1}]: no left needed.
    if messages.logs:
        conditional = (move + right - _finite(beyond)).exp()
    else:
        conditional = move * right / beyond.clamp_min(torch.finfo(beyond.dtype).tiny)
    conditional = torch.cat([marginal[:, :1], conditional.clamp_max(1.0)], dim=1)
    return PathConfidence(marginal.masked_fill(~mask, 1.0), conditional.masked_fill(~mask, 1.0))


@torch.no_grad()
def viterbi(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> tuple[Tensor, Tensor]:
    """The best sequences (Viterbi 1967).

    The forward loop keeps the best scores only; which tag they came from is asked on the way back,
    for the chosen path alone.

    Args:
        emissions: ``[B, T, K]``; whatever they are, no illegal sequence comes out.
        lengths: ``[B]``, each in ``1..T``.
        potentials: of the chain.

    Returns:
        Tags ``[B, T]``, 0 in the padding, and their scores ``[B]``.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    emissions, potentials = _widen(_tame(emissions), potentials)
    history = _best_scores(emissions, lengths, potentials)
    index = reverse_index(lengths, emissions.shape[1])
    backwards = _rows(history, index.t(), torch.arange(len(index), device=index.device))
    final = backwards[0] + potentials.end
    _require_legal(final.amax(-1), lengths)
    into = potentials.transitions.t().contiguous()
    path = torch.empty_like(index.t(), memory_format=torch.contiguous_format)  # [T, B]
    chosen = torch.argmax(final, -1, out=path[0])
    for scores, tag in zip(backwards.unbind()[1:], path.unbind()[1:], strict=True):
        torch.index_select(into, 0, chosen, out=final)
        chosen = torch.argmax(final.add_(scores), -1, out=tag)
    tags = path.t().gather(1, index)
    tags = tags.masked_fill(~sequence_mask(lengths, emissions.shape[1]), 0)
    return tags, sequence_score(emissions, tags, lengths, potentials)


@torch.no_grad()
def n_best(
    emissions: Tensor, lengths: Tensor, potentials: Potentials, n: int
) -> tuple[Tensor, Tensor]:
    """The ``n`` best sequences, best first (list Viterbi: Seshadri & Sundberg 1994).

    Args:
        emissions: ``[B, T, K]``; whatever they are, no illegal sequence comes out.
        lengths: ``[B]``, each in ``1..T``.
        potentials: of the chain.
        n: how many.

    Returns:
        Tags ``[B, n, T]``, 0 in the padding, and their log-probabilities ``[B, n]``, falling.
        Where there are fewer legal sequences the rest is −inf, with tags of 0.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    emissions, potentials = _widen(_tame(emissions), potentials)
    mask = sequence_mask(lengths, emissions.shape[1])
    emissions = emissions - emissions.amax(-1, keepdim=True)
    values, offset, origins = _best_lists(emissions, lengths, potentials, n)
    batch, steps, tags = emissions.shape
    best, place = (values + potentials.end).reshape(batch, -1).topk(n)
    _require_legal(best[:, 0], lengths)
    index = reverse_index(lengths, steps)
    # The origins at step t say where step t − 1 stood: reversed, the first is that of the end.
    back = reverse_padded(origins.reshape(batch, steps, -1), index)
    path = [place]
    for origin in back.unbind(1)[:-1]:
        path.append(origin.gather(1, path[-1]))
    found = torch.stack(path, -1).remainder(tags).gather(2, index.unsqueeze(1).expand(-1, n, -1))
    found = found.masked_fill(~mask.unsqueeze(1) | best.isneginf().unsqueeze(-1), 0)
    log_z = log_partition(emissions, lengths, potentials)
    return found, (best + (offset - log_z).unsqueeze(1)).clamp_max(0.0)


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
        for name, free in neutral(tags)._asdict().items():
            self.register_parameter(name, nn.Parameter(free.uniform_(-0.1, 0.1)))
            legal = torch.ones_like(free, dtype=torch.bool)
            if allowed is not None:
                legal &= getattr(allowed, name)
            self.register_buffer(f"allowed_{name}", legal, persistent=False)

    def potentials(self) -> Potentials:
        """The potentials as they stand, forbidden moves −inf."""
        learned = Potentials(self.transitions, self.start, self.end)
        allowed = Allowed(self.allowed_transitions, self.allowed_start, self.allowed_end)
        return constrain(learned, allowed)

    def forward(self, emissions: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """The loss of each item, ``[B]``: see :func:`negative_log_likelihood`."""
        return negative_log_likelihood(emissions, tags, lengths, self.potentials())

    def decode(self, emissions: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The best tags ``[B, T]`` and their scores ``[B]``: see :func:`viterbi`."""
        return viterbi(emissions, lengths, self.potentials())


class _LogPartition(torch.autograd.Function):
    """Log-partition, less the score of gold tags if given; gradients without a graph.

    They are the posteriors, less what is observed in the gold tags.
    """

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, tags: Tensor | None, lengths: Tensor, *scores: Tensor
    ) -> Tensor:
        potentials = Potentials(*scores)
        # A shift of a step changes no probability: without it two large numbers would cancel.
        centred, peaks, mask = _centre(emissions, lengths)
        if tags is not None:
            tags = tags.masked_fill(~mask, 0)
            score = sequence_score(centred, tags, lengths, potentials)
            _require_legal_gold(score, tags, lengths, potentials)
        unary, moves, value = _posteriors(_messages(centred, mask, potentials), mask)
        if tags is not None:
            observed = -mask.to(unary.dtype)
            unary.scatter_add_(2, tags.unsqueeze(-1), observed.unsqueeze(-1))
            pairs = tags[:, :-1] * unary.shape[2] + tags[:, 1:]
            moves.view(len(moves), -1).scatter_add_(1, pairs, observed[:, 1:])
        ctx.save_for_backward(unary, moves, lengths)
        return value + peaks if tags is None else value - score

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        unary, moves, lengths = ctx.saved_tensors
        unary = unary * grad.view(-1, 1, 1)
        last = unary[torch.arange(len(lengths), device=lengths.device), lengths - 1]
        moves = (moves * grad.view(-1, 1, 1)).sum(0)
        return unary, None, None, moves, unary[:, 0].sum(0), last.sum(0)


def _widen(emissions: Tensor, potentials: Potentials) -> tuple[Tensor, Potentials]:
    """Both in one dtype, float32 at least."""
    dtype = torch.promote_types(emissions.dtype, torch.float32)
    return emissions.to(dtype), Potentials(*(scores.to(dtype) for scores in potentials))


def _tame(emissions: Tensor) -> Tensor:
    """Emissions that no decoder can mistake for a forbidden move."""
    return emissions.nan_to_num(-WILDEST, WILDEST, -WILDEST).clamp(-WILDEST, WILDEST)


def _finite(x: Tensor) -> Tensor:
    """A bound below, so that −inf less −inf is −inf."""
    return x.clamp_min(torch.finfo(x.dtype).min)


def _require_legal(best: Tensor, lengths: Tensor) -> None:
    """Refuse items whose ``best [B]`` score is −inf."""
    if bool(best.isneginf().any()):
        item = int(best.isneginf().nonzero()[0])
        raise ValueError(f"item {item}: no legal sequence has length {int(lengths[item])}")


def _require_legal_gold(
    score: Tensor, tags: Tensor, lengths: Tensor, potentials: Potentials
) -> None:
    """Refuse gold sequences whose ``score [B]`` is −inf, saying where one breaks a rule."""
    if not bool(score.isneginf().any()):
        return
    item = int(score.isneginf().nonzero()[0])
    path = tags[item, : lengths[item]]
    if bool(potentials.start[path[0]].isneginf()):
        raise ValueError(f"item {item}, step 0: no sequence may start with tag {int(path[0])}")
    broken = potentials.transitions[path[:-1], path[1:]].isneginf().nonzero()
    if len(broken):
        step = int(broken[0]) + 1
        raise ValueError(
            f"item {item}, step {step}: tag {int(path[step])} may not follow {int(path[step - 1])}"
        )
    raise ValueError(
        f"item {item}, step {len(path) - 1}: no sequence may end with tag {int(path[-1])}"
    )


def _centre(emissions: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Take each step's largest emission off it.

    Returns:
        Emissions ``[B, T, K]``, at most 0 and 0 in the padding; the sum of what was taken off
        ``[B]``; the mask ``[B, T]``.
    """
    check_lengths(emissions, lengths)
    mask = sequence_mask(lengths, emissions.shape[1])
    emissions = emissions.masked_fill(~mask.unsqueeze(-1), 0.0)
    peaks = emissions.amax(-1, keepdim=True)
    return emissions - peaks, peaks.sum((1, 2)), mask


def _messages(centred: Tensor, mask: Tensor, potentials: Potentials) -> _Messages:
    """Both directions of forward-backward; in logs where probabilities would underflow."""
    index = reverse_index(mask.sum(1), mask.shape[1])
    found = _scaled_messages(centred, index, mask, potentials)
    if found is None:
        found = _log_messages(centred, index, mask, potentials)
        _require_legal(found.log_partition, mask.sum(1))
    return found


def _both_ways(x: Tensor, index: Tensor) -> Tensor:
    """``[B, T, K] → [T, 2, B, K]``: each step, and that of the length-reversed copy."""
    batch, steps, tags = x.shape
    order = torch.arange(steps, device=x.device).expand_as(index)
    rows = torch.arange(batch, device=x.device).unsqueeze(1) * steps + torch.stack([order, index])
    rows = rows.permute(2, 0, 1).flatten()  # whole rows: far quicker than a gather
    return x.flatten(0, 1).index_select(0, rows).view(steps, 2, batch, tags)


def _rows(x: Tensor, steps: Tensor, columns: Tensor) -> Tensor:
    """Rows of ``x [T, N, K]``, at ``steps`` and ``columns`` that broadcast to ``steps``."""
    rows = (steps * x.shape[1] + columns).flatten()
    return x.flatten(0, 1).index_select(0, rows).view(*steps.shape, x.shape[2])


def _one_way(x: Tensor, index: Tensor) -> Tensor:
    """The reversed half of ``x [T, 2, B, K]`` put back in order, ``[B, T, K]``."""
    batch = x.shape[2]
    columns = torch.arange(batch, 2 * batch, device=x.device).unsqueeze(1)
    return _rows(x.flatten(1, 2), index, columns)


def _scaled_messages(
    centred: Tensor, index: Tensor, mask: Tensor, potentials: Potentials
) -> _Messages | None:
    """Messages as probabilities, scaled at each step (Rabiner 1989, section V.A).

    A floor is added to each message, so that what underflows is overrated and never lost: at step
    t that adds no more than ``K · floor / (norm_t · meet_t)`` of the sum, where ``meet_t`` is how
    well the two sides agree there. Where that might show in a rounding, the answer is None.

    Args:
        centred: emissions ``[B, T, K]`` whose largest is 0 at each step; 0 in the padding.
        index: ``[B, T]`` of the reversed copy.
        mask: ``[B, T]``.
        potentials: of the chain.
    """
    info = torch.finfo(centred.dtype)
    floor = centred.new_tensor(info.tiny**0.8)
    table = torch.cat([potentials.transitions, potentials.start[None], potentials.end[None]])
    peak = _finite(table.max())
    table = (table - peak).exp()
    moves = table[:-2]
    weights = _both_ways(centred.clamp_min(float(floor.log())).exp(), index)
    before, after = torch.empty_like(weights), torch.empty_like(weights)
    norms = weights.new_empty(*weights.shape[:3], 1)
    before[0] = table[-2:].unsqueeze(1)
    matrices = torch.stack([moves, moves.t()])
    steps = zip(weights.unbind(), before.unbind(), after.unbind(), norms.unbind(), strict=True)
    state = None
    for weight, heard, message, norm in steps:
        if state is not None:
            torch.bmm(state, matrices, out=heard)  # autocast leaves out= alone
        torch.addcmul(floor, heard, weight, out=message)
        torch.sum(message, -1, keepdim=True, out=norm)
        state = message.div_(norm)
    left, beyond = after[:, 0].transpose(0, 1), _one_way(before, index)
    meet = (left * beyond).sum(-1).masked_fill(~mask, 1.0)
    norms = norms.squeeze(-1).permute(2, 1, 0).masked_fill(~mask.unsqueeze(1), 1.0)
    if not bool((norms.amin((1, 2)) * meet.amin(1) > floor / info.eps).all()):
        return None
    lengths = mask.sum(1)
    last = meet.gather(1, lengths.unsqueeze(1) - 1).squeeze(1)
    log_z = norms[:, 0].log().sum(1) + last.log() + peak * (lengths + 1)
    return _Messages(left, _one_way(after, index), beyond, moves, log_z, logs=False)


def _log_messages(
    centred: Tensor, index: Tensor, mask: Tensor, potentials: Potentials
) -> _Messages:
    """Messages as logarithms, scaled at each step: several times slower, and never wrong."""
    weights = _both_ways(centred, index)
    before, after = torch.empty_like(weights), torch.empty_like(weights)
    norms = weights.new_empty(*weights.shape[:3], 1)
    before[0] = torch.stack([potentials.start, potentials.end]).unsqueeze(1)
    into = torch.stack([potentials.transitions.t(), potentials.transitions]).unsqueeze(1)
    for step, weight in enumerate(weights):
        if step:
            before[step] = (after[step - 1].unsqueeze(-2) + into).logsumexp(-1)
        message = before[step] + weight
        norms[step] = message.logsumexp(-1, keepdim=True)
        after[step] = message - _finite(norms[step])
    left, beyond = after[:, 0].transpose(0, 1), _one_way(before, index)
    lengths = mask.sum(1, keepdim=True)
    meet = (left + beyond).logsumexp(-1).gather(1, lengths - 1).squeeze(1)
    log_z = norms[:, 0, :, 0].t().masked_fill(~mask, 0.0).sum(1) + meet
    moves = potentials.transitions
    return _Messages(left, _one_way(after, index), beyond, moves, log_z, logs=True)


def _unary(messages: _Messages, mask: Tensor) -> Tensor:
    """Posterior of each tag, ``[B, T, K]``; 0 in the padding."""
    if messages.logs:
        unary = (messages.left + messages.beyond).softmax(-1)
    else:
        unary = messages.left * messages.beyond
        unary = unary / unary.sum(-1, keepdim=True)
    return unary.masked_fill(~mask.unsqueeze(-1), 0.0)


def _posteriors(messages: _Messages, mask: Tensor) -> Marginals:
    """Posteriors of tags and moves from the messages, less peaks in the log-partition."""
    left, right, beyond, moves, log_z, logs = messages
    padding = ~mask.unsqueeze(-1)
    if logs:
        unary = _unary(messages, mask)
        expected = unary.new_zeros(len(unary), *moves.shape)
        for step in range(1, left.shape[1]):
            onward = right[:, step].unsqueeze(1) - _finite(beyond[:, step - 1]).unsqueeze(2)
            move = unary[:, step - 1].unsqueeze(2) * (moves + onward).exp()
            expected += move.masked_fill(padding[:, step].unsqueeze(-1), 0.0)
        return Marginals(unary, expected, log_z)
    weight = (left / (left * beyond).sum(-1, keepdim=True)).masked_fill_(padding, 0.0)
    right = right.masked_fill(padding, 0.0)
    with torch.autocast(left.device.type, enabled=False):
        expected = weight[:, :-1].transpose(1, 2) @ right[:, 1:]
    return Marginals(weight * beyond, expected * moves, log_z)


def _best_scores(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Tensor:
    """The best score of a sequence up to each tag at each step, up to a constant of the step.

    Returns:
        ``[T, B, K]``; what stands in the padding is undefined.
    """
    check_lengths(emissions, lengths)
    steps = (emissions - emissions.amax(-1, keepdim=True)).transpose(0, 1).contiguous()
    history = torch.empty_like(steps)
    # [from, B, to]: a maximum over the leading dimension is several times quicker than another.
    moves = potentials.transitions.unsqueeze(1)
    candidates = steps.new_empty(len(moves), *steps.shape[1:])
    torch.add(steps[0], potentials.start, out=history[0])
    columns = history.transpose(1, 2).unsqueeze(-1).unbind()
    rows = zip(columns, steps.unbind()[1:], history.unbind()[1:], strict=False)
    for place, (column, step, found) in enumerate(rows):
        torch.add(column, moves, out=candidates)
        torch.amax(candidates, 0, out=found)
        found.add_(step)
        if place % 16 == 15:  # before the sums grow so large that float32 rounds them
            found.sub_(found.amax(-1, keepdim=True))
    return history


def _best_lists(
    emissions: Tensor, lengths: Tensor, potentials: Potentials, n: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The ``n`` best sequences up to each tag.

    Returns:
        Scores at the last real step ``[B, n, K]``, what was taken off them ``[B]``, and for each
        step, rank and tag the ``rank · K + tag`` of the step before, ``[B, T, n, K]``.
    """
    check_lengths(emissions, lengths)
    batch, steps, tags = emissions.shape
    values = emissions.new_full((batch, n, tags), -torch.inf)
    values[:, 0] = emissions[:, 0] + potentials.start
    offset = emissions.new_zeros(batch)
    origins = lengths.new_zeros(batch, steps, n, tags)
    into = potentials.transitions.t().repeat(1, n)  # [K, nK]: to a tag from each rank and tag
    for step in range(1, steps):
        best, place = (values.reshape(batch, 1, -1) + into).topk(n)
        best = best.transpose(1, 2) + emissions[:, step].unsqueeze(1)
        peak = _finite(best.amax((1, 2)))
        real = step < lengths
        values = torch.where(real.view(-1, 1, 1), best - peak.view(-1, 1, 1), values)
        offset = offset + peak.masked_fill(~real, 0.0)
        origins[:, step] = place.transpose(1, 2)
    return values, offset, origins
