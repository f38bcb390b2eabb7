"""Blocks on how sure a model is: how often that is right, and what a threshold would change."""

from collections.abc import Sequence

from birnn.arrays import Array
from birnn.tasks.pages.figures import Line, LineChart, draw
from birnn.tasks.reporting.blocks import Chart, Key, Table, Thresholds, columns
from birnn.tasks.reporting.training_section import readout
from birnn.tasks.scoring.reliability import reliability_bins

LEVELS = [level / 100 for level in range(101)]  # thresholds


def reliability_chart(sure: Array, right: Array, what: str = "answers") -> Chart:
    """How often ``what`` of each certainty is right, beside how often it should be.

    ``sure [N]`` is the probability that the model gave, ``right [N]`` whether it was.
    """
    bins = reliability_bins(sure, right)
    lines = [
        Line("as sure as right", [0, 1], [0, 1], "faint", "dashed", 1.2),
        Line("the model", [b.confidence for b in bins], [b.accuracy for b in bins]),
    ]
    lines += [
        Line("95 % interval", [b.confidence, b.confidence], [b.low, b.high], width=1.2)
        for b in bins
    ]
    rows = [
        [f"{b.start:.0%} to {b.end:.0%}", f"{b.items:,}", f"{b.confidence:.1%}",
         f"{b.accuracy:.1%}", f"{b.low:.1%} to {b.high:.1%}"]
        for b in bins
    ]  # fmt: skip
    heads = columns("certainty", what, "mean certainty", "right", "95 % interval")
    chart = LineChart(
        lines, x_label="how sure", y_label="how often right", shares=True, y_range=(0, 1)
    )
    drawing = draw(chart, f"Reliability: how often {what} of each certainty are right.")
    legend = [
        Key("the model, with 95 % intervals", "c1"),
        Key("as sure as it is right", "faint", "dashed"),
    ]
    caption = "On the dashed line a certainty of 80 % is right 80 times in 100."
    return Chart("Reliability", drawing, Table(heads, rows), caption, legend, readout(lines[1:2]))


def threshold_block(title: str, label: str, scores: Sequence[tuple[str, str]],
                    values: Sequence[tuple[float | None, ...]], start: float,
                    caption: str) -> Thresholds:  # fmt: skip
    """Scores at each of :data:`LEVELS`: a chart, a table, and a slider.

    Args:
        title: of the chart.
        label: of the slider.
        scores: name and colour of each score.
        values: at each level, one of each score; None where it is not defined.
        start: the level that the model uses.
        caption: what to bear in mind.
    """
    lines = [
        Line(name, LEVELS, [value[place] for value in values], color)
        for place, (name, color) in enumerate(scores)
    ]
    chart = LineChart(lines, x_label=label, shares=True, y_range=(0, 1.02))
    rows = [
        [f"{level:.0%}", *("–" if v is None else f"{v * 100:.1f} %" for v in value)]
        for level, value in zip(LEVELS[::10], values[::10], strict=True)
    ]
    heads = columns(label, *(name for name, _ in scores))
    legend = [Key(name, color) for name, color in scores]
    drawing = draw(chart, f"{title}: the scores at each threshold; the table has them.")
    drawn = Chart(title, drawing, Table(heads, rows), legend=legend, points=readout(lines))
    series = [(line.name, list(line.y)) for line in lines]
    return Thresholds(title, label, LEVELS, series, start, drawn, caption)


def answered_scores(sure: Array, right: Array, level: float) -> tuple[float | None, ...]:
    """How many of the answers that are at least so sure are right, and how many those are."""
    answered = sure >= level
    hits = float(right[answered].mean()) if answered.any() else None
    return hits, float(answered.mean())
