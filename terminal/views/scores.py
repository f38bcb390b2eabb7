"""What a person sees of scores: beside baselines, as skill, over seeds.

It is also the view of a task that has nothing more to show: no details, and no answers.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from birnn.tasks.scoring.metric_names import format_score, score_title, unsigned_zero
from birnn.terminal.text import harmless, make_table, titled

Scores = Mapping[str, Any]
Labels = Mapping[str, str]  # of baselines, in words
Columns = Mapping[str, Sequence[Text]]  # cells of each model


def render_details(details: Mapping[str, Any], width: int, *, plain: bool) -> RenderableType:
    """Nothing: the scores say it all."""
    return Group()


def draw_answer(answer: Any, out: Console, *, plain: bool) -> None:
    """A line for each record: its numbers, then its texts; in a terminal what fits of it."""
    for record in answer.records:
        line = render_record(record)
        if not plain:
            line.truncate(out.width, overflow="ellipsis")
        out.print(line, soft_wrap=True)
        for other in record.get("n_best", [])[1:]:  # the first is the record's own
            line = Text("  ").append_text(render_record(other))
            if not plain:
                line.truncate(out.width, overflow="ellipsis")
            out.print(line, soft_wrap=True)


def render_record(record: Mapping[str, Any]) -> Text:
    """The numbers of a record in bold, then its texts."""
    numbers = [f"{value:.4g}" for value in record.values() if isinstance(value, (int, float))]
    texts = [harmless(value) for value in record.values() if isinstance(value, str)]
    return Text.assemble(("  ".join(numbers), "bold"), "  ", " ¦ ".join(texts))


def render_scores(metrics: Scores, labels: Labels, width: int, *, plain: bool) -> RenderableType:
    """Model beside baselines, a metric a row: value, interval, and the mean over seeds if any.

    Where the intervals of all don't fit into ``width``, those of the baselines are left out; where
    the model's don't either, they stand in a table of their own.
    """
    test = metrics["test"]
    models = {"model": test["model"], **test["baselines"]}
    heads = {"model": f"model ({metrics['encoder']})", **labels}
    names = [name for name in test["model"] if not name.startswith("width_")]
    columns = {
        name: [score_cell(scores.get(m), partial(format_score, m), "bold") for m in names]
        for name, scores in models.items()
    }
    short = {name: [Text(c.plain.split(" [")[0]) for c in cells] for name, cells in columns.items()}
    titles = [score_title(name) for name in names]
    title = "Test scores, 95 % bootstrap intervals in brackets"
    make = partial(_scores, titles, heads=heads, width=width, plain=plain)
    own: list[RenderableType] = []
    table = make(columns)
    if drawn_width(table) > width:
        table = make({**short, "model": columns["model"]})
        if drawn_width(table) > width:
            own = [titled(title, make({"model": columns["model"]}))]
            table, title = make(short), "Beside baselines"
    parts = [*own, titled(title, table)]
    if "skill" in test:
        parts.append(render_skill(test["skill"], labels, plain=plain))
    if seeds := metrics["train"].get("seeds"):
        parts.append(render_spread(test["model"], len(seeds), plain=plain))
    return Group(*parts)


def drawn_width(table: Table) -> int:
    """Columns that a table takes where it has room."""
    lines = Console(width=10_000).render_lines(table, pad=False)
    return max(map(Segment.get_line_length, lines))


def _scores(
    titles: Sequence[str], columns: Columns, *, heads: Labels, width: int, plain: bool
) -> Table:
    """A metric a row, a model a column."""
    rows = zip(titles, *columns.values(), strict=True)
    names = [heads.get(name, name) for name in columns]
    table = make_table(["metric"], names, rows, plain=plain)
    table.columns[0].no_wrap = True
    sizes = [max(map(len, cells)) for cells in columns.values()]
    for column, size in zip(table.columns[1:], sizes, strict=True):
        column.min_width = size  # the heading wraps before a score does
    if drawn_width(table) > width:  # rich would crop the last column, not wrap every heading
        for column, size, name in zip(table.columns[1:], sizes, names, strict=True):
            column.width = max(size, *map(len, name.split()))
    return table


def render_skill(skill: Scores, labels: Labels, *, plain: bool) -> RenderableType:
    """How much lower the model's error is than each baseline's, in per cent."""
    metrics = list(dict.fromkeys(metric for scores in skill.values() for metric in scores))
    heads = [f"{metric.replace('_', ' ').upper()} %" for metric in metrics]

    def percent(value: float) -> str:
        return unsigned_zero(f"{100 * value:.1f}")

    rows = [
        # A baseline without errors has no score: no share of them is less.
        [labels.get(name, name), *(score_cell(scores.get(m), percent, "bold") for m in metrics)]
        for name, scores in skill.items()
    ]
    table = make_table(["less error than"], heads, rows, plain=plain)
    return titled("Skill of the model against each baseline", table)


def score_cell(score: Scores | None, written: Callable[[float], str], style: str = "") -> Text:
    """``81.2 [79.0, 83.4]``, the value in ``style``; a dash where there is no score."""
    if score is None:
        return Text("–")
    text = Text(written(score["value"]), style)
    if score["low"] is None or score["high"] is None:
        return text
    low, high = written(score["low"]), written(score["high"])
    if not any(map(_digits, (text.plain, low, high))):
        return text  # 0 [0, 0] says no more than 0
    return Text.assemble(text, f" [{low}, {high}]")


def _digits(number: str) -> str:
    return number.strip("-0.,")


def render_precision(
    title: str, heads: tuple[str, str], names: Sequence[str], rows: Sequence[Scores], *, plain: bool
) -> RenderableType:
    """Precision, recall, F1 and number of classes, types or tags; heads of names and numbers."""
    cells = []
    for name, row in zip(names, rows, strict=True):
        shares = [f"{row[key] * 100:.1f}" for key in ("precision", "recall", "f1")]
        cells.append([name, *shares, f"{row['support']:,}"])
    right = ["precision %", "recall %", "F1 %", heads[1]]
    return titled(title, make_table(heads[:1], right, cells, plain=plain))


def render_spread(scores: Mapping[str, Any], seeds: int, *, plain: bool) -> RenderableType:
    """Mean and standard deviation of the model's scores over seeds."""
    rows = [
        [score_title(name), *(format_score(name, score[key]) for key in ("mean", "std"))]
        for name, score in scores.items()
    ]
    table = make_table(["metric"], ["mean", "std"], rows, plain=plain)
    return titled(f"Model over {seeds} seeds", table)
