"""A line chart of characters: each holds a grid of two by four dots (Unicode's braille)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from birnn.terminal.text import shown

Line = tuple[int, Sequence[float | None], str]  # the first step, the values, the style
# The bit of the dot in column 0 or 1, rows 0 to 3 from above.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
BLANK = 0x2800
HEIGHT = 12


class Canvas:
    """``width × height`` characters: ``size`` steps, and values from ``low`` to ``high``."""

    def __init__(self, width: int, height: int, size: int, low: float, high: float) -> None:
        self.width, self.height, self.size = width, height, size
        self.low, self.span = low, (high - low) or 1.0
        self.dots = [[0] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]

    def place(self, step: float, value: float) -> tuple[float, float]:
        """Column and row of a value, in dots."""
        column = step / max(self.size - 1, 1) * (2 * self.width - 1)
        return column, (1 - (value - self.low) / self.span) * (4 * self.height - 1)

    def dot(self, column: int, row: int, style: str) -> None:
        """Set one dot; later styles win."""
        if 0 <= column < 2 * self.width and 0 <= row < 4 * self.height:
            self.dots[row // 4][column // 2] |= DOTS[column % 2][row % 4]
            self.styles[row // 4][column // 2] = style

    def line(self, first: int, values: Sequence[float | None], style: str) -> None:
        """A line through ``values`` from step ``first`` on; None breaks it."""
        before: tuple[float, float] | None = None
        for step, value in enumerate(values, start=first):
            here = None if value is None else self.place(step, value)
            if here:
                x, y = before or here
                wide, high = here[0] - x, here[1] - y
                count = max(1, round(max(abs(wide), abs(high))))
                for k in range(count + 1):
                    self.dot(round(x + wide * k / count), round(y + high * k / count), style)
            before = here

    def rows(self) -> list[Text]:
        """The characters, coloured."""
        return [
            Text.assemble(
                *((chr(BLANK + n) if n else " ", style) for n, style in zip(*row, strict=True))
            )
            for row in zip(self.dots, self.styles, strict=True)
        ]


def draw_lines(
    lines: Sequence[Line], size: int, width: int, written: Callable[[float], str], *, ticks: int
) -> tuple[list[Text], int]:
    """Lines on a canvas of ``size`` steps, beside an axis; and the axis's width.

    Args:
        lines: the first step, the values and the style of each; later ones win.
        width: of the terminal.
        written: a value as the axis shows it.
        ticks: how many values it shows: 2, or with that in the middle 3.
    """
    values = [value for _, line, _ in lines for value in line if value is not None]
    low, high = min(values), max(values)
    labels = {0: written(high), HEIGHT - 1: written(low)}
    if ticks == 3:
        labels[(HEIGHT - 1) // 2] = written((low + high) / 2)
    margin = max(map(len, labels.values())) + 1
    canvas = Canvas(max(20, min(width, 120) - margin - 1), HEIGHT, size, low, high)
    for line in lines:
        canvas.line(*line)
    axis = [labels.get(row, "").rjust(margin - 1) + "│" for row in range(HEIGHT)]
    return [Text(part) + row for part, row in zip(axis, canvas.rows(), strict=True)], margin


def render_chart(chart: Mapping[str, Any], width: int) -> RenderableType:
    """The end of a series, its forecast, and the bounds of one level.

    Args:
        chart: ``name``, ``history [T]`` (None where missing), ``mean [H]``, ``lower`` and
            ``upper [H]`` or None, ``level``, and the stamps ``start``, ``cut`` and ``end``.
        width: of the terminal.
    """
    history, mean = chart["history"], chart["mean"]
    cut = len(history)
    bounds = [(cut, chart[key], "blue") for key in ("lower", "upper") if chart.get(key)]
    drawn = [(0, history, ""), *bounds, (cut, mean, "bold cyan")]
    lines, margin = draw_lines(drawn, cut + len(mean), width, "{:.4g}".format, ticks=3)
    band = f", {chart['level']} % interval" if bounds else ""
    title = Text.assemble(
        (shown(chart["name"], max(20, width // 2)), "bold"), ": history, ",
        ("forecast", "bold cyan"), (band, "blue"),
    )  # fmt: skip
    return Group(title, *lines, _axis(chart, margin, lines[0].cell_len - margin, cut), Text())


def _axis(chart: Mapping[str, Any], margin: int, room: int, cut: int) -> Text:
    """The stamps below the chart: where it starts, where the forecast begins, where it ends."""
    start, middle, end = (str(chart[key]) for key in ("start", "cut", "end"))
    line = start
    place = round(cut / max(cut + len(chart["mean"]) - 1, 1) * (room - 1))
    place = min(place, room - cell_len(end) - 2 - cell_len(middle))
    if place > cell_len(start) + 1:
        line = line.ljust(place) + middle
    if cell_len(line) + 1 < room - cell_len(end):
        line = line.ljust(room - cell_len(end)) + end
    return Text(" " * margin + line, style="dim")
