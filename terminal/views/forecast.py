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
    parts: list[RenderableType] = [
        titled("By step ahead", scores_table("step", names, rows, plain=plain))
    ]
    series = details["per_series"]
    if len(series) > 1:
        worst = sorted(series, key=lambda row: -row.get("mase", row["mae_scaled"]))
        rows = [(shown(row["series"], 30), row) for row in worst[:SERIES_SHOWN]]
        title = "By series" if len(series) <= SERIES_SHOWN else "By series, the hardest"
        parts.append(titled(title, scores_table("series", names, rows, plain=plain)))
    if details.get("blocks"):
        parts.append(Text(f"Brackets: bootstrap over {details['blocks']}.\n", style="dim"))
    return Group(*parts)


def draw_answer(answer: Any, out: Console, *, plain: bool) -> None:
    """The rows of a forecast, in a terminal below a chart of each series that is drawn."""
    if not answer.records:
        return
    if not plain:
        for part in answer.charts:
            out.print(render_chart(part, out.width))
    rows = render_forecast(answer.records, plain=plain, most=0 if plain else ROWS_SHOWN)
    out.print(rows)


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
    table = make_table(plain=plain)
    table.add_column(head, justify="right" if head == "step" else "left")
    for name in there:
        # The share of targets inside an interval; its whole name takes too much room.
        level = name.removeprefix("coverage_")
        head = f"in {level} %" if level != name else score_title(name)
        table.add_column(head, justify="right")
    for label, row in rows:
        cells = [format_score(name, row[name]) if name in row else "–" for name in there]
        table.add_row(Text(label), *cells)
    return table


def render_forecast(
    records: Sequence[Mapping[str, Any]], *, plain: bool, most: int = 0
) -> RenderableType:
    """Rows of a forecast: id, time, mean and bounds.

    Args:
        records: as in ``forecast.csv``.
        plain: whether this goes into a pipe.
        most: rows, at most; 0 for all.
    """
    table = make_table(plain=plain)
    names = list(records[0])
    for name in names:
        table.add_column(
            name.replace("_", " "), justify="left" if name in ("id", "time") else "right"
        )
    for record in records[: most or None]:
        cells = [
            Text(shown(value, 30)) if isinstance(value, str) else f"{value:.6g}"
            for value in record.values()
        ]
        table.add_row(*cells)
    left = len(records) - most if most else 0
    if left > 0:
        return Group(
            table, Text(f"… and {left:,} rows more; --output FILE writes all", style="dim")
        )
    return table
