"""Which order the numbers of a column's dates stand in: decided from all of them.

An order that some cell can't have is out; of what is left, the one whose stamps stand on the more
regular grid is taken, and said so. Where that doesn't tell either, nothing is guessed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from birnn.arrays import Ints
from birnn.data.stamps.dates import DAY_NS
from birnn.errors import DataError

BAD = np.iinfo(np.int64).min  # where there is no stamp
CLEARLY = 0.01  # more regular than another order by this
CONVENTION = 0.25  # more regular than the usual order by this
NUMBERS = ("number", "excel", "unix-days", "unix", "unix-ms", "unix-us", "unix-ns", "decimal-year")
NAMED = (*NUMBERS, "iso-week", "us-week")  # formats that are none of strptime
WORDS = {
    "dmy": "day before month", "mdy": "month before day", "ymd": "year, month, day",
    "ydm": "year, day, month", "d_y": "day, month, year", "y_d": "year, month, day",
    "ym": "year and month", "yq": "year and quarter", "yw": "year and week",
}  # fmt: skip
USUAL = {"422", "42", "2M2"}  # their first order is what everybody writes


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
    def by_run(self) -> bool:
        """Whether a run's way is gone on with."""
        return bool(self.orders)


AS_FOUND = Asked()


@dataclass(frozen=True)
class Doubt:
    """Something that could be otherwise, and how it is read; a warning."""

    text: str
    treatment: str


def regularity(values: Ints) -> float:
    """How regular stamps are, from 0 to 1, in the order of their file.

    The share of the steps of their grid (of the most common step, or of months) that are there,
    times the share of rows that go on in one direction.
    """
    values = values[values != BAD]
    apart = np.diff(values)
    if not len(apart):
        return 1.0
    straight = max(float((apart >= 0).mean()), float((apart <= 0).mean()))
    stamps = np.unique(values)
    if len(stamps) < 2:
        return straight
    steps, counts = np.unique(np.diff(stamps), return_counts=True)
    step = int(steps[counts.argmax()])
    places, on = (stamps - stamps[0]) // step, (stamps - stamps[0]) % step == 0
    if step >= 28 * DAY_NS:
        months = stamps.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
        sizes, counts = np.unique(np.diff(months), return_counts=True)
        size = max(int(sizes[counts.argmax()]), 1)
        places, on = (months - months[0]) // size, (months - months[0]) % size == 0
    return float(on.mean()) * len(np.unique(places)) / (int(places[-1]) + 1) * straight


def choose_order(
    signs: str,
    orders: Sequence[str],
    read: Callable[[str], Ints],
    asked: Asked,
    name: str,
    example: str,
    dots: bool,
) -> tuple[str, Doubt | None]:
    """The order of the numbers of dates of one form, and the doubt that is left.

    Args:
        signs: of the form; see :data:`birnn.data.stamps.forms.ORDERS`.
        read: the stamps ``[K]`` in an order.
        example: the first cell.

    Raises:
        DataError: two orders are as good as each other; names the options that decide.
    """
    orders = _allowed(signs, orders, asked)
    if len(orders) == 1:
        return orders[0], None
    values = {order: read(order) for order in orders}
    lost = {order: int((found == BAD).sum()) for order, found in values.items()}
    least = min(lost.values())
    able = [order for order in orders if lost[order] == least]
    if signs == "422" and "ymd" in able:
        return "ymd", None
    alike = all(np.array_equal(values[able[0]], values[order]) for order in able)
    if len(able) == 1 or alike:
        return able[0], None
    scores = {order: regularity(values[order]) for order in able}
    ranked = sorted(able, key=lambda order: -scores[order])
    ahead = scores[ranked[0]] - scores[ranked[1]]
    if signs in USUAL and able[0] == orders[0]:
        best = ranked[0] if scores[ranked[0]] - scores[able[0]] > CONVENTION else able[0]
        if best == able[0]:
            return best, None
    elif ahead > CLEARLY:
        best = ranked[0]
    elif dots and "dmy" in able:
        best = "dmy"
    else:
        raise undecided(name, example, able)
    return best, _doubt(name, example, best, [order for order in able if order != best])


def _allowed(signs: str, orders: Sequence[str], asked: Asked) -> Sequence[str]:
    """The orders that options and a run leave open."""
    if asked.day_first is not None and any(order.startswith("d") for order in orders):
        return [order for order in orders if order.startswith("d") == asked.day_first] or orders
    if signs in asked.orders and asked.orders[signs] in orders:
        return [asked.orders[signs]]
    first = {order[0] == "d" for key, order in asked.orders.items() if key in ("224", "222")}
    if len(first) == 1 and signs in ("224", "222"):
        return [order for order in orders if order.startswith("d") == first.copy().pop()] or orders
    return orders


def undecided(name: str, example: str, able: Sequence[str]) -> DataError:
    """Two readings are as good as each other."""
    ways = " or ".join(f"{WORDS.get(order, order)!r}" for order in able[:3])
    mend = "say which with --day-first or --no-day-first, or with --date-format"
    return DataError(f"the dates of {name!r}, as {example!r}, can be read as {ways}; {mend}")


def _doubt(name: str, example: str, best: str, others: Sequence[str]) -> Doubt:
    option = {"dmy": "--no-day-first", "mdy": "--day-first"}.get(best, "--date-format")
    if best == "dmy" and "mdy" not in others:
        option = "--date-format"
    ways = ", ".join(WORDS.get(order, order) for order in others)
    text = f"the dates of {name!r}, as {example!r}, can be read in several orders"
    done = f"read as {WORDS.get(best, best)}, the more regular ({option} or --date-format: {ways})"
    return Doubt(text, done.replace("--date-format or --date-format", "--date-format"))
