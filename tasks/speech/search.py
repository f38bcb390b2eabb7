"""How a text is read from the shares of symbols: step by step, or by a search over prefixes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.errors import ConfigError
from birnn.nn.audio.beam import Found, Prefix, aligned, prefix_beam
from birnn.nn.audio.ctc import greedy
from birnn.tasks.speech.info import SpeechInfo

NEVER = -1e9  # the logarithm of what can't be
CHARACTER_BITS = "bits_per_character"  # in the records of a run that scores texts


@dataclass(frozen=True)
class Search:
    """The options of reading."""

    beam: int = 1
    known_words: bool = False
    language_model: str = ""
    language_weight: float = 0.0

    def __post_init__(self) -> None:
        for name in ("known_words", "language_model"):
            if self.beam == 1 and getattr(self, name):
                raise ConfigError(f"{name}: takes a search; add --beam 8, say")

    def read(self, scores: Array, info: SpeechInfo) -> Array:
        """``[L, 4]`` symbols of ``scores [T, K]``."""
        if self.beam == 1:
            return greedy(scores)
        allowed = Words(info) if self.known_words else None
        found = prefix_beam(scores, self.beam, allowed, weight=1.0)
        best = [one for one in found if one.score > NEVER / 2] or found
        if self.language_model:
            best = self.reordered(best, info)
        return aligned(scores, best[0].symbols)

    def reordered(self, found: Sequence[Found], info: SpeechInfo) -> list[Found]:
        """Texts by what CTC and the language model say together, best first."""
        texts = [said_text([[number] for number in one.symbols], info) for one in found]
        scores = text_scores(self.language_model, tuple(texts))
        weighed = [
            one.score + self.language_weight * score
            for one, score in zip(found, scores, strict=True)
        ]
        return [found[i] for i in np.argsort(-np.array(weighed), kind="stable")]


class Words:
    """0 where a symbol goes on with a word that train has, or ends one; else never."""

    def __init__(self, info: SpeechInfo) -> None:
        self.info = info
        self.words, self.beginnings = known_words(tuple(info.words))

    def __call__(self, prefix: Prefix, symbol: int | None) -> float:
        """The logarithm of what may follow ``prefix``; None: that it ends there."""
        labels = self.info.labels
        if self.info.spaced:
            return 0.0
        last = "".join(labels[number] for number in prefix).rpartition(" ")[2]
        if symbol is None or labels[symbol] == " ":
            return 0.0 if last in self.words else NEVER
        return 0.0 if last + labels[symbol] in self.beginnings else NEVER


@lru_cache(maxsize=4)
def known_words(words: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Words, and what they begin with."""
    starts = {word[:end] for word in words for end in range(1, len(word) + 1)}
    return frozenset(words), frozenset(starts)


@lru_cache(maxsize=2)
def scorer(folder: str) -> Any:
    """What answers for the run in ``folder``, loaded once.

    Raises:
        BirnnError: it is no run that scores texts.
    """
    from birnn.tasks.runs.folder import load_run
    from birnn.tasks.serving.predictor import predictor_of

    return predictor_of(load_run(Path(folder)))


@lru_cache(maxsize=4096)
def text_scores(folder: str, texts: tuple[str, ...]) -> tuple[float, ...]:
    """The logarithm of how likely each text is, by the run in ``folder``.

    Raises:
        ConfigError: the run's records have no bits a character.
    """
    filled = [text or " " for text in texts]
    records = scorer(folder).records(filled, "")
    if any(CHARACTER_BITS not in record for record in records):
        raise ConfigError(f"language_model: {folder} is no run that scores texts")
    return tuple(
        -float(record[CHARACTER_BITS] * (len(text) + 1) * np.log(2))
        for record, text in zip(records, filled, strict=True)
    )


def said_text(predicted: Sequence[Any] | Array, info: SpeechInfo) -> str:
    """The text of the symbols ``[L, 4]``, with single spaces."""
    return " ".join(info.text([int(row[0]) for row in predicted]).split())
