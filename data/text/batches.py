"""Tokenised texts as batches: each distinct word is looked up once, with the first batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from birnn.arrays import Array, Codes, Ints
from birnn.data.splits.flat import encoded_tokens, padded_places, renumbered
from birnn.data.splits.spelled import Spelled, Speller, context_inputs
from birnn.data.tables.hugging_face import library
from birnn.data.tables.plain import PlainTable
from birnn.data.text.ngrams import NgramRows, bag
from birnn.data.text.tokenizers import UNKNOWN, get_tokenizer
from birnn.data.text.words import Lexicon, WordFeatures
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
    """``N`` tokenised texts, with their classes (to train and score) and n-grams (to predict).

    Of ``M`` tokens ``V`` are distinct; each of these is looked up once, with the first batch.
    """

    table: "Dataset | PlainTable"  # columns text, tokens
    lexicon: Lexicon
    targets: Ints | None  # [N]
    ngrams: "sp.csr_matrix | NgramRows | None"  # [N, n-grams]
    lengths: Ints
    weights: NDArray[np.float32] | None = None  # [N], of each item in the loss
    speller: Speller | None = None  # for a model of running text, where there is one
    context: Array | None = None  # [M, C], what that model makes of the tokens, where it is known

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

    @cached_property
    def tokens(self) -> "FlatTokens":
        """Of all texts, in their order."""
        return FlatTokens.of(self.table, self.lengths)

    @cached_property
    def spelled(self) -> Spelled | None:
        """The distinct tokens, for a model of running text."""
        return None if self.speller is None else Spelled.of(self.tokens.distinct, self.speller)

    @cached_property
    def words(self) -> WordFeatures:
        """What is known of the distinct tokens; of texts to predict, more may come."""
        remember = isinstance(self.table, PlainTable)
        return WordFeatures.of(self.lexicon, self.tokens.distinct, remember=remember)

    def batch(self, indices: Ints) -> Batch:
        """The texts, padded, with the features of each distinct token of the batch once."""
        lengths = self.lengths[indices]
        places, mask = padded_places(self.tokens.starts[indices], lengths)
        words, numbers = renumbered(self.tokens.types[places], len(self.tokens.distinct))
        types = np.zeros(mask.shape, dtype=np.int64)
        types[mask] = numbers
        arrays: dict[str, Array] = {"types": types, **self.words.inputs(words)}
        spelled = None if self.context is not None else self.spelled
        arrays |= context_inputs(self.context, spelled, places, self.tokens.types, mask)
        if self.ngrams is not None:
            ids, values, offsets = bag(self.ngrams[indices])
            arrays |= {"ngram_ids": ids, "ngram_values": values, "ngram_offsets": offsets}
        if self.weights is not None:
            arrays["weights"] = self.weights[indices]
        targets = None if self.targets is None else torch.from_numpy(self.targets[indices])
        inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return Batch(inputs, torch.from_numpy(lengths), targets)


@dataclass(frozen=True)
class FlatTokens:
    """The tokens of a split, one text after the other."""

    distinct: list[str]  # V
    types: Codes  # [M], which of the distinct ones stands at each place
    starts: Ints  # [N], where a text's tokens begin

    @staticmethod
    def of(table: "Dataset | PlainTable", lengths: Ints) -> "FlatTokens":
        """Of a table's column ``tokens``, whose rows have ``lengths [N]``."""
        starts = np.cumsum(lengths) - lengths
        if isinstance(table, PlainTable):
            numbers: dict[str, int] = {}
            flat = chain.from_iterable(table["tokens"])
            types = [numbers.setdefault(token, len(numbers)) for token in flat]
            return FlatTokens(list(numbers), np.array(types, dtype=np.int32), starts)
        distinct, found = encoded_tokens(table.with_format("arrow")[:].column("tokens"))
        return FlatTokens(distinct, found, starts)


def _list_lengths(table: "Dataset | PlainTable", column: str) -> "list[int] | Array":
    """How long each list of a column is."""
    if isinstance(table, PlainTable):
        return list(map(len, table[column]))
    import pyarrow.compute as pc

    lengths = pc.list_value_length(table.with_format("arrow")[:].column(column))
    return np.asarray(lengths.to_numpy())
