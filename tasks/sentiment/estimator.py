"""scikit-learn estimators of texts: a classifier and a tagger."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from datasets import Dataset, DatasetDict
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets

from birnn.arrays import Array
from birnn.data.splits.provenance import cut
from birnn.data.tables.memory import held
from birnn.data.tags.loading import fair_cut
from birnn.data.tags.schemes import detect
from birnn.errors import BirnnError
from birnn.tasks.api.estimator import BirnnEstimator, InputError, own_generators, provenance
from birnn.tasks.serving.python_inputs import Sentences, read_sentences, read_texts
from birnn.tasks.tagging.spans import count_spans, precision_recall_f1, read_spans


class SentimentClassifier(ClassifierMixin, BirnnEstimator):  # type: ignore[misc]
    """A classifier of texts: ``X`` is a list, array or Series of texts, ``y`` their classes.

    ``score`` is accuracy. The columns of ``predict_proba`` are ``classes_``.
    """

    __module__ = "birnn"  # what a pickle names
    task: ClassVar[str] = "sentiment"

    def __sklearn_tags__(self) -> Any:
        """Texts in, not numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, X: Any, y: Any) -> "SentimentClassifier":
        """Learn from ``N`` texts and classes.

        Raises:
            InputError: no texts, one class only, or too few texts to cut validation from.
        """
        texts = _texts(X)
        classes = np.asarray(y)
        if classes.ndim == 2 and classes.shape[1] == 1:
            classes = classes[:, 0]
        if classes.ndim != 1 or len(classes) != len(texts):
            raise InputError(f"y: the shape {list(classes.shape)} is not [{len(texts)}]")
        check_classification_targets(classes)
        known, numbers = np.unique(classes, return_inverse=True)
        if len(known) < 2:
            raise InputError(f"y: only one class ({known[0]!r}); at least two are needed")
        # Classes may be numbers or words: the network learns their place in classes_.
        width = len(str(len(known) - 1))
        labels = [f"{number:0{width}d}" for number in numbers]
        names = [str(name) for name in known.tolist()]
        if len(set(names)) == len(names) and all(name == " ".join(name.split()) for name in names):
            labels = [names[number] for number in numbers]
        task = self._task()
        seed = task.config.train.seed
        try:
            first, second = cut(texts, labels, self.validation_fraction, seed)
            rows = {"train": first, "validation": second, "test": second}
            tables = DatasetDict(
                {
                    name: Dataset.from_dict(
                        {"text": [texts[i] for i in part], "label": [labels[i] for i in part]}
                    )
                    for name, part in rows.items()
                }
            )
            words = f"{len(texts):,} texts in memory"
            task = type(task)(_with_data(task.config, words, text_column="text"))
            with own_generators(), held(tables, words):
                data = task.load()
        except InputError:
            raise
        except BirnnError as error:
            raise InputError(f"fit: {error}") from None
        data.splits.pop("test")
        data.provenance.clear()
        data.provenance.update(provenance(len(first), len(second), "texts", seed))
        self._learn(task, data)
        order = dict(zip(labels, numbers, strict=True))
        self.classes_ = known
        self._columns = np.argsort([order[label] for label in data.info.labels])
        return self

    def predict_proba(self, X: Any) -> Array:
        """``[N, C]``."""
        run = self._fitted()
        found = np.asarray(run.predict_proba(_texts(X))).reshape(-1, len(self.classes_))
        shares: Array = found[:, self._columns]
        return shares

    def predict(self, X: Any) -> Array:
        """``[N]`` classes."""
        shares = self.predict_proba(X)
        found: Array = self.classes_[shares.argmax(1)]
        return found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy."""
        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))


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
        task = self._task()
        seed = task.config.train.seed
        try:
            scheme = detect(tags)
            joined = [" ".join(row) for row in tokens]
            first, second = fair_cut(joined, tags, scheme, self.validation_fraction, seed)
            rows = {"train": first, "validation": second, "test": second}
            tables = DatasetDict(
                {
                    name: Dataset.from_dict(
                        {"tokens": [tokens[i] for i in part], "tags": [tags[i] for i in part]}
                    )
                    for name, part in rows.items()
                }
            )
            words = f"{len(tokens):,} sentences in memory"
            task = type(task)(
                _with_data(task.config, words, token_column="tokens", tag_column="tags")
            )
            with own_generators(), held(tables, words):
                data = task.load()
        except InputError:
            raise
        except BirnnError as error:
            raise InputError(f"fit: {error}") from None
        data.splits.pop("test")
        data.provenance.clear()
        data.provenance.update(provenance(len(first), len(second), "sentences", seed))
        self._learn(task, data)
        self.classes_ = np.array(sorted({tag for row in tags for tag in row}), dtype=object)
        return self

    def predict(self, X: Any) -> list[list[str]]:
        """The tags of each sentence, in the scheme of ``y``."""
        run = self._fitted()
        found: list[list[str]] = run.predict(_sentences(X))
        return found

    def predict_proba(self, X: Any) -> list[Array]:
        """``[T, K]`` for each sentence: the probability of each of ``run_.labels``.

        These are the network's own tags, IOBES where tags spell spans. The likeliest tag at each
        token need not be that of :meth:`predict`, which is of the likeliest legal sequence.
        """
        run = self._fitted()
        found: list[Array] = run.predict_proba(_sentences(X))
        return found

    def score(self, X: Any, y: Any) -> float:
        """Span F1, or the accuracy of tokens where tags spell no spans."""
        tokens = _sentences(X)
        gold, found = _tags(y, tokens), self.predict(tokens)
        scheme = self._fitted().loaded.info.scheme
        if scheme == "raw":
            pairs = zip(gold, found, strict=True)
            hits = [a == b for left, right in pairs for a, b in zip(left, right, strict=True)]
            return float(np.mean(hits))
        rows = [read_spans(tags, scheme, "conlleval") for tags in (gold, found)]
        return float(precision_recall_f1(count_spans(*rows).sum(0))[2])


def _with_data(config: Any, words: str, **columns: str) -> Any:
    """The configuration with data of that name."""
    return dataclasses.replace(config, data=dataclasses.replace(config.data, data=words, **columns))


def _texts(X: Any) -> Sequence[str]:
    import pandas as pd

    if isinstance(X, str):
        raise InputError("X: one text; give a list of texts")
    if isinstance(X, pd.DataFrame):
        if X.shape[1] != 1:
            raise InputError(f"X: a DataFrame of {X.shape[1]} columns; give that of the texts")
        X = X.iloc[:, 0]
    try:
        found = read_texts(X).texts
    except BirnnError as error:
        raise InputError(str(error)) from None
    if not found:
        raise InputError("X: holds no text")
    return found


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
