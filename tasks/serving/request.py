"""What a person asks a trained run to predict, and what comes back."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from birnn.data.stamps.options import StampOptions
from birnn.data.tables.dialect import Dialect, ReadOptions, TableOptions
from birnn.progress import tell
from birnn.tasks.serving.parts import Parts


@dataclass(frozen=True)
class Change:
    """A value of a history that is thought to be another one."""

    series: str
    step: int  # from the end: −1 is the last
    value: float


@dataclass(frozen=True)
class Request:
    """Texts, a file of them, or a pipe; and what is wanted."""

    texts: list[str] = field(default_factory=list)
    input: str = ""  # a file
    text_column: str = ""
    encoding: str = "utf-8-sig"
    standard_input: BinaryIO | None = None
    output: str = ""  # a file
    explain: bool = False
    best: int = 0  # how many alternatives
    escape_formulas: bool = False  # in a .csv output
    table: TableOptions = field(default_factory=TableOptions)  # how the file is read
    stamps: StampOptions = field(default_factory=StampOptions)  # of series
    skip_ragged: bool = False  # leave out rows that don't fit
    trained: Dialect | None = None  # how the run's own data was read
    columns: Mapping[str, str] = field(default_factory=dict)  # of these data, by what they held
    resume: bool = False  # go on with the partial output of a predict that was stopped
    changes: tuple[Change, ...] = ()  # of series, after they are read
    told: list[str] = field(default_factory=list)  # what was noticed while it was read

    @property
    def read(self) -> ReadOptions:
        """How the file is read."""
        return ReadOptions(self.encoding, self.skip_ragged, self.table, self.trained)


@dataclass(frozen=True)
class Streamed(Iterable[dict[str, Any]]):
    """Records that are made anew, a part at a time, whenever they are gone through."""

    count: int
    parts: Callable[[int], Iterator[list[dict[str, Any]]]]  # from a record on that began a part

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for part in self.from_part(0):
            yield from part

    def from_part(self, start: int) -> Iterator[list[dict[str, Any]]]:
        """The parts from record ``start`` on, which began one before; it is told how far it is."""
        began, done = time.monotonic(), start
        tell("predicting", start / max(1, self.count))
        for part in self.parts(start):
            yield part
            done += len(part)
            rate = (done - start) / max(1e-9, time.monotonic() - began)
            tell(f"predicting, {rate:,.0f} records a second", done / self.count)

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True)
class Form:
    """How records become the lines of a file, from any one of them on."""

    # A table's rows, the header first; the first record has that number, from 0.
    rows: Callable[[Iterable[dict[str, Any]], int], Iterator[Iterable[Any]]]
    lines: Callable[[Iterable[dict[str, Any]]], Iterator[str]]


@dataclass
class Answer:
    """Records in input order, and how they are shown or written."""

    records: list[dict[str, Any]] | Streamed
    write: Callable[[Path], None]
    notes: list[str] = field(default_factory=list)
    weights: list[list[tuple[str, float]]] = field(default_factory=list)  # of each text's words
    labels: list[str] = field(default_factory=list)  # of spans or tags, for their colours
    lines: Iterable[str] | None = None  # a tagged file, line by line, where that was the input
    charts: list[dict[str, Any]] = field(default_factory=list)  # of forecasts
    # What a page draws of so many series at most, with all stamps and levels.
    drawings: Callable[[int], list[dict[str, Any]]] | None = None
    form: Form | None = None  # of an output that can grow by parts
    parts: Parts[Any] | None = None  # that several processes make together, while it is written
    task: str = ""  # of the run that answers
