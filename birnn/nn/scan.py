"""The recurrences: one direction of one layer over a padded batch, and its reverse.

Both directions run left to right, the backward one over a copy in which each sequence is
reversed within its own length. A real position then never comes after a padded one, so what
stands in the padding can't reach a result, and the work stays dense: torch's fast CPU path
for the LSTM serves ragged batches too, which it does not for packed sequences.
"""

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from birnn.nn.batch import is_traced, reverse_index, reverse_padded, sequence_mask


class CellWeights(NamedTuple):
    """Weights of one direction of one layer, laid out as torch lays them out.

    ``G`` is 3 for a GRU (reset, update, new) and 4 for an LSTM (input, forget, cell, output).
    """

    input: Tensor  # [G*H, F]
    recurrent: Tensor  # [G*H, H]
    input_bias: Tensor  # [G*H]
    recurrent_bias: Tensor  # [G*H]


Scan = Callable[[Tensor, CellWeights], Tensor]


class Recurrence(NamedTuple):
    """A cell: what engines know it by, and its scan in torch's own operations."""

    name: str
    gates: int  # G
    scan: Scan


# Torch's flag ``train``: cuDNN keeps what a backward pass needs only where it is set. There is no
# dropout within the call, so that it follows the gradient mode, and a model in evaluation mode can
# be differentiated too.
_train = torch.is_grad_enabled


def _quiet(x: Tensor) -> AbstractContextManager[object]:
    """On a GPU torch warns at each call that the weights are copied into one block for cuDNN."""
    return warnings.catch_warnings(action="ignore") if x.is_cuda else nullcontext()


def gru_scan(x: Tensor, weights: CellWeights) -> Tensor:
    """Run a GRU left to right from a zero state (Cho et al. 2014, torch's variant).

    Per step: ``r, z = σ(·)``; ``n = tanh(W_n x + b_n + r ⊙ (U_n h + c_n))``;
    ``h = (1 − z) ⊙ n + z ⊙ h``.

    ``x [B, T, F]``, weights with ``G = 3`` → the states of all steps, ``[B, T, H]``.
    """
    state = x.new_zeros(1, x.shape[0], weights.recurrent.shape[1])
    with _quiet(x):
        states, _ = torch.gru(x, state, list(weights), True, 1, 0.0, _train(), False, True)
    return states


def lstm_scan(x: Tensor, weights: CellWeights) -> Tensor:
    """Run an LSTM left to right from zero states (Hochreiter & Schmidhuber 1997, with forget gate).

    Per step: ``i, f, o = σ(·)``; ``g = tanh(·)``; ``c = f ⊙ c + i ⊙ g``; ``h = o ⊙ tanh(c)``.

    ``x [B, T, F]``, weights with ``G = 4`` → the hidden states of all steps, ``[B, T, H]``.
    """
    state = x.new_zeros(1, x.shape[0], weights.recurrent.shape[1])
    both, parts = [state, state], list(weights)
    with _quiet(x):
        states, _, _ = torch.lstm(x, both, parts, True, 1, 0.0, _train(), False, True)
    return states


GRU = Recurrence("gru", 3, gru_scan)
LSTM = Recurrence("lstm", 4, lstm_scan)


def bidirectional_scan(scan: Scan, x: Tensor, lengths: Tensor, *directions: CellWeights) -> Tensor:
    """Run ``scan`` in one or both directions of each sequence.

    ``x [B, T, F]``, whose padding may hold anything, ``lengths [B]``, weights of the left-to-right
    direction, then of the other if there is one → ``[B, T, 2H]`` (``[B, T, H]`` one way), forward
    states first; zero in the padding.
    """
    padding = ~sequence_mask(lengths, x.shape[1]).unsqueeze(-1)
    # Zeros in the padding: a NaN there would reach the gradients as 0 · NaN.
    x = x.masked_fill(padding, 0.0)
    states = scan(x, directions[0])
    if len(directions) > 1:
        index = reverse_index(lengths, x.shape[1])
        reverse = reverse_padded(scan(reverse_padded(x, index), directions[1]), index)
        states = torch.cat([states, reverse], dim=-1)
    return states.masked_fill(padding, 0.0)


def final_states(states: Tensor, lengths: Tensor, *, bidirectional: bool) -> Tensor:
    """Each direction's state after it has read its whole sequence.

    That is step ``length − 1`` of the forward half and step 0 of the backward half: never
    ``states[:, -1]``, which is padding for all but the longest.

    ``states [B, T, 2H]``, ``lengths [B]`` → ``[B, 2H]``; ``[B, T, H]`` → ``[B, H]`` one way.
    """
    # The general way takes longer than a short sentence, but a trace must not freeze the batch.
    if len(lengths) == 1 and not is_traced():
        last = states[:, int(lengths) - 1]
    else:
        last = states[torch.arange(lengths.shape[0], device=states.device), lengths - 1]
    if not bidirectional:
        return last
    half = states.shape[-1] // 2
    return torch.cat([last[:, :half], states[:, 0, half:]], dim=-1)
