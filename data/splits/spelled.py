"""Tokens as symbols of a model of running text, which reads sentences of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from birnn.arrays import Array, Bools, Codes, Ints


class Speller(Protocol):
    """From tokens to numbers of symbols."""

    @property
    def border(self) -> int:
        """What stands before and after a sentence."""

    @property
    def separator(self) -> int:
        """What stands between tokens."""

    def spell(self, token: str) -> Ints:
        """The symbols of a token."""


@dataclass(frozen=True)
class Spelled:
    """The symbols of ``U`` distinct tokens, one token after the other."""

    symbols: Codes
    starts: Ints  # [U]
    sizes: Ints  # [U]
    border: int
    separator: int

    @classmethod
    def of(cls, tokens: Sequence[str], speller: Speller) -> "Spelled":
        """As ``speller`` spells them."""
        rows = [speller.spell(token) for token in tokens]
        sizes = np.array([len(row) for row in rows], dtype=np.int64)
        symbols = np.concatenate([np.zeros(0, np.int32), *rows]).astype(np.int32)
        starts = np.cumsum(sizes) - sizes
        return cls(symbols, starts, sizes, speller.border, speller.separator)

    def lengths(self, types: Codes, starts: Ints, lengths: Ints) -> Ints:
        """Symbols of each sentence, whose tokens are the ``types`` from a start on."""
        total = np.concatenate([[0], np.cumsum(self.sizes[types] + 1)])
        spelled: Ints = 1 + total[starts + lengths] - total[starts]
        return spelled

    def inputs(self, types: Codes, mask: Bools) -> dict[str, Array]:
        """What a model reads of a batch, and where its tokens stand there.

        The tokens ``types [m]`` are the true cells of ``mask [B, T]`` in reading order. Sentences
        are ``context_symbols [B, L]``, of ``context_symbols_lengths [B]``; a token's symbols begin
        at ``context_begins [B, T]`` and end before ``context_ends``.
        """
        own = self.sizes[types]
        steps = np.zeros(mask.shape, dtype=np.int64)
        steps[mask] = own + 1
        ends = np.cumsum(steps, axis=1)  # after the separator; a border stands first
        begins, lengths = 1 + ends - steps, 1 + ends[:, -1]
        symbols = np.full((len(mask), int(lengths.max())), self.separator, dtype=np.int64)
        rows = np.nonzero(mask)[0]
        within = np.arange(int(own.sum())) - np.repeat(np.cumsum(own) - own, own)
        places = np.repeat(begins[mask], own) + within
        symbols[np.repeat(rows, own), places] = self.symbols[
            np.repeat(self.starts[types], own) + within
        ]
        symbols[:, 0] = symbols[np.arange(len(mask)), lengths - 1] = self.border
        last = (lengths - 1)[:, None]
        return {
            "context_symbols": symbols, "context_symbols_lengths": lengths,
            "context_begins": np.minimum(begins, last),
            "context_ends": np.minimum(begins + np.maximum(steps - 1, 0), last),
        }  # fmt: skip


def context_inputs(
    context: Array | None, spelled: Spelled | None, places: Ints, types: Codes, mask: Bools
) -> dict[str, Array]:
    """States ``context [B, T, C]`` of the tokens at ``places``, or what they can be made from."""
    if context is not None:
        states = np.zeros((*mask.shape, context.shape[1]), dtype=np.float32)
        states[mask] = context[places]
        return {"context": states}
    return {} if spelled is None else spelled.inputs(types[places], mask)
