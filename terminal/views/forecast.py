"""What a person sees of a forecaster: pure functions from results to rich renderables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from birnn.tasks.scoring.metric_names import format_score, score_title
from birnn.terminal.chart import render_chart
from birnn.terminal.text import make_table, shown, titled

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
    out.print(render_forecast(answer.records, plain=plain, most=0 if plain else ROWS_SHOWN))


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
    records: Sequence[Mapping[str, Any]], *, plain: bool, most: int = 0
) -> RenderableType:
    """Rows as in ``forecast.csv``: id, time, mean and bounds; ``most`` at most, or all for 0."""
    cells = [
        [shown(value, 30) if isinstance(value, str) else f"{value:.6g}" for value in row.values()]
        for row in records[: most or None]
    ]
    heads = [name.replace("_", " ") for name in records[0]]
    table = make_table(heads[:2], heads[2:], cells, plain=plain)
    left = len(records) - len(cells)
    if not left:
        return table
    return Group(table, Text(f"… and {left:,} rows more; --output FILE writes all", style="dim"))
