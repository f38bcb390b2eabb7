"""The pictures of a run, as PNG files."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tasks.bootstrap import Array

matplotlib.use("agg")

INK, SOFT = "#1f4e79", "#c0504d"


def save_curves(path: Path, history: Sequence[Mapping[str, Any]], monitor: str, best: int) -> None:
    """Draw training loss and the monitored validation metric by epoch; mark the epoch kept."""
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(7, 5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    name = f"validation {monitor.replace('_', ' ')}"
    for axes, key, title, color in (
        (upper, "loss", "training loss", INK),
        (lower, monitor, name, SOFT),
    ):
        axes.plot(epochs, [row[key] for row in history], color=color, marker=".")
        axes.set_ylabel(title)
        axes.axvline(best, color="grey", linestyle=":", linewidth=1)
        axes.grid(alpha=0.3)
    late = len(epochs) > 1 and best > (epochs[0] + epochs[-1]) / 2
    upper.annotate(
        f"kept: epoch {best}", (best, 1), xycoords=("data", "axes fraction"),
        xytext=(-4 if late else 4, -12), textcoords="offset points",
        ha="right" if late else "left", fontsize=8, color="grey",
    )  # fmt: skip
    lower.set_xlabel("epoch")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    _save(figure, path)


def save_confusion(path: Path, counts: Array, labels: Sequence[str]) -> None:
    """Draw a confusion matrix, gold classes in rows; shade and percentage are of the row."""
    size = max(4.0, 0.7 * len(labels) + 2.5)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    short = [label if len(label) <= 18 else label[:17] + "…" for label in labels]
    # A label is anybody's text: a dollar sign in it must not start a formula.
    axes.set_xticks(range(len(labels)), short, rotation=30 if len(labels) > 3 else 0)
    axes.set_yticks(range(len(labels)), short)
    for tick in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        tick.set_parse_math(False)
    if len(labels) <= 20:
        for row in range(len(labels)):
            for column in range(len(labels)):
                axes.text(
                    column, row, f"{int(counts[row, column]):,}\n{share[row, column]:.0%}",
                    ha="center", va="center", fontsize=8,
                    color="white" if share[row, column] > 0.5 else "black",
                )  # fmt: skip
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    with warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes; that is no user's business.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(path, dpi=130)
