"""What a person sees of a classifier: pure functions from results to rich renderables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from birnn.terminal.text import BEST, make_table, named, shown, titled
from birnn.terminal.views.scores import render_precision, render_record

Rows = Sequence[Mapping[str, Any]]
WIDE = 10_000_000  # columns of a line in a pipe
ANSWER = ("label", "probabilities")  # of a record; all else in it are texts
BETWEEN = " ¦ "  # texts of one row


def render_details(details: Mapping[str, Any], width: int, *, plain: bool) -> RenderableType:
    """Whatever of these a task's details hold."""
    parts: list[RenderableType] = []
    if "per_class" in details and len(details["labels"]) <= 40:
        parts.append(render_classes(details["per_class"], plain=plain))
    if "confusion" in details and len(details["labels"]) <= 12:
        parts.append(render_confusion(details["labels"], details["confusion"], plain=plain))
    if details.get("mistakes"):
        parts.append(render_mistakes(details["mistakes"], width, plain=plain))
    return Group(*parts)


def draw_answer(answer: Any, out: Console, *, plain: bool) -> None:
    """A line for each record and, where it was asked for, its words with their weights."""
    width = WIDE if plain else out.width
    for number, record in enumerate(answer.records):
        out.print(render_prediction(record, width), soft_wrap=True)
        if answer.weights:
            out.print(render_weights(answer.weights[number]))


def render_confusion(
    labels: Sequence[str], counts: Sequence[Sequence[int]], *, plain: bool
) -> RenderableType:
    """Gold classes in rows, predicted classes in columns, the hits in bold."""
    rows = [
        [named(labels[i], 20), *(Text(f"{n:,}", BEST if i == j else "") for j, n in enumerate(row))]
        for i, row in enumerate(counts)
    ]
    table = make_table(["gold"], [named(label, 14) for label in labels], rows, plain=plain)
    return titled("Confusion (rows gold, columns predicted)", table)


def render_classes(rows: Rows, *, plain: bool) -> RenderableType:
    """Precision, recall and F1 of each class."""
    names = [named(row["label"], 40) for row in rows]
    return render_precision("By class", ("class", "rows"), names, rows, plain=plain)


def render_mistakes(rows: Rows, width: int, *, plain: bool) -> RenderableType:
    """The most confident mistakes."""
    room = max(20, width - 44)
    cells = []
    for row in rows:
        labels = [named(row[side], 12) for side in ("gold", "predicted")]
        cells.append([*labels, f"{row['confidence'] * 100:.0f}", shown(row["text"], room)])
    heads = ["gold", "predicted", "sure %", "text"]
    table = make_table(heads, [], cells, plain=plain, no_wrap=True)
    table.columns[2].justify = "right"
    return titled("Most confident mistakes", table)


def render_prediction(record: Mapping[str, Any], width: int) -> Text:
    """A row's label, how sure the model is, and the text, or each of several."""
    if not set(ANSWER) <= set(record):  # of a task that has named no view of its own
        return render_record(record)
    label, sure = record["label"], record["probabilities"][record["label"]]
    head = Text.assemble((named(label, max(20, width // 3)), "bold"), f"  {sure * 100:5.1f} %  ")
    texts = [text for key, text in record.items() if key not in ANSWER]
    room = max(20, width - head.cell_len - 1 - len(BETWEEN) * (len(texts) - 1))
    return head + Text(BETWEEN.join(shown(text, max(20, room // len(texts))) for text in texts))


def render_weights(words: Sequence[tuple[str, float]]) -> Text:
    """Words shaded by how much was looked at each."""
    top = max((weight for _, weight in words), default=1.0) or 1.0
    line = Text("    ")
    for word, weight in words:
        level = weight / top
        style = "bold reverse" if level > 0.66 else "bold" if level > 0.33 else "dim"
        line.append(shown(word, 40), style=style)
        line.append(f" {weight:.2f}  " if level > 0.33 else " ")
    return line
