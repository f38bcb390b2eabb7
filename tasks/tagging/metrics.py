"""Scores of taggers, of tokens and of spans, and the same on bootstrap resamples of sentences.

scikit-learn gives the scores of tokens; scores of spans are divided once, from summed counts. Each
has a second form on ``[R, N]`` counts of sentences; the tests hold the two together.
"""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from birnn.arrays import Array
from birnn.data.tags.schemes import Span
from birnn.errors import DataError
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.scoring.bootstrap import ratio, replicates
from birnn.tasks.scoring.metrics import CALIBRATION_BINS, calibration_error
from birnn.tasks.tagging.spans import (
    READERS,
    SpanRows,
    Tags,
    count_spans,
    precision_recall_f1,
    read_spans,
    span_posterior,
    surface,
)

if TYPE_CHECKING:
    import scipy.sparse as sp


@dataclass(frozen=True)
class Seen:
    """What train has: its words, and its spans as words + type, all in lower case."""

    words: frozenset[str]
    spans: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Tagged:
    """Sentences with gold and predicted tags.

    Raises:
        DataError: a sentence has not as many tags as tokens.
        ConfigError: there is no such mode.
    """

    tokens: Tags
    gold: Tags
    predicted: Tags
    scheme: str
    mode: str = "conlleval"  # or strict: how the spans of the main scores are read
    confidence: Sequence[Array] | None = None  # [T] a sentence: probability of each predicted tag
    # The same, given that the tag before is as predicted; None where tags don't lean on each other.
    conditional: Sequence[Array] | None = None

    def __post_init__(self) -> None:
        read_spans([], self.scheme, self.mode)  # refuse a wrong mode at once
        for name in ("gold", "predicted", "confidence", "conditional"):
            if (side := getattr(self, name)) is not None:
                _check_sizes(self.tokens, side, name)

    @cached_property
    def sentence(self) -> Array:
        """``[M]``: the number of each token's sentence."""
        return np.repeat(np.arange(len(self.tokens)), [len(row) for row in self.tokens])

    @cached_property
    def codes(self) -> tuple[list[str], Array, Array]:
        """The ``K`` tags present, sorted, and gold and predicted as their numbers, each ``[M]``."""
        flat = [[tag for row in rows for tag in row] for rows in (self.gold, self.predicted)]
        labels = sorted({*flat[0], *flat[1]})
        numbers = {label: i for i, label in enumerate(labels)}
        gold, predicted = (np.array([numbers[t] for t in side], dtype=np.int64) for side in flat)
        return labels, gold, predicted

    @cached_property
    def readings(self) -> dict[str, tuple[SpanRows, SpanRows]]:
        """Gold and predicted spans of each sentence, in each mode."""
        gold, predicted, scheme = self.gold, self.predicted, self.scheme
        return {m: (read_spans(gold, scheme, m), read_spans(predicted, scheme, m)) for m in READERS}

    @property
    def spans(self) -> tuple[SpanRows, SpanRows]:
        """Gold and predicted spans of each sentence, in the mode of the main scores."""
        return self.readings[self.mode]


def _check_sizes(tokens: Tags, side: Sequence[Sized], name: str) -> None:
    if len(side) != len(tokens):
        raise DataError(f"{name}: {len(side)} sentences for {len(tokens)} of tokens")
    for i, (words, row) in enumerate(zip(tokens, side, strict=True)):
        if len(words) != len(row):
            raise DataError(f"{name}: {len(row)} for {len(words)} tokens in sentence {i + 1}")


class Items(NamedTuple):
    """Predictions with a confidence: tokens, or spans."""

    right: Array  # [S] bool
    confidence: Array  # [S]
    sentence: Array  # [S]


def evaluate_tags(tagged: Tagged, seen: Seen, seed: int) -> Evaluation:
    """Every score, and its value on each bootstrap resample; ``seed`` is the bootstrap's."""
    return Evaluation(tag_scores(tagged, seen), tag_replicates(tagged, seen, seed))


def tag_scores(tagged: Tagged, seen: Seen) -> dict[str, float]:
    """Every score that is defined for what ``tagged`` holds.

    Returns:
        ``accuracy`` and ``macro_f1`` of tokens, ``unseen_accuracy`` of those whose word train
        lacks, and ``calibration_error``. Of spans, read in the mode of ``tagged``: ``span_f1``,
        ``span_precision``, ``span_recall``, ``unseen_span_f1`` of the gold and the predicted spans
        that train lacks, and ``span_calibration_error``; read in the other mode:
        ``strict_span_f1`` or ``conlleval_span_f1``. Without confidences there are no calibration
        errors; a score of nothing at all is left out.
    """
    from sklearn import metrics as sk

    _, gold, predicted = tagged.codes
    counts = {name: part.sum(0) for name, part in _span_counts(tagged, seen).items()}
    scores: dict[str, float | Array] = {
        **_span_scores(counts),
        "accuracy": sk.accuracy_score(gold, predicted),
        "macro_f1": sk.f1_score(gold, predicted, average="macro", zero_division=0),
    }
    unseen = unseen_tokens(tagged, seen)
    if unseen.any():
        scores["unseen_accuracy"] = sk.accuracy_score(gold[unseen], predicted[unseen])
    for name, (right, confidence, _) in confident(tagged).items():
        if len(right):
            # One column: the chance that the guess is right, which it is where gold is class 0.
            scores[name] = calibration_error(1 - right, confidence[:, None])
    return {name: float(value) for name, value in scores.items() if np.isfinite(value)}


def tag_replicates(tagged: Tagged, seen: Seen, seed: int) -> dict[str, Array]:
    """Every score of :func:`tag_scores` on resamples of whole sentences.

    NaN where a resample has nothing to score. Memory grows with the tokens and with the tags of
    each sentence, not with sentences × tags.
    """
    labels, gold, predicted = tagged.codes
    sentences, right = len(tagged.tokens), gold == predicted
    unseen = unseen_tokens(tagged, seen)
    tokens, hits, new, new_hits = (
        np.bincount(tagged.sentence, weights=part, minlength=sentences)
        for part in (np.ones(len(gold)), right, unseen, unseen & right)
    )
    cells = tag_counts(tagged)
    gaps = {name: _gaps(items, sentences) for name, items in confident(tagged).items()}
    spans = _span_counts(tagged, seen)

    def scores(counts: Array) -> Mapping[str, Array]:
        # [R, 3, K]: tokens with each tag that are right, predicted, and gold.
        tags = (cells.T @ counts.T).T.reshape(len(counts), 3, len(labels))
        both = tags[:, 1] + tags[:, 2]
        f1 = ratio(2 * tags[:, 0], both, 0.0)
        return {
            "accuracy": ratio(counts @ hits, counts @ tokens),
            "macro_f1": ratio(f1.sum(1), (both > 0).sum(1)),
            "unseen_accuracy": ratio(counts @ new_hits, counts @ new),
            **{
                name: ratio(np.abs(counts @ part).sum(1), counts @ items)
                for name, (part, items) in gaps.items()
            },
            **_span_scores({name: counts @ part for name, part in spans.items()}),
        }

    return replicates(scores, sentences, seed)


def tag_counts(tagged: Tagged) -> "sp.csr_matrix":
    """``[N, 3K]``: for each sentence and tag the tokens that are right, predicted, and gold."""
    import scipy.sparse as sp

    (labels, gold, predicted), sentence = tagged.codes, tagged.sentence
    right, size = gold == predicted, len(labels)
    rows = np.r_[sentence[right], sentence, sentence]
    columns = np.r_[gold[right], predicted + size, gold + 2 * size]
    shape = (len(tagged.tokens), 3 * size)
    return sp.coo_matrix((np.ones(len(rows)), (rows, columns)), shape).tocsr()  # adds up


def unseen_tokens(tagged: Tagged, seen: Seen) -> Array:
    """``[M]``: whether train lacks the word."""
    new = [word.lower() not in seen.words for row in tagged.tokens for word in row]
    return np.array(new, dtype=bool)


def unseen_spans(tagged: Tagged, rows: SpanRows, seen: Seen) -> SpanRows:
    """The spans of each sentence whose words train has not as that type."""
    return [
        [span for span in row if (surface(words, span), span.label) not in seen.spans]
        for words, row in zip(tagged.tokens, rows, strict=True)
    ]


def _span_counts(tagged: Tagged, seen: Seen) -> dict[str, Array]:
    """``[N, 3]`` right, predicted and gold spans of each sentence, for each score of spans."""
    if tagged.scheme == "raw":
        return {}
    gold, predicted = tagged.spans
    other = next(mode for mode in READERS if mode != tagged.mode)
    new = (unseen_spans(tagged, rows, seen) for rows in (gold, predicted))
    return {
        "span": count_spans(gold, predicted),
        "unseen_span": count_spans(*new),
        f"{other}_span": count_spans(*tagged.readings[other]),
    }


def _span_scores(counts: Mapping[str, Array]) -> dict[str, Array]:
    """The scores of :func:`_span_counts`, summed to ``[…, 3]``."""
    scores: dict[str, Array] = {}
    for name, part in counts.items():
        precision, recall, f1 = precision_recall_f1(part)
        scores[f"{name}_f1"] = f1
        if name == "span":
            scores |= {"span_precision": precision, "span_recall": recall}
        elif name == "unseen_span":
            scores["unseen_span_f1"] = np.where(part.sum(-1) > 0, f1, np.nan)
    return scores


def span_confidence(tagged: Tagged, sentence: int, span: Span) -> float:
    """The probability of the predicted tags of ``span``.

    Exact for a linear chain; the product, for tags that don't depend on each other.
    """
    assert tagged.confidence is not None
    further = tagged.confidence if tagged.conditional is None else tagged.conditional
    return span_posterior(tagged.confidence[sentence], further[sentence], span)


def confident(tagged: Tagged) -> dict[str, Items]:
    """What the calibration errors are about: the tokens, and the predicted spans."""
    if tagged.confidence is None:
        return {}
    _, gold, predicted = tagged.codes
    sure = np.concatenate([np.asarray(row, dtype=np.float64) for row in tagged.confidence])
    items = {"calibration_error": Items(gold == predicted, sure, tagged.sentence)}
    if tagged.scheme != "raw":
        rows = [
            (span in right, span_confidence(tagged, i, span), i)
            for i, (wanted, guessed) in enumerate(zip(*tagged.spans, strict=True))
            for right in [set(wanted)]
            for span in guessed
        ]
        right, confidence, sentence = np.array(rows, dtype=np.float64).reshape(-1, 3).T
        items["span_calibration_error"] = Items(right > 0, confidence, sentence.astype(np.int64))
    return items


def _gaps(items: Items, sentences: int) -> tuple[Array, Array]:
    """Of each sentence: confidence minus correctness summed in each bin ``[N, 15]``; items ``[N]``.

    The parts of the calibration error that can be added up before their size is taken.
    """
    bins = np.minimum((items.confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    cells = items.sentence * CALIBRATION_BINS + bins
    size = sentences * CALIBRATION_BINS
    sums = np.bincount(cells, weights=items.confidence - items.right, minlength=size)
    return sums.reshape(sentences, -1), np.bincount(items.sentence, minlength=sentences)
