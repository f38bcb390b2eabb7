"""Recurrent layers in plain numpy, one sequence at a time: slow, obvious, no torch."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Weights(NamedTuple):
    """Of one direction of one layer, gates stacked as torch stacks them."""

    weight_ih: Array  # [G*H, F]
    weight_hh: Array  # [G*H, H]
    bias_ih: Array  # [G*H]
    bias_hh: Array  # [G*H]


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def gru(x: Array, w: Weights) -> Array:
    h = np.zeros(w.weight_hh.shape[1])
    states = []
    for step in x:
        from_input = np.split(w.weight_ih @ step + w.bias_ih, 3)
        from_state = np.split(w.weight_hh @ h + w.bias_hh, 3)
        reset = sigmoid(from_input[0] + from_state[0])
        update = sigmoid(from_input[1] + from_state[1])
        new = np.tanh(from_input[2] + reset * from_state[2])
        h = (1 - update) * new + update * h
        states.append(h)
    return np.array(states)


def lstm(x: Array, w: Weights) -> Array:
    h = np.zeros(w.weight_hh.shape[1])
    c = np.zeros_like(h)
    states = []
    for step in x:
        gates = w.weight_ih @ step + w.bias_ih + w.weight_hh @ h + w.bias_hh
        enter, forget, candidate, leave = np.split(gates, 4)
        c = sigmoid(forget) * c + sigmoid(enter) * np.tanh(candidate)
        h = sigmoid(leave) * np.tanh(c)
        states.append(h)
    return np.array(states)


CELLS: dict[str, Callable[[Array, Weights], Array]] = {"bigru": gru, "bilstm": lstm}


def encode(cell: str, x: Array, layers: Sequence[Sequence[Weights]]) -> tuple[Array, Array]:
    """Run a stack over one sequence.

    Args:
        cell: a name in ``CELLS``.
        x: ``[T, F]``, nothing padded.
        layers: for each layer its forward weights and, both ways, its backward weights.

    Returns:
        The last layer's states ``[T, D]`` and the final state of each direction ``[D]``.
    """
    run = CELLS[cell]
    for directions in layers:
        halves = [run(x, directions[0])]
        if len(directions) == 2:
            halves.append(run(x[::-1], directions[1])[::-1])
        x = np.concatenate(halves, axis=1)
    finals = [half[last] for half, last in zip(halves, (-1, 0), strict=False)]
    return x, np.concatenate(finals)
