"""Stamps that stand in several columns: a date and a time of day; year, month, week, quarter.

Columns are told by their names, in several languages, and by what they hold.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Bools, Ints
from birnn.data.arrow import encode, is_numeric, is_text
from birnn.data.stamps import words
from birnn.data.stamps.column import first_cell, first_cells, read_stamps
from birnn.data.stamps.dates import (
    DAY_NS,
    FIRST_YEAR,
    LAST_YEAR,
    MOST_DAYS,
    SECOND,
    days_of,
    full_years,
    moments,
    weeks_in_words,
)
from birnn.data.stamps.forms import read_clock, skeleton
from birnn.data.stamps.names import CLOCK_NAME, PART_OF_NAME
from birnn.data.stamps.reading import BAD, Asked, Stamps
from birnn.errors import DataError

MINUTE = 60 * SECOND
WORDS = {"y": "year", "m": "month", "d": "day", "q": "quarter", "w": "week", "h": "half-year",
         "n": "day of the year", "H": "hour", "M": "minute", "S": "second"}  # fmt: skip
BOUNDS = {"y": (FIRST_YEAR, LAST_YEAR), "m": (1, 12), "d": (1, 31), "q": (1, 4), "w": (0, 54),
          "h": (1, 2), "n": (1, 366), "H": (0, 24), "M": (0, 59), "S": (0, 60)}  # fmt: skip
ENOUGH = 0.9  # of the cells of a part


@dataclass(frozen=True)
class TimeColumns:
    """Where the time stands."""

    columns: list[str]  # several that are joined; empty: rows are counted
    stamps: Stamps  # of the R rows

    def noted(self, *notes: str) -> "TimeColumns":
        """The same with more notes, after those of the stamps."""
        return replace(self, stamps=replace(self.stamps, notes=[*self.stamps.notes, *notes]))


def role_of(name: str, column: pa.ChunkedArray | None = None) -> str:
    """The part of a stamp that a column's name stands for; empty for none.

    A ``period`` is told by its cells: ``M01`` or ``Q1``.
    """
    plain = re.sub(r"[^a-z]", "", words.plain(name))
    if plain == "period" and column is not None:
        letters = {text[0] for text in first_cells(column) if re.fullmatch(r"[MQSH]\d{1,2}", text)}
        return {"M": "m", "Q": "q", "S": "h", "H": "h"}[letters.pop()] if len(letters) == 1 else ""
    return PART_OF_NAME.get(plain, "")


def find_parts(table: pa.Table, names: list[str], asked: Asked) -> TimeColumns | None:
    """A year's column with one of months, quarters, weeks, halves or days, and what is finer.

    Raises:
        DataError: no cell of these is a date.
    """
    roles: dict[str, str] = {}
    for name in names:
        role = role_of(name, table.column(name))
        if role and role not in roles and _holds(table.column(name), role):
            roles[role] = name
    coarse = next((role for role in "mqwhn" if role in roles), "")
    if "y" not in roles or not coarse:
        return None
    chosen = {"y": roles["y"], coarse: roles[coarse]}
    chain = {"m": "dHMS", "n": "HMS"}.get(coarse, "")
    for role in chain:
        if role not in roles:
            break
        chosen[role] = roles[role]
    return _from_parts(table, chosen, asked)


def _holds(column: pa.ChunkedArray, role: str) -> bool:
    """Whether nine in ten of the first cells can be such a part."""
    some = column.slice(0, 1000)
    numbers = part_numbers(some, role)
    filled = sum(bool(text) for text in first_cells(some, 1000))
    fits = _within(numbers, role)
    if role == "y":  # of two digits
        fits |= (numbers >= 0) & (numbers < 100)
    return filled > 0 and fits.sum() >= ENOUGH * filled


def part_numbers(column: pa.ChunkedArray, role: str) -> Ints:
    """``[R]`` whole numbers of a column: ``1``, ``Q1``, ``W05``, ``Jan``; BAD for others."""
    if is_numeric(column.type):
        numbers = pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy()
        good = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (abs(numbers) < 1e9)
        return np.where(good, np.where(good, numbers, 0).astype(np.int64), BAD)
    if not (is_text(column.type) and len(column)):
        return np.full(len(column), BAD)
    coded = encode(pc.utf8_trim_whitespace(pc.fill_null(column, "")))
    numbers = np.array([_part(text, role) for text in coded.dictionary.to_pylist()], np.int64)
    return np.asarray(numbers[coded.indices.to_numpy(zero_copy_only=False)])


def _part(text: str, role: str) -> int:
    match = re.fullmatch(r"(\d{1,4})(?:\.0*)?", text)
    if match is None and role == "m" and (month := words.month_number(text)):
        return month
    if match is None and role in "mqwh":
        match = re.fullmatch(r"[^\W\d]{0,10}\.?\s?(\d{1,2})\.?", text)
    return int(match[1]) if match else int(BAD)


def _from_parts(table: pa.Table, chosen: dict[str, str], asked: Asked) -> TimeColumns:
    parts = {role: part_numbers(table.column(name), role) for role, name in chosen.items()}
    fits = np.all([values != BAD for values in parts.values()], axis=0)
    plain = {role: np.where(fits, values, 1) for role, values in parts.items()}
    plain["y"] = full_years(plain["y"])
    dates = {role: values for role, values in plain.items() if role in "ymdqwhn"}
    us = asked.us_weeks
    days, there, _ = days_of(dates, us=us)
    if "w" in dates and not there[fits].all():
        us = True
        days, there, _ = days_of(dates, us=True)
    orders = {"parts": "".join(chosen)}
    joined = ", ".join(f"{name!r} ({WORDS[role]})" for role, name in chosen.items())
    notes = [f"the time is joined from {joined}"]
    if "w" in dates:
        orders["week"] = "us" if us else "iso"
        notes.append(f"read as {weeks_in_words(us=us)}")
    time = np.zeros(len(days), np.int64)
    for role, seconds in (("H", 3600), ("M", 60), ("S", 1)):
        time += plain.get(role, 0 * time) * seconds * SECOND
    for role in chosen.keys() & BOUNDS.keys():
        there &= _within(plain[role], role)
    values = moments(days, time, fits & there & (abs(days) < MOST_DAYS))
    names = list(chosen.values())
    lost = np.flatnonzero(values == BAD)[:1]
    cells = (str(table.column(name)[int(row)].as_py()) for row in lost for name in names)
    cell = " ".join(cells).strip()
    return TimeColumns(names, Stamps(values, cell=cell, notes=notes, orders=orders))


def _within(numbers: Ints, role: str) -> Bools:
    """Which numbers can be such a part."""
    low, high = BOUNDS[role]
    return (numbers >= low) & (numbers <= high)


def with_clock(
    table: pa.Table, date: str, stamps: Stamps, free: list[str], asked: Asked
) -> TimeColumns | None:
    """The date's column joined with one of times of day, where that tells rows apart."""
    known = stamps.known
    if stamps.whole or stamps.zone or not len(known) or (known % DAY_NS).any():
        return None
    days = len(np.unique(known))
    if days == len(known):
        return None
    for name in sorted(free, key=lambda name: not CLOCK_NAME.search(name)):
        joined = join_clock(table, date, stamps, name, asked)
        found = joined.stamps.known if joined else known[:0]
        if len(found) >= ENOUGH * len(known) and len(np.unique(found)) > days:
            return joined
    return None


def read_if_written(column: pa.ChunkedArray, name: str, asked: Asked) -> Stamps | None:
    """Stamps of one of several columns, in the format that is named or else as they are found."""
    try:
        return read_stamps(column, name, asked)
    except DataError:
        if asked.written and first_cells(column):
            return None
        raise


def join_clock(
    table: pa.Table, date: str, stamps: Stamps, name: str, asked: Asked
) -> TimeColumns | None:
    """A date's column and a time of day's; ``None`` if the second holds none."""
    column = table.column(name)
    if pa.types.is_time(column.type):
        column = column.cast(pa.string())
    told = f"the time is joined from {date!r} and {name!r}"
    if is_text(column.type):
        some = first_cells(column)
        clocks = [text for text in some if read_clock(skeleton(text)) and not text.isdigit()]
        if some and len(clocks) >= ENOUGH * len(some):
            return _with_texts(table, [date, name], column, stamps, asked, told)
    if not (role_of(name) == "H" or CLOCK_NAME.search(name)):
        return None
    hours = part_numbers(column, "H")
    known = hours[hours != BAD]
    if not len(known) or known.min() < 0 or known.max() > 2400:
        return None
    if known.max() <= 24:
        return _added([date, name], stamps, hours * 60 * MINUTE, hours != BAD, told)
    if (known % 100 > 59).any():
        return None
    times = (hours // 100 * 60 + hours % 100) * MINUTE
    joined = _added([date, name], stamps, times, hours != BAD, told)
    return joined.noted(f"{name!r} is read as hours and minutes (HHMM)")


def _added(names: list[str], stamps: Stamps, time: Ints, there: Bools, told: str) -> TimeColumns:
    """Stamps of days with times of day, in nanoseconds, where there are both."""
    fits = there & (stamps.values != BAD)
    values = np.where(fits, stamps.values + np.where(fits, time, 0), BAD)
    return TimeColumns(names, replace(stamps, values=values)).noted(told)


def _with_texts(
    table: pa.Table, names: list[str], clocks: pa.ChunkedArray, stamps: Stamps, asked: Asked,
    told: str,
) -> TimeColumns | None:  # fmt: skip
    """Dates, already read or together with them, and times of day as text."""
    if asked.written:  # the format is the dates' alone
        moment = pc.binary_join_element_wise("1970-01-01", clocks.cast(pa.string()), " ")
        time = read_stamps(moment, names[1])
        if time is None:
            return None
        return _added(names, stamps, time.values, time.values != BAD, told)
    dates = table.column(names[0])
    if not is_text(dates.type):
        dates = pc.strftime(dates.cast(pa.timestamp("s")), format="%Y-%m-%d")
    found = read_stamps(_joined_texts([dates, clocks]), " ".join(names), asked)
    return TimeColumns(names, replace(found, notes=[told, *found.notes])) if found else None


def _joined_texts(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """The texts of several columns with a space between."""
    return pc.binary_join_element_wise(*(column.cast(pa.string()) for column in columns), " ")


def join_named(table: pa.Table, names: list[str], asked: Asked, where: str) -> TimeColumns:
    """The stamps of the columns that are named, in whatever order.

    Raises:
        DataError: they are no date and time, and no year with its parts.
    """
    columns = [table.column(name) for name in names]
    together = _joined_texts(columns)
    if asked.written:
        found = read_if_written(together, " ".join(names), asked)
        if found is not None:
            return TimeColumns(names, found)
    roles = {role_of(name, column) for name, column in zip(names, columns, strict=True)}
    if "y" in roles and len(roles) == len(names):
        parts = find_parts(table, names, asked)
        if parts is not None and set(parts.columns) == set(names):
            return parts
    for date, other in (names, names[::-1]) if len(names) == 2 else ():
        stamps = read_if_written(table.column(date), date, asked)
        if stamps is not None and not stamps.whole:
            joined = join_clock(table, date, stamps, other, asked)
            if joined is not None:
                return joined
    found = read_stamps(together, " ".join(names), asked)
    if found is None:
        shown = " ".join(map(first_cell, columns))
        mend = "say how they are written together with --date-format"
        raise DataError(f"{where}: {', '.join(names)} hold no stamps, as {shown[:40]!r}; {mend}")
    told = f"the time is joined from {', '.join(map(repr, names))}"
    return TimeColumns(names, replace(found, notes=[told, *found.notes]))
