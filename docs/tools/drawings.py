"""The drawings of the pages on models: boxes in rows with arrows between them, as SVG.

They are drawn here so that they can be changed by a line, and need neither a network nor a script
in the browser. Colours read on light and on dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT, GAP, RISE = 132, 44, 18, 40  # of a box; between boxes; between rows
FILLS = {"given": "#e8e2d4", "learned": "#cfe3e6", "fixed": "#dcdfe6", "out": "#d5e6d3"}
INK, LINE = "#22303a", "#6f8592"
BOTH, UP, RIGHT, LEFT = "both", "up", "right", "left"


@dataclass(frozen=True)
class Row:
    """Boxes side by side; lines of a box's text are parted by a bar. Arrows lead to the next row.

    An empty text leaves a place free; a bar alone lets an arrow from below pass through.
    """

    boxes: Sequence[str]
    kind: str = "learned"
    along: str = ""  # arrows between the row's own boxes: right, left, both
    up: str = "each"  # to the next row: each box to its own, all to all, pairs "0-1 2-1", or none


# From the bottom up.
DRAWINGS: dict[str, tuple[str, Sequence[Row]]] = {
    "encoder": (
        "Two chains read a sequence, one from each end, and their states are joined at every step",
        (
            Row(("step 1", "step 2", "step 3", "step 4"), "given"),
            Row(("state →",) * 4, along=RIGHT),
            Row(("state ←",) * 4, along=LEFT),
            Row(("both states",) * 4, "out", up="none"),
        ),
    ),
    "regression": (
        "Every step's state goes through one linear layer to that step's own answer",
        (
            Row(("features 1", "features 2", "features 3", "features 4"), "given"),
            Row(("state",) * 4, along=BOTH),
            Row(("linear",) * 4),
            Row(("number 1", "number 2", "number 3", "number 4"), "out", up="none"),
        ),
    ),
    "sentiment": (
        "Words with three vectors, a bidirectional layer, three ways to pool, and a linear model of"
        " n-grams beside it",
        (
            Row(
                ("trained|vector", "pretrained|vector", "letters'|n-grams", "n-grams of|the text"),
                up="0-1 1-1 2-1 3-3",
            ),
            Row(("", "bidirectional layer", "", "|"), up="1-0 1-1 1-2 3-3"),
            Row(("maximum", "attention", "final states", "|"), "fixed", up="0-1 1-1 2-1 3-3"),
            Row(("", "network's|log-shares", "", "linear model's|log-shares"), up="1-2 3-2"),
            Row(("", "", "label and its probability", ""), "out", up="none"),
        ),
    ),
    "tagging": (
        "A token's five parts, bidirectional layers, potentials of tags, and a chain of legal tags",
        (
            Row(("word", "pretrained", "letters", "affixes", "writing"), "given", up="all"),
            Row(("bidirectional layers",), along=BOTH, up="all"),
            Row(("potentials of tags",) * 2, up="each"),
            Row(("legal chain",) * 2, "fixed", along=BOTH, up="each"),
            Row(("tag and|confidence",) * 2, "out", up="none"),
        ),
    ),
    "forecasting": (
        "The lookback in segments through a bidirectional layer, beside a linear map of it",
        (
            Row(("segment 1", "segment 2", "segment 3", "segment 4", "whole lookback"), "given"),
            Row((*("linear|and ReLU",) * 4, "|")),
            Row((*("state",) * 4, "|"), along=BOTH, up="0-1 3-1 4-4"),
            Row(("", "networks:|all steps ahead", "", "", "linear map"), up="1-3 4-3"),
            Row(("", "", "", "the mix that|validation chose", ""), "fixed", up="3-3"),
            Row(("", "", "", "forecast with intervals", ""), "out", up="none"),
        ),
    ),
}


def draw(title: str, rows: Sequence[Row]) -> str:
    """One drawing as SVG, the first row at the bottom."""
    most = max(len(row.boxes) for row in rows)
    width = most * WIDTH + (most - 1) * GAP + 20
    height = len(rows) * HEIGHT + (len(rows) - 1) * RISE + 20
    parts = []
    for at, row in enumerate(rows):
        top = height - 10 - HEIGHT - at * (HEIGHT + RISE)
        lefts = _lefts(len(row.boxes), width)
        parts += [_box(x, top, text, row.kind) for x, text in zip(lefts, row.boxes, strict=True)]
        if row.along:
            there = [x for x, text in zip(lefts, row.boxes, strict=True) if text.strip("|")]
            parts += [line for pair in pairwise(there) for line in _along(*pair, top, row.along)]
        if row.up != "none":
            parts += _upwards(lefts, _lefts(len(rows[at + 1].boxes), width), top, row.up)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' role="img" font-family="system-ui, sans-serif" font-size="14"><title>{escape(title)}'
        '</title><defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        f' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{LINE}"/></marker></defs>'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _lefts(count: int, width: int) -> list[float]:
    """The left edges of that many boxes, in the middle."""
    start = (width - count * WIDTH - (count - 1) * GAP) / 2
    return [start + at * (WIDTH + GAP) for at in range(count)]


def _box(x: float, y: float, text: str, kind: str) -> str:
    if not text.strip("|"):
        middle = x + WIDTH / 2
        place = f'x1="{middle:g}" x2="{middle:g}" y1="{y + HEIGHT + 2:g}" y2="{y - 2:g}"'
        return f'<line {place} stroke="{LINE}" stroke-width="1.4"/>' if text else ""
    lines = text.split("|") if "|" in text or len(text) < 18 else text.rsplit(" ", 1)
    middle = y + HEIGHT / 2 + 5 - (len(lines) - 1) * 8
    words = "".join(
        f'<text x="{x + WIDTH / 2:g}" y="{middle + 16 * at:g}" fill="{INK}"'
        f' text-anchor="middle">{escape(line)}</text>'
        for at, line in enumerate(lines)
    )
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{FILLS[kind]}"'
        f' stroke="{LINE}"/>{words}'
    )


def _along(left: float, right: float, top: float, way: str) -> list[str]:
    """Arrows between two boxes of a row."""
    first, last, middle = left + WIDTH + 1, right - 1, top + HEIGHT / 2
    shift = 7 if way == BOTH else 0
    found = []
    if way in (RIGHT, BOTH):
        found.append(_arrow(first, middle - shift, last, middle - shift))
    if way in (LEFT, BOTH):
        found.append(_arrow(last, middle + shift, first, middle + shift))
    return found


def _upwards(lower: list[float], upper: list[float], top: float, way: str) -> list[str]:
    """Arrows from a row to the one above it."""
    half = WIDTH / 2
    if way == "each":
        pairs = list(zip(lower, upper, strict=True))
    elif way == "all":
        pairs = [(x, y) for x in lower for y in upper]
    else:
        ends = [pair.split("-") for pair in way.split()]
        pairs = [(lower[int(one)], upper[int(other)]) for one, other in ends]
    return [_arrow(x + half, top - 2, y + half, top - RISE + 2) for x, y in pairs]


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    place = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
    return f'<line {place} stroke="{LINE}" stroke-width="1.4" marker-end="url(#a)"/>'


if __name__ == "__main__":
    for name, (title, rows) in DRAWINGS.items():
        (FOLDER / f"{name}.svg").write_text(draw(title, rows), encoding="utf-8")
