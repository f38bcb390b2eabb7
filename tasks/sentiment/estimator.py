"""The scikit-learn classifier of texts."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from birnn.arrays import Array
from birnn.data.splits.cutting import cut
from birnn.errors import BirnnError
from birnn.tasks.api.estimator import BirnnEstimator, InputError
from birnn.tasks.serving.python_inputs import read_texts


class SentimentClassifier(ClassifierMixin, BirnnEstimator):  # type: ignore[misc]
    """A classifier of texts: ``X`` is a list, array or Series of texts, ``y`` their classes.

    ``score`` is accuracy. The columns of ``predict_proba`` are ``classes_``.
    """

    __module__ = "birnn"  # what a pickle names
    task: ClassVar[str] = "sentiment"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, X: Any, y: Any) -> "SentimentClassifier":
        """Learn from ``N`` texts and classes.

        Raises:
            InputError: no texts, one class only, or too few texts to cut validation from.
        """
        texts, classes = _texts(X), np.asarray(y)
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
        rows = {"text": texts, "label": labels}
        data = self._learn_tables(rows, partial(cut, texts, labels), "texts", text_column="text")
        order = dict(zip(labels, numbers, strict=True))
        self.classes_ = known
        self._columns = np.argsort([order[label] for label in data.info.labels])
        return self

    def predict_proba(self, X: Any) -> Array:
        """``[N, C]``."""
        shares = np.asarray(self._fitted().predict_proba(_texts(X)))
        return shares.reshape(-1, len(self.classes_))[:, self._columns]

    def predict(self, X: Any) -> Array:
        """``[N]`` classes."""
        shares = self.predict_proba(X)  # before classes_: it refuses what isn't fitted
        return np.asarray(self.classes_[shares.argmax(1)])


def _texts(X: Any) -> Sequence[str]:
    if isinstance(X, str):
        raise InputError("X: one text; give a list of texts")
    if isinstance(X, pd.DataFrame):
        if X.shape[1] != 1:
            raise InputError(f"X: a DataFrame of {X.shape[1]} columns; give that of the texts")
        X = X.iloc[:, 0]
    try:
        texts = read_texts(X).texts
    except BirnnError as error:
        raise InputError(str(error)) from None
    if not texts:
        raise InputError("X: holds no text")
    return texts
