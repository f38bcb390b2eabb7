"""What a person sees of scores: beside baselines, as skill, over seeds.

It is also the view of a task that has nothing more to show: no details, and no answers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from birnn.tasks.scoring.metric_names import format_score, score_title
from birnn.terminal.text import make_table, titled


def render_details(details: Mapping[str, Any], width: int, *, plain: bool) -> RenderableType:
    """Nothing: the scores say it all."""
    return Group()


def draw_answer(answer: Any, out: Console, *, plain: bool) -> None:
    """Draw nothing: ``predict`` takes no run of such a task."""


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
    metrics = list(dict.fromkeys(metric for scores in skill.values() for metric in scores))
    heads = [f"{metric.replace('_', ' ').upper()} %" for metric in metrics]
    table = make_table(["less error than"], heads, plain=plain)
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
    table = make_table(["metric"], ["mean", "std"], plain=plain)
    for name, score in scores.items():
        table.add_row(
            score_title(name), format_score(name, score["mean"]), format_score(name, score["std"])
        )
    return titled(f"Model over {seeds} seeds", table)
