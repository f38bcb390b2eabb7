"""From the tokens of a sentence to the steps a tagger reads.

A token is described by up to five parts, joined: a trained vector, a pretrained vector (a frozen
table's plus a trained correction), its letters, its affixes, and how it is written. All but the
first are worked out once for each distinct token of a batch and put wherever it stands.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from birnn.nn.batch import Batch
from birnn.nn.characters import Strip, build_characters
from birnn.nn.dropout import Dropout, LockedDropout, dropped_places
from birnn.nn.word_embedder import READ, StateReader, TableEmbedder


@dataclass(frozen=True)
class TokenSizes:
    """Rows and widths of a token's parts; a width of 0 leaves a part out."""

    words: int  # trained rows, <pad> and <unk> first
    word_size: int
    vector_size: int  # of pretrained vectors
    characters: int
    character_size: int  # of one character's vector
    char_encoder: str  # a name in birnn.nn.characters.CHARACTER_ENCODERS
    char_size: int  # of a word's letters
    affixes: int
    affix_slots: int  # affixes of a token
    affix_size: int  # of each slot
    case_size: int  # numbers that say how a token is written
    context_size: int = 0  # states of another model at a token


@dataclass(frozen=True)
class TokenDropout:
    """What is hidden in training."""

    singletons: float  # how often a word that train has once counts as unknown
    words: float  # how often any word does
    features: float  # of single features of a step
    locked: float  # of features, the same at all steps
    characters: float


class TokenEmbedder(TableEmbedder):
    """Tokens → steps ``[B, T, E]``.

    A batch's inputs are ``types [B, T]`` (the number of the distinct token at each position) and
    of the ``U`` distinct tokens, where the part is there: ``word_ids [U]`` with ``singletons [U]``
    (bool), ``pretrained [U, D]`` (from :class:`birnn.nn.word_embedder.PretrainedVectors`),
    ``characters [U, L]`` with ``character_lengths [U]`` (and, as they may also come as a
    :class:`birnn.nn.characters.Strip`, ``letters`` and ``letter_words``), ``affixes [U, S]`` and
    ``case [U, C]``. States of another model are ``context [B, T, D]``.
    """

    def __init__(self, sizes: TokenSizes, dropout: TokenDropout) -> None:
        super().__init__(sizes.words, sizes.word_size, sizes.vector_size)
        self.sizes, self.rates = sizes, dropout
        self.characters = build_characters(
            sizes.char_encoder, sizes.characters, sizes.character_size, sizes.char_size,
            dropout.characters,
        )  # fmt: skip
        self.affixes = nn.Embedding(sizes.affixes, sizes.affix_size) if sizes.affix_size else None
        if self.affixes is not None:
            nn.init.normal_(self.affixes.weight, std=0.3)
        self.dropout = Dropout(dropout.features)
        self.locked_dropout = LockedDropout(dropout.locked)
        letters = self.characters.output_size if self.characters is not None else 0
        affixes = sizes.affix_slots * sizes.affix_size
        own = sizes.word_size + sizes.vector_size + letters + affixes + sizes.case_size
        self.context = StateReader(sizes.context_size) if sizes.context_size else None
        self.output_size = own + (READ if sizes.context_size else 0)

    def forward(self, batch: Batch) -> Tensor:
        """``[B, T, E]``; padded steps hold some token's features, which the encoder ignores."""
        others = self._spelled(batch.inputs)
        placed = self.placed(batch.inputs, others, self._hidden(batch.inputs))
        if self.context is not None:
            placed = torch.cat([placed, self.context(batch.inputs["context"])], -1)
        steps: Tensor = self.locked_dropout(self.dropout(placed))
        return steps

    def _hidden(self, inputs: dict[str, Tensor]) -> Tensor | None:
        """Where a token's trained row is hidden in training, ``[B, T]``; None: nowhere."""
        types, rates = inputs["types"], self.rates
        if not self.training or not (rates.singletons or rates.words):
            return None
        # So that the row of unknown words is learned where such words stand.
        rare = rates.singletons + rates.words - rates.singletons * rates.words
        rate = torch.where(inputs["singletons"], rare, rates.words)
        return dropped_places(types, rate[types])

    def _spelled(self, inputs: dict[str, Tensor]) -> list[Tensor]:
        """What the spelling of each distinct token says, each ``[U, ·]``."""
        parts = []
        if self.characters is not None:
            strip = None
            if "letters" in inputs:
                strip = Strip(inputs["letters"], inputs["letter_words"])
            words = inputs["characters"], inputs["character_lengths"]
            parts.append(self.characters(*words, strip))
        if self.affixes is not None:
            parts.append(self.affixes(inputs["affixes"]).flatten(1))
        if self.sizes.case_size:
            parts.append(inputs["case"])
        return parts
