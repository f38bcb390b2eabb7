"""Tokenised texts as batches: Arrow-backed rows, words looked up when a batch is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from birnn.arrays import Array, Ints
from birnn.data.tables.hugging_face import library
from birnn.data.tables.plain import PlainTable
from birnn.data.text.ngrams import NgramRows, bag
from birnn.data.text.tokenizers import UNKNOWN, get_tokenizer
from birnn.data.text.words import Lexicon, ragged
from birnn.nn.batch import Batch

if TYPE_CHECKING:
    import scipy.sparse as sp
    from datasets import Dataset


def tokenize(
    table: "Dataset | PlainTable", tokenizer: str, max_length: int
) -> "Dataset | PlainTable":
    """Add the columns ``tokens`` (at most ``max_length``, at least one) and ``cut`` (lost tokens).

    A ``Dataset`` goes through ``datasets.map``, so it is batched and cached. All columns are kept.
    """
    if isinstance(table, PlainTable):
        return table.with_columns(**_tokenize_batch(table.columns, tokenizer, max_length))
    datasets = library()
    words = datasets.List(datasets.Value("string"))
    features = datasets.Features(
        {**table.features, "tokens": words, "cut": datasets.Value("int64")}
    )
    how = {"tokenizer": tokenizer, "max_length": max_length}
    return table.map(_tokenize_batch, batched=True, features=features, fn_kwargs=how)


def _tokenize_batch(
    batch: dict[str, list[str]], tokenizer: str, max_length: int
) -> dict[str, list[Any]]:
    split = get_tokenizer(tokenizer)
    tokens = [split(text) or [UNKNOWN] for text in batch["text"]]
    return {
        "tokens": [row[:max_length] for row in tokens],
        "cut": [max(0, len(row) - max_length) for row in tokens],
    }


@dataclass(frozen=True)
class TextSplit:
    """``N`` tokenised texts, with their classes (to train and score) and n-grams (to predict)."""

    table: "Dataset | PlainTable"  # columns text, tokens
    lexicon: Lexicon
    targets: Ints | None  # [N]
    ngrams: "sp.csr_matrix | NgramRows | None"  # [N, V]
    lengths: Ints
    weights: NDArray[np.float32] | None = None  # [N], of each item in the loss

    @staticmethod
    def build(
        table: "Dataset | PlainTable", lexicon: Lexicon, targets: Sequence[int] | None = None,
        ngrams: "sp.csr_matrix | NgramRows | None" = None,
    ) -> "TextSplit":  # fmt: skip
        """From a table that :func:`tokenize` returned."""
        lengths = np.asarray(_list_lengths(table, "tokens"), dtype=np.int64)
        classes = None if targets is None else np.asarray(targets, dtype=np.int64)
        return TextSplit(table, lexicon, classes, ngrams, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def balanced(self, classes: int) -> "TextSplit":
        """The same split, items weighted so that each class counts alike and the mean is 1."""
        assert self.targets is not None
        counts = np.bincount(self.targets, minlength=classes)
        weights = len(self) / (np.count_nonzero(counts) * counts[self.targets])
        return replace(self, weights=weights.astype(np.float32))

    def batch(self, indices: Ints) -> Batch:
        """Look the words of the items up; each distinct word of the batch once."""
        rows = self.table[indices]["tokens"]
        lengths = self.lengths[indices]
        distinct: dict[str, int] = {}
        types = np.zeros((len(rows), int(lengths.max())), dtype=np.int64)
        for row, tokens in enumerate(rows):
            types[row, : len(tokens)] = [distinct.setdefault(t, len(distinct)) for t in tokens]
        words = list(distinct)
        arrays: dict[str, Array] = {"types": types, **look_up(self.lexicon, words)}
        if self.ngrams is not None:
            ids, values, offsets = bag(self.ngrams[indices])
            arrays |= {"ngram_ids": ids, "ngram_values": values, "ngram_offsets": offsets}
        if self.weights is not None:
            arrays["weights"] = self.weights[indices]
        targets = None if self.targets is None else torch.from_numpy(self.targets[indices])
        inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return Batch(inputs, torch.from_numpy(lengths), targets)


def _list_lengths(table: "Dataset | PlainTable", column: str) -> "list[int] | Array":
    """How long each list of a column is."""
    if isinstance(table, PlainTable):
        return list(map(len, table[column]))
    import pyarrow.compute as pc

    lengths = pc.list_value_length(table.with_format("arrow")[:].column(column))
    return np.asarray(lengths.to_numpy())


def look_up(lexicon: Lexicon, words: Sequence[str]) -> dict[str, Ints]:
    """What ``lexicon`` knows of ``U`` words, as a ``WordEmbedder`` takes it."""
    lexicon.prepare(words)
    known = [lexicon.known(word) for word in words]
    arrays = {"word_ids": np.array([entry.word for entry in known], dtype=np.int64)}
    if lexicon.vector_words:
        arrays["vector_rows"], arrays["vector_offsets"] = ragged([entry.vectors for entry in known])
    if lexicon.buckets:
        arrays["gram_ids"], arrays["gram_offsets"] = ragged([entry.grams for entry in known])
    return arrays
