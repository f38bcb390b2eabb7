"""Linear models of n-grams: the baseline, and the wide part of the network."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.dummy import DummyClassifier

from birnn.arrays import Array
from birnn.data.text.ngrams import Tokens, inverse_frequencies, weigh
from birnn.data.text.tokenizers import Tokenizer
from birnn.progress import tell
from birnn.tasks.core.logistic import Regressions, Softmax

PENALTIES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # C of the logistic regression: inverse strength
NGRAMS = ((1, 1), (1, 2))


@dataclass(frozen=True)
class Fitted:
    """A logistic regression, the penalty that validation chose, and what it scores there."""

    model: Softmax
    settings: dict[str, Any]
    accuracy: float
    log_loss: float

    def rank(self, by: str) -> tuple[float, float]:
        """What is compared; the greatest is the best."""
        ranks = (self.accuracy, -self.log_loss)
        return ranks if by == "accuracy" else ranks[::-1]


def fit_logistic(train: sp.csr_matrix, gold: Array, validation: sp.csr_matrix, held_out: Array, *,
                 by: str) -> Fitted:  # fmt: skip
    """Fit a logistic regression for each penalty and keep the one best on validation.

    Features of train ``[N, V]`` have the class numbers gold ``[N]`` (``0..C-1``, each present),
    those of validation ``[M, V]`` held_out ``[M]``; ``by`` is ``accuracy`` or ``log_loss``, ties
    go to the other.
    """
    best: Fitted | None = None
    for penalty, model in _models(Regressions(train, gold)):
        logs = model.log_probabilities(validation)
        accuracy = float((logs.argmax(1) == held_out).mean())
        loss = float(-logs[np.arange(len(held_out)), held_out].mean())
        fitted = Fitted(model, {"C": penalty}, accuracy, loss)
        if best is None or fitted.rank(by) > best.rank(by):
            best = fitted
        elif by == "log_loss":  # smooth in the penalty: past its lowest point it only rises
            break
    assert best is not None
    return best


def _models(regressions: Regressions) -> Iterator[tuple[float, Softmax]]:
    """A model for each penalty; the first of a batch begin at the last one of the batch before."""
    fitted, step = None, regressions.side_by_side
    for begin in range(0, len(PENALTIES), step):
        penalties = PENALTIES[begin : begin + step]
        tell("linear model of n-grams", begin / len(PENALTIES))
        last = None if fitted is None else fitted.of([step - 1])
        fitted = regressions.fit(penalties, last)
        for number, penalty in enumerate(penalties):
            yield penalty, regressions.model(fitted, number)


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

    def fit(ngrams: tuple[int, int]) -> tuple[Fitted, dict[str, Any], sp.csr_matrix]:
        x = tfidf_features(tokens, ngrams[1])
        fitted = fit_logistic(
            x["train"], gold["train"], x["validation"], gold["validation"], by="accuracy"
        )
        settings = {**fitted.settings, "ngrams": list(ngrams), "features": x["train"].shape[1]}
        return fitted, {**settings, "validation_accuracy": fitted.accuracy}, x["test"]

    fits = []
    with ThreadPoolExecutor(min(len(NGRAMS), torch.get_num_threads())) as pool:
        for fitted in pool.map(fit, NGRAMS):
            fits.append(fitted)
            tell("baseline of n-grams", len(fits) / len(NGRAMS))
    best, settings, test = max(fits, key=lambda part: part[0].rank("accuracy"))
    return best.model.predict_proba(test), settings
