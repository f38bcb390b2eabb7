"""Layers and batches for the tests of the compiled scans."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from birnn.nn.scan import GRU, LSTM, CellWeights, Recurrence

CELLS = {"gru": GRU, "lstm": LSTM}


class Case(NamedTuple):
    """A layer and a batch for it."""

    recurrence: Recurrence
    x: Tensor  # [B, T, F]
    lengths: Tensor  # [B]
    directions: list[CellWeights]


def draw(
    cell: str, lengths: Sequence[int], features: int, hidden: int, *, ways: int = 2, extra: int = 0
) -> Case:
    generator = torch.Generator().manual_seed(hidden)
    recurrence = CELLS[cell]
    rows = recurrence.gates * hidden
    shapes = ((rows, features), (rows, hidden), (rows,), (rows,))
    weights = [
        CellWeights(*(torch.randn(s, generator=generator) / hidden**0.5 for s in shapes))
        for _ in range(ways)
    ]
    x = torch.randn(len(lengths), max(lengths) + extra, features, generator=generator)
    return Case(recurrence, x, torch.tensor(lengths), weights)


def leaves(case: Case) -> list[Tensor]:
    return [case.x, *(part for direction in case.directions for part in direction)]


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
