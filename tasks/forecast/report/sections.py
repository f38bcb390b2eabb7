"""The sections of a forecaster's report: the series, errors by step and by series, skill."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from birnn.tasks.forecast.forecasts import level_name
from birnn.tasks.forecast.report.curves import Curves, read_curves
from birnn.tasks.forecast.report_extras import ROWS
from birnn.tasks.pages.figures import Band, Line, LineChart, draw
from birnn.tasks.reporting.blocks import (
    Block,
    Chart,
    Column,
    Dot,
    DotGroup,
    Dots,
    Grid,
    Key,
    Section,
    Table,
    columns,
)
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.scores import plain, scale_ticks, score_name
from birnn.tasks.reporting.series import Series, SeriesLine
from birnn.tasks.reporting.training_section import readout
from birnn.tasks.scoring.metric_names import format_score

COLORS = ("c2", "c3", "c4", "c5", "c6")
OFF_SCALE = 4.0  # times the model's largest error: a line that would flatten all others
PICTURED = 400  # steps of a picture
ROOMY = 60  # steps of a picture at least


def forecast_sections(files: RunFiles) -> list[Section]:
    """The series first, then where and beside what the model errs."""
    curves = read_curves(files)
    sections = []
    if curves.lines:
        steps = len(files.metrics["details"]["per_step"])
        many = f"{curves.series:,} series, " if curves.series > 1 else ""
        lead = f"{many}{steps:,} {'step' if steps == 1 else 'steps'} ahead."
        sections.append(Section("series", "Forecasts", [series_block(curves)], lead))
    blocks: list[Block] = [*_skill(files), Grid([_error(files), *_coverage(files)])]
    sections.append(Section("results", "Where it is right", blocks))
    if len(series_rows(files)) > 1:
        sections.append(_worst(files))
    return sections


def forecast_numbers(files: RunFiles) -> dict[str, Any]:
    """The sums of the backtest, from which every score and its interval is made."""
    from birnn.tasks.forecast.test_record import NAME, read_sums

    if not (files.folder / NAME).is_file():
        return {"left_out": f"runs of older versions have no {NAME}"}
    sums = read_sums(files.folder)
    if sums.cells.size + sums.series_steps.size > MOST_SUMS:
        return {"left_out": f"the sums are in {NAME}"}
    return {
        "sums": list(sums.names), "blocks": sums.cells.tolist(), "block": sums.unit.tolist(),
        "series": sums.series.tolist(), "by_series_and_step": sums.series_steps.tolist(),
        "naive_absolute": [v if np.isfinite(v) else None for v in sums.naive_absolute.tolist()],
    }  # fmt: skip


MOST_SUMS = 40_000  # numbers


def series_block(curves: Curves) -> Series:
    """The series to choose from; the first is drawn as a picture."""
    caption = " ".join(curves.notes)
    line = curves.lines[0]
    return Series("History, backtest and forecast", curves.lines, curves.levels, curves.moments,
                  _picture(line, curves), caption, curves.zone)  # fmt: skip


def _picture(line: SeriesLine, curves: Curves) -> Chart:
    """The end of a series: history, the last steps of the backtest, the future."""
    ahead = len(line.future.mean) if line.future else 0
    shown = min(len(line.grid), PICTURED, max(ROOMY, 6 * ahead) if ahead else PICTURED)
    first = len(line.grid) - shown
    x: Any = line.grid.astype("datetime64[ms]") if curves.moments else line.grid
    history = list(line.history[first:])
    lines = [Line("history", x[first : first + len(history)], history, "ink", width=1.3)]
    bands, legend = [], [Key("what came true", "ink")]
    for name, part, color in (("backtest", line.backtest, "c2"), ("forecast", line.future, "c1")):
        if part is None:
            continue
        skip = max(0, first - part.at)
        at, stop = part.at + skip, part.at + len(part.mean)
        if at >= stop:
            continue
        lines.append(Line(name, x[at:stop], part.mean[skip:], color))
        for low, high in zip(part.low, part.high, strict=True):
            bands.append(Band(name, x[at:stop], low[skip:], high[skip:], color, 0.14))
        legend.append(Key(name, color))
    if curves.levels:
        legend.append(Key(f"{', '.join(curves.levels)} % intervals", "c1", "band"))
    drawing = draw(LineChart(lines, bands, full=True), f"{line.name}: history and forecasts.")
    rows = _numbers(line, curves)
    return Chart(line.name, drawing, rows, legend=legend)


def _numbers(line: SeriesLine, curves: Curves) -> Table:
    """The forecast of what is to come; without one, the end of the backtest."""
    part = line.future or line.backtest
    ends = [f"{end} {level} %" for level in curves.levels for end in ("low", "high")]
    heads = columns("time" if curves.moments else "step", "forecast", *ends)
    if part is None:
        return Table(heads, [])
    rows = []
    for step in range(max(0, len(part.mean) - ROOMY), len(part.mean)):
        place = int(line.grid[part.at + step])
        stamp = str(np.datetime64(place, "ms")).replace("T", " ") if curves.moments else str(place)
        bounds = [side[step] for pair in zip(part.low, part.high, strict=True) for side in pair]
        values = ["–" if v is None else f"{v:,}" for v in (part.mean[step], *bounds)]
        rows.append([stamp.removesuffix(".000"), *values])
    return Table(heads, rows)


def _skill(files: RunFiles) -> list[Block]:
    """How much of each baseline's error the model saves."""
    skill = files.metrics["test"].get("skill", {})
    if not skill:
        return []
    names = baseline_names(files)
    groups = []
    for metric in dict.fromkeys(m for scores in skill.values() for m in scores):
        own = [(names[name], scores[metric]) for name, scores in skill.items() if metric in scores]
        dots = [Dot(label, score["value"], _share(score), score["low"], score["high"], own=True)
                for label, score in own]  # fmt: skip
        ends = [v for dot in dots for v in (dot.value, dot.low, dot.high) if v is not None]
        ticks = scale_ticks(min([0.0, *ends]), max([0.0, *ends]))
        marks = [(tick, f"{100 * tick:g} %") for tick in ticks]
        note = "share of the baseline's error that the model saves"
        groups.append(DotGroup(f"Skill in {score_name(metric)}", dots, marks, note, 0.0))
    caption = "Right of 0 the model is better. Lines are 95 % intervals over blocks of windows."
    return [Dots("Skill against each baseline", groups, caption)]


def _share(score: Mapping[str, Any]) -> str:
    value = plain(f"{100 * score['value']:.1f}")
    if score.get("low") is None:
        return f"{value} %"
    low, high = (plain(f"{100 * score[end]:.1f}") for end in ("low", "high"))
    return f"{value} % ({low} to {high})"


def baseline_names(files: RunFiles) -> dict[str, str]:
    """Each baseline's name in words."""
    told = files.extras.get("baselines", {})
    return {name: str(told.get(name, name.replace("_", " ")))
            for name in files.metrics["test"]["baselines"]}  # fmt: skip


def _error(files: RunFiles) -> Chart:
    """MAE of each step ahead, the model's beside the baselines'."""
    own = _column(files.metrics["details"]["per_step"], "mae")
    others, names = files.extras.get("by_step", {}), baseline_names(files)
    series = [
        (names[name], _column(steps, "mae"), COLORS[number % len(COLORS)])
        for number, (name, steps) in enumerate(others.items())
        if name in names and len(steps) == len(own)
    ]
    limit = OFF_SCALE * _most(own) or np.inf
    away = [name for name, values, _ in series if _most(values) > limit]
    steps = list(range(1, len(own) + 1))
    lines = [Line(name, steps, values, color, width=1.6)
             for name, values, color in series if name not in away]  # fmt: skip
    lines.append(Line("the model", steps, own, "c1", width=2.4))  # above the others
    caption = f"Off the scale, in the table alone: {', '.join(away)}." if away else ""
    if not series:
        caption = "Runs of older versions keep no errors of the baselines by step."
    highest = max(_most(line.y) for line in lines)
    chart = LineChart(lines, x_label="step ahead", whole=True, y_label="mean absolute error",
                      y_range=(0, 1.06 * highest or 1.0))  # fmt: skip
    drawing = draw(chart, "Mean absolute error by step ahead; the numbers are in the table.")
    every = [("the model", own, "c1"), *series]
    rows = [[str(step), *(_cell(values[step - 1]) for _, values, _ in every)] for step in steps]
    heads = [Column(name, number=True) for name in ("step", *(name for name, _, _ in every))]
    legend = [Key(line.name, line.color) for line in reversed(lines)]
    return Chart("Error by step", drawing, Table(heads, rows), caption, legend, readout(lines))


def _most(values: Sequence[float | None]) -> float:
    return max([v for v in values if v is not None], default=0.0)


def _column(steps: Sequence[Mapping[str, float]], name: str) -> list[float | None]:
    values = [step.get(name) for step in steps]
    return [float(v) if v is not None and np.isfinite(v) else None for v in values]


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _coverage(files: RunFiles) -> list[Block]:
    """The share of targets inside each interval, by step, beside the share promised."""
    details = files.metrics["details"]
    levels = [float(level) for level in details.get("levels", [])]
    if not levels:
        return []
    steps = list(range(1, len(details["per_step"]) + 1))
    lines, promised, rows = [], [], [[str(step)] for step in steps]
    for number, level in enumerate(levels):
        name, color = level_name(level), ("c1", *COLORS)[number % 6]
        values = _column(details["per_step"], f"coverage_{name}")
        lines.append(Line(f"{name} % interval", steps, values, color))
        promised.append(Line("promised", steps, [level] * len(steps), color, "dashed", 1.2))
        for row, value in zip(rows, values, strict=True):
            row.append("–" if value is None else f"{100 * value:.1f}")
    heads = ["step", *(f"inside {level_name(level)} %" for level in levels)]
    widest = level_name(levels[-1])
    for key, label in baseline_names(files).items():
        theirs = _column(files.extras.get("by_step", {}).get(key, []), f"coverage_{widest}")
        if len(theirs) == len(steps):
            heads.append(f"{label}, {widest} %")
            for row, value in zip(rows, theirs, strict=True):
                row.append("–" if value is None else f"{100 * value:.1f}")
    lowest = min([v for line in [*lines, *promised] for v in line.y if v is not None])
    ends = max(0.0, lowest - 0.05), 1.005
    chart = LineChart([*lines, *promised], x_label="step ahead", whole=True, share=True,
                      y_label="targets inside", y_range=ends)  # fmt: skip
    drawing = draw(chart, "Share of targets inside each interval by step; the table has it.")
    legend = [*(Key(line.name, line.color) for line in lines), Key("promised", "soft", "dashed")]
    table = Table([Column(head, number=True) for head in heads], rows)
    return [
        Chart("Coverage by step", drawing, table, _width(files, levels), legend, readout(lines))
    ]


def _width(files: RunFiles, levels: Sequence[float]) -> str:
    """How wide the intervals are, in a sentence."""
    scores = files.metrics["test"]["model"]
    names = [level_name(level) for level in levels]
    widths = [
        f"{name} %: {format_score('width_', scores[f'width_{name}']['value'])}"
        for name in names if f"width_{name}" in scores
    ]  # fmt: skip
    return f"Mean width: {', '.join(widths)}." if widths else ""


def series_rows(files: RunFiles) -> list[dict[str, Any]]:
    """Scores by series, the worst first; those of an older run as far as it keeps them."""
    if "by_series" in files.extras:
        return list(files.extras["by_series"])
    rows = list(files.metrics["details"]["per_series"])
    by = "mase" if all("mase" in row for row in rows) else "mae"
    return sorted(rows, key=lambda row: -row[by])


def _worst(files: RunFiles) -> Section:
    """Series by their error, each a way to its picture."""
    rows, names = series_rows(files), baseline_names(files)
    scores = [name for name in ("mase", "mae", "rmse") if any(name in row for row in rows)]
    levels = [level_name(float(level)) for level in files.metrics["details"].get("levels", [])]
    covered = f"coverage_{levels[-1]}" if levels else ""
    others = [name for name in names if any(name in row.get("baselines", {}) for row in rows)]
    lines = []
    for row in rows:
        theirs = row.get("baselines", {})
        lines.append([
            str(row["series"]), *(_cell(row.get(name)) for name in scores),
            *([f"{100 * row[covered]:.1f}" if covered in row else "–"] if covered else []),
            *(_saved(row["mae"], theirs.get(name)) for name in others),
        ])  # fmt: skip
    heads = columns("series", *(score_name(name) for name in scores),
                    *([f"inside {levels[-1]} %"] if covered else []),
                    *(f"skill, {names[name]}" for name in others))  # fmt: skip
    total = files.extras.get("histories", {}).get("series", len(rows))
    caption = f"The {ROWS:,} worst of {total:,}." if total > len(rows) else ""
    if others:
        caption += " Skill: share of the baseline's MAE that the model saves, in %."
    table = Table(heads, lines, caption=caption.strip(), sortable=True, picks=True)
    by = "MASE, which has no unit" if scores[0] == "mase" else "MAE"
    return Section("worst", "Worst series first", [table], f"By {by}; the first is the worst.")


def _saved(own: float, other: float | None) -> str:
    return "–" if not other else plain(f"{100 * (1 - own / other):.1f}")
