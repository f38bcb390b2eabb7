"""Vectors of symbols by which symbols are read off too (Press & Wolf 2017)."""

import torch
from torch import Tensor, nn


class Table(nn.Module):
    """Vectors of words by which they are read off too: every step changes all of them.

    An ``nn.Embedding`` would be trained by the rows that a batch reads alone.
    """

    def __init__(self, count: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, size))

    def forward(self, numbers: Tensor) -> Tensor:
        """``[…]`` → ``[…, E]``."""
        return nn.functional.embedding(numbers, self.weight)
