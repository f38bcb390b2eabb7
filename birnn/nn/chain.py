"""Linear chains of tags: their potentials, and what each position hears from both sides.

``K`` is the number of tags. A chain scores a sequence by ``start[y_0] + Σ e_t[y_t] + Σ
transitions[y_{t-1}, y_t] + end[y_last]``; a move that is −inf is forbidden. With zero potentials it
is a softmax at each step, and with :func:`constrain` one that is legal.

Everything runs in float32 at least, whatever autocast says, and nothing in the padding matters.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from birnn.nn.batch import check_lengths, reverse_index, sequence_mask


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


class Observed(NamedTuple):
    """Posteriors, less what gold tags say where there are any."""

    unary: Tensor  # [B, T, K]; 0 in the padding
    moves: Tensor  # [B, K, K], expected in a sequence
    value: Tensor  # [B], the log-partition, less the score of gold tags
    score: Tensor  # [B], of gold tags, of emissions less each step's highest


class Messages(NamedTuple):
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
    return Potentials(*(torch.where(legal, scores, -torch.inf) for scores, legal in pairs))


def widen(emissions: Tensor, potentials: Potentials) -> tuple[Tensor, Potentials]:
    """Both in one dtype, float32 at least."""
    dtype = torch.promote_types(emissions.dtype, torch.float32)
    return emissions.to(dtype), Potentials(*(scores.to(dtype) for scores in potentials))


def finite(x: Tensor) -> Tensor:
    """A bound below, so that −inf less −inf is −inf."""
    return x.clamp_min(torch.finfo(x.dtype).min)


def require_legal(best: Tensor, lengths: Tensor) -> None:
    """Refuse items whose ``best [B]`` score is −inf."""
    illegal = best.isneginf().nonzero()
    if len(illegal):
        item = int(illegal[0])
        raise ValueError(f"item {item}: no legal sequence has length {int(lengths[item])}")


def centre(emissions: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
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


def messages_of(centred: Tensor, mask: Tensor, potentials: Potentials) -> Messages:
    """Both directions of forward-backward; in logs where probabilities would underflow."""
    lengths = mask.sum(1)
    index = reverse_index(lengths, mask.shape[1])
    messages = _scaled_messages(centred, index, mask, potentials)
    if messages is None:
        messages = _log_messages(centred, index, mask, potentials)
        require_legal(messages.log_partition, lengths)
    return messages


def _both_ways(x: Tensor, index: Tensor) -> Tensor:
    """``[B, T, K] → [T, 2, B, K]``: each step, and that of the length-reversed copy."""
    batch, steps, tags = x.shape
    order = torch.arange(steps, device=x.device).expand_as(index)
    rows = torch.arange(batch, device=x.device).unsqueeze(1) * steps + torch.stack([order, index])
    rows = rows.permute(2, 0, 1).flatten()  # whole rows: far quicker than a gather
    return x.flatten(0, 1).index_select(0, rows).view(steps, 2, batch, tags)


def rows_at(x: Tensor, steps: Tensor, columns: Tensor) -> Tensor:
    """Rows of ``x [T, N, K]``, at ``steps`` and ``columns`` that broadcast to ``steps``."""
    rows = (steps * x.shape[1] + columns).flatten()
    return x.flatten(0, 1).index_select(0, rows).view(*steps.shape, x.shape[2])


def _one_way(x: Tensor, index: Tensor) -> Tensor:
    """The reversed half of ``x [T, 2, B, K]`` put back in order, ``[B, T, K]``."""
    batch = x.shape[2]
    columns = torch.arange(batch, 2 * batch, device=x.device).unsqueeze(1)
    return rows_at(x.flatten(1, 2), index, columns)


def _scaled_messages(
    centred: Tensor, index: Tensor, mask: Tensor, potentials: Potentials
) -> Messages | None:
    """Messages as probabilities, scaled at each step (Rabiner 1989, section V.A).

    A floor is added to each message, so that what underflows is overrated and never lost: at step
    t that adds no more than ``K · floor / (norm_t · meet_t)`` of the sum, where ``meet_t`` is how
    well the two sides agree there. Where that might show in a rounding, the answer is None.

    ``centred [B, T, K]`` is of :func:`centre`, ``index [B, T]`` of the reversed copy.
    """
    info = torch.finfo(centred.dtype)
    least = info.tiny**0.8
    floor = torch.full((), least, dtype=centred.dtype, device=centred.device)
    table = torch.cat([potentials.transitions, potentials.start[None], potentials.end[None]])
    peak = finite(table.max())
    table = (table - peak).exp()
    moves = table[:-2]
    weights = _both_ways(centred.clamp_min(math.log(least)).exp(), index)
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
    return Messages(left, _one_way(after, index), beyond, moves, log_z, logs=False)


def _log_messages(centred: Tensor, index: Tensor, mask: Tensor, potentials: Potentials) -> Messages:
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
        after[step] = message - finite(norms[step])
    left, beyond = after[:, 0].transpose(0, 1), _one_way(before, index)
    lengths = mask.sum(1, keepdim=True)
    meet = (left + beyond).logsumexp(-1).gather(1, lengths - 1).squeeze(1)
    log_z = norms[:, 0, :, 0].t().masked_fill(~mask, 0.0).sum(1) + meet
    moves = potentials.transitions
    return Messages(left, _one_way(after, index), beyond, moves, log_z, logs=True)


def unary_of(messages: Messages, mask: Tensor) -> Tensor:
    """Posterior of each tag, ``[B, T, K]``; 0 in the padding."""
    if messages.logs:
        unary = (messages.left + messages.beyond).softmax(-1)
    else:
        unary = messages.left * messages.beyond
        unary = unary / unary.sum(-1, keepdim=True)
    return unary.masked_fill(~mask.unsqueeze(-1), 0.0)


def posteriors(messages: Messages, mask: Tensor) -> Marginals:
    """Posteriors of tags and moves from the messages, less peaks in the log-partition."""
    left, right, beyond, moves, log_z, logs = messages
    if logs:
        padding = ~mask.unsqueeze(-1)
        unary = unary_of(messages, mask)
        expected = unary.new_zeros(len(unary), *moves.shape)
        for step in range(1, left.shape[1]):
            onward = right[:, step].unsqueeze(1) - finite(beyond[:, step - 1]).unsqueeze(2)
            move = unary[:, step - 1].unsqueeze(2) * (moves + onward).exp()
            expected += move.masked_fill(padding[:, step].unsqueeze(-1), 0.0)
        return Marginals(unary, expected, log_z)
    weight, right = _sides(messages, mask)
    with torch.autocast(left.device.type, enabled=False):
        expected = weight[:, :-1].transpose(1, 2) @ right[:, 1:]
    return Marginals(weight * beyond, expected * moves, log_z)


def _sides(messages: Messages, mask: Tensor) -> tuple[Tensor, Tensor]:
    """What a step's tags and the next step's tags weigh in their move, each ``[B, T, K]``."""
    left, right, beyond = messages[:3]
    padding = ~mask.unsqueeze(-1)
    weight = (left / (left * beyond).sum(-1, keepdim=True)).masked_fill_(padding, 0.0)
    return weight, right.masked_fill(padding, 0.0)


def summed_moves(messages: Messages, mask: Tensor, shares: Tensor) -> Tensor:
    """How often each move is expected, ``[K, K]``, summed over items times their ``shares [B]``.

    As of :func:`posteriors`, but without a matrix for each item: of a thousand tags those take a
    hundred times the memory of all else. Messages must be no logarithms.
    """
    weight, right = _sides(messages, mask)
    weight = weight * shares.view(-1, 1, 1)
    with torch.autocast(weight.device.type, enabled=False):
        expected = weight[:, :-1].flatten(0, 1).t() @ right[:, 1:].flatten(0, 1)
    return expected * messages.moves
