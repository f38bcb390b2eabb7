"""What a person sees: pure functions from results to rich renderables."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from birnn.tasks.scoring.metric_names import format_score, score_title

# Controls, line separators, and what turns the direction of text.
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+"
)
LONGEST = 2000  # characters of an error
BEST = "bold green"


def harmless(text: str) -> str:
    """``text`` on one line, characters that steer a terminal as spaces."""
    return CONTROL.sub(" ", text).strip()


def shortened(text: str, most: int = LONGEST) -> str:
    """``text``, its middle left out where it has more than ``most`` characters."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"


def shown(text: str, width: int) -> str:
    """``text`` made :func:`harmless`, at most ``width`` columns of it; some characters take two."""
    plain = Text(harmless(text))
    plain.truncate(width, overflow="ellipsis")
    return plain.plain


def named(label: str, width: int) -> str:
    """A label in at most ``width`` columns; its middle goes, as labels often begin alike."""
    plain = harmless(label)
    if cell_len(plain) <= width:
        return plain
    tail = plain[-(width // 3) :]
    return shown(plain, width - cell_len(tail)) + tail


def make_table(*, plain: bool) -> Table:
    """An empty table: ruled in a terminal, bare columns in a pipe."""
    if plain:
        return Table(box=None, pad_edge=False)
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def titled(title: str, table: Table) -> Group:
    """A heading above a table, and a blank line below."""
    return Group(Text(title, style="bold"), table, Text())


def render_pairs(title: str, rows: Sequence[tuple[str, str]]) -> RenderableType:
    """A heading with a name and a value a line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(name), Text(harmless(value)))
    return Group(Text(title, style="bold"), grid, Text())


def render_warnings(warnings: Sequence[str]) -> RenderableType:
    """Warnings that can't be missed."""
    lines = [Text(f"WARNING: {harmless(text)}", style="bold yellow") for text in warnings]
    return Group(*lines, Text())


def render_scores(
    metrics: Mapping[str, Any], labels: Mapping[str, str], width: int, *, plain: bool
) -> RenderableType:
    """Model beside baselines, a metric a row: value, interval, and the mean over seeds if any.

    Where the intervals of all don't fit into ``width``, those of the baselines are left out; where
    the model's don't either, they stand in a table of their own.
    """
    test = metrics["test"]
    models = {"model": test["model"], **test["baselines"]}
    heads = {"model": f"model ({metrics['encoder']})", **labels}
    names = [name for name in test["model"] if not name.startswith("width_")]
    columns = {
        name: [_score_cell(metric, scores.get(metric)) for metric in names]
        for name, scores in models.items()
    }
    short = {name: [Text(c.plain.split(" [")[0]) for c in cells] for name, cells in columns.items()}
    titles = [score_title(name) for name in names]
    title = "Test scores, 95 % bootstrap intervals in brackets"
    own: list[RenderableType] = []
    if _width(titles, columns, heads) > width:
        narrow = {**short, "model": columns["model"]}
        if _width(titles, narrow, heads) > width:
            own = [titled(title, _scores(titles, {"model": columns["model"]}, heads, plain=plain))]
            narrow, title = short, "Beside baselines"
        columns = narrow
    parts = [*own, titled(title, _scores(titles, columns, heads, plain=plain))]
    if "skill" in test:
        parts.append(render_skill(test["skill"], labels, plain=plain))
    seeds = metrics["train"].get("seeds")
    if seeds:
        parts.append(render_spread(test["model"], len(seeds), plain=plain))
    return Group(*parts)


def _width(
    titles: Sequence[str], columns: Mapping[str, Sequence[Text]], heads: Mapping[str, str]
) -> int:
    """Columns that a table of scores takes; headings may wrap between words."""
    widest = [
        max(*(len(cell) for cell in cells), *(len(word) for word in heads.get(name, name).split()))
        for name, cells in columns.items()
    ]
    return max(map(len, titles)) + sum(size + 2 for size in widest) + 2


def _scores(
    titles: Sequence[str],
    columns: Mapping[str, Sequence[Text]],
    heads: Mapping[str, str],
    *,
    plain: bool,
) -> Table:
    """A metric a row, a model a column."""
    table = make_table(plain=plain)
    table.add_column("metric", no_wrap=True)
    for name, cells in columns.items():
        # The heading wraps before a score does.
        widest = max(len(cell) for cell in cells)
        table.add_column(Text(heads.get(name, name)), justify="right", min_width=widest)
    for row, title in enumerate(titles):
        table.add_row(title, *(cells[row] for cells in columns.values()))
    return table


def render_skill(
    skill: Mapping[str, Any], labels: Mapping[str, str], *, plain: bool
) -> RenderableType:
    """How much lower the model's error is than each baseline's, in per cent."""
    table = make_table(plain=plain)
    table.add_column("less error than")
    metrics = list(dict.fromkeys(metric for scores in skill.values() for metric in scores))
    for metric in metrics:
        table.add_column(f"{metric.replace('_', ' ').upper()} %", justify="right")
    for name, scores in skill.items():
        cells = []
        for metric in metrics:
            score = scores.get(metric)
            if score is None:  # the baseline makes no error: no share of it is less
                cells.append(Text("–"))
                continue
            parts = [(f"{100 * score['value']:.1f}", "bold")]
            if score["low"] is not None:
                parts.append((f" [{100 * score['low']:.1f}, {100 * score['high']:.1f}]", ""))
            cells.append(Text.assemble(*parts))
        table.add_row(Text(labels.get(name, name)), *cells)
    return titled("Skill of the model against each baseline", table)


def _score_cell(metric: str, score: Mapping[str, Any] | None) -> Text:
    if score is None:
        return Text("–")
    if score["low"] is None:
        return Text(format_score(metric, score["value"]), style="bold")
    low, high = format_score(metric, score["low"]), format_score(metric, score["high"])
    return Text.assemble((format_score(metric, score["value"]), "bold"), f" [{low}, {high}]")


def render_spread(scores: Mapping[str, Any], seeds: int, *, plain: bool) -> RenderableType:
    """Mean and standard deviation of the model's scores over seeds."""
    table = make_table(plain=plain)
    for head in ("metric", "mean", "std"):
        table.add_column(head, justify="left" if head == "metric" else "right")
    for name, score in scores.items():
        table.add_row(
            score_title(name), format_score(name, score["mean"]), format_score(name, score["std"])
        )
    return titled(f"Model over {seeds} seeds", table)


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
    table = make_table(plain=plain)
    for head in ("class", "precision %", "recall %", "F1 %", "rows"):
        table.add_column(head, justify="left" if head == "class" else "right")
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


def render_prediction(record: Mapping[str, Any], width: int) -> Text:
    """A text's label, how sure the model is, and the text."""
    label, sure = record["label"], record["probabilities"][record["label"]]
    name = named(label, max(20, width // 3))
    head = Text.assemble((name, "bold"), f"  {sure * 100:5.1f} %  ")
    return head + Text(shown(record["text"], max(20, width - head.cell_len - 1)))


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
