"""One-way language models: each symbol predicted from what stands before it, or after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.config import EncoderConfig
from birnn.nn.batch import Batch, reverse_index, sequence_mask
from birnn.nn.dropout import Dropout, LockedDropout
from birnn.nn.encoders import Cell, Encoder, build_encoder
from birnn.nn.one_way.ngrams import NGramTables
from birnn.nn.shared_norm import joined
from birnn.nn.table import Table

LARGEST_LOGITS = 1 << 24  # numbers that are held at once where none are kept for gradients


@dataclass(frozen=True)
class LanguageSizes:
    """What a language model is made of."""

    symbols: int
    symbol_size: int
    embedding_dropout: float = 0.0  # of a symbol's vector, one mask for a sequence
    output_dropout: float = 0.0
    weight_drop: float = 0.0  # of the recurrent matrices, once for a window
    tied: bool = False  # symbols are read off by their vectors


class Predicted(NamedTuple):
    """Log-probabilities of the symbols of a batch as they are, ``[B, T]``; 0 where none is asked.

    ``backward`` is of the model that reads right to left; zeros without one. The last two have
    n-grams mixed in, where there are any whose weights are known.
    """

    forward: Tensor
    backward: Tensor
    mixed_forward: Tensor
    mixed_backward: Tensor


class OneWay(nn.Module):
    """Reads symbols in one direction and predicts the next: encoder, dropout, softmax."""

    def __init__(self, sizes: LanguageSizes, config: EncoderConfig) -> None:
        super().__init__()
        self.encoder = build_encoder(sizes.symbol_size, replace(config, bidirectional=False))
        for cell in self.encoder.forward_cells:
            cast(Cell, cell).weight_drop = sizes.weight_drop
        self.dropout = Dropout(sizes.output_dropout)
        size = sizes.symbol_size if sizes.tied else sizes.symbols
        self.linear = nn.Linear(self.encoder.output_size, size)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)
        self.bias = nn.Parameter(torch.zeros(sizes.symbols)) if sizes.tied else None

    def logits(self, states: Tensor, vectors: Tensor) -> Tensor:
        """``[…, H]`` → ``[…, V]``; of a tied model by the ``vectors [V, E]`` of symbols."""
        found: Tensor = self.linear(states)
        return found if self.bias is None else F.linear(found, vectors, self.bias)

    def chances(self, states: Tensor, symbols: Tensor, asked: Tensor, vectors: Tensor) -> Tensor:
        """Log-probabilities ``[B, T]`` of ``symbols [B, T]``, 0 but where ``asked [B, T]``.

        ``states [B, T - 1, H]`` are those after each symbol but the last.
        """
        wanted = asked[:, 1:]
        rows, next_symbols = states[wanted], symbols[:, 1:][wanted]
        size = max(1, LARGEST_LOGITS // len(vectors))
        parts = (
            -F.cross_entropy(self.logits(self.dropout(r), vectors).float(), s, reduction="none")
            for r, s in zip(rows.split(size), next_symbols.split(size), strict=True)
        )
        found = torch.cat(list(parts)) if len(rows) else rows.new_zeros(0)
        chances = found.new_zeros(symbols.shape)
        places = F.pad(wanted, (1, 0))
        return chances.masked_scatter(places, found)


class LanguageModel(nn.Module):
    """Two one-way models over one table of vectors of symbols; with ``both`` unset, one.

    Of a batch of passages (``symbols [B, T]``, of which ``count`` from ``first`` on are asked) both
    read each row from its own end. Of a batch of a stream (``symbols``, ``mirror``, ``carry`` and
    ``place``) each goes on from where it was, if :meth:`keep_states` was called.
    """

    def __init__(
        self, sizes: LanguageSizes, config: EncoderConfig, *, both: bool = True,
        ngrams: NGramTables | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.ngrams = ngrams
        self.embedding = (Table if sizes.tied else nn.Embedding)(sizes.symbols, sizes.symbol_size)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.embedding_dropout = LockedDropout(sizes.embedding_dropout)
        self.directions = nn.ModuleList(OneWay(sizes, config) for _ in range(1 + both))

    def forward(self, batch: Batch) -> Predicted:
        """Log-probabilities of the batch's own symbols."""
        symbols = batch.inputs["symbols"]
        if "carry" in batch.inputs:
            return self._streamed(batch)
        steps = torch.arange(symbols.shape[1], device=symbols.device)
        after = steps - batch.inputs["first"].unsqueeze(1)
        asked = (after >= 0) & (after < batch.inputs["count"].unsqueeze(1))
        forward, mixed = self._read(0, symbols, batch.lengths, asked & (steps > 0))
        if len(self.directions) == 1:
            none = torch.zeros_like(forward)
            return Predicted(forward, none, mixed, none)
        index = reverse_index(batch.lengths, symbols.shape[1])
        inner = steps < (batch.lengths - 1).unsqueeze(1)
        turned = symbols.gather(1, index), batch.lengths, (asked & inner).gather(1, index)
        backward = [part.gather(1, index) for part in self._read(1, *turned)]
        return Predicted(forward, backward[0], mixed, backward[1])

    def way(self, number: int) -> OneWay:
        """The model of a direction: 0 from left to right, 1 from right to left."""
        return cast(OneWay, self.directions[number])

    def _read(
        self, number: int, symbols: Tensor, lengths: Tensor, asked: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log-chances of a direction: its own, and with n-grams mixed in."""
        states = self.states(number, symbols[:, :-1], (lengths - 1).clamp(min=1))
        own = self.way(number).chances(states, symbols, asked, self.embedding.weight)
        if self.ngrams is None or self.training or not int(self.ngrams.fitted):
            return own, own
        return own, self.ngrams.mixed(number, symbols, own, asked)

    def states(self, number: int, symbols: Tensor, lengths: Tensor) -> Tensor:
        """``[B, T, H]``: what the model of a direction holds after each of ``symbols [B, T]``.

        They stand in the order in which that model reads; nothing stands before them.
        """
        mask = sequence_mask(lengths, symbols.shape[1])
        steps = self.embedding_dropout(self.embedding(symbols.masked_fill(~mask, 0)))
        encoded: Tensor = self.way(number).encoder(steps, lengths).states
        return encoded

    # States that are carried from window to window

    def keep_states(self, rows: int) -> None:
        """Carry states from batch to batch of a stream of so many rows.

        They are part of the ``state_dict`` until :meth:`drop_states`, so that a training that is
        taken up goes on from them.
        """
        for number in range(len(self.directions)):
            encoder = self.way(number).encoder
            kinds = 2 if encoder.recurrence.name == "lstm" else 1
            shape = (encoder.config.layers, kinds, 1, rows, encoder.config.hidden_size)
            self.register_buffer(f"carried_{number}", self.embedding.weight.new_zeros(shape))

    def drop_states(self) -> None:
        """Carry states no more."""
        for name in [name for name in self._buffers if name.startswith("carried_")]:
            del self._buffers[name]

    def _streamed(self, batch: Batch) -> Predicted:
        rows = [batch.inputs[name] for name in ("symbols", "mirror")]
        carry, place = batch.inputs["carry"], batch.inputs["place"]
        found = [self._go_on(n, rows[n], carry, place) for n in range(len(self.directions))]
        both = found[0], found[1] if len(found) > 1 else torch.zeros_like(found[0])
        return Predicted(*both, *both)

    def _go_on(self, number: int, symbols: Tensor, carry: Tensor, place: Tensor) -> Tensor:
        steps = self.embedding_dropout(self.embedding(symbols[:, :-1]))
        encoder, asked = self.way(number).encoder, torch.ones_like(symbols, dtype=torch.bool)
        carried = self._buffers.get(f"carried_{number}")
        if carried is None or not can_carry(encoder):
            lengths = torch.full((len(symbols),), steps.shape[1], device=symbols.device)
            states = encoder(steps, lengths).states
        else:
            before = carried.index_select(3, place) * carry.view(-1, 1).to(carried.dtype)
            states, after = encoder.carry(steps, [tuple(part) for part in before])
            if self.training:
                with torch.no_grad():
                    own = torch.stack([torch.stack(part) for part in after]).detach()
                    carried.copy_(joined(own.to(carried.dtype), place, carried))
        return self.way(number).chances(states, symbols, asked, self.embedding.weight)


def can_carry(encoder: Encoder) -> bool:
    """Whether an encoder can go on from states."""
    return encoder.recurrence.name in ("gru", "lstm")


def asked_symbols(predicted: Predicted, batch: Batch) -> Sequence[Tensor]:
    """Of each row of a batch of passages ``[n, 4]``: what is said of its symbols.

    By both models with n-grams mixed in, then by both alone.
    """
    own = predicted.forward, predicted.backward
    rows = torch.stack([predicted.mixed_forward, predicted.mixed_backward, *own], dim=-1)
    firsts, counts = batch.inputs["first"].tolist(), batch.inputs["count"].tolist()
    return [row[f : f + n] for row, f, n in zip(rows, firsts, counts, strict=True)]
