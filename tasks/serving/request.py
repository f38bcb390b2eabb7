"""What a person asks a trained run to predict, and what comes back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from birnn.data.stamps.options import StampOptions
from birnn.data.tables.dialect import Dialect, ReadOptions, TableOptions
from birnn.progress import tell


@dataclass(frozen=True)
class Change:
    """A value of a history that is thought to be another one."""

    series: str
    step: int  # from the end: −1 is the last
    value: float


TOLD = 256  # records, after which it is told how far the work is


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
    parts: Callable[[], Iterator[dict[str, Any]]]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number, record in enumerate(self.parts()):
            if not number % TOLD:
                tell("predicting", number / self.count)
            yield record

    def __len__(self) -> int:
        return self.count


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
    task: str = ""  # of the run that answers
