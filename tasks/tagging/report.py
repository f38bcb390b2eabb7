"""What a tagger's report shows beyond scores: tables, confusions, and the surest mistakes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from birnn.arrays import Array
from birnn.data.tags.schemes import Span
from birnn.tasks.scoring.metrics import class_table
from birnn.tasks.scoring.reliability import reliability_bins
from birnn.tasks.tagging.metrics import Tagged, confident, span_confidence
from birnn.tasks.tagging.spans import error_table, judge, overlaps, type_confusions, type_table

MISTAKES = 8  # shown in the report
PAIRS = 20  # confusions shown
CONTEXT = 12  # tokens shown on each side of a mistake


def tag_details(tagged: Tagged) -> dict[str, Any]:
    """What a report shows beyond scores, as JSON.

    Returns:
        ``tags``: precision, recall, F1 and support of each; ``confusions``: the most frequent
        ``gold`` → ``predicted`` with their ``count``; ``mistakes``: the most confident ones, none
        without confidences. With spans also ``types``, like ``tags``, and ``errors``, of
        :func:`birnn.tasks.tagging.spans.error_table`; confusions and mistakes are then of spans.
    """
    details: dict[str, Any] = {"tags": class_table(*tagged.codes)}
    confusions, mistakes = tag_confusions(tagged), tag_mistakes
    if tagged.scheme != "raw":
        rows = tagged.spans
        details |= {"types": type_table(*rows), "errors": error_table(*rows)}
        confusions, mistakes = type_confusions(*rows), span_mistakes
    frequent = sorted(confusions.items(), key=lambda pair: (-pair[1], pair[0]))[:PAIRS]
    wrong = mistakes(tagged) if tagged.confidence is not None else ()
    return {
        **details,
        "confusions": [{"gold": g, "predicted": p, "count": n} for (g, p), n in frequent],
        "mistakes": [_shown(tagged, mistake) for mistake in _surest(wrong)],
    }


def reliability(tagged: Tagged) -> list[dict[str, Any]]:
    """How often predicted spans, or raw tags, are right, by how sure they are; as JSON.

    Nothing without confidences, or where nothing is predicted.
    """
    items = confident(tagged)
    found = items.get("span_calibration_error" if tagged.scheme != "raw" else "calibration_error")
    if found is None or not len(found.right):
        return []
    return [asdict(part) for part in reliability_bins(found.confidence, found.right)]


def tag_confusions(tagged: Tagged) -> Counter[tuple[str, str]]:
    """How often a wrong tag stands where gold has another: ``(gold, predicted)`` → count."""
    labels, gold, predicted = tagged.codes
    wrong = gold != predicted
    pairs = zip(gold[wrong], predicted[wrong], strict=True)
    return Counter((labels[g], labels[p]) for g, p in pairs)


def confusion(tagged: Tagged) -> tuple[list[str], Array]:
    """Labels and a matrix ``[K, K]`` of counts, gold in rows: of raw tags, or of span types.

    With spans, the last label is ``O``: its column holds spans that were missed and its row those
    that were made up. What a span is taken for is counted over pairs that share a token.
    """
    if tagged.scheme == "raw":
        from sklearn import metrics as sk

        labels, gold, predicted = tagged.codes
        return labels, sk.confusion_matrix(gold, predicted, labels=np.arange(len(labels)))
    rows = tagged.spans
    pairs = type_confusions(*rows)
    for row in type_table(*rows):
        pairs[row["label"], row["label"]] += 0
    for own, others in zip(*rows, strict=True):
        for span, near in zip(own, overlaps(own, others), strict=True):
            pairs[span.label, span.label] += any(other.label == span.label for other in near)
    labels = [*sorted({label for pair in pairs for label in pair} - {"O"}), "O"]
    counts = np.array([[pairs[gold, guess] for guess in labels] for gold in labels])
    return labels, counts


class Mistake(NamedTuple):
    """A wrong tag or span."""

    confidence: float
    sentence: int
    start: int
    end: int
    kind: str
    gold: str
    predicted: str


def tag_mistakes(tagged: Tagged) -> Iterator[Mistake]:
    """Every wrong tag; needs confidences."""
    assert tagged.confidence is not None
    rows = zip(tagged.gold, tagged.predicted, tagged.confidence, strict=True)
    for i, row in enumerate(rows):
        for t, (gold, predicted, sure) in enumerate(zip(*row, strict=True)):
            if gold != predicted:
                yield Mistake(float(sure), i, t, t + 1, "wrong_tag", gold, predicted)


def span_mistakes(tagged: Tagged) -> Iterator[Mistake]:
    """Every wrong or missed span, told once; needs confidences.

    A missed one overlaps no predicted span; a wrong one is told with the gold ones it overlaps.
    """
    for i, (words, gold, predicted) in enumerate(zip(tagged.tokens, *tagged.spans, strict=True)):
        wrong = [
            (span, kind, _spelled(words, near), _spelled(words, [span]))
            for span, near in zip(predicted, overlaps(predicted, gold), strict=True)
            if (kind := judge(span, near, "spurious")) != "correct"
        ]
        missed = [
            (span, "missed", _spelled(words, [span]), "O")
            for span, near in zip(gold, overlaps(gold, predicted), strict=True)
            if not near
        ]
        for span, *rest in wrong + missed:
            yield Mistake(span_confidence(tagged, i, span), i, span.start, span.end, *rest)


def _surest(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The most confident ones: at most half of them missed spans, which a model leaves surely."""
    ranked = sorted(mistakes, key=lambda mistake: -mistake.confidence)
    missed = [mistake for mistake in ranked if mistake.kind == "missed"][: MISTAKES // 2]
    others = [mistake for mistake in ranked if mistake.kind != "missed"]
    surest = missed + others[: MISTAKES - len(missed)]
    return sorted(surest, key=lambda mistake: -mistake.confidence)


def _spelled(words: Sequence[str], spans: Sequence[Span]) -> str:
    parts = (f"{' '.join(words[span.start : span.end])} ({span.label})" for span in spans)
    return ", ".join(parts) or "O"


def _shown(tagged: Tagged, mistake: Mistake) -> dict[str, Any]:
    words, start, end = tagged.tokens[mistake.sentence], mistake.start, mistake.end
    return {
        "sentence": mistake.sentence + 1,
        "text": " ".join(words[max(0, start - CONTEXT) : end + CONTEXT]),
        "words": " ".join(words[start:end]),
        **{name: getattr(mistake, name) for name in ("kind", "gold", "predicted", "confidence")},
    }
