"""A model from sequences of numbers to others: tables of words, an encoder, a decoder."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from birnn.config import EncoderConfig
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.dropout import Dropout
from birnn.nn.encoders import build_encoder
from birnn.nn.seq2seq.decoder import DECODERS, Decoder, DecoderSizes, Memory
from birnn.nn.table import Table


@dataclass(frozen=True)
class TranslatorSizes:
    """How large a translator is, and what of it is shared."""

    source: int  # numbers of words of the source
    target: int  # V
    word: int  # E
    hidden: int  # H of the decoder
    decoder: str = "stacked"
    attention: str = "multiplicative"
    coverage: bool = False
    diagonal: bool = True
    shared: bool = False  # one table for source and target
    tied: bool = True  # words are read off by the table of the target
    word_dropout: float = 0.0  # how often a word is the unknown one
    embedding_dropout: float = 0.0
    dropout: float = 0.0  # within the decoder


class TranslatorOutputs(NamedTuple):
    """What is known of a batch."""

    memory: Memory
    logits: Tensor | None  # [M, V] of the real steps of the targets, item by item
    model: "Translator"


class Translator(nn.Module):
    """Sources → states → targets, word by word; what is padded has no part in it."""

    def __init__(self, sizes: TranslatorSizes, encoder: EncoderConfig) -> None:
        super().__init__()
        self.sizes = sizes
        counts = sizes.source, sizes.target
        self.own_source = None if sizes.shared else nn.Embedding(counts[0], sizes.word)
        twice = sizes.shared or sizes.tied
        self.target = (Table if twice else nn.Embedding)(counts[1], sizes.word)
        for table in (self.own_source, self.target):
            if table is not None:  # rows of length 1 on average: as they stand, logits are small
                nn.init.normal_(table.weight, std=sizes.word**-0.5)
        self.encoder = build_encoder(sizes.word, encoder)
        summary = self.encoder.output_size
        own = DecoderSizes(
            sizes.word, sizes.hidden, summary, summary + sizes.word, sizes.attention,
            sizes.coverage, sizes.diagonal, sizes.dropout,
        )  # fmt: skip
        kind, cell = DECODERS[sizes.decoder], type(self.encoder)
        self.decoder: Decoder = kind(own, cell.recurrence, cell.forget_gate)
        self.bias = nn.Parameter(torch.zeros(sizes.target))
        self.reading = None if sizes.tied else nn.Parameter(self.target.weight.detach().clone())
        self.embedding_dropout = Dropout(sizes.embedding_dropout)

    @property
    def source(self) -> nn.Module:
        """The table of the source's words, which can be that of the target's."""
        own: nn.Module = self.target if self.own_source is None else self.own_source
        return own

    def forward(self, batch: Batch) -> TranslatorOutputs:
        """The memory of ``source [B, T]``; the logits of ``target [B, U]``, where it is known."""
        memory = self.remember(batch)
        target = batch.inputs.get("target")
        logits = None
        if target is not None:
            lengths = batch.inputs["target_lengths"]
            real = sequence_mask(lengths, target.shape[1])
            target = target.masked_fill(~real, 0)
            words = self.words(self.target, target[:, :-1])
            words = torch.cat([memory.start.unsqueeze(1), words], 1)
            logits = self.logits(self.decoder.read(words, lengths, memory)[real])
        return TranslatorOutputs(memory, logits, self)

    def remember(self, batch: Batch) -> Memory:
        """What the decoder knows of the sources."""
        mask = sequence_mask(batch.lengths, batch.inputs["source"].shape[1])
        source = batch.inputs["source"].masked_fill(~mask, 0)
        words = self.words(self.source, source)
        encoded = self.encoder(words, batch.lengths)
        # Beside a state its word's own vector: what to say of a word is learned from few examples
        # where it need not be read out of states (Nguyen & Chiang 2018).
        states = torch.cat([encoded.states, words.to(encoded.states.dtype)], -1)
        return self.decoder.memory(
            states.masked_fill(~mask.unsqueeze(-1), 0), encoded.summary, mask
        )

    def words(self, table: nn.Module, numbers: Tensor) -> Tensor:
        """``[…]`` → ``[…, E]`` of unit scale; in training some words are hidden."""
        if self.training and self.sizes.word_dropout:
            hidden = torch.rand(numbers.shape, device=numbers.device) < self.sizes.word_dropout
            numbers = numbers.masked_fill(hidden, 0)
        found: Tensor = self.embedding_dropout(table(numbers) * self.sizes.word**0.5)
        return found

    def logits(self, made: Tensor) -> Tensor:
        """``[…, E]`` → ``[…, V]``."""
        table = self.target.weight if self.reading is None else self.reading
        return nn.functional.linear(made, table, self.bias)
