"""Linear models of n-grams, from scikit-learn: the baseline, and the wide part of the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

from birnn.arrays import Array
from birnn.data.text.ngrams import Tokens, inverse_frequencies, weigh
from birnn.data.text.tokenizers import Tokenizer

PENALTIES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # C of the logistic regression: inverse strength
NGRAMS = ((1, 1), (1, 2))


@dataclass(frozen=True)
class Fitted:
    """A logistic regression, the penalty that validation chose, and what it scores there."""

    model: LogisticRegression
    settings: dict[str, Any]
    accuracy: float
    log_loss: float


def fit_logistic(train: sp.csr_matrix, gold: Array, validation: sp.csr_matrix, held_out: Array, *,
                 by: str) -> Fitted:  # fmt: skip
    """Fit a logistic regression for each penalty and keep the one best on validation.

    Features of train ``[N, V]`` have the class numbers gold ``[N]`` (``0..C-1``, each present),
    those of validation ``[M, V]`` held_out ``[M]``; ``by`` is ``accuracy`` or ``log_loss``, ties
    go to the other.
    """
    classes = np.unique(gold)
    best: Fitted | None = None
    for penalty in PENALTIES:
        # Newton's method: exact to the tolerance, and a hundred times faster here than L-BFGS.
        model = LogisticRegression(C=penalty, solver="newton-cg", tol=1e-4, max_iter=200)
        model.fit(train, gold)
        accuracy = float(accuracy_score(held_out, model.predict(validation)))
        loss = float(log_loss(held_out, model.predict_proba(validation), labels=classes))
        fitted = Fitted(model, {"C": penalty}, accuracy, loss)
        if best is None or _rank(fitted, by) > _rank(best, by):
            best = fitted
        elif by == "log_loss":  # smooth in the penalty: past its lowest point it only rises
            break
    assert best is not None
    return best


def _rank(part: Fitted, by: str) -> tuple[float, float]:
    ranks = (part.accuracy, -part.log_loss)
    return ranks if by == "accuracy" else ranks[::-1]


def class_weights(model: LogisticRegression) -> tuple[Array, Array]:
    """Weights ``[V, C]`` and biases ``[C]`` whose softmax gives the model's probabilities."""
    weight, bias = model.coef_.T, model.intercept_
    if weight.shape[1] == 1:  # two classes: scikit-learn keeps the second one's log-odds alone
        weight, bias = np.hstack([-weight / 2, weight / 2]), np.r_[-bias / 2, bias / 2]
    return weight.astype(np.float32), bias.astype(np.float32)


def majority(gold: Array, items: int) -> Array:
    """The class shares of train, for each of ``items``: ``[items, C]``."""
    model = DummyClassifier(strategy="prior").fit(np.zeros((len(gold), 1)), gold)
    return np.asarray(model.predict_proba(np.zeros((items, 1))))


def tfidf_features(tokens: Mapping[str, Tokens], longest: int) -> dict[str, sp.csr_matrix]:
    """TF-IDF ``[N, V]`` of each split's word n-grams up to ``longest``; those of train count."""
    counts = {name: part.count(longest) for name, part in tokens.items()}
    vocabulary = counts["train"].vocabulary()
    columns = {name: i for i, name in enumerate(vocabulary)}
    idf = inverse_frequencies(vocabulary, counts["train"].rows.shape[0])
    return {name: weigh(part.in_columns(columns), idf) for name, part in counts.items()}


def tfidf_logistic(texts: Mapping[str, Sequence[str]], gold: Mapping[str, Array],
                   tokenizer: Tokenizer) -> tuple[Array, dict[str, Any]]:  # fmt: skip
    """TF-IDF of word n-grams and a logistic regression: n-grams and penalty chosen on validation.

    From texts of train, validation and test, and class numbers of the first two: probabilities on
    test ``[N, C]`` and the settings chosen.
    """
    tokens = {name: Tokens.cut(rows, tokenizer) for name, rows in texts.items()}
    if not tokens["train"].names:  # no text has a token that the tokeniser keeps
        return majority(gold["train"], len(texts["test"])), {"ngrams": None}
    fits = []
    for ngrams in NGRAMS:
        x = tfidf_features(tokens, ngrams[1])
        fitted = fit_logistic(
            x["train"], gold["train"], x["validation"], gold["validation"], by="accuracy"
        )
        settings = {**fitted.settings, "ngrams": list(ngrams), "features": x["train"].shape[1]}
        fits.append((fitted, x["test"], settings))
    best, test, settings = max(fits, key=lambda fit: _rank(fit[0], "accuracy"))
    probabilities = best.model.predict_proba(test)
    return np.asarray(probabilities), {**settings, "validation_accuracy": best.accuracy}
