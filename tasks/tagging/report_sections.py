"""The sections of a tagger's report: what it gets right, how sure it is, and every sentence."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.data.tags.schemes import Span
from birnn.data.wording import plural
from birnn.errors import CheckpointError
from birnn.tasks.core.stored import check_whole
from birnn.tasks.reporting.blocks import Block, Dot, DotGroup, Dots, Grid, Matrix, Section, Table
from birnn.tasks.reporting.blocks import columns as heads
from birnn.tasks.reporting.certainty import (
    LEVELS,
    answered_scores,
    reliability_chart,
    threshold_block,
)
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.labels import quarters
from birnn.tasks.reporting.sentences import Mark, Sentence, Sentences, laid_out
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED, interval, ratio, replicates
from birnn.tasks.tagging.metrics import (
    Seen,
    Tagged,
    span_confidence,
    tag_counts,
    unseen_spans,
    unseen_tokens,
)
from birnn.tasks.tagging.report import confusion, tag_confusions
from birnn.tasks.tagging.spans import (
    SpanRows,
    count_spans,
    error_table,
    judge,
    overlaps,
    precision_recall_f1,
)
from birnn.tasks.tagging.test_record import read_tagged

MOST = 1000  # sentences that a report holds
MOST_TOKENS = 60_000  # of which it holds the numbers
LARGEST = 20  # rows of a matrix
SMALL = 6  # rows of one that has room beside tables
TYPES = 30  # rows of dots
PAIRS = 12  # confusions of tags that have a row of their own
COLORS = tuple(f"c{number}" for number in range(1, 7))
KINDS = {
    "missed": "no predicted span shares a word with it",
    "spurious": "no gold span shares a word with it",
    "wrong_type": "the same words, another type",
    "wrong_border": "the same type, other words",
    "wrong_border_and_type": "other words and another type",
}


@dataclass(frozen=True)
class TaggedTest:
    """The test split of a run, and what is known of it."""

    tagged: Tagged
    seen: Seen
    sure: list[list[float]]  # of the predicted spans of each sentence; of raw tags: of the tokens
    exact: bool  # whether those of spans are the chain's own, or products of the tokens'
    where: list[str]  # of each sentence

    @property
    def spanned(self) -> bool:
        """Whether the tags spell spans."""
        return self.tagged.scheme != "raw"

    @cached_property
    def unseen(self) -> Array:
        """``[M]``: whether train lacks the word of a token."""
        return unseen_tokens(self.tagged, self.seen)

    @property
    def right(self) -> Array:
        """Of each prediction that :attr:`sure` is about, whether it is right."""
        if self.spanned:
            gold, predicted = self.tagged.spans
            rows = zip(gold, predicted, strict=True)
            return np.array([s in wanted for wanted, own in rows for s in own], dtype=bool)
        _, wanted, guessed = self.tagged.codes
        return np.asarray(wanted == guessed)


def read_test(files: RunFiles) -> TaggedTest:
    """Read a run's test split, and what its training has stored of it.

    Raises:
        CheckpointError: a file is missing or not what it should be.
    """
    tagged, seen, _ = read_tagged(files.folder, files.config)
    assert tagged.confidence is not None
    stored = files.extras.get("span_confidence")
    if tagged.scheme == "raw":
        sure = [row.tolist() for row in tagged.confidence]
    elif stored is not None:
        sure = [[float(value) for value in row] for row in stored]
        if [*map(len, sure)] != [*map(len, tagged.spans[1])]:
            raise CheckpointError(f"{files.folder}: report.json is of another test split")
    else:
        sure = [[span_confidence(tagged, i, span) for span in row]
                for i, row in enumerate(tagged.spans[1])]  # fmt: skip
    where = _places(files.extras.get("items", {}), len(tagged.tokens))
    return TaggedTest(tagged, seen, sure, stored is not None, where)


def _places(items: Mapping[str, Any], count: int) -> list[str]:
    """Where each sentence begins in the user's data; its number, where that is not known."""
    lines, names = items.get("line", []), items.get("file", [])
    if len(lines) != count:
        return [f"sentence {number:,}" for number in range(1, count + 1)]
    unit = str(items.get("unit", "line"))
    places = [f"{unit} {check_whole(unit, line, 0, 1 << 62):,}" for line in lines]
    if len(names) != count:
        return places
    return [f"{place} of {name}" for place, name in zip(places, names, strict=True)]


def tagging_sections(files: RunFiles) -> list[Section]:
    """Types, seen and unseen, certainty; then the sentences."""
    test = read_test(files)
    matrix, tables = _confusion(test), [_by_type(files, test), _by_seen(test)]
    small = len(matrix.labels) <= SMALL
    blocks: list[Block] = [Grid([matrix, *tables]) if small else matrix]
    blocks += [_dots(test)] if small else [Grid(tables), _dots(test)]
    blocks.append(Grid(_certainty(test)))
    return [Section("results", "Where it is right", blocks), _sentences(test)]


def tagging_numbers(files: RunFiles) -> dict[str, Any]:
    """The test split in numbers: of each token its tags, as places in ``labels``."""
    test = read_test(files)
    labels, gold, predicted = test.tagged.codes
    if len(gold) > MOST_TOKENS:
        return {"left_out": f"{len(gold):,} tokens are in predictions.csv"}
    assert test.tagged.confidence is not None
    flat = np.concatenate(test.tagged.confidence)
    numbers = {
        "labels": labels, "lengths": [len(row) for row in test.tagged.tokens],
        "gold": gold.tolist(), "predicted": predicted.tolist(),
        "confidence": np.round(flat, 4).tolist(),
    }  # fmt: skip
    return {**numbers, "span_confidence": test.sure} if test.spanned and test.exact else numbers


def _confusion(test: TaggedTest) -> Matrix:
    """Of the most frequent labels; what is left is summed up."""
    labels, counts = confusion(test.tagged)
    last = ["O"] if test.spanned else []
    if len(labels) > LARGEST:
        own = len(labels) - len(last)
        weight = counts.sum(0) + counts.sum(1)
        kept = np.sort(np.argsort(-weight[:own], kind="stable")[: LARGEST - 2])
        place = np.full(len(labels), len(kept))
        place[kept] = np.arange(len(kept))
        place[own:] = len(kept) + 1
        small = np.zeros((len(kept) + 1 + len(last),) * 2, dtype=np.int64)
        np.add.at(small, (place[:, None], place[None, :]), counts)
        labels, counts = [*(labels[k] for k in kept), f"{own - len(kept)} others", *last], small
    title = "Types of spans" if test.spanned else "Tags"
    caption = "Rows are what is so, columns what was predicted; the shade is the share of the row."
    if test.spanned:
        caption += (
            " Spans that share a word are a pair, whatever their borders. O: no span; its column"
            " holds what was missed, its row what was made up."
        )
    return Matrix(title, labels, counts.tolist(), caption)


def _by_type(files: RunFiles, test: TaggedTest) -> Block:
    details = files.metrics["details"]
    rows = [
        [str(part["label"]), *(f"{part[name] * 100:.1f}" for name in ("precision", "recall", "f1")),
         f"{part['support']:,}"]
        for part in details["types" if test.spanned else "tags"]
    ]  # fmt: skip
    what = ("type", "spans") if test.spanned else ("tag", "tokens")
    columns = heads(what[0], "precision %", "recall %", "F1 %", what[1])
    return Table(columns, rows, f"By {what[0]}", sortable=True)


def _by_seen(test: TaggedTest) -> Block:
    """Scores of what train has and of what it lacks."""
    _, *parts = _slices(test)
    names = ("in train", "not in train")
    if not test.spanned:
        rows = [
            [name, f"{share(counts.sum(0)) * 100:.1f}" if counts.sum() else "–",
             f"{int(counts[:, 1].sum()):,}"]
            for name, counts in zip(names, parts, strict=True)
        ]  # fmt: skip
        return Table(heads("word", "accuracy %", "tokens"), rows, "Seen and unseen words")
    rows = [
        [name, *(f"{score * 100:.1f}" for score in precision_recall_f1(counts.sum(0))),
         f"{counts[:, 2].sum():,}"]
        for name, counts in zip(names, parts, strict=True)
    ]  # fmt: skip
    columns = heads("words and type", "precision %", "recall %", "F1 %", "spans")
    caption = "Small and capital letters are not told apart."
    return Table(columns, rows, "Seen and unseen spans", caption)


Score = Callable[[Array], Array]


def span_f1(counts: Array) -> Array:
    """F1 of counts ``[…, 3]``: right, predicted, gold."""
    return precision_recall_f1(counts)[2]


def share(counts: Array) -> Array:
    """The first of two counts ``[…, 2]`` as a share of the second."""
    return ratio(counts[..., 0], counts[..., 1])


def measured(title: str, parts: Mapping[str, Array], score: Score, unit: str) -> DotGroup:
    """A score of several parts of the test split, resampled by sentences.

    Args:
        title: of the group.
        parts: name → counts ``[N, K]`` of each sentence, the last one what is scored.
        score: from counts to the score.
        unit: what the last count is of, in the plural.
    """
    parts = {name: counts for name, counts in parts.items() if counts[:, 1:].sum()}
    count = len(next(iter(parts.values()))) if parts else 0

    def scores(drawn: Array) -> dict[str, Array]:
        return {name: score(drawn @ counts) for name, counts in parts.items()}

    drawn = replicates(scores, count, BOOTSTRAP_SEED) if parts else {}
    dots = []
    for number, (name, counts) in enumerate(parts.items()):
        total = counts.sum(0)
        found = interval(float(score(total)), drawn[name])
        low, high = (found.low, found.high) if found.known else (None, None)
        text = f"{found.value * 100:.1f} %, {int(total[-1]):,} {unit}"
        dots.append(Dot(name, found.value, text, low, high, own=number < len(parts) - 1))
    ticks = [(part / 4, f"{25 * part} %") for part in range(5)]
    return DotGroup(title, dots, ticks)


def _dots(test: TaggedTest) -> Block:
    """F1 by type, by having been seen in train, and by length."""
    every, seen, unseen = _slices(test)
    lengths = np.array([len(row) for row in test.tagged.tokens])
    by_length = {
        name.replace("words", "tokens"): every * mask[:, None] for name, mask in quarters(lengths)
    }
    what, unit = ("spans", "spans") if test.spanned else ("words", "tokens")
    score, name = (span_f1, "F1") if test.spanned else (share, "accuracy")
    types = {**dict(_type_counts(test)), "all": _type_all(test, every)}
    groups = [
        measured(f"F1 by {'type' if test.spanned else 'tag'}", types, span_f1, unit),
        measured(f"{name} by having been seen", {
            f"{what} that train has": seen, f"{what} that train lacks": unseen, "all": every,
        }, score, unit),
        measured(f"{name} by length of the sentence", {**by_length, "all": every}, score, unit),
    ]  # fmt: skip
    caption = "Lines are 95 % bootstrap intervals over sentences; few items have wide ones."
    return Dots("Slices", [group for group in groups if len(group.dots) > 1], caption)


def _slices(test: TaggedTest) -> tuple[Array, Array, Array]:
    """Counts of each sentence: of all, of what train has, of what it lacks.

    Of spans right, predicted and gold ``[N, 3]``; of tokens right and all ``[N, 2]``.
    """
    tagged = test.tagged
    if test.spanned:
        every = count_spans(*tagged.spans)
        unseen = count_spans(*(unseen_spans(tagged, rows, test.seen) for rows in tagged.spans))
        return every, every - unseen, unseen
    size = len(tagged.tokens)

    def counts(mask: Array) -> Array:
        parts = (mask & test.right, mask)
        return np.stack([np.bincount(tagged.sentence, part, size) for part in parts], -1)

    return counts(np.ones(len(test.right), bool)), counts(~test.unseen), counts(test.unseen)


def _type_counts(test: TaggedTest) -> list[tuple[str, Array]]:
    """Right, predicted and gold items of each sentence ``[N, 3]``, by type, the largest first."""
    tagged = test.tagged
    if test.spanned:
        gold, predicted = tagged.spans
        labels = sorted({span.label for row in (*gold, *predicted) for span in row})
        parts = [(label, count_spans(_only(gold, label), _only(predicted, label)))
                 for label in labels]  # fmt: skip
    else:
        labels = tagged.codes[0]
        cells = tag_counts(tagged)
        size = len(labels)
        parts = [
            (label, np.asarray(cells[:, [place, place + size, place + 2 * size]].todense()))
            for place, label in enumerate(labels)
        ]
    parts.sort(key=lambda part: -part[1][:, 2].sum())
    return parts[:TYPES]


def _type_all(test: TaggedTest, every: Array) -> Array:
    """The counts of all types together; of tags, where each token is predicted, as many as gold."""
    return every if test.spanned else every[:, [0, 1, 1]]


def _only(rows: SpanRows, label: str) -> list[list[Span]]:
    return [[span for span in row if span.label == label] for row in rows]


def _certainty(test: TaggedTest) -> list[Block]:
    """How often a certainty is right, and what a threshold would leave."""
    sure = np.array([value for row in test.sure for value in row])
    right = test.right
    if not len(sure):
        return []
    what = "spans" if test.spanned else "tags"
    chart = reliability_chart(sure, right, what)
    if not test.spanned:
        scores = [("right among the answered", "c1"), ("share answered", "c2")]
        values = [answered_scores(sure, right, level) for level in LEVELS]
        caption = "A tag that is less sure is left to a person."
    else:
        scores = [("precision", "c1"), ("recall", "c2"), ("F1", "c3")]
        gold = sum(map(len, test.tagged.spans[0]))
        values = [kept_scores(sure, right, gold, level) for level in LEVELS]
        caption = "A threshold that is chosen here is flattered: choose it on other data."
        if not test.exact:
            caption += " The certainty of a span is the product of its tokens': the run is older."
    title, label = f"How sure the {what} must be", f"keep {what} that are at least so sure"
    return [chart, threshold_block(title, label, scores, values, 0.0, caption)]


def kept_scores(sure: Array, right: Array, gold: int, level: float) -> tuple[float | None, ...]:
    """Precision, recall and F1 of the spans that are at least so sure, beside ``gold`` spans."""
    kept = sure >= level
    hits, said = int((kept & right).sum()), int(kept.sum())
    both = said + gold
    return (hits / said if said else None, hits / gold if gold else None,
            2 * hits / both if both else None)  # fmt: skip


def _sentences(test: TaggedTest) -> Section:
    """Every sentence, those with errors first, the surest of them first."""
    kinds, table, faults = _span_errors(test) if test.spanned else _tag_errors(test)
    marks = [_span_marks(test, i) if test.spanned else _tag_marks(test, i)
             for i in range(len(faults))]  # fmt: skip
    worst = [max([m.sure or 0 for m in predicted if m.wrong], default=0) for _, predicted in marks]
    order = sorted(range(len(faults)), key=lambda i: (not faults[i], -worst[i], i))
    wrong = sum(map(bool, faults))
    right = min(len(order) - wrong, MOST // 10)  # for which there is always room
    held = [*order[: min(wrong, MOST - right)], *order[wrong:]][:MOST]
    labels = Counter(m.label for pair in marks for side in pair for m in side)
    colors = {label: COLORS[n % len(COLORS)] for n, (label, _) in enumerate(labels.most_common())}
    sentences = [
        Sentence(test.where[i], laid_out(test.tagged.tokens[i], *marks[i]), dict(faults[i]))
        for i in held
    ]
    what = "span" if test.spanned else "tag"
    lead = f"{wrong:,} of {len(faults):,} sentences of the test split have a wrong {what}."
    caption = "Sentences with errors come first, those with the surest wrong answer before others."
    if len(order) > len(held):
        caption += f" {len(held):,} of the {len(order):,} sentences are here."
    block = Sentences(
        "Errors, and the sentences that have them", table, kinds, colors, sentences, len(order),
        caption,
    )  # fmt: skip
    return Section("sentences", "Sentence by sentence", [block], lead)


def _span_errors(test: TaggedTest) -> tuple[list[str], Table, list[Counter[int]]]:
    """Names of the kinds of errors, their counts, and how many each sentence has."""
    gold, predicted = test.tagged.spans
    kinds = list(KINDS)
    faults = []
    for own, others in zip(gold, predicted, strict=True):
        found = Counter(_judged(predicted=others, gold=own))
        found += Counter("missed" for near in overlaps(own, others) if not near)
        faults.append(Counter({kinds.index(kind): n for kind, n in found.items()}))
    table = error_table(gold, predicted)
    rows = [
        [kind.replace("_", " "), *(f"{side[kind]:,}" if kind in side else "–"
                                   for side in table.values()), _count(faults, place), why]
        for place, (kind, why) in enumerate(KINDS.items())
    ]  # fmt: skip
    columns = heads("error", "gold spans", "predicted spans", "sentences")
    return ([kind.replace("_", " ") for kind in kinds],
            Table([*columns, *heads("what it is")], [*rows, _fine(faults, 5)]), faults)  # fmt: skip


def _judged(predicted: Sequence[Span], gold: Sequence[Span]) -> Iterator[str]:
    for span, near in zip(predicted, overlaps(predicted, gold), strict=True):
        if (kind := judge(span, near, "spurious")) != "correct":
            yield kind


def _tag_errors(test: TaggedTest) -> tuple[list[str], Table, list[Counter[int]]]:
    """The most frequent confusions, their counts, and how many each sentence has."""
    frequent = sorted(tag_confusions(test.tagged).items(), key=lambda pair: (-pair[1], pair[0]))
    pairs = {pair: place for place, (pair, _) in enumerate(frequent[:PAIRS])}
    kinds = names = [f"{gold} → {guess}" for gold, guess in pairs]
    if more := len(frequent) - len(names):
        kinds, names = [*names, "other"], [*names, plural(more, "other pair")]
    rows = zip(test.tagged.gold, test.tagged.predicted, strict=True)
    faults = [
        Counter(
            pairs.get((gold, guess), len(pairs))
            for gold, guess in zip(*row, strict=True) if gold != guess
        )
        for row in rows
    ]  # fmt: skip
    total = sum((Counter(own) for own in faults), Counter[int]())
    lines = [[name, f"{total[place]:,}", _count(faults, place)] for place, name in enumerate(names)]
    columns = heads("so → predicted", "tokens", "sentences")
    return kinds, Table(columns, [*lines, _fine(faults, 3)]), faults


def _count(faults: Sequence[Counter[int]], kind: int) -> str:
    return f"{sum(kind in own for own in faults):,}"


def _fine(faults: Sequence[Counter[int]], columns: int) -> list[str]:
    """The last row of a table of errors: sentences without any."""
    right = f"{sum(not own for own in faults):,}"
    return ["none", *["–"] * (min(columns, 4) - 2), right, *["all is right"] * (columns > 4)]


def _span_marks(test: TaggedTest, number: int) -> tuple[list[Mark], list[Mark]]:
    gold, predicted = (side[number] for side in test.tagged.spans)
    wanted = set(gold)
    return [Mark(s.start, s.end, s.label) for s in gold], [
        Mark(s.start, s.end, s.label, sure, s not in wanted)
        for s, sure in zip(predicted, test.sure[number], strict=True)
    ]


def _tag_marks(test: TaggedTest, number: int) -> tuple[list[Mark], list[Mark]]:
    """Of the tokens with a wrong tag."""
    rows = zip(test.tagged.gold[number], test.tagged.predicted[number], test.sure[number],
               strict=True)  # fmt: skip
    wrong = [(at, *row) for at, row in enumerate(rows) if row[0] != row[1]]
    return ([Mark(at, at + 1, gold) for at, gold, _, _ in wrong],
            [Mark(at, at + 1, guess, sure, True) for at, _, guess, sure in wrong])  # fmt: skip
