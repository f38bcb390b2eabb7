"""What a person sees of runs side by side: scores, differences, options, curves."""

from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from birnn.tasks.comparing.comparison import Comparison
from birnn.tasks.comparing.run_summary import RunSummary
from birnn.tasks.scoring.metric_names import format_score, is_percent, score_title
from birnn.tasks.scoring.significance import ALIKE
from birnn.terminal.chart import draw_lines
from birnn.terminal.console import console, is_plain, print_json
from birnn.terminal.text import BEST, harmless, make_table, named, render_pairs, titled
from birnn.terminal.views.scores import score_cell

Runs = Sequence[RunSummary]
VALUE = 24  # columns of an option's value
WORSE = "bold red"
CHANGED = "bold yellow"
# Of the lines of a chart: as many runs have one there.
LINES = ("bold", "cyan", "yellow", "magenta", "green", "blue")


def draw_comparison(comparison: Comparison, *, picture: str, as_json: bool) -> None:
    """Runs side by side."""
    out, plain = console(), is_plain()
    if as_json:
        print_json(comparison.to_json())
        return
    chart = not plain and not out.no_color
    out.print(render_comparison(comparison, out.width, plain=plain, chart=chart))
    if picture:
        out.print(f"\nCurves: {picture}", markup=False, soft_wrap=True)


def render_comparison(
    comparison: Comparison, width: int, *, plain: bool, chart: bool
) -> RenderableType:
    """Scores with differences, costs, the options that differ, curves if ``chart``, and notes.

    Names and values in a comparison are anybody's text.
    """
    reference = comparison.runs[0]
    pairs = [("reference", f"{reference.name} ({reference.about['encoder']})")]
    pairs += [("test items", comparison.items)] if comparison.items else []
    return Group(
        render_pairs(f"{len(comparison.runs)} runs of {comparison.task}", pairs),
        *render_scores(comparison, width, plain=plain),
        render_costs(comparison.runs, width, plain=plain),
        *render_options(comparison, width, plain=plain),
        *(render_curves(comparison, width) if chart else []),
        *(Text(f"- {harmless(note)}") for note in comparison.notes),
    )


def render_scores(comparison: Comparison, width: int, *, plain: bool) -> list[RenderableType]:
    """One table of all metrics where it fits into ``width``, otherwise one a metric."""
    metrics, runs = comparison.metrics, comparison.runs
    title = "Test scores, 95 % bootstrap intervals in brackets"
    if any(run.differences for run in runs):
        title += "; differences from the reference"
    tables = [_scores(runs, metrics, width, plain=plain)]
    if not _fits(tables[0], width):
        tables = [_scores(runs, [name], width, plain=plain) for name in metrics]
    parts: list[RenderableType] = [Text(title, "bold"), *tables]
    parts += [Text()] if plain else []  # a ruled table brings a blank line along
    if any(run.about["seeds"] for run in runs):
        parts.append(_spread(runs, metrics, width, plain=plain))
    return parts


def _fits(table: Table, width: int) -> bool:
    wide = Console(width=10_000)
    return Measurement.get(wide, wide.options, table).maximum <= width


def _scores(runs: Runs, metrics: Sequence[str], width: int, *, plain: bool) -> Table:
    """A run a row; of each metric the score, and the difference where there is any."""
    table = make_table(["run"], [], [], plain=plain, no_wrap=True)
    columns = [[_name(run, width) for run in runs]]
    for metric in metrics:
        table.add_column(score_title(metric), justify="right", no_wrap=True)
        written = partial(format_score, metric)
        columns.append([score_cell(run.scores.get(metric), written) for run in runs])
        if any(metric in run.differences for run in runs):
            table.add_column("points" if is_percent(metric) else "difference", no_wrap=True)
            size = abs(runs[0].scores.get(metric, {}).get("value") or 0.0)
            gaps = [difference_cell(metric, run.differences.get(metric), size) for run in runs[1:]]
            columns.append([Text("reference"), *gaps])
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    return table


def _name(run: RunSummary, width: int) -> Text:
    return Text(named(run.name, max(12, width // 4)))


def difference_cell(metric: str, gap: Mapping[str, Any] | None, size: float = 0.0) -> Text:
    """``+1.2 [+0.3, +2.1] better``: a word for every colour; ``size``: of the reference's score.

    Of a score of which neither more nor less is better, ``higher`` or ``lower`` is all that is
    said; where the interval holds 0, ``unclear``; where nothing in it would show, ``alike``.
    """
    if gap is None:
        return Text("–")
    bounds = [gap[name] or 0.0 for name in ("value", "low", "high")]
    if not gap["clear"] and max(map(abs, bounds)) < ALIKE * size:
        return Text("alike", "dim")
    value = signed(metric, gap["value"])
    if gap["low"] is None:
        return Text(f"{value} no interval")
    text = Text(f"{value} [{signed(metric, gap['low'])}, {signed(metric, gap['high'])}] ")
    if not gap["clear"]:
        return text.append("unclear", "dim")
    if gap["ahead"] is None:
        return text.append("higher" if gap["value"] > 0 else "lower", "bold")
    return text.append(*(("better", BEST) if gap["ahead"] == "run" else ("worse", WORSE)))


def signed(metric: str, value: float) -> str:
    """A difference of a score with its sign, and with digits enough not to be read as 0.

    >>> signed("accuracy", 0.0123), signed("accuracy", -0.00001), signed("mae", 0)
    ('+1.23', '−0.001', '0.000')
    """
    size, points = format_score(metric, abs(value)), 100 * abs(value)
    if value and is_percent(metric):
        size = f"{points:.2f}" if points >= 0.01 else f"{points:.1g}"
    return ("" if value == 0 else "−" if value < 0 else "+") + size


def _spread(runs: Runs, metrics: Sequence[str], width: int, *, plain: bool) -> RenderableType:
    """Mean and deviation over the seeds of those runs that have several."""

    def cell(metric: str, score: Mapping[str, Any]) -> str:
        if "mean" not in score or "std" not in score:
            return "–"
        return " ± ".join(format_score(metric, score[key]) for key in ("mean", "std"))

    rows = [
        [_name(run, width), str(len(run.about["seeds"])), f"seed {run.about['seed']}",
         *(cell(metric, run.scores.get(metric, {})) for metric in metrics)]
        for run in runs
        if run.about["seeds"]
    ]  # fmt: skip
    heads = ["seeds", "compared", *map(score_title, metrics)]
    table = make_table(["run"], heads, rows, plain=plain, no_wrap=True)
    table.columns[1].no_wrap = table.columns[2].no_wrap = False
    return titled("Mean ± deviation over the seeds of a run", table)


def render_costs(runs: Runs, width: int, *, plain: bool) -> RenderableType:
    """What each run took, and how large it is."""
    numbers = ["parameters", "epochs (kept)", "seconds", "size"]
    rows = [
        [_name(run, width), named(about["encoder"], 12), f"{about['parameters']:,}",
         in_epochs(about["epochs"], about["best_epoch"]), f"{about['seconds']:,.0f}",
         in_bytes(about["bytes"])]
        for run, about in ((run, run.about) for run in runs)
    ]  # fmt: skip
    table = make_table(["run", "encoder"], numbers, rows, plain=plain, no_wrap=True)
    return titled("Cost", table)


def in_epochs(epochs: int, kept: int) -> str:
    """How many epochs there were, and the one that is kept; a dash where that isn't known.

    >>> in_epochs(12, 9), in_epochs(0, 0)
    ('12 (9)', '–')
    """
    return f"{epochs:,} ({kept:,})" if epochs else "–"


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
    return f"{size:.{0 if unit == 'B' else 1}f} {unit}"


def render_options(comparison: Comparison, width: int, *, plain: bool) -> list[RenderableType]:
    """The options that differ: an option a row, a run a column, as many columns as fit.

    Further runs stand in further tables, each with the reference.
    """
    rows, runs = comparison.options, comparison.runs
    if not rows:
        return [Text("All runs have the same options."), Text()]
    cells = [
        [Text(harmless(name)), *(_value(v, v != values[0]) for v in values)]
        for name, values in rows.items()
    ]
    heads = ["option", *(_name(run, width).plain for run in runs)]
    parts: list[RenderableType] = []
    title, start = "Options that differ; * unlike the reference", 1
    while start < len(runs):
        for count in range(len(runs) - start, 0, -1):
            chosen = itemgetter(0, 1, *range(start + 1, start + count + 1))
            table = make_table(chosen(heads), [], map(chosen, cells), plain=plain, no_wrap=True)
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
    columns = [(run, run.curve.columns if run.curve else {}) for run in comparison.runs]
    drawn = [(run, values[key]) for run, values in columns if key in values]
    size = max((len(values) for _, values in drawn), default=0)
    if size < 2 or len(drawn) > len(LINES):
        return []
    curves, legend = [], Text()
    for (run, values), style in zip(drawn, LINES, strict=False):
        curves.append((0, values, style))
        legend.append("━ ", style).append_text(_name(run, width)).append("   ")
    lines, _ = draw_lines(curves, size, width, partial(format_score, key), ticks=2)
    title = Text(f"Validation {score_title(key)} by epoch, 1 to {size}", style="bold")
    return [title, *lines, legend, Text()]
