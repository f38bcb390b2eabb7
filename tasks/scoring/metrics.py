"""Scores of classifiers and regressors: scikit-learn's values, and the same from weighted counts.

The point values come from scikit-learn. The bootstrap needs thousands of them, so each metric
has a second form that works on ``[R, N]`` item counts at once; the tests hold the two together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from birnn.arrays import Array, Ints
from birnn.tasks.scoring.bootstrap import ratio, replicates

CALIBRATION_BINS = 15
EPSILON = 1e-7  # the log-loss clips probabilities to [ε, 1-ε]: float32 knows no nearer to 1


def classification_scores(gold: Array, probabilities: Array) -> dict[str, float]:
    """Every single-label score.

    From class numbers ``[N]`` and probabilities ``[N, C]``, rows summing to 1: ``accuracy``,
    ``macro_f1``, ``weighted_f1``, ``log_loss``, ``calibration_error`` and, where two classes are
    present, ``roc_auc`` (one against the rest, mean over classes present).
    """
    from sklearn import metrics as sk

    classes = np.arange(probabilities.shape[1])
    predicted = probabilities.argmax(1)
    present = np.union1d(gold, predicted)
    scores = {
        "accuracy": sk.accuracy_score(gold, predicted),
        "macro_f1": sk.f1_score(gold, predicted, labels=present, average="macro", zero_division=0),
        "weighted_f1": sk.f1_score(gold, predicted, average="weighted", zero_division=0),
        "log_loss": sk.log_loss(gold, _clipped(probabilities), labels=classes),
        "calibration_error": calibration_error(gold, probabilities)}  # fmt: skip
    both = (c for c in _area_classes(probabilities) if 0 < np.sum(gold == c) < len(gold))
    if areas := [sk.roc_auc_score(gold == c, probabilities[:, c]) for c in both]:
        scores["roc_auc"] = float(np.mean(areas))
    return {name: float(value) for name, value in scores.items()}


def _clipped(probabilities: Array) -> Array:
    clipped = np.clip(probabilities.astype(np.float64), EPSILON, 1 - EPSILON)
    return np.asarray(clipped / clipped.sum(1, keepdims=True))


def _area_classes(probabilities: Array) -> range:
    # With two classes, one against the rest says the same twice.
    return range(1, 2) if probabilities.shape[1] == 2 else range(probabilities.shape[1])


def calibration_error(gold: Array, probabilities: Array) -> float:
    """Expected calibration error (Guo et al. 2017): 15 equal bins of the top probability."""
    parts = _calibration_parts(gold, probabilities)
    return float(_calibration(np.ones((1, len(gold))), *parts)[0])


def _calibration_parts(gold: Array, probabilities: Array) -> tuple[Array, Array]:
    """Bin of each item ``[N, K]`` one-hot, and its confidence minus its correctness ``[N]``."""
    confidence = probabilities.max(1).astype(np.float64)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    correct = probabilities.argmax(1) == gold
    return np.eye(CALIBRATION_BINS)[bins], confidence - correct


def _calibration(counts: Array, bins: Array, gaps: Array) -> Array:
    return np.asarray(np.abs(counts @ (bins * gaps[:, None])).sum(1) / counts.sum(1))


def classification_replicates(gold: Array, probabilities: Array, seed: int,
                              groups: Ints | None = None) -> dict[str, Array]:  # fmt: skip
    """Every score of :func:`classification_scores` on each resample, of ``groups`` if given."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(1)
    correct = (gold == predicted)[:, None]
    gold_rows, guess_rows = np.eye(classes)[gold], np.eye(classes)[predicted]  # [N, C] each
    hit_rows = gold_rows * correct
    losses = -np.log(_clipped(probabilities)[np.arange(len(gold)), gold])
    bins, gaps = _calibration_parts(gold, probabilities)
    areas = [(probabilities[:, c], gold == c) for c in _area_classes(probabilities)]

    def scores(counts: Array) -> Mapping[str, Array]:
        total = counts.sum(1)
        hits, support, guesses = counts @ hit_rows, counts @ gold_rows, counts @ guess_rows
        both = support + guesses
        f1 = np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0)
        curves = [weighted_auc(values, positive, counts) for values, positive in areas]
        return {"accuracy": hits.sum(1) / total, "macro_f1": f1.sum(1) / (both > 0).sum(1),
                "weighted_f1": (f1 * support).sum(1) / total, "log_loss": counts @ losses / total,
                "calibration_error": _calibration(counts, bins, gaps),
                "roc_auc": _mean_defined(curves)}  # fmt: skip

    return replicates(scores, len(gold), seed, groups)


def _mean_defined(parts: list[Array]) -> Array:
    """Mean over the parts that are not NaN; NaN where none is."""
    stacked = np.stack(parts)
    known = np.isfinite(stacked)
    return ratio(np.where(known, stacked, 0.0).sum(0), known.sum(0))


def weighted_auc(scores: Array, positive: Array, counts: Array) -> Array:
    """Area under the ROC curve on each resample: the Mann–Whitney statistic, ties counting half.

    From scores ``[N]``, which of them are positive ``[N]`` and counts ``[R, N]``: ``[R]``, NaN
    where a resample lacks one of the two classes.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    up = np.add.reduceat(counts[:, order] * positive[order], starts, axis=1)
    down = np.add.reduceat(counts[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(down, axis=1) - down
    pairs = up.sum(1) * down.sum(1)
    return ratio((up * (below + down / 2)).sum(1), pairs)


def regression_scores(gold: Array, predicted: Array) -> dict[str, float]:
    """``mse``, ``rmse``, ``mae`` and ``r2`` over the real steps ``[M]`` of all sequences."""
    from sklearn import metrics as sk

    mse = float(sk.mean_squared_error(gold, predicted))
    scores = {"mse": mse, "rmse": mse**0.5, "mae": float(sk.mean_absolute_error(gold, predicted))}
    if len(gold) > 1:
        scores["r2"] = float(sk.r2_score(gold, predicted))
    return scores


def regression_replicates(gold: Array, predicted: Array, sequence: Array,
                          seed: int) -> dict[str, Array]:  # fmt: skip
    """Every score of :func:`regression_scores` on resamples of whole sequences.

    All are ``[M]``, a value a step; ``sequence`` numbers the sequences from 0: steps of one
    depend on each other, so they are drawn together.
    """
    error = gold - predicted
    centred = gold - gold.mean()  # R² stays; its squares keep their digits
    columns = (np.ones_like(gold), error**2, np.abs(error), centred, centred**2)
    sums = [np.bincount(sequence, weights=values) for values in columns]

    def scores(counts: Array) -> Mapping[str, Array]:
        steps, squared, absolute, first, second = (counts @ part for part in sums)
        mse, spread = squared / steps, second - first**2 / steps
        r2 = 1 - ratio(squared, spread)
        return {"mse": mse, "rmse": np.sqrt(mse), "mae": absolute / steps, "r2": r2}

    return replicates(scores, int(sequence.max()) + 1, seed)


def class_table(labels: Sequence[str], gold: Array, predicted: Array) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each of ``K`` classes, from numbers ``[M]`` of them."""
    from sklearn import metrics as sk

    classes = np.arange(len(labels))
    columns = sk.precision_recall_fscore_support(gold, predicted, labels=classes, zero_division=0)
    return table_rows(labels, *columns)


def table_rows(labels: Sequence[str], *columns: Array) -> list[dict[str, Any]]:
    """Rows of a report: precision, recall, F1 and support, each ``[K]``, of ``K`` labels."""
    return [{"label": label, "precision": float(p), "recall": float(r), "f1": float(f),
             "support": int(n)}
            for label, p, r, f, n in zip(labels, *columns, strict=True)]  # fmt: skip
