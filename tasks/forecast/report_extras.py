"""What training keeps for the report of a forecaster: histories, and errors of the baselines.

All of it is bounded: a report is a file to be sent and opened on a telephone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from birnn.arrays import Floats, Ints
from birnn.data.series.panel import Panel
from birnn.data.series.windows import WindowSplit
from birnn.tasks.forecast.metrics import series_scores, step_scores
from birnn.tasks.forecast.sums import ABSOLUTE, COUNT, Sums

LINES = 500  # series that a report draws
HISTORY = 200_000  # values of all of them together
FORECASTS = 250_000  # numbers of their backtests and futures together
ROWS = 1000  # of the table of series
STEP_SCORES = ("mae", "rmse", "coverage_")  # starts of the names that are kept by step
SERIES_SCORES = ("mase", "mae", "rmse", "coverage_")


def histories(panel: Panel, worst: Ints, horizon: int, levels: int) -> dict[str, Any]:
    """The last values of as many series as a report can draw, the ``worst`` first.

    Returns:
        ``lines``: name, ``start`` (the stamp of step 0), ``first`` (the step of the first value)
        and values, rounded to a ten-thousandth of their range; ``series`` and ``steps``: how many
        there are in all.
    """
    chosen = worst[: lines_that_fit(horizon, levels)].tolist()
    most = fair_share([int(panel.ends[i]) for i in chosen], HISTORY)
    lines = []
    for number in chosen:
        end = int(panel.ends[number])
        first = max(0, end - most)
        values = panel.history(number)[first:]
        lines.append({
            "name": panel.names[number], "start": int(panel.starts[number]), "first": first,
            "values": rounded(values, decimals(values)),
        })  # fmt: skip
    return {"lines": lines, "series": len(worst), "steps": int(panel.ends.sum())}


def lines_that_fit(horizon: int, levels: int) -> int:
    """How many series have room for a window of backtest and one of future."""
    numbers = 2 * horizon * (1 + 2 * min(levels, 2))
    return max(1, min(LINES, FORECASTS // numbers))


def fair_share(sizes: Iterable[int], total: int) -> int:
    """The most that each may have so that all of ``sizes`` together have at most ``total``.

    >>> fair_share([10, 100, 100], 110)
    50
    """
    ordered = sorted(sizes)
    left = total
    for place, size in enumerate(ordered):
        share = left // (len(ordered) - place)
        if size > share:
            return max(share, 1)
        left -= size
    return max(ordered, default=1)


def decimals(values: Floats) -> int:
    """Digits after the point that show a ten-thousandth of the values' range, or of their size."""
    finite = values[np.isfinite(values)]
    spread = float(np.ptp(finite)) if len(finite) else 0.0
    size = spread or float(np.abs(finite).max(initial=0.0))
    return int(np.clip(4 - np.floor(np.log10(size)), -320, 320)) if size else 0


def rounded(values: Iterable[float], digits: int) -> list[float | int | None]:
    """Values as JSON, whole where they have no more; None where one is not finite."""
    return [
        None if not np.isfinite(v) else int(r) if (r := round(float(v), digits)).is_integer() else r
        for v in values
    ]


def worst_first(sums: Sums) -> Ints:
    """Numbers of the series with observed targets, by MASE where every one has it, else by MAE."""
    total = sums.series_steps.sum(2)
    seen = np.flatnonzero(total[COUNT] > 0)
    error = total[ABSOLUTE][seen] / total[COUNT][seen]
    scaled = error / sums.naive_absolute[seen]
    by = scaled if np.isfinite(scaled).all() else error
    return np.asarray(seen[np.argsort(-by, kind="stable")])


def by_series(
    split: WindowSplit, sums: Sums, baselines: Mapping[str, Sums]
) -> list[dict[str, Any]]:
    """Scores of the worst series, and of each baseline its MAE there."""
    names = split.panel.names
    scores = {row.pop("series"): row for row in series_scores(sums, names)}
    rows = []
    for number in worst_first(sums)[:ROWS]:
        own = _kept(scores[names[number]], SERIES_SCORES)
        others = {}
        for name, other in baselines.items():
            part = other.series_steps[:, number].sum(1)
            others[name] = float(f"{part[ABSOLUTE] / part[COUNT]:.6g}")
        rows.append({"series": names[number], **own, "baselines": others})
    return rows


def by_step(baselines: Mapping[str, Sums]) -> dict[str, list[dict[str, float]]]:
    """Errors and coverage of each baseline at each step ahead."""
    return {name: [_kept(step, STEP_SCORES) for step in step_scores(sums)]
            for name, sums in baselines.items()}  # fmt: skip


def _kept(scores: Mapping[str, float], starts: tuple[str, ...]) -> dict[str, float]:
    kept = (name for name in scores if name.startswith(starts))
    return {name: float(f"{scores[name]:.6g}") for name in kept}
