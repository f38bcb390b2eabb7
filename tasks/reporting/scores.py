"""Scores as words and as dots on a scale."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from birnn.tasks.reporting.blocks import Dot, DotGroup, Table, columns
from birnn.tasks.scoring.metric_names import format_score, is_percent, lower_is_better, score_title

ERRORS = {"mae", "mse", "rmse", "mase", "rmsse", "mape", "smape", "nll"}  # names that are letters
Score = Mapping[str, Any]  # value, low and high


def score_name(name: str) -> str:
    """A score in words, its first letter a capital: ``Accuracy %``."""
    title = score_title(name)
    words = [word.upper() if word in ERRORS else word for word in title.split(" ")]
    title = " ".join(words)
    first = title.split(" ")[0]
    return title[0].upper() + title[1:] if first.islower() else title


def score_text(name: str, score: Score) -> str:
    """A value with its interval: ``79.6 (78.1 to 80.9)``."""
    value = plain(format_score(name, score["value"]))
    bounds = interval_text(name, score)
    return f"{value} ({bounds})" if bounds else value


def interval_text(name: str, score: Score) -> str:
    """The interval alone; empty where there is none."""
    if score.get("low") is None:
        return ""
    low, high = (plain(format_score(name, score[end])) for end in ("low", "high"))
    return f"{low} to {high}"


def plain(number: str) -> str:
    """A formatted number, without the sign of a nought.

    >>> plain("-0.0")
    '0.0'
    """
    return number[1:] if number.startswith("-") and not number.strip("-0.,") else number


def score_group(name: str, models: Sequence[tuple[str, Score]]) -> DotGroup:
    """A score of several models on one scale, the first of them ours."""
    dots = [
        Dot(
            label,
            score["value"],
            score_text(name, score),
            score["low"],
            score["high"],
            own=not number,
        )
        for number, (label, score) in enumerate(models)
    ]
    values = [v for dot in dots for v in (dot.value, dot.low, dot.high) if v is not None]
    better = "lower is better" if lower_is_better(name) else "higher is better"
    ticks = [
        (tick, f"{tick * 100:g}" if is_percent(name) else f"{tick:,.6g}")
        for tick in scale_ticks(min(values), max(values))
    ]
    return DotGroup(score_name(name), dots, ticks, better)


def scale_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from below ``low`` to above ``high``."""
    from matplotlib.ticker import MaxNLocator

    if high - low < 1e-4 * max(abs(low), abs(high)):  # alike: ticks must still be told apart
        low, high = low - 0.05 * (abs(low) or 1), high + 0.05 * (abs(high) or 1)
    return [float(v) for v in MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]


def score_table(models: Sequence[tuple[str, Mapping[str, Any]]], caption: str = "") -> Table:
    """All scores of all models: a row a score."""
    names = [name for name, score in models[0][1].items() if isinstance(score, dict)]
    rows = [
        [score_name(name), *(_cell(name, scores.get(name)) for _, scores in models)]
        for name in names
    ]
    heads = columns("Score", *(label for label, _ in models))
    return Table(heads, rows, caption=caption)


def _cell(name: str, score: Any) -> str:
    return score_text(name, score) if isinstance(score, dict) else "–"


def finite(values: Sequence[float]) -> list[float | None]:
    """Values for a chart: None, a gap, where one is not finite."""
    return [float(v) if np.isfinite(v) else None for v in values]
