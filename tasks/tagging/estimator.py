"""The scikit-learn tagger of tokens."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from birnn.arrays import Array
from birnn.data.tags.loading import fair_cut
from birnn.data.tags.schemes import detect
from birnn.errors import BirnnError
from birnn.tasks.api.estimator import BirnnEstimator, InputError
from birnn.tasks.serving.python_inputs import Sentences, read_sentences
from birnn.tasks.tagging.spans import tagging_score


class Tagger(BirnnEstimator):
    """A tagger: ``X`` is a list of lists of tokens, ``y`` a list of lists of tags.

    ``score`` is span F1 as the ``conlleval`` script counts, or accuracy where tags spell no spans.
    It is no classifier to scikit-learn, which knows one class a row: cross-validation cuts by rows
    without stratifying.
    """

    __module__ = "birnn"  # what a pickle names
    task: ClassVar[str] = "tagging"

    def __sklearn_tags__(self) -> Any:
        """Lists of tokens in."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any) -> "Tagger":
        """Learn from ``N`` sentences and their tags.

        Raises:
            InputError: rows that don't match, tags of several schemes, or too few sentences.
        """
        tokens = _sentences(X)
        tags = _tags(y, tokens)
        if not all(tokens):
            raise InputError(f"X: row {1 + [bool(row) for row in tokens].index(False)} is empty")
        joined = [" ".join(row) for row in tokens]
        self._learn_tables(
            {"tokens": tokens, "tags": tags},
            lambda share, seed: fair_cut(joined, tags, detect(tags), share, seed),
            "sentences",
            token_column="tokens",
            tag_column="tags",
        )
        self.classes_ = np.array(sorted({tag for row in tags for tag in row}), dtype=object)
        return self

    def predict(self, X: Any) -> list[list[str]]:
        """The tags of each sentence, in the scheme of ``y``."""
        tags: list[list[str]] = self._fitted().predict(_sentences(X))
        return tags

    def predict_proba(self, X: Any) -> list[Array]:
        """``[T, K]`` for each sentence: the probability of each of ``run_.labels``.

        These are the network's own tags, IOBES where tags spell spans. The likeliest tag at each
        token need not be that of :meth:`predict`, which is of the likeliest legal sequence.
        """
        probabilities: list[Array] = self._fitted().predict_proba(_sentences(X))
        return probabilities

    def score(self, X: Any, y: Any) -> float:
        """Span F1, or the accuracy of tokens where tags spell no spans."""
        tokens = _sentences(X)
        gold, found = _tags(y, tokens), self.predict(tokens)
        return tagging_score(gold, found, self._fitted().loaded.info.scheme)


def _sentences(X: Any) -> list[list[str]]:
    try:
        found = read_sentences(X)
    except BirnnError as error:
        raise InputError(str(error)) from None
    if not isinstance(found, Sentences):
        raise InputError("X: give a list of lists of tokens")
    return list(found.tokens)


def _tags(y: Any, tokens: Sequence[Sequence[str]]) -> list[list[str]]:
    tags = [[str(tag) for tag in row] for row in y]
    if len(tags) != len(tokens):
        raise InputError(f"y: {len(tags)} rows for the {len(tokens)} of X")
    for number, (row, words) in enumerate(zip(tags, tokens, strict=True), 1):
        if len(row) != len(words):
            raise InputError(f"y: row {number} has {len(row)} tags for {len(words)} tokens")
    return tags
