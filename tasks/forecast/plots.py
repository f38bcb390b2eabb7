"""Pictures of forecasts, as PNG files."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from birnn.tasks.core.plots import INK, SOFT, save_figure, shortened
from birnn.tasks.forecast.forecasts import level_name

BAND = "#8db3d9"


def save_forecasts(path: Path, series: Sequence[Mapping[str, Any]]) -> None:
    """Draw history, backtest and future of some series, one above the other.

    The series are as :func:`birnn.tasks.forecast.output.pictured` makes them.
    """
    figure = Figure(figsize=(9, 2.6 * len(series) + 0.9), layout="constrained")
    grid = figure.subplots(len(series), 1, squeeze=False)
    for axes, part in zip(grid[:, 0], series, strict=True):
        axes.plot(*part["history"], color="#404040", linewidth=1, label="history")
        for key, color, name in (
            ("backtest", SOFT, "last backtest window"), ("future", INK, "forecast"),
        ):  # fmt: skip
            if key not in part:
                continue
            stamps, points, lower, upper = part[key]
            for k in range(0 if lower is None else len(lower)):
                style = {"color": color, "alpha": 0.5 / len(lower) / (1 + k / 2), "linewidth": 0}
                axes.fill_between(stamps, lower[k], upper[k], **style)
            marker = "." if len(stamps) == 1 else None
            axes.plot(stamps, points, color=color, linewidth=1.4, marker=marker, label=name)
        axes.set_title(shortened(part["name"]), fontsize=9, loc="left", parse_math=False)
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=8)
        axes.margins(x=0.01)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), fontsize=8)
    save_figure(figure, path)


def save_error_by_step(path: Path, steps: Sequence[Mapping[str, float]]) -> None:
    """Draw MAE and RMSE of each step ahead."""
    figure, axes = _steps_ahead("error, in the series' units")
    for key, color in (("rmse", SOFT), ("mae", INK)):
        _draw_steps(axes, [step.get(key, float("nan")) for step in steps], color, key.upper())
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    save_figure(figure, path)


def save_coverage_by_step(
    path: Path, steps: Sequence[Mapping[str, float]], levels: Sequence[float]
) -> None:
    """Draw the share of targets inside each interval at each step, and the share promised."""
    figure, axes = _steps_ahead("test targets inside, %")
    for level, color in zip(levels, cycle((INK, BAND, SOFT, "#7f7f7f")), strict=False):
        name = level_name(level)
        values = [100 * step.get(f"coverage_{name}", float("nan")) for step in steps]
        _draw_steps(axes, values, color, f"{name} % interval")
        axes.axhline(100 * level, color=color, linestyle=":", linewidth=1)
    axes.legend(fontsize=8, title="dotted: promised", title_fontsize=8)
    save_figure(figure, path)


def _steps_ahead(what: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel("step ahead")
    axes.set_ylabel(what)
    axes.grid(alpha=0.3)
    return figure, axes


def _draw_steps(axes: Axes, values: Sequence[float], color: str, label: str) -> None:
    marker = "." if len(values) <= 60 else None
    axes.plot(range(1, len(values) + 1), values, color=color, marker=marker, label=label)
