"""The weights of n-grams beside a network, chosen on validation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from birnn.arrays import Array, Ints
from birnn.data.passages.split import PassageSplit
from birnn.nn.one_way.model import LanguageModel
from birnn.tasks.core.inference import predict
from birnn.tasks.language.ngrams import NGrams

STEPS = 50  # of expectation and maximisation
PRIOR = 20.0  # symbols' worth of equal weights, so that a rare length of context has no extreme one


def fill_tables(model: LanguageModel, models: Sequence[NGrams]) -> None:
    """Write n-grams into the tables of a model."""
    assert model.ngrams is not None
    for way, grams in enumerate(models):
        for order, level in enumerate(grams.levels):
            for name in ("keys", "share", "rest"):
                buffer = model.ngrams.get_buffer(f"{name}_{way}_{order}")
                buffer.copy_(torch.from_numpy(np.ascontiguousarray(getattr(level, name))))


def fit_weights(
    task: Any, model: LanguageModel, models: Sequence[NGrams], validation: PassageSplit
) -> dict[str, Any]:
    """Choose the weights that make validation likeliest; what ``metrics.json`` says of them."""
    assert model.ngrams is not None
    rows, told = predict(task, model, validation, told="mixing"), dict[str, Any]()
    for way, grams in enumerate(models):
        stream = validation.stream[::-1] if way else validation.stream
        logs, known = grams.read(stream)
        if way:
            logs, known = logs[::-1], known[::-1]
        own, other, at = flat(validation, rows, logs, known, way)
        weights = best_weights(own, other, at, model.ngrams.weights.shape[1])
        model.ngrams.weights[way] = torch.from_numpy(weights)
        weight = weights[at]
        mixed = np.logaddexp(own + np.log1p(-weight), other + np.log(weight))
        told["backward" if way else "forward"] = {
            "network": float(-own.mean() / np.log(2)), "ngrams": float(-other.mean() / np.log(2)),
            "mixed": float(-mixed.mean() / np.log(2)), "weights": weights.tolist(),
        }  # fmt: skip
    model.ngrams.fitted.fill_(1)
    return told


def flat(
    split: PassageSplit, rows: Sequence[Array], logs: Array, known: Ints, way: int
) -> tuple[Array, Array, Ints]:
    """Log-chances of all symbols that a direction predicts: the network's, and the n-grams'."""
    own, other, at = list[Array](), list[Array](), list[Ints]()
    for i, row in enumerate(rows):
        first, last = int(split.begin[i]), int(split.end[i])
        skip, stop = (0, int(split.closes[i])) if way else (int(split.opens[i]), 0)
        end = last - stop
        own.append(row[skip : len(row) - stop, 2 + way].astype(np.float64))
        other.append(logs[first + skip : end])
        at.append(known[first + skip : end])
    return np.concatenate(own), np.concatenate(other), np.concatenate(at)


def best_weights(own: Array, other: Array, at: Ints, size: int) -> Array:
    """The weight of ``other`` for each length of context, by expectation and maximisation."""
    weights = np.full(size, 0.5)
    counts = np.bincount(at, minlength=size)
    for _ in range(STEPS):
        weight = weights[at]
        theirs = np.log(weight) + other
        share = np.exp(theirs - np.logaddexp(np.log1p(-weight) + own, theirs))
        sums = np.bincount(at, weights=share, minlength=size)
        weights = (sums + PRIOR / 2) / (counts + PRIOR)
    return weights
