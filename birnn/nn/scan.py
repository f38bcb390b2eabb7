"""The recurrences: one layer over a padded batch, in both directions, exact for ragged lengths.

The work stays dense: torch's kernels for packed sequences take several times as long. There are
two ways to keep the padding out of the results.

:func:`reversed_scan`
    Both directions run left to right, the backward one over a copy in which each sequence is
    reversed within its own length: a real position never comes after a padded one.
:func:`closed_scan`
    One call runs both directions over the batch as it is. Right to left, the padding comes first,
    and there a gate is shut that lets nothing into the state: it is still zero, exactly, where the
    sequence begins. Nothing is gathered, and a GPU runs both directions at the same time.
"""

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from birnn.nn.batch import is_traced, reverse_index, reverse_padded, sequence_mask


class CellWeights(NamedTuple):
    """Weights of one direction of one layer, laid out as torch lays them out.

    ``G`` is 3 for a GRU (reset, update, new) and 4 for an LSTM (input, forget, cell, output).
    """

    input: Tensor  # [G*H, F]
    recurrent: Tensor  # [G*H, H]
    input_bias: Tensor  # [G*H]
    recurrent_bias: Tensor  # [G*H]


# x [B, T, F], weights of one direction or of both → states, and an LSTM's memory at the end.
Scan = Callable[..., tuple[Tensor, Tensor | None]]

# What is added to a gate to shut it: its sigmoid is then 0 or 1 in every precision, and float16
# holds the number. It is no Parameter: weight decay would open the gate.
SHUT = 1e4
ALIGNED = 8  # features in half precision that tensor cores multiply at once


class Recurrence(NamedTuple):
    """A cell: what engines know it by, its scan in torch's own operations, and how it is shut.

    With what ``shut`` says added to its gates, a zero state stays zero, whatever else a step says.
    """

    name: str
    gates: int  # G
    scan: Scan
    shut: tuple[tuple[int, float], ...] = ()  # gates and what shuts them


# Torch's flag ``train``: cuDNN keeps what a backward pass needs only where it is set. There is no
# dropout within the call, so that it follows the gradient mode, and a model in evaluation mode can
# be differentiated too.
_train = torch.is_grad_enabled


def _quiet(x: Tensor) -> AbstractContextManager[object]:
    """On a GPU torch warns at each call that the weights are copied into one block for cuDNN."""
    return warnings.catch_warnings(action="ignore") if x.is_cuda else nullcontext()


def gru_scan(x: Tensor, *directions: CellWeights) -> tuple[Tensor, None]:
    """Run a GRU from zero states (Cho et al. 2014, torch's variant).

    Per step: ``r, z = σ(·)``; ``n = tanh(W_n x + b_n + r ⊙ (U_n h + c_n))``;
    ``h = (1 − z) ⊙ n + z ⊙ h``.

    ``x [B, T, F]``, weights (``G = 3``) of the direction left to right, then of the other if there
    is one → the states of all steps, ``[B, T, D*H]``, and None.
    """
    flat, state, two = _flat(x, directions)
    with _quiet(x):
        states, _ = torch.gru(x, state, flat, True, 1, 0.0, _train(), two, True)
    return states, None


def lstm_scan(x: Tensor, *directions: CellWeights) -> tuple[Tensor, Tensor]:
    """Run an LSTM from zero states (Hochreiter & Schmidhuber 1997, with forget gate).

    Per step: ``i, f, o = σ(·)``; ``g = tanh(·)``; ``c = f ⊙ c + i ⊙ g``; ``h = o ⊙ tanh(c)``.

    As :func:`gru_scan`, with ``G = 4`` → the hidden states of all steps, ``[B, T, D*H]``, and the
    memory ``c`` after the last step of each direction, ``[D, B, H]``.
    """
    flat, state, two = _flat(x, directions)
    with _quiet(x):
        states, _, memory = torch.lstm(x, [state, state], flat, True, 1, 0.0, _train(), two, True)
    return states, memory


def continued_scan(
    recurrence: Recurrence, x: Tensor, weights: CellWeights, before: Sequence[Tensor]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run one direction of a GRU or LSTM on from states, in torch's own operations.

    ``x [B, T, F]`` without padding, weights, and the state ``[1, B, H]`` before the first step, of
    an LSTM with its memory → the states ``[B, T, H]``, and what ``before`` is after the last step.
    """
    with _quiet(x):
        first = [part.to(x.dtype) for part in before]
        how = (list(weights), True, 1, 0.0, _train(), False, True)
        if recurrence is GRU:
            states, last = torch.gru(x, first[0], *how)
            return states, (last,)
        states, last, memory = torch.lstm(x, first, *how)
    return states, (last, memory)


def _flat(x: Tensor, directions: Sequence[CellWeights]) -> tuple[list[Tensor], Tensor, bool]:
    """Weights as torch takes them, zero states ``[D, B, H]``, and whether there are two ways."""
    ways, hidden = len(directions), directions[0].recurrent.shape[1]
    flat = [part for weights in directions for part in weights]
    return flat, x.new_zeros(ways, x.shape[0], hidden), ways == 2


GRU = Recurrence("gru", 3, gru_scan, ((1, SHUT),))  # z = 1: the state is kept
LSTM = Recurrence("lstm", 4, lstm_scan, ((0, -SHUT), (1, SHUT)))  # i = 0, f = 1: so is the memory


def reversed_scan(
    recurrence: Recurrence, x: Tensor, lengths: Tensor, directions: Sequence[CellWeights]
) -> Tensor:
    """Run one or both directions of each sequence, each in a call from left to right.

    ``x [B, T, F]``, whose padding may hold anything, ``lengths [B]``, weights of the left-to-right
    direction, then of the other if there is one → ``[B, T, 2H]`` (``[B, T, H]`` one way), forward
    states first; zero in the padding.
    """
    scan = recurrence.scan
    padding = ~sequence_mask(lengths, x.shape[1]).unsqueeze(-1)
    # Zeros in the padding: a NaN there would reach the gradients as 0 · NaN.
    x = x.masked_fill(padding, 0.0)
    states, _ = scan(x, directions[0])
    if len(directions) > 1:
        index = reverse_index(lengths, x.shape[1])
        reverse, _ = scan(reverse_padded(x, index), directions[1])
        reverse = reverse_padded(reverse, index)
        states = torch.cat([states, reverse], dim=-1)
    return states.masked_fill(padding, 0.0)


def closed_scan(
    recurrence: Recurrence, x: Tensor, lengths: Tensor, directions: Sequence[CellWeights]
) -> Tensor:
    """The same as :func:`reversed_scan`, in one call."""
    return closed_layer(recurrence, x, lengths, directions)[0]


def closed_layer(
    recurrence: Recurrence, x: Tensor, lengths: Tensor, directions: Sequence[CellWeights]
) -> tuple[Tensor, Tensor | None]:
    """States as of :func:`closed_scan`, and an LSTM's memory after each last step, ``[D, B, H]``.

    A further feature is 1 in the padding; its weight shuts the gates of ``recurrence.shut``. States
    and gradients from the padding are then exactly zero as long as what a gate says otherwise stays
    well within ``SHUT``.
    """
    padding = ~sequence_mask(lengths, x.shape[1]).unsqueeze(-1)
    more = -(x.shape[-1] + 1) % ALIGNED
    # After dropout: what marks the padding is never dropped.
    marked = torch.cat([x.masked_fill(padding, 0.0), F.pad(padding.to(x.dtype), (0, more))], -1)
    shutting = [_shutting(recurrence, weights, more) for weights in directions]
    states, memory = recurrence.scan(marked, *shutting)
    return states.masked_fill(padding, 0.0), memory


def _shutting(recurrence: Recurrence, weights: CellWeights, more: int) -> CellWeights:
    """With input weights ``[G*H, F + 1 + more]`` that shut gates where the next feature is 1."""
    column = weights.input.new_zeros(recurrence.gates, weights.recurrent.shape[1], 1 + more)
    for gate, value in recurrence.shut:
        column[gate, :, 0] = value
    return weights._replace(input=torch.cat([weights.input, column.flatten(0, 1)], 1))


def final_states(states: Tensor, lengths: Tensor, *, bidirectional: bool) -> Tensor:
    """Each direction's state after it has read its whole sequence.

    That is step ``length − 1`` of the forward half and step 0 of the backward half: never
    ``states[:, -1]``, which is padding for all but the longest.

    ``states [B, T, 2H]``, ``lengths [B]`` → ``[B, 2H]``; ``[B, T, H]`` → ``[B, H]`` one way.
    """
    half = states.shape[-1] // 2
    # The general way takes longer than a short sentence, but a trace must not freeze the batch.
    if len(lengths) == 1 and lengths.device.type == "cpu" and not is_traced():
        last = states[:, int(lengths) - 1]
        return torch.cat([last[:, :half], states[:, 0, half:]], -1) if bidirectional else last
    items = torch.arange(lengths.shape[0], device=states.device)
    if not bidirectional:
        return states[items, lengths - 1]
    # The rows of both halves in one gather: its gradient is a single array of the states' size.
    first = items * (2 * states.shape[1])
    rows = torch.stack([first + 2 * (lengths - 1), first + 1], dim=1).flatten()
    return states.reshape(-1, half).index_select(0, rows).view(-1, 2 * half)
