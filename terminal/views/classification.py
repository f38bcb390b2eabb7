"""What a person sees of a classifier: pure functions from results to rich renderables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from birnn.terminal.text import BEST, make_table, named, shown, titled

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
    table = make_table(plain=plain)
    table.add_column("gold")
    for label in labels:
        table.add_column(Text(named(label, 14)), justify="right")
    for row, label in enumerate(labels):
        cells = [
            Text(f"{count:,}", style=BEST if row == column else "")
            for column, count in enumerate(counts[row])
        ]
        table.add_row(Text(named(label, 20)), *cells)
    return titled("Confusion (rows gold, columns predicted)", table)


def render_classes(rows: Sequence[Mapping[str, Any]], *, plain: bool) -> RenderableType:
    """Precision, recall and F1 of each class."""
    table = make_table(["class"], ["precision %", "recall %", "F1 %", "rows"], plain=plain)
    for row in rows:
        scores = [f"{row[key] * 100:.1f}" for key in ("precision", "recall", "f1")]
        table.add_row(Text(named(row["label"], 40)), *scores, f"{row['support']:,}")
    return titled("By class", table)


def render_mistakes(
    rows: Sequence[Mapping[str, Any]], width: int, *, plain: bool
) -> RenderableType:
    """The most confident mistakes."""
    table = make_table(plain=plain)
    for head in ("gold", "predicted", "sure %", "text"):
        table.add_column(head, justify="right" if "%" in head else "left", no_wrap=True)
    room = max(20, width - 44)
    for row in rows:
        table.add_row(
            Text(named(row["gold"], 12)),
            Text(named(row["predicted"], 12)),
            f"{row['confidence'] * 100:.0f}",
            Text(shown(row["text"], room)),
        )
    return titled("Most confident mistakes", table)


def render_prediction(record: Mapping[str, Any], width: int) -> Text:
    """A row's label, how sure the model is, and the text, or each of several."""
    label, sure = record["label"], record["probabilities"][record["label"]]
    name = named(label, max(20, width // 3))
    head = Text.assemble((name, "bold"), f"  {sure * 100:5.1f} %  ")
    texts = [text for key, text in record.items() if key not in ANSWER]
    room = max(20, width - head.cell_len - 1 - len(BETWEEN) * (len(texts) - 1))
    parts = [shown(text, max(20, room // len(texts))) for text in texts]
    return head + Text(BETWEEN.join(parts))


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
