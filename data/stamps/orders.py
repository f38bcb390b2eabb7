"""Which order the numbers of a column's dates stand in: decided from all of them.

An order that some cell can't have is out; of what is left, the one whose stamps stand on the more
regular grid is taken, and said so. Where that doesn't tell either, nothing is guessed.
"""

from collections.abc import Callable, Sequence

import numpy as np

from birnn.arrays import Ints
from birnn.data.stamps.dates import DAY_NS
from birnn.data.stamps.reading import BAD, Asked, Doubt
from birnn.errors import DataError

CLEARLY = 0.01  # more regular than another order by this
CONVENTION = 0.25  # more regular than the usual order by this
WORDS = {
    "dmy": "day before month", "mdy": "month before day", "ymd": "year, month, day",
    "ydm": "year, day, month", "d_y": "day, month, year", "y_d": "year, month, day",
    "ym": "year and month", "yq": "year and quarter", "yw": "year and week",
}  # fmt: skip
USUAL = {"422", "42", "2M2"}  # their first order is what everybody writes


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
    if all(np.array_equal(values[able[0]], values[order]) for order in able):
        return able[0], None
    scores = {order: regularity(values[order]) for order in able}
    ranked = sorted(able, key=lambda order: -scores[order])
    best = ranked[0]
    usual = signs in USUAL and able[0] == orders[0]
    if usual and scores[best] - scores[able[0]] <= CONVENTION:
        return able[0], None
    if not usual and scores[best] - scores[ranked[1]] <= CLEARLY:
        if not (dots and "dmy" in able):
            raise undecided(name, example, able)
        best = "dmy"
    return best, _doubt(name, example, best, [order for order in able if order != best])


def _allowed(signs: str, orders: Sequence[str], asked: Asked) -> Sequence[str]:
    """The orders that options and a run leave open."""
    if asked.day_first is not None and any(order.startswith("d") for order in orders):
        return [order for order in orders if order.startswith("d") == asked.day_first] or orders
    if signs in asked.orders and asked.orders[signs] in orders:
        return [asked.orders[signs]]
    day_first = {order[0] == "d" for key, order in asked.orders.items() if key in ("224", "222")}
    if len(day_first) == 1 and signs in ("224", "222"):
        return [order for order in orders if order.startswith("d") in day_first]
    return orders


def undecided(name: str, example: str, able: Sequence[str]) -> DataError:
    """Two readings are as good as each other."""
    ways = " or ".join(f"{WORDS.get(order, order)!r}" for order in able[:3])
    mend = "say which with --day-first or --no-day-first, or with --date-format"
    return DataError(f"the dates of {name!r}, as {example!r}, can be read as {ways}; {mend}")


def _doubt(name: str, example: str, best: str, others: Sequence[str]) -> Doubt:
    option = {"dmy": "--no-day-first or ", "mdy": "--day-first or "}.get(best, "")
    if best == "dmy" and "mdy" not in others:
        option = ""
    ways = ", ".join(WORDS.get(order, order) for order in others)
    text = f"the dates of {name!r}, as {example!r}, can be read in several orders"
    done = f"read as {WORDS.get(best, best)}, the more regular ({option}--date-format: {ways})"
    return Doubt(text, done)
