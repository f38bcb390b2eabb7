"""What a person sees of a forecaster: pure functions from results to rich renderables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from birnn.tasks.scoring.metric_names import format_score, score_title
from birnn.terminal.chart import render_chart
from birnn.terminal.console import wide
from birnn.terminal.text import make_table, shown, titled
from birnn.terminal.views.scores import drawn_width

STEPS_SHOWN = 8
SERIES_SHOWN = 10
ROWS_SHOWN = 48  # of a forecast in a terminal
COLUMNS = ("mae", "rmse", "smape", "mase")


def render_details(details: Mapping[str, Any], width: int, *, plain: bool) -> RenderableType:
    """Scores by step ahead and by series."""
    steps = details["per_step"]
    places = spread(len(steps), STEPS_SHOWN)
    names = [*COLUMNS, *(name for name in steps[0] if name.startswith("coverage_"))]
    rows = [(str(place + 1), steps[place]) for place in places]
    parts = [titled("By step ahead", scores_table("step", names, rows, plain=plain))]
    series = details["per_series"]
    if len(series) > 1:
        worst = sorted(series, key=lambda row: -row.get("mase", row["mae_scaled"]))
        rows = [(shown(row["series"], 30), row) for row in worst[:SERIES_SHOWN]]
        title = "By series" if len(series) <= SERIES_SHOWN else "By series, the hardest"
        parts.append(titled(title, scores_table("series", names, rows, plain=plain)))
    blocks = details.get("blocks")
    notes = [Text(f"Brackets: bootstrap over {blocks}.\n", style="dim")] if blocks else []
    return Group(*parts, *notes)


def draw_answer(answer: Any, out: Console, *, plain: bool) -> None:
    """The rows of a forecast, in a terminal below a chart of each series that is drawn."""
    if not answer.records:
        return
    if not plain:
        for part in answer.charts:
            out.print(render_chart(part, out.width))
    if plain:  # no number is cut, however few columns a pipe is said to have
        with wide(out):
            out.print(render_forecast(answer.records, plain=True))
        return
    out.print(render_forecast(answer.records, plain=False, most=ROWS_SHOWN, width=out.width))


def spread(count: int, most: int) -> list[int]:
    """At most ``most`` of ``count`` places, evenly spread, the first and the last among them.

    >>> spread(96, 4)
    [0, 32, 63, 95]
    """
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def scores_table(
    head: str, names: Sequence[str], rows: Sequence[tuple[str, Mapping[str, Any]]], *, plain: bool
) -> Any:
    """A row for each of ``rows``, a column for each score that any of them has."""
    there = [name for name in names if any(name in row for _, row in rows)]
    # Of the share of targets inside an interval, the whole name takes too much room.
    titles = [
        f"in {name[9:]} %" if name.startswith("coverage_") else score_title(name) for name in there
    ]
    cells = [
        [label, *(format_score(name, row[name]) if name in row else "–" for name in there)]
        for label, row in rows
    ]
    left, right = ([], [head, *titles]) if head == "step" else ([head], titles)
    return make_table(left, right, cells, plain=plain)


def render_forecast(
    records: Sequence[Mapping[str, Any]], *, plain: bool, most: int = 0, width: int = 0
) -> RenderableType:
    """Rows as in ``forecast.csv``: id, time, mean and bounds; ``most`` at most, or all for 0.

    Where they are wider than ``width``, if that is not 0, the id of a single series goes, and then
    the bounds of one level after the other but the highest.
    """
    rows = records[: most or None]
    names, left_out = list(records[0]), list[str]()
    table = _rows(rows, names, plain=plain)
    while width and drawn_width(table) > width and (narrower := _fewer(names, rows)) != names:
        left_out += [name for name in names if name not in narrower and name != "id"]
        names = narrower
        table = _rows(rows, names, plain=plain)
    parts: list[RenderableType] = [table]
    if left_out:
        levels = list(dict.fromkeys(name.rpartition("_")[2] for name in left_out))
        words = f"Bounds of {', '.join(levels)} %: in a wider terminal, or by --output FILE"
        parts.append(Text(words, style="dim"))
    if left := len(records) - len(rows):
        words = f"… and {left:,} rows more; --output FILE writes all"
        parts.append(Text(words, style="dim"))
    return Group(*parts)


def _rows(rows: Sequence[Mapping[str, Any]], names: Sequence[str], *, plain: bool) -> Table:
    cells = [
        [shown(row[n], 30) if isinstance(row[n], str) else f"{row[n]:.6g}" for n in names]
        for row in rows
    ]
    heads = [name.replace("_", " ") for name in names]
    texts = sum(name in ("id", "time") for name in names)
    return make_table(heads[:texts], heads[texts:], cells, plain=plain, no_wrap=True)


def _fewer(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns without the one, or the level, that is missed the least."""
    if "id" in names and len({row["id"] for row in rows}) == 1:
        return [name for name in names if name != "id"]
    levels = list(dict.fromkeys(n.rpartition("_")[2] for n in names if n.startswith("lower_")))
    if len(levels) < 2:
        return list(names)
    return [name for name in names if name not in (f"lower_{levels[0]}", f"upper_{levels[0]}")]
