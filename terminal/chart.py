"""A line chart of characters: each holds a grid of two by four dots (Unicode's braille)."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from birnn.terminal.text import shown

# The bit of the dot in column 0 or 1, rows 0 to 3 from above.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
BLANK = 0x2800
HEIGHT = 12


class Canvas:
    """``width × height`` characters to draw on.

    Args:
        width: in characters.
        height: in characters.
        size: how many steps lie from left to right.
        low: the value of the lower edge.
        high: of the upper edge.
    """

    def __init__(self, width: int, height: int, size: int, low: float, high: float) -> None:
        self.width, self.height, self.size = width, height, size
        self.low, self.span = low, (high - low) or 1.0
        self.dots = [[0] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]

    def place(self, step: float, value: float) -> tuple[float, float]:
        """Column and row of a value, in dots."""
        column = step / max(self.size - 1, 1) * (2 * self.width - 1)
        row = (1 - (value - self.low) / self.span) * (4 * self.height - 1)
        return column, row

    def dot(self, column: int, row: int, style: str) -> None:
        """Set one dot; later styles win."""
        if 0 <= column < 2 * self.width and 0 <= row < 4 * self.height:
            self.dots[row // 4][column // 2] |= DOTS[column % 2][row % 4]
            self.styles[row // 4][column // 2] = style

    def line(self, first: int, values: Sequence[float | None], style: str) -> None:
        """A line through ``values`` from step ``first`` on; None breaks it."""
        before: tuple[float, float] | None = None
        for step, value in enumerate(values, start=first):
            if value is None:
                before = None
                continue
            here = self.place(step, value)
            x, y = before or here
            count = max(1, round(max(abs(here[0] - x), abs(here[1] - y))))
            for k in range(count + 1):
                column = x + (here[0] - x) * k / count
                self.dot(round(column), round(y + (here[1] - y) * k / count), style)
            before = here

    def rows(self) -> list[Text]:
        """The characters, coloured."""
        lines = []
        for dots, styles in zip(self.dots, self.styles, strict=True):
            row = Text()
            for bits, style in zip(dots, styles, strict=True):
                row.append(chr(BLANK + bits) if bits else " ", style=style)
            lines.append(row)
        return lines


def render_chart(chart: Mapping[str, Any], width: int) -> RenderableType:
    """The end of a series, its forecast, and the bounds of one level.

    Args:
        chart: ``name``, ``history [T]`` (None where missing), ``mean [H]``, ``lower`` and
            ``upper [H]`` or None, ``level``, and the stamps ``start``, ``cut`` and ``end``.
        width: of the terminal.
    """
    history, mean = chart["history"], chart["mean"]
    bounds = [chart[key] for key in ("lower", "upper") if chart.get(key)]
    drawn = [v for part in (history, mean, *bounds) for v in part if v is not None]
    low, high = min(drawn), max(drawn)
    labels = [f"{value:.4g}" for value in (high, (low + high) / 2, low)]
    margin = max(map(len, labels)) + 1
    room = max(20, min(width, 120) - margin - 1)
    canvas = Canvas(room, HEIGHT, len(history) + len(mean), low, high)
    canvas.line(0, history, "")
    for part in bounds:
        canvas.line(len(history), part, "blue")
    canvas.line(len(history), mean, "bold cyan")
    places = {0: labels[0], (HEIGHT - 1) // 2: labels[1], HEIGHT - 1: labels[2]}
    lines = [
        Text(places.get(number, "").rjust(margin - 1) + "│") + row
        for number, row in enumerate(canvas.rows())
    ]
    band = f", {chart['level']} % interval" if bounds else ""
    title = Text.assemble(
        (shown(chart["name"], max(20, width // 2)), "bold"), ": history, ",
        ("forecast", "bold cyan"), (band, "blue"),
    )  # fmt: skip
    return Group(title, *lines, _axis(chart, margin, room, len(history)), Text())


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
