"""The sections of a classifier: where it is right, how sure it is, what it got wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from birnn.arrays import Array, Ints
from birnn.data.wording import plural
from birnn.errors import CheckpointError
from birnn.tasks.core.run_rows import checked, number, read_rows
from birnn.tasks.reporting.blocks import (
    Block,
    Dot,
    DotGroup,
    Dots,
    Example,
    Examples,
    Grid,
    Matrix,
    Moved,
    MovedText,
    Paragraph,
    Section,
    Table,
    columns,
)
from birnn.tasks.reporting.certainty import (
    LEVELS,
    answered_scores,
    reliability_chart,
    threshold_block,
)
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.scoring.reliability import wilson

MOST = 1000  # mistakes that a report holds; the rest stand in predictions.csv
WORDS = 150  # of a mistake's text


@dataclass(frozen=True)
class TestItems:
    """The test split as ``predictions.csv`` has it."""

    __test__ = False  # pytest: this is no test

    labels: list[str]
    texts: list[str]
    gold: Ints  # [N]
    shares: Array  # [N, C]
    unit: str = "texts"

    @property
    def guess(self) -> Ints:
        """The classes that were predicted."""
        return np.asarray(self.shares.argmax(1))

    @property
    def right(self) -> Array:
        """Whether each was right."""
        return np.asarray(self.gold == self.guess)


def read_items(files: RunFiles, unit: str = "texts") -> TestItems:
    """Read ``predictions.csv``: texts (or what ``unit`` says), gold and a share for each class.

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
    checked(path, gold)
    scored = int(np.sum(files.metrics["details"]["confusion"]))
    if scored != len(gold):
        told = f"{plural(len(gold), 'row')}, but metrics.json tells of {scored:,}"
        raise CheckpointError(f"{path} holds {told}; train again")
    return TestItems(labels, texts, np.array(gold, dtype=np.int64), np.array(shares), unit)


def label_sections(files: RunFiles, unit: str = "texts") -> list[Section]:
    """Classes and certainty; then the mistakes. ``unit`` is what an item is, in the plural."""
    items = read_items(files, unit)
    blocks: list[Block] = [
        *_beside(files),
        Grid([reliability_chart(items.shares.max(1), items.right), _thresholds(items)]),
    ]
    blocks += _slices(items, files.extras.get("items", {}))
    return [Section("results", "Where it is right", blocks), _mistakes(items, files.extras)]


def _beside(files: RunFiles) -> list[Block]:
    """The confusion matrix and the scores by class: side by side, where the matrix is small."""
    parts = [_confusion(files), _per_class(files)]
    return [Grid(parts)] if len(files.metrics["details"]["labels"]) <= 8 else parts


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


def _thresholds(items: TestItems) -> Block:
    """Two classes: where the line between them is drawn; more: how sure an answer must be."""
    if len(items.labels) == 2:
        scores = [("precision", "c1"), ("recall", "c2"), ("F1", "c3")]
        values = [binary_scores(items.shares[:, 1], items.gold == 1, level) for level in LEVELS]
        label = f"say {items.labels[1]!r} from a share of"
        title, start = f"Where the line is drawn: {items.labels[1]}", 0.5
        caption = "A threshold that is chosen here is flattered: choose it on other data."
    else:
        scores = [("right among the answered", "c1"), ("share answered", "c2")]
        values = [answered_scores(items.shares.max(1), items.right, level) for level in LEVELS]
        label, title, start = "answer if at least so sure", "How sure an answer must be", 0.0
        caption = "An answer that is less sure is left to a person."
    return threshold_block(title, label, scores, values, start, caption)


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


def _slices(items: TestItems, known: Mapping[str, Any]) -> list[Block]:
    """How often it is right, by length, by class and by unseen words."""
    groups = [
        _slice_group(
            "by class",
            [(label, items.gold == place) for place, label in enumerate(items.labels[:20])],
            items,
        )
    ]
    words = np.array(known.get("words") or [len(text.split()) for text in items.texts])
    if items.unit == "texts" and len(words) == len(items.gold):
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
    unit = items.unit
    lead = f"{total:,} of {len(items.gold):,} {unit} of the test split, the most confident first."
    shades = "A word's shade is its share of the model's attention." if looked else ""
    if not total:
        none = Paragraph(f"None of the {unit} of the test split was labelled wrongly.")
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
