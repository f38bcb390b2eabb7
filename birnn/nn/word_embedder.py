"""From the words of a batch to the steps an encoder reads.

A word is described by up to three parts, joined: a trained vector, a pretrained vector (the
frozen table's plus a trained correction), and a bag of character n-grams. Each distinct word of
a batch is described once and then put wherever it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.dropout import Dropout, LockedDropout, dropped_places
from birnn.nn.model import Embedder

UNKNOWN_ID = 1  # the row of unknown words; before it stands that of padding

READ = 64  # features that are made of all states of a token
HIDDEN = 0.5  # share of the states that training hides


@dataclass(frozen=True)
class WordSizes:
    """Rows and widths of the tables; a width of 0 leaves a part out."""

    words: int  # trained rows, <pad> and <unk> first
    word_size: int
    vector_size: int  # of pretrained vectors
    buckets: int  # character n-gram rows
    gram_size: int
    context_size: int = 0  # states of another model at a word

    @property
    def total(self) -> int:
        """Features of a word."""
        read = READ if self.context_size else 0
        return self.word_size + self.vector_size + self.gram_size + read


class PretrainedVectors(nn.Module):
    """A frozen table of word vectors, in half precision to halve the size of a run.

    It is multiplied by ``scale``, to the size of what a cell expects.
    """

    values: Tensor

    def __init__(self, rows: int, size: int, scale: float = 2.0) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("values", torch.zeros((rows, size), dtype=torch.float16))

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """``vector_rows``, ``vector_offsets [U]`` → the mean of a word's rows, ``[U, D]``, or 0."""
        rows = inputs["vector_rows"]
        if rows.device.type == "cpu":
            used, inverse = rows.unique(return_inverse=True)
        else:  # how many there are would have to be waited for
            used, inverse = rows, torch.arange(len(rows), device=rows.device)
        table = self.values[used].float() * self.scale
        mean: Tensor = F.embedding_bag(inverse, table, inputs["vector_offsets"], mode="mean")
        return mean


class TableEmbedder(Embedder):
    """The trained rows of words, and what is learned on top of their pretrained vectors.

    ``<pad>`` and ``<unk>`` are the first rows; a size of 0 leaves a part out.
    """

    def __init__(self, rows: int, word_size: int, vector_size: int) -> None:
        super().__init__()
        self.words = nn.Embedding(rows, word_size) if word_size else None
        if self.words is not None:
            nn.init.normal_(self.words.weight, std=0.1 if vector_size else 0.3)
        self.correction = nn.Embedding(rows, vector_size) if vector_size else None
        if self.correction is not None:
            nn.init.zeros_(self.correction.weight)

    def unknown(self) -> Tensor:
        """The features ``[E]`` of a word of which nothing is known: ``<unk>``, and zeros."""
        zeros = super().unknown()
        if self.words is None:
            return zeros
        row = self.words.weight[UNKNOWN_ID]
        return torch.cat([row, zeros[len(row) :]])

    def placed(
        self, inputs: dict[str, Tensor], others: Sequence[Tensor], hidden: Tensor | None
    ) -> Tensor:
        """The features of each distinct word, put wherever it stands: ``[B, T, ·]``.

        Rows ``word_ids [U]``, vectors ``pretrained [U, D]`` and ``others``, ``[U, ·]`` each, go to
        ``types [B, T]``; where ``hidden [B, T]`` is True, the row is that of ``<unk>``.
        """
        ids, types = inputs["word_ids"], inputs["types"]
        known, unknown = [], []
        if self.words is not None:
            # One look-up for all: the gradient of a large table then holds each row once.
            rows = self.words(torch.cat([ids, ids.new_full((1,), UNKNOWN_ID)]))
            known.append(rows[:-1])
            unknown.append(rows[-1:].expand(len(ids), -1))
        if self.correction is not None:
            # An unknown word keeps its pretrained vector as it is.
            learned = self.correction(ids) * (ids > UNKNOWN_ID).unsqueeze(-1)
            known.append(inputs["pretrained"] + learned)
            unknown.append(inputs["pretrained"])
        words = torch.cat([*known, *others], -1)
        if hidden is not None:
            words = torch.cat([words, torch.cat([*unknown, *others], -1)])
            types = types + len(ids) * hidden
        # Not indexing: its gradient adds up in whatever order the threads come.
        return F.embedding(types, words)


class StateReader(nn.Module):
    """States of another model as fewer features: ``[B, T, D]`` → ``[B, T, READ]``.

    They are many, and say more of texts that their model has seen than of others: most are hidden
    in training, the same for a sentence, and a linear layer makes few of them (as Akbik et al.
    2018 project theirs).
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dropout = LockedDropout(HIDDEN)
        self.linear = nn.Linear(size, READ)

    def forward(self, states: Tensor) -> Tensor:
        """As above."""
        found: Tensor = self.linear(self.dropout(states))
        return found


class WordEmbedder(TableEmbedder):
    """Words → steps ``[B, T, E]``.

    A batch's inputs are ``types [B, T]`` (the number of the distinct word at each position),
    ``word_ids [U]``, and, for the parts that are there, ``pretrained [U, D]`` (from
    :class:`PretrainedVectors`), ``gram_ids`` with ``gram_offsets [U]``, and ``context
    [B, T, D]``, states of another model. Word dropout, ``rate``, is how often a position's trained
    row is that of ``<unk>``.
    """

    def __init__(self, sizes: WordSizes, rate: float, dropout: float) -> None:
        super().__init__(sizes.words, sizes.word_size, sizes.vector_size)
        self.sizes, self.rate = sizes, rate
        self.output_size = sizes.total
        self.dropout = Dropout(dropout)
        self.context = StateReader(sizes.context_size) if sizes.context_size else None
        self.grams: nn.EmbeddingBag | None = None
        if sizes.gram_size:
            self.grams = nn.EmbeddingBag(sizes.buckets, sizes.gram_size, mode="sum")
            nn.init.normal_(self.grams.weight, std=0.3)

    def forward(self, batch: Batch) -> Tensor:
        """``[B, T, E]``; padded steps hold some word's features, which the encoder ignores."""
        inputs, hidden = batch.inputs, None
        if self.training and self.rate:
            hidden = dropped_places(inputs["types"], self.rate)
        others = [] if self.grams is None else [self._characters(inputs)]
        placed = self.placed(inputs, others, hidden)
        if self.context is not None:
            placed = torch.cat([placed, self.context(inputs["context"])], -1)
        steps: Tensor = self.dropout(placed)
        return steps

    def _characters(self, inputs: dict[str, Tensor]) -> Tensor:
        """The sum of each word's n-gram vectors over the root of their number, ``[U, G]``."""
        assert self.grams is not None
        ids, offsets = inputs["gram_ids"], inputs["gram_offsets"]
        ends = torch.cat([offsets[1:], offsets.new_tensor([len(ids)])])
        counts = (ends - offsets).clamp(min=1).unsqueeze(-1)
        scaled: Tensor = self.grams(ids, offsets) / counts.sqrt().to(self.grams.weight.dtype)
        return scaled


def word_weights(batch: Batch, weights: Tensor) -> list[list[float]]:
    """Attention ``weights [B, T]`` of the real positions of each item."""
    mask = sequence_mask(batch.lengths, weights.shape[1])
    return [row[real].tolist() for row, real in zip(weights, mask, strict=True)]
