"""What a report is made of, before it is HTML: sections, and in them blocks of a few kinds.

A block says what is shown, a template of its kind how; so a task writes no markup, and whatever it
takes from a user's data is escaped at one place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from birnn.tasks.pages.figures import Drawing


@dataclass(frozen=True)
class Block:
    """A part of a section; its template is ``blocks/KIND.html``."""

    kind: ClassVar[str]
    scripts: ClassVar[tuple[str, ...]] = ()  # of its own, in the folder ``static``

    def within(self) -> Iterator["Block"]:
        """The block, and those that it holds."""
        yield self
        for block in getattr(self, "blocks", ()):
            yield from block.within()


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading and a place in its navigation."""

    name: str  # of the anchor
    title: str
    blocks: Sequence[Block]
    lead: str = ""  # a sentence under the heading


@dataclass(frozen=True)
class Paragraph(Block):
    """Words."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class KeyFigure:
    """A number that is seen first."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class KeyFigures(Block):
    """The few numbers that matter, large."""

    kind: ClassVar[str] = "key_figures"
    figures: Sequence[KeyFigure]


@dataclass(frozen=True)
class Facts(Block):
    """Names and what they are."""

    kind: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, str]]
    title: str = ""


@dataclass(frozen=True)
class Alert:
    """Something about the data that one should know."""

    text: str
    tone: str = "note"  # note, warn, bad
    rows: Sequence[int] = ()  # lines of the file that it speaks of


@dataclass(frozen=True)
class Alerts(Block):
    """What one should know, the gravest first."""

    kind: ClassVar[str] = "alerts"
    alerts: Sequence[Alert]


@dataclass(frozen=True)
class Dot:
    """A value with its interval, in a row of its own."""

    label: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    own: bool = False  # the model, rather than what stands beside it


@dataclass(frozen=True)
class DotGroup:
    """Values of one kind on one scale."""

    title: str
    dots: Sequence[Dot]
    ticks: Sequence[tuple[float, str]]  # where on the scale, and what stands there
    note: str = ""
    origin: float | None = None  # a tick that divides better from worse

    @property
    def ends(self) -> tuple[float, float]:
        """The scale's ends."""
        values = [tick for tick, _ in self.ticks]
        for dot in self.dots:
            values += [part for part in (dot.value, dot.low, dot.high) if part is not None]
        low, high = min(values), max(values)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def place(self, value: float) -> float:
        """Where on the scale, in per cent from its left end."""
        low, high = self.ends
        return round(100 * (value - low) / (high - low), 2)


@dataclass(frozen=True)
class Dots(Block):
    """Values with intervals beside each other."""

    kind: ClassVar[str] = "dots"
    title: str
    groups: Sequence[DotGroup]
    caption: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    number: bool = False


def columns(first: str, *numbers: str) -> list[Column]:
    """A column of words, and columns of numbers."""
    return [Column(first), *(Column(name, number=True) for name in numbers)]


@dataclass(frozen=True)
class Table(Block):
    """Rows of text; a number is formatted already."""

    kind: ClassVar[str] = "table"
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""
    caption: str = ""
    own: int = -1  # the row of the model
    sortable: bool = False
    picks: bool = False  # whether a row's name shows the series of that name


@dataclass(frozen=True)
class Bar:
    """A bar of a share of the width, with words."""

    share: float
    text: str
    color: str = "c1"


@dataclass(frozen=True)
class Bars(Block):
    """Rows of bars: a column for each series of them."""

    kind: ClassVar[str] = "bars"
    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Bar]]]
    caption: str = ""


@dataclass(frozen=True)
class Matrix(Block):
    """Counts of pairs, shaded by the share of the row."""

    kind: ClassVar[str] = "matrix"
    title: str
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]
    caption: str = ""
    heads: Sequence[str] = ()  # of the columns, where they are others than the rows'

    def share(self, row: int, column: int) -> float:
        """Of the row, from 0 to 1."""
        return self.counts[row][column] / max(sum(self.counts[row]), 1)


@dataclass(frozen=True)
class Key:
    """A line of a chart's legend."""

    name: str
    color: str
    style: str = "solid"  # solid, dashed, points, band


@dataclass(frozen=True)
class Chart(Block):
    """A drawn chart, its legend, and the table of its numbers."""

    kind: ClassVar[str] = "chart"
    title: str
    drawing: Drawing
    table: Table
    caption: str = ""
    legend: Sequence[Key] = ()
    points: Mapping[str, Any] = field(default_factory=dict)  # what a script shows at the cursor


@dataclass(frozen=True)
class Code(Block):
    """Text to copy."""

    kind: ClassVar[str] = "code"
    title: str
    text: str


@dataclass(frozen=True)
class Fold(Block):
    """Blocks that are shown when they are asked for; printed always."""

    kind: ClassVar[str] = "fold"
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Grid(Block):
    """Blocks side by side where there is room."""

    kind: ClassVar[str] = "grid"
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Thresholds(Block):
    """Scores at each threshold: a chart, a table, and a slider that reads it off."""

    kind: ClassVar[str] = "thresholds"
    title: str
    label: str  # of the slider
    levels: Sequence[float]
    series: Sequence[tuple[str, Sequence[float | None]]]  # shares at each level, by name
    start: float  # the level that the model uses
    chart: Chart
    caption: str = ""


@dataclass(frozen=True)
class Example:
    """A text of the test split, and what was made of it."""

    row: int  # of the data that were read; of older runs, of predictions.csv
    words: Sequence[str]
    weights: Sequence[int]  # of the words, from 0 to 99; empty: none are known
    gold: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class Examples(Block):
    """Texts to search and to sort; a few stand in the page, all in its data."""

    kind: ClassVar[str] = "examples"
    title: str
    examples: Sequence[Example]
    total: int  # how many there are, shown or not
    caption: str = ""
    shown: int = 25

    def data(self) -> dict[str, Any]:
        """All examples for a script, short."""
        rows = [[e.row, list(e.words), list(e.weights), e.gold, e.predicted,
                 round(e.confidence, 4)] for e in self.examples]  # fmt: skip
        return {"rows": rows, "shown": self.shown, "total": self.total}


@dataclass(frozen=True)
class MovedText:
    """A text whose answer is explained."""

    words: Sequence[tuple[str, int]]  # each with its weight, from -99 to 99
    gold: str
    predicted: str
    confidence: float
    completeness: str  # a sentence: how far the weights add up


@dataclass(frozen=True)
class Moved(Block):
    """Texts whose words are shaded by how much, and which way, they moved the answer."""

    kind: ClassVar[str] = "moved"
    title: str
    texts: Sequence[MovedText]
    caption: str = ""
