"""The curves of several runs in one picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from birnn.errors import ConfigError
from birnn.storage.files import atomic_path
from birnn.tasks.comparing.comparison import Comparison
from birnn.tasks.comparing.run_summary import Curve, RunSummary
from birnn.tasks.runs.folder import is_of_run
from birnn.tasks.scoring.metric_names import lower_is_better

# Okabe and Ito's colours, told apart by the colour-blind too; yellow is too pale on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", ":", "-.")  # the next one for every round of colours
LABELLED = 3  # lines that have room for their name at their end
Drawn = tuple[RunSummary, Curve]


def picture_path(out: str, runs: Sequence[str] = ()) -> Path:
    """Where the picture goes: a ``.png`` file, or ``compare.png`` in a folder that is there.

    Raises:
        ConfigError: neither of the two, or a file of one of ``runs``.
    """
    if (path := Path(out)).is_dir():
        return path / "compare.png"
    if path.suffix.lower() != ".png":
        raise ConfigError(f"--out {out}: name a .png file, or a folder that is there")
    if not path.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {path.parent}; make it first")
    if any(is_of_run(path, Path(run)) for run in runs):
        raise ConfigError(f"--out {out}: that is a file of the run itself; name another")
    return path


def save_comparison(path: Path, comparison: Comparison) -> None:
    """Draw training loss and validation score by epoch, a line a run; dots mark epochs kept.

    Raises:
        ConfigError: no run has a history.
        DataError: the file can't be written.
    """
    drawn = [(run, run.curve) for run in comparison.runs if run.curve is not None]
    if not drawn:
        raise ConfigError(f"--out {path}: no run has a usable history.csv: nothing to draw")
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from birnn.tasks.core.plots import save_figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    keys = [("loss", "training loss")]
    if comparison.monitor:
        better = "lower" if lower_is_better(comparison.monitor) else "higher"
        words = comparison.monitor.replace("_", " ")
        keys.append((comparison.monitor, f"validation {words} ({better} is better)"))
    panels = figure.subplots(len(keys), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (key, title) in zip(panels, keys, strict=True):
        _draw_lines(axes, drawn, key)
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
    panels[-1].set_xlabel("epoch (dot: the one kept)")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(drawn) > LABELLED:
        lines = panels[0].get_legend_handles_labels()
        for text in figure.legend(*lines, loc="outside right upper", fontsize=8).get_texts():
            text.set_parse_math(False)  # a name may hold dollar signs
    with atomic_path(path) as temporary:
        save_figure(figure, temporary)


def _draw_lines(axes: Any, drawn: Sequence[Drawn], key: str) -> None:
    """A line a run, each with its own colour or dashes; names at their ends where they are few."""
    from birnn.tasks.core.plots import shortened

    ends = []
    for number, (run, curve) in enumerate(drawn):
        epochs, values, name = curve.columns["epoch"], curve.columns[key], shortened(run.name)
        color, dashes = style_of(number)
        axes.plot(
            epochs, values, color=color, linestyle=dashes, marker="." if len(epochs) == 1 else None,
            label="\u200b" * name.startswith("_") + name,  # a legend leaves out those with a "_"
        )  # fmt: skip
        if curve.best in epochs:
            at = epochs.index(curve.best)
            axes.plot(epochs[at], values[at], "o", color=color, markersize=6, zorder=3)
        ends.append((values[-1], color, name))
    if len(drawn) > LABELLED:
        return
    low, high = axes.get_ylim()
    places = spread([(value - low) / (high - low) for value, _, _ in ends], 0.09)
    for (_, color, name), place in zip(ends, places, strict=True):
        axes.annotate(name, (1, place), xycoords="axes fraction", textcoords="offset points",
                      xytext=(6, 0), color=color, va="center", fontsize=8,
                      parse_math=False)  # fmt: skip


def style_of(number: int) -> tuple[str, str]:
    """Colour and dashes of a line; the first 28 differ."""
    return COLORS[number % len(COLORS)], DASHES[number // len(COLORS) % len(DASHES)]


def spread(places: Sequence[float], gap: float) -> list[float]:
    """``places`` moved apart until each is ``gap`` from the next, in their order.

    >>> [round(place, 3) for place in spread([0.5, 0.5, 0.9], 0.1)]
    [0.45, 0.55, 0.9]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups: list[list[float]] = []  # centre and count of places that touch
    for i in order:
        groups.append([places[i], 1])
        while len(groups) > 1:
            (one, m), (two, n) = groups[-2:]
            if two - one >= gap * (m + n) / 2:
                break
            groups[-2:] = [[(one * m + two * n) / (m + n), m + n]]
    moved = (c + gap * (k - (n - 1) / 2) for c, n in groups for k in range(int(n)))
    by_line = dict(zip(order, moved, strict=True))
    return [by_line[i] for i in range(len(places))]
