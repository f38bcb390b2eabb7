"""What a person sees of a classifier: pure functions from results to rich renderables."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from birnn.errors import BirnnError
from birnn.terminal.text import BEST, make_table, named, shown, titled
from birnn.terminal.views.certainty import render_reliability, render_shares
from birnn.terminal.views.explanation import AGAINST, FOR, shaded
from birnn.terminal.views.scores import render_precision, render_record

Rows = Sequence[Mapping[str, Any]]
WIDE = 10_000_000  # columns of a line in a pipe
ANSWER = ("label", "probabilities")  # of a record; all else in it are texts
BETWEEN = " ¦ "  # texts of one row
BARRED = 8  # records that have bars
SHADED = 3  # mistakes whose words are shaded


def render_details(details: Mapping[str, Any], width: int, *, plain: bool) -> RenderableType:
    """Whatever of these a task's details hold."""
    parts: list[RenderableType] = []
    if "per_class" in details and len(details["labels"]) <= 40:
        parts.append(render_classes(details["per_class"], plain=plain))
    if "confusion" in details and len(details["labels"]) <= 12:
        parts.append(render_confusion(details["labels"], details["confusion"], plain=plain))
    if details.get("reliability"):
        parts.append(render_reliability(details["reliability"], "rows", plain=plain))
    if details.get("mistakes"):
        parts.append(render_mistakes(details["mistakes"], width, plain=plain))
    return Group(*parts)


def draw_answer(answer: Any, out: Console, *, plain: bool) -> None:
    """A line for each record and, where it was asked for, its words with their weights.

    In a terminal a few records also have a bar for each class.
    """
    width = WIDE if plain else out.width
    barred = not plain and len(answer.records) <= BARRED
    for number, record in enumerate(answer.records):
        out.print(render_prediction(record, width), soft_wrap=True)
        if barred and set(ANSWER) <= set(record):
            out.print(render_shares(record["probabilities"]))
        if answer.weights:
            out.print(render_weights(answer.weights[number]))


def draw_learned(folder: Path, details: Mapping[str, Any], out: Console) -> None:
    """The surest mistakes of a run that has just been trained, in the shades of its words."""
    texts = [row for row in details.get("mistakes", ()) if "text" in row][:SHADED]
    if not texts:
        return
    from birnn.tasks.core.explanation import Wish
    from birnn.tasks.runs.folder import load_run
    from birnn.tasks.serving.explaining import explainer_of

    with out.status("explaining mistakes"), suppress(BirnnError):
        explainer = explainer_of(load_run(folder))
        shades = [
            shaded(next(explainer.given(row["text"], "", Wish(row["predicted"]))), plain=False)
            for row in texts
        ]
        title = Text.assemble(("Why the surest mistakes", "bold"), ": words ", ("for", FOR),
                              " and ", ("against", AGAINST), " what was said")  # fmt: skip
        parts: list[RenderableType] = [title]
        for row, text in zip(texts, shades, strict=True):
            gold, said = (named(row[side], 20) for side in ("gold", "predicted"))
            parts += [Text(f"  {said}, but it is {gold}", "dim"), Padding(text, (0, 0, 0, 4))]
        out.print(Group(*parts, Text()))


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
