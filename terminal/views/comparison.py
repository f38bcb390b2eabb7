"""What a person sees of runs side by side: scores, differences, options, curves."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from birnn.tasks.comparing.comparison import Comparison
from birnn.tasks.comparing.run_summary import RunSummary
from birnn.tasks.scoring.metric_names import format_score, is_percent, score_title
from birnn.terminal.chart import HEIGHT, Canvas
from birnn.terminal.console import console, is_plain
from birnn.terminal.text import BEST, harmless, make_table, named, render_pairs, titled

VALUE = 24  # columns of an option's value
WORSE = "bold red"
CHANGED = "bold yellow"
# Of the lines of a chart: as many runs have one there.
LINES = ("bold", "cyan", "yellow", "magenta", "green", "blue")


def draw_comparison(comparison: Comparison, *, picture: str, as_json: bool) -> None:
    """Runs side by side."""
    out, plain = console(), is_plain()
    if as_json:
        print(json.dumps(comparison.to_json(), indent=2, ensure_ascii=False))
        return
    chart = not plain and not out.no_color
    out.print(render_comparison(comparison, out.width, plain=plain, chart=chart))
    if picture:
        out.print(f"\nCurves: {picture}", markup=False, soft_wrap=True)


def render_comparison(
    comparison: Comparison, width: int, *, plain: bool, chart: bool
) -> RenderableType:
    """Scores with differences, the cost of each run, the options that differ, and notes.

    Args:
        comparison: of runs; names and values in it are anybody's text.
        width: of the terminal, in columns.
        plain: bare columns, for a pipe.
        chart: draw the curves too, told apart by colour.
    """
    reference = comparison.runs[0]
    pairs = [("reference", f"{reference.name} ({reference.about['encoder']})")]
    pairs += [("test items", comparison.items)] if comparison.items else []
    title = f"{len(comparison.runs)} runs of {comparison.task}"
    parts = [
        render_pairs(title, pairs),
        *render_scores(comparison, width, plain=plain),
        render_costs(comparison.runs, width, plain=plain),
        *render_options(comparison, width, plain=plain),
    ]
    if chart:
        parts += render_curves(comparison, width)
    parts += [Text(f"- {harmless(note)}") for note in comparison.notes]
    return Group(*parts)


def render_scores(
    comparison: Comparison, width: int, *, plain: bool
) -> list[RenderableType]:  # fmt: skip
    """One table of all metrics where it fits into ``width``, otherwise one a metric."""
    metrics = comparison.metrics
    title = "Test scores, 95 % bootstrap intervals in brackets"
    differ = any(run.differences for run in comparison.runs)
    if differ:
        title += "; differences from the reference"
    whole = _scores(comparison.runs, metrics, width, plain=plain)
    parts: list[RenderableType]
    if _fits(whole, width):
        parts = [titled(title, whole)]
    else:
        tables = [_scores(comparison.runs, [name], width, plain=plain) for name in metrics]
        parts = [Text(title, style="bold"), *(Group(table, Text()) for table in tables)]
    if any(run.about["seeds"] for run in comparison.runs):
        parts.append(_spread(comparison.runs, metrics, width, plain=plain))
    return parts


def _fits(table: Table, width: int) -> bool:
    from rich.console import Console
    from rich.measure import Measurement

    console = Console(width=10_000)
    return Measurement.get(console, console.options, table).maximum <= width


def _scores(
    runs: Sequence[RunSummary], metrics: Sequence[str], width: int, *, plain: bool
) -> Table:  # fmt: skip
    """A run a row; of each metric the score, and the difference where there is any."""
    table = make_table(["run"], plain=plain, no_wrap=True)
    rows = [[_name(run, width)] for run in runs]
    for metric in metrics:
        table.add_column(score_title(metric), justify="right", no_wrap=True)
        for row, run in zip(rows, runs, strict=True):
            row.append(score_cell(metric, run.scores.get(metric)))
        if not any(metric in run.differences for run in runs):
            continue
        table.add_column("points" if is_percent(metric) else "difference", no_wrap=True)
        for row, run in zip(rows, runs, strict=True):
            gap = run.differences.get(metric)
            row.append(Text("reference") if run is runs[0] else difference_cell(metric, gap))
    for row in rows:
        table.add_row(*row)
    return table


def _name(run: RunSummary, width: int) -> Text:
    return Text(named(run.name, max(12, width // 4)))


def score_cell(metric: str, score: Mapping[str, Any] | None) -> Text:
    """``81.2 [79.0, 83.4]``."""
    if score is None:
        return Text("–")
    value = format_score(metric, score["value"])
    if score["low"] is None or score["high"] is None:
        return Text(value)
    low, high = format_score(metric, score["low"]), format_score(metric, score["high"])
    return Text(f"{value} [{low}, {high}]")


def difference_cell(metric: str, gap: Mapping[str, Any] | None) -> Text:
    """``+1.2 [+0.3, +2.1] better``: a word for every colour.

    Of a score of which neither more nor less is better, ``higher`` or ``lower`` is all that is
    said; where the interval holds 0, ``unclear``.
    """
    if gap is None:
        return Text("–")
    value = signed(metric, gap["value"])
    if gap["low"] is None:
        return Text(f"{value} no interval")
    text = Text(f"{value} [{signed(metric, gap['low'])}, {signed(metric, gap['high'])}] ")
    if not gap["clear"]:
        return text.append("unclear", "dim")
    if gap["ahead"] is None:
        return text.append("higher" if gap["value"] > 0 else "lower", "bold")
    better = gap["ahead"] == "run"
    return text.append("better" if better else "worse", BEST if better else WORSE)


def signed(metric: str, value: float) -> str:
    """A difference of a score with its sign, and with digits enough not to be read as 0.

    >>> signed("accuracy", 0.0123), signed("accuracy", -0.00001), signed("mae", 0)
    ('+1.23', '−0.001', '0.000')
    """
    if value == 0 or not is_percent(metric):
        size = format_score(metric, abs(value))
    else:
        points = 100 * abs(value)
        size = f"{points:.2f}" if points >= 0.01 else f"{points:.1g}"
    return ("" if value == 0 else "−" if value < 0 else "+") + size


def _spread(
    runs: Sequence[RunSummary], metrics: Sequence[str], width: int, *, plain: bool
) -> RenderableType:
    """Mean and deviation over the seeds of those runs that have several."""
    table = make_table(["run"], plain=plain, no_wrap=True)
    table.add_column("seeds", justify="right")
    table.add_column("compared", justify="right")
    for metric in metrics:
        table.add_column(score_title(metric), justify="right", no_wrap=True)
    for run in runs:
        if not run.about["seeds"]:
            continue
        cells = []
        for metric in metrics:
            score: Mapping[str, Any] = run.scores.get(metric, {})
            there = "mean" in score and "std" in score
            spread = [format_score(metric, score[k]) for k in ("mean", "std")] if there else []
            cells.append(Text(" ± ".join(spread) or "–"))
        count = f"{len(run.about['seeds'])}"
        table.add_row(_name(run, width), count, f"seed {run.about['seed']}", *cells)
    return titled("Mean ± deviation over the seeds of a run", table)


def render_costs(runs: Sequence[RunSummary], width: int, *, plain: bool) -> RenderableType:
    """What each run took, and how large it is."""
    numbers = ["parameters", "epochs (kept)", "seconds", "size"]
    table = make_table(["run", "encoder"], numbers, plain=plain, no_wrap=True)
    for run in runs:
        about = run.about
        table.add_row(
            _name(run, width), Text(named(about["encoder"], 12)), f"{about['parameters']:,}",
            f"{about['epochs']:,} ({about['best_epoch']:,})", f"{about['seconds']:,.0f}",
            in_bytes(about["bytes"]),
        )  # fmt: skip
    return titled("Cost", table)


def in_bytes(count: int) -> str:
    """A size in words.

    >>> in_bytes(900), in_bytes(12_345), in_bytes(5_000_000)
    ('900 B', '12.3 kB', '5.0 MB')
    """
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def render_options(
    comparison: Comparison, width: int, *, plain: bool
) -> list[RenderableType]:  # fmt: skip
    """The options that differ: an option a row, a run a column, as many columns as fit.

    Further runs stand in further tables, each with the reference.
    """
    rows, runs = comparison.options, comparison.runs
    if not rows:
        return [Text("All runs have the same options."), Text()]
    cells = {name: [_value(v, v != values[0]) for v in values] for name, values in rows.items()}
    heads = [_name(run, width) for run in runs]
    parts: list[RenderableType] = []
    title, start = "Options that differ; * unlike the reference", 1
    while start < len(runs):
        for count in range(len(runs) - start, 0, -1):
            chosen = [0, *range(start, start + count)]
            table = make_table(["option"], plain=plain, no_wrap=True)
            for i in chosen:
                table.add_column(heads[i], no_wrap=True)
            for name, row in cells.items():
                table.add_row(Text(harmless(name)), *(row[i] for i in chosen))
            if _fits(table, width):
                break
        parts.append(titled(title, table))
        title, start = "Options that differ, further runs", start + count
    return parts


def _value(value: Any, changed: bool) -> Text:
    """An option's value as short as it can be read."""
    if value is None:
        plain = "–"
    elif isinstance(value, bool):
        plain = "yes" if value else "no"
    else:
        items = value if isinstance(value, list) else [value]
        plain = ", ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in items)
    text = named(plain, VALUE) or "(empty)"
    return Text(f"{text} *", style=CHANGED) if changed else Text(text)


def render_curves(comparison: Comparison, width: int) -> list[RenderableType]:
    """The validation score by epoch, a line a run; nothing where there is no line to draw."""
    key = comparison.monitor
    drawn = [
        (run, run.curve.columns[key])
        for run in comparison.runs
        if run.curve is not None and key in run.curve.columns
    ]
    size = max((len(values) for _, values in drawn), default=0)
    if size < 2 or len(drawn) > len(LINES):
        return []
    low = min(min(values) for _, values in drawn)
    high = max(max(values) for _, values in drawn)
    labels = [format_score(key, value) for value in (high, low)]
    margin = max(map(len, labels)) + 1
    canvas = Canvas(max(20, min(width, 120) - margin - 1), HEIGHT, size, low, high)
    legend = Text()
    for (run, values), style in zip(drawn, LINES, strict=False):
        canvas.line(0, values, style)
        legend.append("━ ", style).append(named(run.name, max(12, width // 4)) + "   ")
    places = {0: labels[0], HEIGHT - 1: labels[1]}
    lines = [
        Text(places.get(number, "").rjust(margin - 1) + "│") + row
        for number, row in enumerate(canvas.rows())
    ]
    title = Text(f"Validation {score_title(key)} by epoch, 1 to {size}", style="bold")
    return [title, *lines, legend, Text()]
