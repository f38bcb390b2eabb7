"""The best sequences of a linear chain; whatever the scores, none that is illegal.

Every function takes the emissions ``[B, T, K]`` of a chain, true lengths ``[B]``, each in ``1..T``,
and the chain's potentials.
"""

import torch
from torch import Tensor

from birnn.nn import engines
from birnn.nn.batch import check_lengths, reverse_index, reverse_padded, sequence_mask
from birnn.nn.chain import Potentials, finite, require_legal, rows_at, widen
from birnn.nn.crf import log_partition, sequence_score
from birnn.registry import load

WILDEST = 1e30  # a decoder reads emissions beyond as this: sums over any length stay finite


@torch.no_grad()
def best_path(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Tensor:
    """The tags of :func:`viterbi` alone: compiled, where the native engine serves.

    ``[B, T]``, 0 in the padding. Of two sequences equally good to the last digit, either is found.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    plain = all(p.dtype == torch.float32 for p in (emissions, *potentials))
    if plain and emissions.device.type == "cpu" and engines.compiled_serves():
        check_lengths(emissions, lengths)
        paths: Tensor = load("birnn.native.paths:best_paths")(emissions, lengths, potentials)
        return paths
    return viterbi(emissions, lengths, potentials)[0]


@torch.no_grad()
def viterbi(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> tuple[Tensor, Tensor]:
    """The best sequences (Viterbi 1967).

    The forward loop keeps the best scores only; which tag they came from is asked on the way back,
    for the chosen path alone.

    Returns:
        Tags ``[B, T]``, 0 in the padding, and their scores ``[B]``.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    emissions, potentials = widen(_tame(emissions), potentials)
    history = _best_scores(emissions, lengths, potentials)
    index = reverse_index(lengths, emissions.shape[1])
    backwards = rows_at(history, index.t(), torch.arange(len(index), device=index.device))
    final = backwards[0] + potentials.end
    require_legal(final.amax(-1), lengths)
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

    Returns:
        Tags ``[B, n, T]``, 0 in the padding, and their log-probabilities ``[B, n]``, falling.
        Where there are fewer legal sequences the rest is −inf, with tags of 0.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    emissions, potentials = widen(_tame(emissions), potentials)
    mask = sequence_mask(lengths, emissions.shape[1])
    emissions = emissions - emissions.amax(-1, keepdim=True)
    values, offset, origins = _best_lists(emissions, lengths, potentials, n)
    batch, steps, tags = emissions.shape
    best, place = (values + potentials.end).reshape(batch, -1).topk(n)
    require_legal(best[:, 0], lengths)
    index = reverse_index(lengths, steps)
    # The origins at step t say where step t − 1 stood: reversed, the first is that of the end.
    back = reverse_padded(origins.reshape(batch, steps, -1), index)
    path = [place]
    for origin in back.unbind(1)[:-1]:
        path.append(origin.gather(1, path[-1]))
    paths = torch.stack(path, -1).remainder(tags).gather(2, index.unsqueeze(1).expand(-1, n, -1))
    paths = paths.masked_fill(~mask.unsqueeze(1) | best.isneginf().unsqueeze(-1), 0)
    log_z = log_partition(emissions, lengths, potentials)
    return paths, (best + (offset - log_z).unsqueeze(1)).clamp_max(0.0)


def _tame(emissions: Tensor) -> Tensor:
    """Emissions that no decoder can mistake for a forbidden move."""
    return emissions.nan_to_num(-WILDEST, WILDEST, -WILDEST).clamp(-WILDEST, WILDEST)


def _best_scores(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Tensor:
    """The best score of a sequence up to each tag at each step, up to a constant of the step.

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
    for place, (column, step, best) in enumerate(rows):
        torch.add(column, moves, out=candidates)
        torch.amax(candidates, 0, out=best)
        best.add_(step)
        if place % 16 == 15:  # before the sums grow so large that float32 rounds them
            best.sub_(best.amax(-1, keepdim=True))
    return history


def _best_lists(
    emissions: Tensor, lengths: Tensor, potentials: Potentials, n: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The ``n`` best sequences up to each tag: their scores at the last real step ``[B, n, K]``.

    With them what was taken off them ``[B]``, and for each step, rank and tag the ``rank · K +
    tag`` of the step before, ``[B, T, n, K]``.
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
        peak = finite(best.amax((1, 2)))
        real = step < lengths
        values = torch.where(real.view(-1, 1, 1), best - peak.view(-1, 1, 1), values)
        offset = offset + peak.masked_fill(~real, 0.0)
        origins[:, step] = place.transpose(1, 2)
    return values, offset, origins
