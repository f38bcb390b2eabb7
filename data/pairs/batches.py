"""Pairs as numbers, and batches of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from birnn.arrays import Ints
from birnn.data.text.pieces import END, Pieces
from birnn.nn.batch import Batch


@dataclass(frozen=True)
class PairSplit:
    """``N`` sources and, but to be translated, their targets; each is followed by an end."""

    sources: list[str]
    targets: list[str] | None
    source_pieces: Pieces
    target_pieces: Pieces
    most: int = 0  # pieces of a text that are read; 0: all

    def __len__(self) -> int:
        return len(self.sources)

    @cached_property
    def whole_cuts(self) -> list[list[str]]:
        """The pieces of each source, those that are not read too."""
        return [self.source_pieces.cut(text) for text in self.sources]

    @cached_property
    def cuts(self) -> list[list[str]]:
        """The pieces of each source that are read."""
        return [cut[: self.most or None] for cut in self.whole_cuts]

    @property
    def too_long(self) -> tuple[int, int]:
        """How many sources, and targets, are not read to their end."""
        targets = [self.target_pieces.cut(text) for text in self.targets or ()]
        one, other = (sum(len(cut) > self.most > 0 for cut in side)
                      for side in (self.whole_cuts, targets))  # fmt: skip
        return one, other

    @cached_property
    def source_numbers(self) -> list[Ints]:
        """Of each source, its end too."""
        return [_numbers(self.source_pieces, cut) for cut in self.cuts]

    @cached_property
    def target_numbers(self) -> list[Ints] | None:
        """Of each target, its end too."""
        if self.targets is None:
            return None
        own = self.target_pieces
        return [_numbers(own, own.cut(text)[: self.most or None]) for text in self.targets]

    @cached_property
    def lengths(self) -> Ints:
        """``[N]``: of the longer side, by which batches are made."""
        sides = self.source_numbers, self.target_numbers or self.source_numbers
        both: Ints = np.array([[len(row) for row in side] for side in sides], dtype=np.int64)
        return np.asarray(both.max(0))

    def batch(self, indices: Ints) -> Batch:
        """``source [B, T]``; ``target [B, U]`` beside its lengths, where there are targets."""
        source, lengths = _padded([self.source_numbers[i] for i in indices])
        inputs = {"source": source}
        if self.target_numbers is not None:
            numbers = [self.target_numbers[i] for i in indices]
            inputs["target"], inputs["target_lengths"] = _padded(numbers)
        return Batch(inputs, lengths)


def _numbers(pieces: Pieces, cut: Sequence[str]) -> Ints:
    return np.array([*pieces.encode(cut), END], dtype=np.int64)


def _padded(rows: Sequence[Ints]) -> tuple[torch.Tensor, torch.Tensor]:
    """``[B, T]`` with zeros after each row, and ``[B]`` lengths."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    padded = np.zeros((len(rows), int(lengths.max())), dtype=np.int64)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return torch.from_numpy(padded), torch.from_numpy(lengths)
