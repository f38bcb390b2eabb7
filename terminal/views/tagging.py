"""What a person sees of a tagger: pure functions from results to rich renderables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from birnn.terminal.text import CONTROL, make_table, shown, titled
from birnn.terminal.views.certainty import render_reliability
from birnn.terminal.views.scores import render_precision

Rows = Sequence[Mapping[str, Any]]
COLORS = ("cyan", "magenta", "green", "yellow", "blue", "red")
ERRORS = (
    "correct", "missed", "spurious", "wrong_type", "wrong_border", "wrong_border_and_type",
)  # fmt: skip


def render_details(details: Mapping[str, Any], width: int, *, plain: bool) -> RenderableType:
    """How spans were read, and tables by type or tag, of errors, confusions and mistakes."""
    parts: list[RenderableType] = []
    if details["scheme"] != "raw":
        how = {"conlleval": "as conlleval reads them", "strict": "only well-formed ones (strict)"}
        mode = f"{details['span_mode']} mode: {how[details['span_mode']]}"
        parts.append(Text(f"Spans in {mode}; data in {details['scheme'].upper()}.\n"))
    if details.get("types"):
        parts.append(render_labels("By span type", details["types"], plain=plain))
    elif len(details["tags"]) <= 60:
        parts.append(render_labels("By tag", details["tags"], plain=plain))
    if details.get("errors"):
        parts.append(render_errors(details["errors"], plain=plain))
    if details.get("reliability"):
        what = "tokens" if details["scheme"] == "raw" else "spans"
        parts.append(render_reliability(details["reliability"], what, plain=plain))
    if details.get("confusions"):
        parts.append(render_confusions(details["confusions"][:8], plain=plain))
    if details.get("mistakes"):
        parts.append(render_mistakes(details["mistakes"], width, plain=plain))
    return Group(*parts)


def draw_answer(answer: Any, out: Console, *, plain: bool) -> None:
    """The lines of a tagged file, or each text with its marks and its likeliest alternatives."""
    if answer.lines is not None:
        for line in answer.lines:
            # A file in a pipe is data and stays as it is; a terminal is not to be steered by it.
            print(line if plain else tame(line))
        return
    colors = label_colors(answer.labels)
    for record in answer.records:
        out.print(render_tagged(record, colors), soft_wrap=plain)
        if "n_best" in record:
            out.print(render_alternatives(record), soft_wrap=plain)


def render_labels(title: str, rows: Rows, *, plain: bool) -> RenderableType:
    """Precision, recall and F1 of each span type or tag."""
    names = [shown(row["label"], 24) for row in rows]
    return render_precision(title, ("label", "gold"), names, rows, plain=plain)


def render_errors(errors: Mapping[str, Mapping[str, int]], *, plain: bool) -> RenderableType:
    """What became of the gold spans, and what the predicted ones are."""
    rows = [
        [kind.replace("_", " "), *(f"{n[kind]:,}" if kind in n else "–" for n in errors.values())]
        for kind in ERRORS
        if any(kind in counts for counts in errors.values())
    ]
    table = make_table(["spans"], list(errors), rows, plain=plain)
    return titled("Spans: each counts in one row of its column", table)


def render_confusions(rows: Rows, *, plain: bool) -> RenderableType:
    """What is most often taken for what."""
    cells = [
        [shown(row["gold"], 24), shown(row["predicted"], 24), f"{row['count']:,}"] for row in rows
    ]
    table = make_table(["gold", "predicted"], ["count"], cells, plain=plain)
    return titled("Most frequent confusions", table)


def render_mistakes(rows: Rows, width: int, *, plain: bool) -> RenderableType:
    """The most confident mistakes."""
    kinds = [row["kind"].replace("_", " ") for row in rows]
    room = max(30, width - max(map(len, kinds)) - 16)
    half = min(28, room // 3)
    widths = {"gold": half, "predicted": half, "text": max(10, room - 2 * half)}
    cells = [
        [kind, f"{row['confidence'] * 100:.0f}", *(shown(row[k], n) for k, n in widths.items())]
        for row, kind in zip(rows, kinds, strict=True)
    ]
    heads = ["kind", "sure %", "gold", "predicted", "in"]
    table = make_table(heads, [], cells, plain=plain, no_wrap=True)
    table.columns[1].justify = "right"
    return titled("Most confident mistakes", table)


def render_tagged(record: Mapping[str, Any], colors: Mapping[str, str]) -> Text:
    """A text with its spans marked, or each token with its tag.

    Brackets mark a span, so that it can be told without colours too.
    """
    text, line, done = record["text"], Text(), 0
    spans = record.get("spans")
    marks = record["tokens"] if spans is None else spans
    for mark in marks:
        start, end = mark["start"], mark["end"]
        line.append(_visible(text[done:start]))
        label = mark["label"] if spans is not None else mark["tag"]
        color, words = colors.get(label, ""), _visible(text[start:end])
        if spans is None:
            line.append(words).append(f"/{shown(label, 24)}", style=f"dim {color}".strip())
        else:
            sure = f" {shown(label, 24)} {mark['confidence'] * 100:.0f} %"
            line.append("[", color).append(words, f"bold {color}".strip())
            line.append(sure, color).append("]", color)
        done = end
    return line.append(_visible(text[done:]))


def label_colors(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each label, in turn."""
    return {label: COLORS[i % len(COLORS)] for i, label in enumerate(labels)}


def render_alternatives(record: Mapping[str, Any]) -> Group:
    """The n best tag sequences of a text, a line each."""
    lines = []
    for number, row in enumerate(record["n_best"], start=1):
        if "spans" in row:
            spans = [
                f"[{_visible(record['text'][s['start'] : s['end']])} {shown(s['label'], 24)}]"
                for s in row["spans"]
            ]
            sequence = " ".join(spans) or "no span"
        else:
            sequence = " ".join(shown(tag, 24) for tag in row["tags"])
        lines.append(Text(f"  {number}. {row['probability'] * 100:5.1f} %  {sequence}"))
    return Group(*lines)


def _visible(text: str) -> str:
    """``text`` with what steers a terminal as spaces; its own spaces stay."""
    return CONTROL.sub(" ", text)


def tame(line: str) -> str:
    """A line of a tagged file, its tabs kept, with what steers a terminal as spaces."""
    return "\t".join(_visible(field) for field in line.split("\t"))
