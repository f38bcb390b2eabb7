"""How stamps are to be read, where that is known, and what is read of a column of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from birnn.arrays import Ints

BAD = np.iinfo(np.int64).min  # where there is no stamp
NUMBERS = ("number", "excel", "unix-days", "unix", "unix-ms", "unix-us", "unix-ns")
NAMED = (*NUMBERS, "iso-week", "us-week")  # formats that are none of strptime


@dataclass(frozen=True)
class Asked:
    """How stamps are to be read, where that is known: as options say, or as a run's were."""

    formats: tuple[str, ...] = ()  # of strptime, or names of numbers; tried one after the other
    day_first: bool | None = None
    orders: Mapping[str, str] = field(default_factory=dict)  # of a run: signs → order
    number: str = ""  # of a run: what its numbers were
    zone: str = ""  # of a run

    @property
    def written(self) -> list[str]:
        """The formats of strptime."""
        return [form for form in self.formats if form not in NAMED]

    @property
    def numbers(self) -> str:
        """What numbers are; empty to find it."""
        return self.number or next((form for form in self.formats if form in NUMBERS), "")

    @property
    def us_weeks(self) -> bool:
        """Whether weeks begin on Sunday."""
        return "us-week" in self.formats or self.orders.get("week") == "us"

    @property
    def by_run(self) -> bool:
        """Whether a run's way is gone on with."""
        return bool(self.orders)


AS_FOUND = Asked()


@dataclass(frozen=True)
class Doubt:
    """Something that could be otherwise, and how it is read; a warning."""

    text: str
    treatment: str


@dataclass(frozen=True)
class Stamps:
    """``R`` stamps: nanoseconds since 1970 (UTC; of local time without a zone), or numbers."""

    values: Ints  # [R], BAD where a cell can't be read
    whole: bool = False  # these are whole numbers
    zone: str = ""  # empty for none
    cell: str = ""  # the first text that can't be read; empty for none, or for an empty cell
    notes: list[str] = field(default_factory=list)  # how they were read
    doubts: list[Doubt] = field(default_factory=list)  # and where that could be otherwise
    orders: dict[str, str] = field(default_factory=dict)  # signs of a form → order of its numbers
    number: str = ""  # what numbers were read as

    @property
    def known(self) -> Ints:
        """``[K]`` those that were read."""
        return np.asarray(self.values[self.values != BAD])
