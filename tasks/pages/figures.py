"""Line charts as SVG that follows the colours of the page: drawn by matplotlib, twice.

A chart that is scaled down to a telephone has letters that nobody can read; so each is drawn for a
narrow place as well, and the style sheet shows the one that fits.
"""

import io
import re
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = ("c1", "c2", "c3", "c4", "c5", "c6", "base", "ink", "soft", "faint", "line", "good", "bad")
# Colours of look.css, each by a stand-in that no picture uses and that becomes its variable.
COLORS = {name: f"#0102{number:02x}" for number, name in enumerate(NAMES)}
DIGITS = re.compile(r"(-?\d+\.\d\d)\d+")
# What XML can't hold, and halves of surrogate pairs.
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Width and height in pixels: beside another chart or alone, and on a telephone.
HALF, FULL, NARROW = (560.0, 260.0), (1120.0, 340.0), (340.0, 240.0)


@dataclass(frozen=True)
class Line:
    """A line through points; None among the values of y is a gap."""

    name: str
    x: Sequence[Any]  # numbers, or moments as ``numpy.datetime64``
    y: Sequence[float | None]
    color: str = "c1"
    style: str = "solid"  # solid, dashed, points
    width: float = 1.8


@dataclass(frozen=True)
class Band:
    """An area between two lines."""

    name: str
    x: Sequence[Any]
    low: Sequence[float | None]
    high: Sequence[float | None]
    color: str = "c1"
    opacity: float = 0.18


@dataclass(frozen=True)
class Mark:
    """A vertical line with a word."""

    x: Any
    text: str


@dataclass(frozen=True)
class LineChart:
    """Lines and bands over one axis."""

    lines: Sequence[Line]
    bands: Sequence[Band] = ()
    marks: Sequence[Mark] = ()
    x_label: str = ""
    y_label: str = ""
    whole: bool = False  # the x are whole numbers: epochs, steps
    shares: bool = False  # both axes hold shares from 0 to 1
    share: bool = False  # the y are shares
    y_range: tuple[float, float] | None = None
    full: bool = False  # as wide as the page


@dataclass(frozen=True)
class Drawing:
    """A chart as two pictures, and where in them its axes lie, for what a script shows there."""

    broad: Markup
    narrow: Markup
    frames: tuple[tuple[float, ...], ...]  # of each: left, top, right, bottom as shares of it
    limits: tuple[float, float]  # the x at the left and at the right; a moment in ms since 1970


def draw(chart: LineChart, description: str) -> Drawing:
    """Draw a chart; ``description`` is what a screen reader says of it."""
    sizes = ((FULL if chart.full else HALF, "broad"), (NARROW, "narrow"))
    parts = [_svg(chart, size, description, kind) for size, kind in sizes]
    return Drawing(parts[0][0], parts[1][0], (parts[0][1], parts[1][1]), parts[0][2])


def writable(text: str) -> str:
    """``text`` with a sign for each character that a picture can't hold."""
    return UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _svg(chart: LineChart, size: tuple[float, float], description: str,
         kind: str) -> tuple[Markup, tuple[float, ...], tuple[float, float]]:  # fmt: skip
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    dark = COLORS["soft"]
    style: Any = {
        "svg.fonttype": "none", "svg.hashsalt": "birnn", "font.size": 12, "text.color": dark,
        "axes.labelcolor": dark, "xtick.color": dark, "ytick.color": dark, "xtick.major.size": 0,
        "ytick.major.size": 0, "axes.edgecolor": COLORS["line"], "axes.unicode_minus": True,
        "text.parse_math": False, "path.simplify_threshold": 0.3, "ytick.minor.size": 0,
    }  # fmt: skip
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=72)
        figure.patch.set_visible(False)
        axes = figure.subplots()
        axes.patch.set_visible(False)
        _plot(axes, chart, narrow=kind == "narrow")
        _set_margins(axes, chart, size)
        out = io.StringIO()
        metadata: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        with warnings.catch_warnings():  # the browser has letters that the font here lacks
            warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
            warnings.filterwarnings("ignore", message="Matplotlib currently", category=UserWarning)
            warnings.filterwarnings("ignore", message="AutoDateLocator was", category=UserWarning)
            FigureCanvasSVG(figure).print_svg(out, metadata=metadata)
        box = axes.get_position()
        limits = axes.get_xlim()
    frame = tuple(round(float(v), 4) for v in (box.x0, 1 - box.y1, box.x1, 1 - box.y0))
    moments = any(np.asarray(line.x).dtype.kind == "M" for line in chart.lines)
    scale = 86_400_000.0 if moments else 1.0  # matplotlib counts days
    low, high = (float(limit) * scale for limit in limits)
    return _themed(out.getvalue(), description, kind), frame, (low, high)


def _plot(axes: "Axes", chart: LineChart, *, narrow: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

    for band in chart.bands:
        low, high = (np.asarray(v, dtype=float) for v in (band.low, band.high))
        axes.fill_between(np.asarray(band.x), low, high, color=COLORS[band.color],
                          alpha=band.opacity, linewidth=0)  # fmt: skip
    for line in chart.lines:
        dots = line.style == "points"
        lone = len(line.x) == 1
        axes.plot(np.asarray(line.x), np.asarray(line.y, dtype=float), color=COLORS[line.color],
                  linewidth=0 if dots else line.width, marker="o" if dots or lone else "",
                  markersize=5, linestyle=(0, (4, 3)) if line.style == "dashed" else "-",
                  solid_capstyle="round", solid_joinstyle="round")  # fmt: skip
    for mark in chart.marks:
        axes.axvline(mark.x, color=COLORS["faint"], linewidth=1, linestyle=(0, (2, 3)))
        axes.annotate(writable(mark.text), (mark.x, 1), xycoords=("data", "axes fraction"),
                      xytext=(4, -11), textcoords="offset points", fontsize=11)  # fmt: skip
    axes.grid(axis="both" if chart.shares else "y", color=COLORS["line"], linewidth=1)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="x", pad=7)
    axes.set_xlabel(writable(chart.x_label))
    axes.set_title(writable(chart.y_label), loc="left", fontsize=12, color=COLORS["soft"])
    ticks = 4 if narrow else 12 if chart.full else 6
    if chart.whole:
        axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))
    elif np.asarray(chart.lines[0].x).dtype.kind == "M":
        _moments(axes, ticks)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    if chart.y_range:
        axes.set_ylim(*chart.y_range)
    if chart.shares:
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    if chart.shares or chart.share:
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))


def _set_margins(axes: "Axes", chart: LineChart, size: tuple[float, float]) -> None:
    """Room for what stands around the axes; to let matplotlib measure it doubles the time."""
    ticks = axes.yaxis.get_major_locator()()
    longest = max(map(len, axes.yaxis.get_major_formatter().format_ticks(list(ticks))), default=1)
    left, right = 7.5 * longest + 8, 18
    top, bottom = 24 if chart.y_label else 10, 42 if chart.x_label else 26
    axes.figure.subplots_adjust(left=left / size[0], right=1 - right / size[0],
                                top=1 - top / size[1], bottom=bottom / size[1])  # fmt: skip


def _moments(axes: "Axes", ticks: int) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=ticks)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _themed(svg: str, description: str, kind: str) -> Markup:
    """The picture with the page's own colours and letters, and names that no other picture has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", "",
                 svg, flags=re.DOTALL)  # fmt: skip
    for name, color in COLORS.items():
        svg = svg.replace(color, f"var(--{name})")
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r' transform="rotate\(-?0 [^"]*"', "", svg)
    used = set(re.findall(r"(?:url\(#|href=\"#)([\w-]+)", svg))
    prefix = f"f{zlib.crc32((svg + description + kind).encode()):08x}-"

    def renamed(match: re.Match[str]) -> str:
        return f' id="{prefix}{match[1]}"' if match[1] in used else ""

    svg = re.sub(r' id="([^"]+)"', renamed, svg)
    svg = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{prefix}", svg)
    # A hundredth of a pixel is enough; what stands between the tags is words.
    svg = re.sub(r"<[^>]*>", lambda tag: DIGITS.sub(r"\1", tag[0]), svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    view = re.search(r'viewBox="[^"]*"', svg)
    assert view is not None
    head = Markup('<svg class="{}" role="img" aria-label="{}" ').format(kind, writable(description))
    # What stands in it of a user's, matplotlib has escaped.
    return head + Markup(f"{view[0]}>{svg[svg.index('>') + 1 :].strip()}")  # noqa: S704
