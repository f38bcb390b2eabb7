"""N-grams as tables of a module, and how they are mixed with a network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

LEAST = 1e-30  # of a chance, before its logarithm
Sizes = Sequence[Sequence[Sequence[int]]]  # of each direction and order: n-grams, and contexts


class NGramTables(nn.Module):
    """Interpolated n-grams of ``V`` symbols, of each direction, and what they count for.

    Of each order ``keys [G]`` (ascending: the number of the context among the n-grams of the order
    below, times ``V``, plus the symbol), ``share [G]`` of the context's counts, and ``rest`` of
    each context, which is left to the order below. A mixture of chances gives the n-grams the
    weight of the longest context that they know (Jelinek & Mercer 1980); 0 at first.
    """

    fitted: Tensor
    weights: Tensor

    def __init__(self, symbols: int, sizes: Sizes) -> None:
        super().__init__()
        self.symbols, self.orders = symbols, [len(part) for part in sizes]
        for way, part in enumerate(sizes):
            for order, (grams, contexts) in enumerate(part):
                self.register_buffer(f"keys_{way}_{order}", torch.zeros(grams, dtype=torch.int64))
                self.register_buffer(f"share_{way}_{order}", torch.zeros(grams))
                self.register_buffer(f"rest_{way}_{order}", torch.ones(contexts))
        self.register_buffer("weights", torch.zeros(len(sizes), max(self.orders, default=0) + 1))
        self.register_buffer("fitted", torch.tensor(0))  # whether the weights are

    def forward(self, way: int, symbols: Tensor) -> tuple[Tensor, Tensor]:
        """Log-chances of ``symbols [B, T]`` after those before them, in float64.

        And how many symbols the longest context has that the n-grams know, ``[B, T]``.
        """
        chance = torch.full(symbols.shape, 1 / self.symbols, dtype=torch.float64,
                            device=symbols.device)  # fmt: skip
        number = torch.zeros_like(symbols)
        known = torch.zeros_like(symbols)
        for order in range(self.orders[way]):
            keys, share, rest = (
                self.get_buffer(f"{name}_{way}_{order}") for name in ("keys", "share", "rest")
            )
            before = torch.zeros_like(number)
            if order:
                before[:, 1:] = number[:, :-1]
                before[:, 0] = -1
            there = before >= 0
            wanted = before * self.symbols + symbols
            place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
            met = there & (keys[place] == wanted)
            own = torch.where(met, share[place], 0.0).double()
            left = rest[before.clamp(min=0)].double()
            chance = torch.where(there, own + left * chance, chance)
            # A context whose counts are all left to the order below is none that is known.
            known = torch.where(there & (left < 1), order, known)
            number = torch.where(met, place, -1)
        return chance.clamp(min=LEAST).log(), known

    def mixed(self, way: int, symbols: Tensor, own: Tensor, asked: Tensor) -> Tensor:
        """Log-chances of a network, with those of the n-grams mixed in where they are asked."""
        logs, known = self(way, symbols)
        weight = self.weights[way].clamp(0, 1)[known].double()
        both = torch.stack([own.double() + (1 - weight).log(), logs + weight.log()])
        return torch.where(asked, both.logsumexp(0), 0.0).to(own.dtype)
