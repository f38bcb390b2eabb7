"""The sections of a classifier: where it is right, how sure it is, what it got wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from birnn.arrays import Array, Ints
from birnn.tasks.core.run_rows import number, read_rows
from birnn.tasks.pages.figures import Line, LineChart, draw
from birnn.tasks.reporting.blocks import (
    Block,
    Chart,
    Dot,
    DotGroup,
    Dots,
    Example,
    Examples,
    Grid,
    Key,
    Matrix,
    Moved,
    MovedText,
    Paragraph,
    Section,
    Table,
    Thresholds,
    columns,
)
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.training_section import readout
from birnn.tasks.scoring.reliability import reliability_bins, wilson

MOST = 1000  # mistakes that a report holds; the rest stand in predictions.csv
WORDS = 150  # of a mistake's text
LEVELS = 100  # thresholds: steps of a hundredth


@dataclass(frozen=True)
class TestItems:
    """The test split as ``predictions.csv`` has it."""

    __test__ = False  # pytest: this is no test

    labels: list[str]
    texts: list[str]
    gold: Ints  # [N]
    shares: Array  # [N, C]

    @property
    def guess(self) -> Ints:
        """The classes that were predicted."""
        return np.asarray(self.shares.argmax(1))

    @property
    def right(self) -> Array:
        """Whether each was right."""
        return np.asarray(self.gold == self.guess)


def read_items(files: RunFiles) -> TestItems:
    """Read ``predictions.csv``: texts, gold and a share for each class.

    Raises:
        CheckpointError: it is missing or not what it should be.
    """
    path = files.folder / "predictions.csv"
    labels = [str(label) for label in files.metrics["details"]["labels"]]
    numbers = {label: place for place, label in enumerate(labels)}
    texts, gold, shares = [], [], []
    for row in read_rows(path, ("gold", "label", *(f"p_{label}" for label in labels))):
        names = list(row)
        texts.append(" ⏐ ".join(row[name] for name in names[: names.index("gold")]))
        gold.append(numbers[row["gold"]])
        shares.append([number(path, row, f"p_{label}", share=True) for label in labels])
    return TestItems(labels, texts, np.array(gold, dtype=np.int64), np.array(shares))


def label_sections(files: RunFiles) -> list[Section]:
    """Classes and certainty; then the mistakes."""
    items = read_items(files)
    blocks: list[Block] = [
        Grid([_confusion(files), _per_class(files)]),
        Grid([_reliability(items), _thresholds(items)]),
    ]
    blocks += _slices(items, files.extras.get("items", {}))
    return [Section("results", "Where it is right", blocks), _mistakes(items, files.extras)]


def label_numbers(files: RunFiles) -> dict[str, Any]:
    """The test split in numbers, so that whoever holds the report can score it anew."""
    items = read_items(files)
    return {
        "labels": items.labels,
        "gold": items.gold.tolist(),
        "shares": np.round(items.shares, 6).tolist(),
    }


def _confusion(files: RunFiles) -> Block:
    details = files.metrics["details"]
    caption = "Rows are what is so, columns what was predicted; the shade is the share of the row."
    return Matrix("Confusion", details["labels"], details["confusion"], caption)


def _per_class(files: RunFiles) -> Block:
    rows = [
        [
            str(part["label"]),
            *(f"{part[name] * 100:.1f}" for name in ("precision", "recall", "f1")),
            f"{part['support']:,}",
        ]
        for part in files.metrics["details"]["per_class"]
    ]
    heads = columns("class", "precision %", "recall %", "F1 %", "items")
    return Table(heads, rows, "By class", sortable=True)


def _reliability(items: TestItems) -> Block:
    """How often answers of each certainty are right, beside how often they should be."""
    bins = reliability_bins(items.shares.max(1), items.right)
    lines = [
        Line("as sure as right", [0, 1], [0, 1], "faint", "dashed", 1.2),
        Line("the model", [b.confidence for b in bins], [b.accuracy for b in bins]),
    ]
    lines += [
        Line("95 % interval", [b.confidence, b.confidence], [b.low, b.high], width=1.2)
        for b in bins
    ]
    rows = [
        [
            f"{b.start:.0%} to {b.end:.0%}",
            f"{b.items:,}",
            f"{b.confidence:.1%}",
            f"{b.accuracy:.1%}",
            f"{b.low:.1%} to {b.high:.1%}",
        ]
        for b in bins
    ]
    heads = columns("certainty", "items", "mean certainty", "right", "95 % interval")
    chart = LineChart(
        lines, x_label="how sure", y_label="how often right", shares=True, y_range=(0, 1)
    )
    drawing = draw(chart, "Reliability: how often answers of each certainty are right.")
    legend = [
        Key("the model, with 95 % intervals", "c1"),
        Key("as sure as it is right", "faint", "dashed"),
    ]
    caption = "On the dashed line a certainty of 80 % is right 80 times in 100."
    return Chart("Reliability", drawing, Table(heads, rows), caption, legend, readout(lines[1:2]))


def _thresholds(items: TestItems) -> Block:
    """Two classes: where the line between them is drawn; more: how sure an answer must be."""
    levels = [level / LEVELS for level in range(LEVELS + 1)]
    if len(items.labels) == 2:
        scores = [("precision", "c1"), ("recall", "c2"), ("F1", "c3")]
        values = [binary_scores(items.shares[:, 1], items.gold == 1, level) for level in levels]
        label = f"say {items.labels[1]!r} from a share of"
        title, start = f"Where the line is drawn: {items.labels[1]}", 0.5
        caption = "A threshold that is chosen here is flattered: choose it on other data."
    else:
        scores = [("right among the answered", "c1"), ("share answered", "c2")]
        values = [answered_scores(items, level) for level in levels]
        label, title, start = "answer if at least so sure", "How sure an answer must be", 0.0
        caption = "An answer that is less sure is left to a person."
    lines = [
        Line(name, levels, [value[place] for value in values], color)
        for place, (name, color) in enumerate(scores)
    ]
    chart = LineChart(lines, x_label=label, shares=True, y_range=(0, 1.02))
    rows = [
        [f"{level:.0%}", *(_percent(v) for v in value)]
        for level, value in zip(levels[::10], values[::10], strict=True)
    ]
    heads = columns(label, *(name for name, _ in scores))
    legend = [Key(name, color) for name, color in scores]
    drawing = draw(chart, f"{title}: the scores at each threshold; the table has them.")
    drawn = Chart(title, drawing, Table(heads, rows), legend=legend, points=readout(lines))
    series = [(line.name, list(line.y)) for line in lines]
    return Thresholds(title, label, levels, series, start, drawn, caption)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


def binary_scores(shares: Array, gold: Array, level: float) -> tuple[float | None, ...]:
    """Precision, recall and F1 of a class that is said from a share ``level`` on.

    None where nothing is said, or nothing is so.
    """
    said = shares >= level
    right = int((said & gold).sum())
    precision = right / said.sum() if said.any() else None
    recall = right / gold.sum() if gold.any() else None
    total = int(said.sum() + gold.sum())
    return precision, recall, 2 * right / total if total else None


def answered_scores(items: TestItems, level: float) -> tuple[float | None, ...]:
    """How many of the answers that are at least so sure are right, and how many those are."""
    answered = items.shares.max(1) >= level
    right = float(items.right[answered].mean()) if answered.any() else None
    return right, float(answered.mean())


def _slices(items: TestItems, known: Mapping[str, Any]) -> list[Block]:
    """How often it is right, by length, by class and by unseen words."""
    words = np.array(known.get("words") or [len(text.split()) for text in items.texts])
    if len(words) != len(items.gold):
        return []
    groups = [
        _slice_group(
            "by class",
            [(label, items.gold == place) for place, label in enumerate(items.labels[:20])],
            items,
        )
    ]
    groups.append(_slice_group("by length", quarters(words), items))
    unseen = np.array(known.get("unseen", []))
    if len(unseen) == len(items.gold):
        parts = [
            ("every word is in train", unseen == 0),
            ("one unseen word", unseen == 1),
            ("two or more unseen", unseen > 1),
        ]
        groups.append(_slice_group("by words that train lacks", parts, items))
    caption = "Lines are 95 % Wilson intervals; slices with few items have wide ones."
    return [Dots("Slices: share that is right", groups, caption)]


def quarters(words: Ints) -> list[tuple[str, Array]]:
    """Parts of about a quarter of the items each, by their number of words."""
    borders = sorted({int(np.quantile(words, q)) for q in (0.25, 0.5, 0.75)})
    edges = [-1, *borders, int(words.max())]
    parts = []
    for low, high in pairwise(edges):
        if high > low:
            name = f"{low + 1:,} to {high:,} words" if low >= 0 else f"up to {high:,} words"
            parts.append((name, (words > low) & (words <= high)))
    return parts


def _slice_group(title: str, parts: Sequence[tuple[str, Array]], items: TestItems) -> DotGroup:
    dots = []
    for name, mask in parts:
        if count := int(mask.sum()):
            right = int(items.right[mask].sum())
            low, high = wilson(right, count)
            text = f"{right / count:.1%} of {count:,}"
            dots.append(Dot(name, right / count, text, low, high, own=True))
    overall = float(items.right.mean())
    dots.append(Dot("all", overall, f"{overall:.1%} of {len(items.gold):,}"))
    ticks = [(share / 4, f"{25 * share} %") for share in range(5)]
    return DotGroup(title, dots, ticks)


def _mistakes(items: TestItems, extras: Mapping[str, Any]) -> Section:
    """The most confident mistakes, with what attention looked at."""
    places = mistaken(items.gold, items.shares)[:MOST]
    confidence, looked = items.shares.max(1), extras.get("attention", {})
    rows = extras.get("items", {}).get("row", [])
    examples = []
    for place in places:
        pairs = looked.get(str(place), [])
        words = [str(word) for word, _ in pairs] or items.texts[place].split()
        top = max([weight for _, weight in pairs[:WORDS]], default=0) or 1
        weights = [round(99 * weight / top) for _, weight in pairs[:WORDS]]
        short = words[:WORDS] + ["…"] * (len(words) > WORDS)
        row = int(rows[place]) if place < len(rows) else int(place) + 1
        gold, guess = items.labels[items.gold[place]], items.labels[items.guess[place]]
        sure = float(confidence[place])
        examples.append(Example(row, short, weights, gold, guess, sure))
    total = int((~items.right).sum())
    lead = f"{total:,} of {len(items.gold):,} texts of the test split, the most confident first."
    shades = "A word's shade is its share of the model's attention." if looked else ""
    if not total:
        none = Paragraph("No text of the test split was labelled wrongly.")
        return Section("mistakes", "Where it is wrong", [none])
    blocks: list[Block] = [Examples("Mistakes", examples, total, shades)]
    if moved := _moved(items, extras.get("moved", {})):
        blocks.insert(0, moved)
    return Section("mistakes", "Where it is wrong", blocks, lead)


def _moved(items: TestItems, known: Mapping[str, Any]) -> Moved | None:
    """The surest mistakes, and which words moved them."""
    texts = []
    for place, one in ((int(place), one) for place, one in known.items()):
        top = max([abs(weight) for _, weight in one["words"]], default=0) or 1
        words = [(str(word), round(99 * weight / top)) for word, weight in one["words"]]
        guess, gold = items.labels[items.guess[place]], items.labels[items.gold[place]]
        sure = float(items.shares[place].max())
        texts.append(MovedText(words, gold, guess, sure, str(one["completeness"])))
    caption = "Integrated gradients: the weights of a text's words add up to its answer."
    return Moved("What moved the surest of them", texts, caption) if texts else None


def mistaken(gold: Ints, shares: Array) -> Ints:
    """The items whose likeliest class is not theirs, the most confident first."""
    wrong = np.flatnonzero(gold != shares.argmax(1))
    return wrong[np.argsort(-shares.max(1)[wrong], kind="stable")]
