"""Spans: how they are counted, what they score, and in which ways they go wrong."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.data.tags.schemes import Span, spans, split_tag, strict_spans
from birnn.errors import ConfigError
from birnn.tasks.scoring.bootstrap import ratio
from birnn.tasks.scoring.metrics import table_rows

Tags = Sequence[Sequence[str]]  # of each sentence; or its tokens
SpanRows = Sequence[Sequence[Span]]  # the spans of each sentence

READERS = {"conlleval": spans, "strict": strict_spans}
ERRORS = ("wrong_type", "wrong_border", "wrong_border_and_type")


def read_spans(tags: Tags, scheme: str, mode: str) -> list[list[Span]]:
    """The spans of each sentence.

    The mode ``conlleval`` reads broken sequences generously, as the script of the CoNLL shared
    tasks does; in ``strict`` only well-formed spans count, as in seqeval's strict mode.

    Raises:
        ConfigError: there is no such scheme or mode.
    """
    if mode not in READERS:
        raise ConfigError(f"no way {mode!r} to read spans; there are: {', '.join(READERS)}")
    return [READERS[mode](row, scheme) for row in tags]


def surface(tokens: Sequence[str], span: Span) -> str:
    """The words of a span, lower-cased, as they count for having been seen."""
    return " ".join(tokens[span.start : span.end]).lower()


def span_posterior(marginal: Array, conditional: Array, span: Span) -> float:
    """The probability of a span's tags taken together, under a chain.

    ``marginal [T]`` is that of each tag, ``conditional [T]`` that given the one before.
    """
    further = np.prod(conditional[span.start + 1 : span.end], dtype=np.float64)
    return float(marginal[span.start] * further)


def count_spans(gold: SpanRows, predicted: SpanRows) -> Array:
    """``[N, 3]``: for each sentence the spans that are right, predicted, and gold.

    A predicted span is right if gold has one with the same borders and type.
    """
    rows = [(len(set(g) & set(p)), len(p), len(g)) for g, p in zip(gold, predicted, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def precision_recall_f1(counts: Array) -> tuple[Array, Array, Array]:
    """The three scores ``[…]`` of span counts ``[…, 3]``; 0 where there is nothing to divide by.

    So says conlleval, and seqeval with ``zero_division=0``.
    """
    right, predicted, gold = np.moveaxis(np.asarray(counts, dtype=np.float64), -1, 0)
    parts = ((right, predicted), (right, gold), (2 * right, predicted + gold))
    precision, recall, f1 = (ratio(part, whole, 0.0) for part, whole in parts)
    return precision, recall, f1


def tagging_score(gold: Tags, predicted: Tags, scheme: str) -> float:
    """Accuracy of raw tags, F1 of spans as ``conlleval`` reads them."""
    if scheme == "raw":
        sides = (np.array([*chain.from_iterable(side)]) for side in (gold, predicted))
        return float(np.mean(np.equal(*sides)))
    rows = (read_spans(side, scheme, "conlleval") for side in (gold, predicted))
    return float(precision_recall_f1(count_spans(*rows).sum(0))[2])


def type_table(gold: SpanRows, predicted: SpanRows) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each type, by alphabet."""
    both = [set(g) & set(p) for g, p in zip(gold, predicted, strict=True)]
    right, guessed, wanted = (
        Counter(span.label for row in rows for span in row) for rows in (both, predicted, gold)
    )
    labels = sorted(guessed | wanted)
    counts = np.array([(right[k], guessed[k], wanted[k]) for k in labels]).reshape(-1, 3)
    return table_rows(labels, *precision_recall_f1(counts), counts[:, 2])


def overlaps(own: Sequence[Span], others: Sequence[Span]) -> list[list[Span]]:
    """For each span of one reading of a sentence, those of another that share a token with it."""
    cover = {token: other for other in others for token in range(other.start, other.end)}
    return [
        list(dict.fromkeys(cover[t] for t in range(span.start, span.end) if t in cover))
        for span in own
    ]


def judge(span: Span, overlapping: Sequence[Span], alone: str) -> str:
    """What a span is in the light of those of the other side that overlap it.

    ``correct``; ``wrong_type``: same borders, other type; ``wrong_border``: one of the same type
    overlaps; ``wrong_border_and_type``: only ones of other types do; ``alone``: none does.
    """
    if not overlapping:
        return alone
    if span in overlapping:
        return "correct"
    # One with the same borders leaves no token to another.
    if (overlapping[0].start, overlapping[0].end) == (span.start, span.end):
        return "wrong_type"
    same = any(other.label == span.label for other in overlapping)
    return "wrong_border" if same else "wrong_border_and_type"


def error_table(gold: SpanRows, predicted: SpanRows) -> dict[str, dict[str, int]]:
    """How many spans there are of each kind that :func:`judge` tells apart, on both sides.

    Every gold span is exactly one of ``correct``, ``missed`` and the three of ``ERRORS``; every
    predicted one exactly one of ``correct``, ``spurious`` and the three. ``correct`` and
    ``wrong_type`` are pairs of spans, so both sides have as many; the others need not: one long
    span that is predicted over two gold ones is one wrong border there and two here.
    """

    def judged(rows: SpanRows, other_rows: SpanRows, alone: str) -> dict[str, int]:
        counts = Counter(
            judge(span, near, alone)
            for own, others in zip(rows, other_rows, strict=True)
            for span, near in zip(own, overlaps(own, others), strict=True)
        )
        return {kind: counts[kind] for kind in ("correct", alone, *ERRORS)}

    return {
        "gold": judged(gold, predicted, "missed"),
        "predicted": judged(predicted, gold, "spurious"),
    }


def type_confusions(gold: SpanRows, predicted: SpanRows) -> Counter[tuple[str, str]]:
    """How often a span of one type stands where gold has another: ``(gold, predicted)`` → count.

    Counted over pairs of spans that share a token and differ in type; a span with nothing on the
    other side is confused with ``O``.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for own, others in zip(gold, predicted, strict=True):
        for span, near in zip(own, overlaps(own, others), strict=True):
            pairs.update((span.label, other.label) for other in near if other.label != span.label)
            pairs[span.label, "O"] += not near
        for span, near in zip(others, overlaps(others, own), strict=True):
            pairs["O", span.label] += not near
    return +pairs


@dataclass(frozen=True)
class TagPairs:
    """Where spans begin and end among ``L`` labels, told from two tags in a row.

    Number ``L`` stands for the edge of a sentence, which reads like ``O``.
    """

    begins: Array  # [L + 1, L + 1] bool: a span begins at the second of two tags
    ends: Array  # [L + 1, L + 1] bool: a span ends between them
    kinds: Array  # [L + 1], the number of the type; -1 without one

    @classmethod
    def build(cls, labels: Sequence[str], scheme: str) -> "TagPairs":
        """Ask ``schemes.spans`` about every pair of prefixes: conlleval never looks further.

        Of the types it only asks whether they are the same, so that ``L²`` pairs need no more than
        those of two types.
        """
        pairs = [split_tag(label) for label in [*labels, "O"]]
        prefixes = sorted({prefix for prefix, _ in pairs})
        kinds = sorted({kind for _, kind in pairs} - {""})
        code = np.array([prefixes.index(prefix) for prefix, _ in pairs])
        own = np.array([kinds.index(kind) if kind else -1 for _, kind in pairs])
        same = own[:, None] == own[None, :]
        tables = []
        for edge in (0, 1):  # of a span: its start, its end
            alike, apart = (
                np.array([[_edges(b, a, kind, scheme, edge) for a in prefixes] for b in prefixes])
                for kind in ("x", "y")
            )
            grid = code[:, None], code[None, :]
            tables.append(np.where(same, alike[grid], apart[grid]))
        return cls(tables[0], tables[1], own)

    def read(self, tags: Array, lengths: Array) -> tuple[Array, Array, Array]:
        """First token, last token and type of all spans, each ``[S]``.

        ``tags [M]`` are label numbers, one sentence after the other, of ``lengths [N]``.
        """
        edge = len(self.kinds) - 1
        ends = np.cumsum(lengths)
        # [M + 1]: what stands before each token, and after the last one.
        before, after = np.r_[edge, tags], np.r_[tags, edge]
        before[ends - lengths] = edge
        after[ends] = edge
        starts = np.flatnonzero(self.begins[before[:-1], tags])
        stops = np.flatnonzero(self.ends[tags, after[1:]])
        return starts, stops, self.kinds[tags[starts]]


def _edges(before: str, after: str, kind: str, scheme: str, edge: int) -> bool:
    """Whether a span begins (``edge`` 0) or ends (1) between tags of type x and of ``kind``."""
    tags = [prefix if prefix == "O" else f"{prefix}-{name}"
            for prefix, name in ((before, "x"), (after, kind))]  # fmt: skip
    return any(span[edge] == 1 for span in spans(tags, scheme))


def count_tags(
    gold: Array, predicted: Array, lengths: Array, pairs: TagPairs | None
) -> dict[str, Array]:
    """Counts that can be summed over batches.

    ``gold [M]`` and ``predicted [M]`` are label numbers, one sentence after the other, of
    ``lengths [N]``; there are no ``pairs`` for raw tags, which spell no spans.

    Returns:
        ``tokens`` ``[2]``: right and all; with ``pairs`` also ``spans`` ``[3]``: right, predicted,
        gold, as ``conlleval`` reads them.
    """
    counts = {"tokens": np.array([np.sum(gold == predicted), len(gold)])}
    if pairs is not None:
        sides = [pairs.read(tags, lengths) for tags in (predicted, gold)]
        # One number for a span: borders are below M, types below the number of labels.
        guessed, wanted = (
            (start * len(gold) + stop) * len(pairs.kinds) + kind for start, stop, kind in sides
        )
        right = np.intersect1d(guessed, wanted, assume_unique=True)
        counts["spans"] = np.array([len(right), len(guessed), len(wanted)])
    return counts
