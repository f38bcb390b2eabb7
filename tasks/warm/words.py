"""Words of two runs in one table: lists that grow, and vectors that must be of one kind."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from birnn.errors import ConfigError

if TYPE_CHECKING:
    from birnn.data.text.vectors import VectorTable

ALIKE = 0.99  # the cosine of a word's two vectors, of one kind
MOST = 2_000  # words that are compared


def grown(old: Sequence[str], fresh: Sequence[str], how: str) -> list[str]:
    """The words of a new run: ``keep`` the old ones, ``grow`` them by new ones, or ``refit``.

    >>> grown(["<pad>", "<unk>", "a"], ["<pad>", "<unk>", "b", "a"], "grow")
    ['<pad>', '<unk>', 'a', 'b']
    """
    if how == "refit":
        return list(fresh)
    more = fresh if how == "grow" else ()
    return list(dict.fromkeys([*old, *more]))


def grown_vectors(own: "VectorTable | None", given: "VectorTable | None") -> "VectorTable | None":
    """The vectors of a run with those of words that it lacks.

    Raises:
        ConfigError: they are not of its kind, which its encoder has learned to read.
    """
    from birnn.data.text.vectors import VectorTable  # brings what reads files

    if own is None and given is None:
        return None
    advice = "leave --vectors out, or train without --from"
    if own is None or given is None:
        has = "no vectors" if own is None else f"the vectors {own.name}"
        raise ConfigError(f"vectors: the run that is begun from has {has}: {advice}")
    sizes = own.values.shape[1], given.values.shape[1]
    if sizes[0] != sizes[1]:
        what = f"{given.name} has {sizes[1]} numbers a word, the run's own {own.name} {sizes[0]}"
        raise ConfigError(f"vectors: {what}: {advice}")
    places = {word: place for place, word in enumerate(own.words)}
    both = [(places[word], i) for i, word in enumerate(given.words) if word in places][:MOST]
    if both and _cosine(own, given, both) < ALIKE:
        what = f"{given.name} has other vectors than the run's own {own.name} for the same words"
        raise ConfigError(f"vectors: {what}: {advice}")
    more = [i for i, word in enumerate(given.words) if word not in places]
    words = [*own.words, *(given.words[i] for i in more)]
    return VectorTable(given.name, words, np.concatenate([own.values, given.values[more]]))


def _cosine(own: "VectorTable", given: "VectorTable", both: list[tuple[int, int]]) -> float:
    """The median over words of the cosine between their two vectors."""
    rows = [list(side) for side in zip(*both, strict=True)]
    first, second = own.values[rows[0]].astype(float), given.values[rows[1]].astype(float)
    sizes = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return float(np.median((first * second).sum(1) / np.maximum(sizes, 1e-12)))
