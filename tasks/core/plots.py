"""The pictures of a run, as PNG files."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from birnn.arrays import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SOFT = "#1f4e79", "#c0504d"


def save_curves(path: Path, history: Sequence[Mapping[str, Any]], monitor: str, best: int) -> None:
    """Draw training loss and the monitored validation metric by epoch; mark the epoch kept."""
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in history]
    figure = new_figure(7, 5)
    upper, lower = figure.subplots(2, 1, sharex=True)
    name = f"validation {monitor.replace('_', ' ')}"
    panels = ((upper, "loss", "training loss", INK), (lower, monitor, name, SOFT))
    for axes, key, title, color in panels:
        axes.plot(epochs, [row[key] for row in history], color=color, marker=".")
        axes.set_ylabel(title)
        axes.axvline(best, color="grey", linestyle=":", linewidth=1)
        axes.grid(alpha=0.3)
    late = len(epochs) > 1 and best > (epochs[0] + epochs[-1]) / 2
    upper.annotate(f"kept: epoch {best}", (best, 1), xycoords=("data", "axes fraction"),
                   xytext=(-4 if late else 4, -12), textcoords="offset points",
                   ha="right" if late else "left", fontsize=8, color="grey")  # fmt: skip
    lower.set_xlabel("epoch")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    save_figure(figure, path)


def save_confusion(path: Path, counts: Array, labels: Sequence[str]) -> None:
    """Draw a confusion matrix ``[C, C]``, gold in rows; shade and percentage are of the row."""
    size = min(max(4.0, 0.7 * len(labels) + 2.5), 20.0)  # inches; beyond them, cells shrink
    figure = new_figure(size, size)
    axes = figure.subplots()
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    named = range(0, len(labels), -(-len(labels) // 60))  # an axis has room for so many
    short = [shortened(labels[i]) for i in named]
    axes.set_xticks(named, short)
    axes.set_yticks(named, short)
    # Slanted labels end at their column; level ones must not run into each other.
    if len(labels) > 3 or max(map(len, short)) > 12:
        for tick in axes.get_xticklabels():
            tick.set(rotation=45, ha="right", rotation_mode="anchor")
    # A label is anybody's text: a dollar sign in it must not start a formula.
    for tick in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        tick.set_parse_math(False)
    if len(labels) <= 20:
        for (row, column), part in np.ndenumerate(share):
            color = "white" if part > 0.5 else "black"
            words = f"{int(counts[row, column]):,}\n{part:.0%}"
            axes.text(column, row, words, ha="center", va="center", fontsize=8, color=color)
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold")
    save_figure(figure, path)


def shortened(label: str) -> str:
    """A label in at most 25 characters; its middle goes, as labels often begin alike.

    >>> shortened("a rather long label, number 12")
    'a rather long … number 12'
    """
    return label if len(label) <= 25 else f"{label[:14]}…{label[-10:]}"


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of that many inches; here alone is the library of pictures loaded."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.use("agg")
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure."""
    with warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes; that is no user's business.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        # Nor is a stretch of time for which matplotlib has no rule of ticks: it takes the widest.
        warnings.filterwarnings("ignore", message="AutoDateLocator was", category=UserWarning)
        figure.savefig(path, dpi=130, format="png")
