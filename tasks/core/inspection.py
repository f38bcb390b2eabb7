"""What a file holds, as ``inspect`` says it: facts, counts, what is odd, and what is done about it.

A task's specification names a function from the task to an :class:`Inspection`, or to whatever its
view draws.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, TypeVar

from birnn.data.wording import agree, number_list, plural
from birnn.errors import DataError

LISTED = 8  # rows of a finding
T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """Something odd about data."""

    kind: str
    count: int  # of rows, of classes, of whatever ``text`` says
    rows: list[int]  # where the first few stand
    text: str  # what there is, a sentence
    treatment: str  # what is done about it; how to mend it if that is nothing
    fatal: bool = False  # training is refused
    series: str = ""  # of a file of several; this field is of series alone

    @classmethod
    def of_rows(
        cls, kind: str, rows: Sequence[int], what: str, treatment: str, unit: str, count: int = 0
    ) -> "Finding":
        """A finding about rows: how many (0: all ``rows``), what of them, where a few stand."""
        count = count or len(rows)
        more = ", …" if count > LISTED else ""
        where = f"{unit} {number_list(rows[:LISTED])}{more}"
        text = f"{plural(count, 'row')} {what} ({where})"
        return cls(kind, count, list(rows[:LISTED]), text, treatment)


@dataclass(frozen=True)
class Counts:
    """A table of counts: what is counted, then a number for each head."""

    title: str
    heads: list[str]
    rows: list[list[Any]]  # a name, then as many numbers as there are heads after the first


@dataclass(frozen=True)
class Inspection:
    """What data of a task hold."""

    task: str
    source: str
    pairs: list[tuple[str, str]]  # shown above all: a name and a value
    counts: list[Counts] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # how it was read
    facts: Mapping[str, Any] = field(default_factory=dict)  # what JSON holds beside these

    @property
    def ready(self) -> bool:
        """Whether training would begin."""
        return not any(finding.fatal for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; counts are in the facts."""
        own = {key: value for key, value in asdict(self).items() if key not in ("pairs", "counts")}
        return {**own.pop("facts"), **own, "ready": self.ready}


def attempt(load: Callable[[], T]) -> tuple[T | None, list[Finding]]:
    """What ``load`` gives, or None and its refusal as a finding."""
    try:
        return load(), []
    except DataError as error:
        return None, [Finding("refused", 1, [], str(error), "training is refused", fatal=True)]


def lengths_in_words(
    lengths: Iterable[int], unit: str, most: int = 0
) -> tuple[str, dict[str, int]]:
    """The middle and the greatest length, and how many are cut at ``most``: in words, as values."""
    ordered = sorted(lengths)
    if not ordered:
        return "none", {"median": 0, "longest": 0, "cut": 0}
    middle, longest = int(median(ordered)), ordered[-1]
    words = f"median {middle:,}, longest {longest:,} {unit}"
    cut = sum(length > most for length in ordered) if most else 0
    if most:
        words += f"; {cut:,} {agree(cut, 'is', 'are')} cut at --max-length {most:,}"
    return words, {"median": middle, "longest": longest, "cut": cut}
