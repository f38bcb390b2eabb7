"""What a file of series holds, what is odd about it, and what is done about each oddity."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from birnn.arrays import Ints
from birnn.data.series.panel import Clock
from birnn.data.tables.dialect import AS_FOUND, TableOptions
from birnn.data.wording import plural

MAX_FINDINGS = 200
SERIES_A_KIND = 30  # findings of one kind that are told series by series
ROWS_SHOWN = 5
NO_LINES = np.zeros(0, np.int64)


@dataclass(frozen=True)
class SeriesOptions:
    """How a file of series is read; lists of columns have commas. See also ``CHOICES``."""

    time_column: str = ""  # empty to find it
    time_columns: str = ""  # several that are joined: a date and a time, a year and a month
    date_format: str = ""  # of strptime, or a name of numbers or weeks; several with |
    day_first: bool | None = None  # empty to find it
    id_column: str = ""  # one or several; empty to find it
    target: str = ""  # to forecast; empty: every numeric column (wide), the column of values (long)
    layout: str = "auto"  # wide: a column a series; long: id, time, value
    frequency: str = ""  # a pandas alias, or how far whole numbers are apart; empty to infer it
    season: int = 0  # steps of a season; 0 for the frequency's, or what the values show
    past: str = ""  # columns of covariates
    future: str = ""
    static: str = ""
    missing: str = "mask"  # what becomes of gaps, of empty and infinite cells; drop: the series
    duplicates: str = "fail"  # what becomes of a stamp that stands twice in one series
    text: str = "fail"  # what a cell is that holds no number
    encoding: str = "utf-8-sig"  # as birnn.data.tables.sources.ReadOptions takes them
    skip_ragged: bool = False
    table: TableOptions = AS_FOUND
    # How a run's own file was read, by what read it: a new file is read alike.
    reading: Mapping[str, Any] = field(default_factory=dict)


CHOICES = {
    "layout": ("auto", "wide", "long"),
    "missing": ("mask", "interpolate", "drop", "fail"),
    "duplicates": ("fail", "mean", "first", "last"),
    "text": ("fail", "missing"),
}


@dataclass(frozen=True)
class Finding:
    """Something odd about a file.

    Kinds: ``gap``, ``missing``, ``infinite``, ``text``, ``duplicate``, ``disorder``,
    ``clock_change``, ``constant``, ``short``, ``mixed_frequency``, ``off_grid``, ``stamp``, ``id``,
    ``static``, ``frequency``, ``ambiguous`` (it can be read in two ways), ``ids`` (series share
    stamps).
    """

    kind: str
    series: str  # the name of one; empty for the whole file
    count: int  # of cells, rows or steps
    rows: list[int]  # line numbers of the first few (1 is the header), in the order of the file
    text: str  # what there is, a sentence
    treatment: str  # what is done about it under the options; how to mend it if that is nothing
    fatal: bool = False  # training is refused under the options


@dataclass(frozen=True)
class Inspection:
    """What a file of series holds."""

    source: str
    layout: str
    time_column: str
    id_column: str
    targets: list[str]
    clock: Clock | None
    season: int
    season_source: str  # where the season is from, in words
    rows: int  # of the file
    series: int  # that are used
    shortest: int  # steps of these, from their first to their last observed value
    longest: int
    start: str  # first and last stamp of all series
    end: str
    findings: list[Finding] = field(default_factory=list)  # the first few series of each kind
    notes: list[str] = field(default_factory=list)  # how it was read, if that could be otherwise
    reading: dict[str, Any] = field(default_factory=dict)  # the same, as a run remembers it

    @property
    def time(self) -> str:
        """Where the time stands, in words."""
        turned = self.reading.get("series", {}).get("turned", False)
        return self.time_column or ("the header" if turned else "none: rows are counted")

    @property
    def fatal(self) -> Finding | None:
        """The first finding for which training is refused."""
        return next((finding for finding in self.findings if finding.fatal), None)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; the clock in words, and its frequency and step apart."""
        clock = self.clock or Clock(step=0)
        words = clock.named() if self.clock else ""
        return asdict(self) | {"clock": words, "frequency": clock.frequency, "step": clock.step}


def lines_of(lines: Ints) -> list[int]:
    """The first few of some line numbers, in the order of the file."""
    many = len(lines) > ROWS_SHOWN
    some = np.sort(np.partition(lines, ROWS_SHOWN)[:ROWS_SHOWN] if many else lines)
    return [int(line) for line in some]


def at_lines(lines: Ints) -> str:
    """The first few of some line numbers in words."""
    more = ", …" if len(lines) > ROWS_SHOWN else ""
    return f"line {', '.join(map(str, lines_of(lines)))}{more}"


class Findings:
    """Gathers findings; of each kind the first few series one by one, the rest counted."""

    def __init__(self, notes: Sequence[str] = ()) -> None:
        self.kept: list[Finding] = []
        self.notes = list(notes)
        self._left: dict[str, tuple[int, int]] = {}  # kind → series and counts that aren't listed

    def add(
        self, kind: str, text: str, treatment: str, lines: Ints = NO_LINES, *,
        series: str = "", count: int | None = None, fatal: bool = False,
    ) -> None:  # fmt: skip
        """Keep a finding, or count it with the rest of its kind.

        The ``lines`` are of the file; ``count``, where given, counts something else.
        """
        number = len(lines) if count is None else count
        if self.room(kind) > 0 and len(self.kept) < MAX_FINDINGS:
            shown = lines_of(lines)
            self.kept.append(Finding(kind, series, number, shown, text, treatment, fatal))
        else:
            self.leave(kind, 1, number)

    def refuse(
        self, kind: str, text: str, mend: str, lines: Ints = NO_LINES, *,
        series: str = "", count: int | None = None,
    ) -> None:  # fmt: skip
        """Add a fatal finding, and how to mend it."""
        self.add(kind, text, f"refused; {mend}", lines, series=series, count=count, fatal=True)

    def by_series(
        self, kind: str, names: Sequence[str], series: NDArray[np.integer], lines: Ints,
        tell: Callable[[int, Ints], str], treatment: str, fatal: bool = False,
        weights: Ints | None = None,
    ) -> None:  # fmt: skip
        """A finding for each series (of these ``names``) that has some.

        Args:
            series: ``[K]`` of each cell.
            lines: ``[K]`` the line of the file.
            tell: makes the sentence from a count and a series' lines.
            weights: ``[K]`` what is counted, if not cells.
        """
        if not len(lines):
            return
        concerned, inverse = np.unique(series, return_inverse=True)
        counts = np.bincount(inverse, weights).astype(np.int64)
        room = self.room(kind)
        for number, count in zip(concerned[:room], counts[:room].tolist(), strict=True):
            own = lines[series == number]
            text = tell(count, own)
            self.add(kind, text, treatment, own, series=names[number], count=count, fatal=fatal)
        self.leave(kind, len(concerned[room:]), int(counts[room:].sum()))

    def room(self, kind: str) -> int:
        """How many more of a kind are listed."""
        return SERIES_A_KIND - sum(other.kind == kind for other in self.kept)

    def leave(self, kind: str, series: int, count: int) -> None:
        """Count findings that aren't told one by one."""
        if series:
            before = self._left.get(kind, (0, 0))
            self._left[kind] = (before[0] + series, before[1] + count)

    def all_notes(self) -> list[str]:
        """The notes, and what isn't listed."""
        return self.notes + [
            f"{kind}: {plural(series, 'more series', 'more series')} ({count:,} in all) not listed"
            for kind, (series, count) in self._left.items()
        ]


def finding_lines(findings: Sequence[Finding], most: int) -> list[str]:
    """A line for each of the first ``most`` findings, and one that counts the rest.

    A line begins with what was found; where findings are of several series, it ends with whose.
    """
    several = len({part.series for part in findings}) > 1
    whose = [f" (series {part.series})" if several and part.series else "" for part in findings]
    lines = [
        f"{part.text} {part.treatment}{end}" for part, end in zip(findings, whose, strict=True)
    ]
    more = len(lines) - most
    rest = [f"{plural(more, 'finding')} more: birnn inspect lists all"] if more > 0 else []
    return [*lines[:most], *rest]
