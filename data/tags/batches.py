"""Tagged sentences as batches: every distinct token is looked up once, when a split is made."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from birnn.arrays import Array, Codes, Ints
from birnn.data.splits.flat import encoded_tokens, padded_places, renumbered
from birnn.data.splits.spelled import Spelled, Speller, context_inputs
from birnn.data.tags.layout import ColumnLayout
from birnn.data.tags.spelling import affixes, case_features, pad_letters
from birnn.data.text.tokenizers import UNKNOWN_ID
from birnn.data.text.words import Lexicon, Ragged
from birnn.nn.batch import Batch
from birnn.nn.characters import strip_of

if TYPE_CHECKING:
    from datasets import Dataset

NOTHING = "\ufffd"  # an empty token is read as a letter that nobody knows


@dataclass(frozen=True)
class TagLexicon:
    """From a token to numbers."""

    words: Lexicon  # the trained rows, of words in lower case, and the pretrained rows
    singletons: frozenset[str]  # words that train has once
    characters: list[str]  # the rows of letters, <pad> and <unk> first; empty without them
    affixes: list[str]  # the same of affixes
    speller: Speller | None = None  # for a model of running text, where there is one
    _character_ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _affix_ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, rows in (("_character_ids", self.characters), ("_affix_ids", self.affixes)):
            object.__setattr__(self, name, {row: i for i, row in enumerate(rows)})

    def features(self, tokens: Sequence[str]) -> dict[str, Array]:
        """What is known of ``U`` tokens: arrays ``[U, ...]``, and ragged rows of vectors."""
        lower = [token.lower() for token in tokens]
        tokens = [token or NOTHING for token in tokens]
        arrays: dict[str, Array] = {
            "word_ids": np.array([self.words.word_id(word) for word in lower], dtype=np.int64),
            "singletons": np.array([word in self.singletons for word in lower], dtype=bool),
            "case": np.array([case_features(token) for token in tokens], dtype=np.float32),
        }
        if self.characters:
            padded = pad_letters(tokens, self._character_ids, UNKNOWN_ID)
            arrays["characters"], arrays["character_lengths"] = padded
        if self.affixes:
            rows = [[self._affix_ids.get(a, UNKNOWN_ID) for a in affixes(t)] for t in tokens]
            arrays["affixes"] = np.array(rows, dtype=np.int64)
        return arrays

    def vector_rows(self, tokens: Sequence[str]) -> Ragged | None:
        """Pretrained rows of each token; None where there are no such vectors."""
        if not self.words.vector_words:
            return None
        self.words.prepare(tokens)
        return Ragged.of([self.words.vector_rows(token) for token in tokens])

    def spelled(self, tokens: Sequence[str]) -> Spelled | None:
        """Their symbols; None where no model of running text asks for them."""
        return None if self.speller is None else Spelled.of(tokens, self.speller)


@dataclass(frozen=True)
class TagSplit:
    """``N`` sentences; to train and score, with the number of each token's tag."""

    table: "Dataset | None"  # columns tokens, tags, and what the file's own format needs
    types: Codes  # [M], the number of the distinct token at each place
    starts: Ints  # [N], where a sentence's tokens begin
    lengths: Ints  # [N]
    features: dict[str, Array]  # of the distinct tokens
    vectors: Ragged | None  # their pretrained rows
    targets: Ints | None  # [M]
    layout: ColumnLayout | None = None  # of the files that the sentences stood in
    spelled: Spelled | None = None  # the distinct tokens, for a model of running text
    context: Array | None = None  # [M, C], what that model makes of them, where it is known

    @staticmethod
    def build(table: "Dataset", lexicon: TagLexicon, targets: Array | None = None) -> "TagSplit":
        """From a table with a column ``tokens``; ``targets [M]`` are of all its tokens in turn."""
        import pyarrow.compute as pc

        column = table.with_format("arrow")[:].column("tokens")
        lengths = np.asarray(pc.list_value_length(column).to_numpy(), dtype=np.int64)
        tokens, types = encoded_tokens(column)
        vectors = lexicon.vector_rows(tokens)
        starts = np.cumsum(lengths) - lengths
        features, spelled = lexicon.features(tokens), lexicon.spelled(tokens)
        return TagSplit(table, types, starts, lengths, features, vectors, targets, spelled=spelled)

    @staticmethod
    def of(sentences: Sequence[Sequence[str]], lexicon: TagLexicon) -> "TagSplit":
        """To predict: lists of tokens, each at least one, with no table around them."""
        numbers: dict[str, int] = {}
        lengths = np.array(list(map(len, sentences)), dtype=np.int64)
        types = [numbers.setdefault(token, len(numbers)) for row in sentences for token in row]
        tokens = list(numbers)
        vectors = lexicon.vector_rows(tokens)
        starts = np.cumsum(lengths) - lengths
        flat = np.array(types, dtype=np.int32)
        features, spelled = lexicon.features(tokens), lexicon.spelled(tokens)
        return TagSplit(None, flat, starts, lengths, features, vectors, None, spelled=spelled)

    def __len__(self) -> int:
        return len(self.lengths)

    def column(self, name: str) -> list[Any]:
        """A column of the table: a row a sentence.

        Raises:
            ValueError: the split was made without a table.
        """
        if self.table is None:
            raise ValueError(f"sentences without a table have no column {name!r}")
        values: list[Any] = self.table[name][:]
        return values

    def with_targets(self, targets: Array) -> "TagSplit":
        """The same sentences with other tags ``[M]``."""
        return replace(self, targets=targets)

    def with_layout(self, layout: ColumnLayout) -> "TagSplit":
        """The same sentences, and how their files are laid out."""
        return replace(self, layout=layout)

    def places(self, indices: Ints) -> tuple[Array, Array]:
        """Where the tokens of the sentences stand: in the flat arrays ``[m]``, and their mask.

        The mask is ``[B, T]``; its true cells in reading order are the ``m`` tokens.
        """
        return padded_places(self.starts[indices], self.lengths[indices])

    def batch(self, indices: Ints) -> Batch:
        """The sentences, padded, with the features of each distinct token of the batch once."""
        places, mask = self.places(indices)
        distinct: Array
        inverse: Array
        if len(indices) == len(self):  # all that there are
            distinct, inverse = np.arange(len(self.features["word_ids"])), self.types[places]
        else:
            count = len(self.features["word_ids"])
            distinct, inverse = renumbered(self.types[places], count)
        types = np.zeros(mask.shape, dtype=np.int64)
        types[mask] = inverse
        arrays = {"types": types, **{name: rows[distinct] for name, rows in self.features.items()}}
        if "characters" in arrays:
            longest = int(arrays["character_lengths"].max())
            arrays["characters"] = np.ascontiguousarray(arrays["characters"][:, :longest])
        arrays |= context_inputs(self.context, self.spelled, places, self.types, mask)
        if self.vectors is not None:
            rows = self.vectors.take(distinct)
            arrays["vector_rows"], arrays["vector_offsets"] = rows.flat, rows.starts
        targets = None
        if self.targets is not None:
            padded = np.zeros(mask.shape, dtype=np.int64)
            padded[mask] = self.targets[places]
            targets = torch.from_numpy(padded)
        inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
        if "characters" in inputs:
            strip = strip_of(inputs["characters"], inputs["character_lengths"])
            inputs["letters"], inputs["letter_words"] = strip
        return Batch(inputs, torch.from_numpy(self.lengths[indices]), targets)
