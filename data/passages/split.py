"""A stream of symbols, cut into passages that are scored, each symbol once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from birnn.arrays import Array, Ints
from birnn.data.passages.symbols import BORDER
from birnn.nn.batch import Batch


@dataclass(frozen=True)
class PassageSplit:
    """``N`` passages of documents, which stand in ``stream`` one after the other, between borders.

    A passage is ``stream[begin : end]``. What a model reads of it is ``stream[left : right]``: some
    of what stands on both sides, never beyond the borders of its document.
    """

    stream: Ints  # [S]
    begin: Ints  # [N]
    end: Ints
    left: Ints
    right: Ints
    characters: Ints  # [N] of the passages' texts; an end of a document counts as one

    @classmethod
    def of(
        cls, documents: Sequence[Ints], sizes: Sequence[Ints] | None, length: int, context: int
    ) -> "PassageSplit":
        """Passages of ``length`` symbols at most, with ``context`` symbols on both sides.

        Args:
            documents: numbers of symbols.
            sizes: of each document's symbols, how many characters each is; None: one.
        """
        counts = np.array([len(part) for part in documents], dtype=np.int64)
        borders = np.concatenate([[0], np.cumsum(counts + 1)])
        stream = np.full(borders[-1] + 1, BORDER, dtype=np.int32)
        width = np.zeros(len(stream), dtype=np.int64)
        width[borders[1:]] = 1
        parts: list[tuple[int, int, int, int]] = []
        for number, symbols in enumerate(documents):
            first, last = int(borders[number]), int(borders[number + 1])
            stream[first + 1 : last] = symbols
            width[first + 1 : last] = 1 if sizes is None else sizes[number]
            cuts = [*range(first + 1, max(last, first + 2), length), last]
            if len(cuts) > 2 and cuts[-1] - cuts[-2] < length // 4:
                del cuts[-2]  # a short end goes with what comes before it
            for place, (begin, end) in enumerate(pairwise(cuts)):
                begin = first if place == 0 else begin
                end = last + 1 if place == len(cuts) - 2 else end
                left, right = max(first, begin - context), min(last + 1, end + context)
                parts.append((begin, end, left, right))
        begin, end, left, right = np.array(parts, dtype=np.int64).reshape(-1, 4).T
        total = np.concatenate([[0], np.cumsum(width)])
        first_border = (stream[begin] == BORDER) & (begin == left)  # that of the document before
        characters = total[end] - total[begin] - (first_border & (begin > 0))
        return cls(stream, begin, end, left, right, characters)

    def __len__(self) -> int:
        return len(self.begin)

    @property
    def lengths(self) -> Ints:
        """``[N]`` of what is read."""
        return self.right - self.left

    @property
    def opens(self) -> Array:
        """``[N]`` bool: whether the passage begins with its document's first border."""
        return np.asarray(self.begin == self.left)

    @property
    def closes(self) -> Array:
        """``[N]`` bool: whether it ends with its document's last border."""
        return np.asarray(self.end == self.right)

    def batch(self, indices: Ints) -> Batch:
        """``symbols [B, T]``; of these, ``count [B]`` from ``first [B]`` on are the passage."""
        lengths = self.lengths[indices]
        steps = np.arange(lengths.max())
        places = np.minimum(self.left[indices, None] + steps, self.right[indices, None] - 1)
        symbols = np.where(steps < lengths[:, None], self.stream[places], BORDER)
        inputs = {
            "symbols": symbols.astype(np.int64),
            "first": (self.begin - self.left)[indices],
            "count": (self.end - self.begin)[indices],
            "characters": self.characters[indices],
        }
        tensors = {name: torch.from_numpy(part) for name, part in inputs.items()}
        return Batch(tensors, torch.from_numpy(lengths))

    def rows(self, forward: Array, backward: Array) -> list[Array]:
        """Of each passage ``[n, 2]``, from values of all of ``stream``; 0 where none is predicted.

        Left to right nothing predicts a document's first border, right to left not its last.
        """
        found = []
        for i in range(len(self)):
            own = slice(self.begin[i], self.end[i])
            row = np.stack([forward[own], backward[own]], axis=1).astype(np.float32)
            if self.opens[i]:
                row[0, 0] = 0.0
            if self.closes[i]:
                row[-1, 1] = 0.0
            found.append(row)
        return found

    @property
    def predicted(self) -> Array:
        """``[N]``: how many symbols of each passage one direction predicts."""
        return self.end - self.begin - self.opens
