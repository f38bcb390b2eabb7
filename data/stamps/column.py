"""Stamps of a column → whole numbers: nanoseconds since 1970 (UTC), or the integers there.

Text is read by its form (:mod:`birnn.data.stamps.forms`), the same for the whole column; what its
numbers mean is decided from all of them. ISO 8601 goes through Arrow's parser, formats that are
named through pandas'.
"""

import re
import warnings
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Bools, Ints
from birnn.data.arrow import is_numeric, is_text
from birnn.data.stamps import zones
from birnn.data.stamps.cells import SLICE, Cells, cut_cells, trimmed
from birnn.data.stamps.dates import (
    are_years,
    clock_nanoseconds,
    days_of,
    full_years,
    moments,
    weeks_in_words,
)
from birnn.data.stamps.forms import LONE_YEAR, ORDERS, read_form, skeleton
from birnn.data.stamps.names import QUARTER_NAME, WEEK_NAME
from birnn.data.stamps.numbered import is_numeral, read_numbered
from birnn.data.stamps.orders import choose_order
from birnn.data.stamps.reading import AS_FOUND, BAD, Asked, Doubt, Stamps
from birnn.data.wording import plural
from birnn.errors import DataError

ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
LOOKED_AT = 50  # cells that tell whether a column holds stamps
ORDER_WORDS = {"dmy": "day before month", "mdy": "month before day", "ydm": "day before month"}


def read_stamps(column: pa.ChunkedArray, name: str, asked: Asked = AS_FOUND) -> Stamps | None:
    """Read a column ``[R]`` of stamps: text, timestamps, dates, or numbers.

    Its name tells dates from counts. ``None`` where most of the first cells are neither.

    Raises:
        DataError: a stamp outside the years 1678 to 2261, or dates that can be read in two ways.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _typed(column, name)
    if not (is_numeric(kind) or is_text(kind)):
        return None
    if asked.written:
        return _formatted(column, name, asked.written)
    some = first_cells(column)
    if not some:
        return None
    if is_numeric(kind) or 2 * sum(map(is_numeral, some)) >= len(some):
        return read_numbered(column, name, asked)
    if 2 * sum(read_form(skeleton(text)) is not None for text in some) < len(some):
        return None
    return _plain_iso(column, asked) or _texts(column, name, asked)


def first_cells(column: pa.ChunkedArray, count: int = LOOKED_AT) -> list[str]:
    """The first texts of a column, without the spaces around them and empty ones."""
    parts = (column.slice(start, 1_000) for start in range(0, len(column), 1_000))
    texts = (str(cell).strip() for part in parts for cell in part.to_pylist() if cell is not None)
    return list(islice(filter(None, texts), count))


def first_cell(column: pa.ChunkedArray) -> str:
    """The first text of a column; empty if there is none."""
    return next(iter(first_cells(column, 1)), "")


def _typed(column: pa.ChunkedArray, name: str) -> Stamps:
    zone = getattr(column.type, "tz", None) or ""
    if zone and zone[0] in "+-":
        zone = "UTC" if zone[1:] == "00:00" else f"UTC{zone}"
    try:
        exact = column.cast(pa.timestamp("ns", getattr(column.type, "tz", None)))
    except pa.ArrowInvalid:
        raise outside(name) from None
    return Stamps(pc.fill_null(exact.cast(pa.int64()), BAD).to_numpy(), zone=zone)


def outside(name: str, cell: str = "") -> DataError:
    """A stamp that 64 bits of nanoseconds can't hold."""
    what = "has stamps outside the years 1678 to 2261"
    shown = f", as {cell[:40]!r}" if cell else ""
    return DataError(f"the column {name!r} {what}{shown}; use whole numbers for them")


def nanoseconds(stamps: pd.DatetimeIndex, name: str) -> Ints:
    """``[R]`` nanoseconds since 1970 (UTC) of pandas stamps.

    Raises:
        DataError: a stamp that 64 bits can't hold.
    """
    try:
        return np.asarray(stamps.as_unit("ns").asi8)
    except pd.errors.OutOfBoundsDatetime:
        raise outside(name) from None


def _plain_iso(column: pa.ChunkedArray, asked: Asked) -> Stamps | None:
    """Stamps that are all written as ISO 8601 writes them, without a zone."""
    if asked.orders.get("422", "ymd") != "ymd":
        return None
    values = np.full(len(column), BAD)
    for start in range(0, len(column), SLICE):
        part = trimmed(column.slice(start, SLICE))
        if not pc.all(pc.match_substring_regex(part, ISO), min_count=0).as_py():
            return None
        try:
            stamps = part.cast(pa.timestamp("ns")).cast(pa.int64())
        except pa.ArrowInvalid:  # no such day, say: told apart cell by cell
            return None
        values[start : start + len(part)] = stamps.to_numpy(zero_copy_only=False)
    return Stamps(values, orders={"422": "ymd"})


def _formatted(column: pa.ChunkedArray, name: str, formats: list[str]) -> Stamps:
    """Stamps in formats that are named, each cell in the first that fits."""
    text = column.cast(pa.string())
    if not is_text(column.type):
        text = pc.replace_substring_regex(text, r"\.0*$", "")
    values, unread = np.full(len(column), BAD), ""
    for start in range(0, len(column), SLICE):
        coded = trimmed(text.slice(start, SLICE)).dictionary_encode()
        distinct = pd.Index(coded.dictionary.to_pylist(), dtype=object)
        found = np.full(len(distinct), BAD)
        left = np.flatnonzero(distinct != "")
        for form in formats:
            index = _strptime(distinct[left], form, name)
            fits = ~index.isna()
            found[left[fits]] = nanoseconds(index[fits], name)
            left = left[~fits]
        values[start : start + len(coded)] = found[coded.indices.to_numpy(zero_copy_only=False)]
        unread = unread or (str(distinct[left[0]]) if len(left) else "")
    if not (values != BAD).any():
        what = f"no cell of {name!r} is written as --date-format says ({' | '.join(formats)})"
        raise DataError(f"{what}; it begins with {first_cell(text)[:40]!r}")
    zone = "UTC" if any("%z" in form for form in formats) else ""
    note = f"{name!r} is read as {' | '.join(formats)}"
    return Stamps(values, zone=zone, cell=unread, notes=[note])


def _strptime(texts: Any, form: str, name: str) -> pd.DatetimeIndex:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about formats that pandas will drop
        try:
            index = pd.to_datetime(texts, format=form, errors="coerce", utc="%z" in form)
        except (ValueError, re.error) as error:
            raise DataError(f"--date-format {form}: {' '.join(str(error).split())}") from None
        if index.hasnans:
            try:  # to pandas 2 years that nanoseconds can't count are no stamps, as any text is
                pd.to_datetime(texts[index.isna()][0], format=form, utc="%z" in form)
            except pd.errors.OutOfBoundsDatetime:
                raise outside(name) from None
            except ValueError:
                pass
    return pd.DatetimeIndex(index)


def _texts(column: pa.ChunkedArray, name: str, asked: Asked) -> Stamps:
    """Text by its forms: the orders of each, times of day, zones."""
    cells = cut_cells(column)
    dates = _Dates(column, cells, name, asked)
    wall = dates.wall()
    named = [form.zone for form in cells.forms]
    zoned = zones.to_utc(wall, cells.parts["east"], cells.parts["form"], named, asked.zone, name)
    lost = np.flatnonzero(zoned.values == BAD)
    unread = next(filter(None, map(dates.cell, lost[:1000])), "")
    notes = [*dates.notes(), *zoned.notes]
    midnights = int(((wall != BAD) & (cells.parts["H"] == 24)).sum())
    if midnights:
        notes.append(f"{plural(midnights, 'stamp')} of 24:00 taken as 0:00 of the day after")
    sixty = int(((wall != BAD) & (cells.parts["S"] == 60)).sum())
    if sixty:
        notes.append(f"{plural(sixty, 'stamp')} with 60 seconds taken as the next minute's first")
    doubts = dates.doubts
    if not asked.by_run:
        doubts = [*doubts, *zones.shared_names({form.called for form in cells.forms}, name)]
    orders = dates.orders | ({"week": "us" if dates.us else "iso"} if dates.weeks else {})
    return replace(zoned, cell=unread, notes=notes, doubts=doubts, orders=orders)


class _Dates:
    """Decides, form by form, what the numbers of dates are."""

    def __init__(self, column: pa.ChunkedArray, cells: Cells, name: str, asked: Asked) -> None:
        self.column, self.cells, self.name, self.asked = column, cells, name, asked
        self.orders: dict[str, str] = {}
        self.doubts: list[Doubt] = []
        self.us = asked.us_weeks

    @property
    def weeks(self) -> bool:
        """Whether any of them are weeks."""
        return any("w" in order for order in self.orders.values())

    def cell(self, row: int) -> str:
        """The text of a row."""
        return str(self.column[int(row)].as_py() or "").strip()

    def wall(self) -> Ints:
        """``[R]`` local times in nanoseconds, BAD where a cell holds none."""
        wall = np.full(len(self.column), BAD)
        for signs in dict.fromkeys(form.signs for form in self.cells.forms):
            rows = self.cells.rows(signs)
            wall[rows] = self._family(signs, rows)
        return wall

    def _family(self, signs: str, rows: Ints) -> Ints:
        """Local times of the cells whose forms have these signs."""
        parts = {part: values[rows].astype(np.int64) for part, values in self.cells.parts.items()}
        time, there = clock_nanoseconds(*(parts[part] for part in ("H", "M", "S", "f", "half")))

        def read(order: str) -> Ints:
            days, fits, _ = self._date(order, parts)
            return moments(days, time, fits & there)

        example = self.cell(rows[0])
        dots = next(form.dots for form in self.cells.forms if form.signs == signs)
        orders = ORDERS[signs]
        if signs == "42" and WEEK_NAME.search(self.name):
            orders = ("yw", "ym")
        elif signs == "42" and QUARTER_NAME.search(self.name):
            orders = ("yq", "ym")
        order, doubt = choose_order(signs, orders, read, self.asked, self.name, example, dots)
        self.orders[signs] = order
        self.doubts += [doubt] if doubt else []
        if "w" in order and not self._date(order, parts)[1].all():
            self.us = True
        days, fits, years = self._date(order, parts)
        beyond = fits & ~are_years(years)
        if beyond.any():
            raise outside(self.name, self.cell(rows[beyond][0]))
        if signs in LONE_YEAR and len(rows) > 1:
            steps = np.diff(days[fits])
            yearly = (steps >= 365) & (steps <= 366)  # 1-Jan, 2-Jan: days, not years
            fits &= bool(len(steps) and yearly.mean() < 0.5)
        return moments(days, time, fits & there)

    def _date(self, order: str, parts: dict[str, Ints]) -> tuple[Ints, Bools, Ints]:
        """Days of dates in an order, which there are, and their years; see :func:`days_of`."""
        places = zip(order.replace("_", ""), ("one", "two", "three"), strict=False)
        numbers = {letter: parts[place] for letter, place in places}
        if "y" in numbers:
            short = np.array([form.short for form in self.cells.forms])[parts["form"]]
            numbers["y"] = np.where(short, full_years(numbers["y"]), numbers["y"])
        if "e" in numbers:
            years, rest = numbers["e"] // 10_000, numbers["e"] % 10_000
            numbers["e"] = full_years(years) * 10_000 + rest
        if "_" in order and (parts["month"] > 0).any():
            numbers.setdefault("m", parts["month"])
        return days_of(numbers, us=self.us)

    def notes(self) -> list[str]:
        """How the dates were read, in sentences."""
        found = []
        for signs, order in self.orders.items():
            if signs in ("224", "222", "422") and order in ORDER_WORDS and not self.doubts:
                found.append(f"{self.name!r} is read with the {ORDER_WORDS[order]}")
        if any(form.short for form in self.cells.forms):
            pivot = "69 to 99 are read as 1969 to 1999"
            found.append(f"{self.name!r} has years of two digits; {pivot}")
        if any(form.range for form in self.cells.forms):
            found.append(f"{self.name!r} holds spans of time; each is taken by its first stamp")
        if self.weeks:
            found.append(f"{self.name!r} is read as {weeks_in_words(us=self.us)}")
        if len({"".join(sorted(signs)) for signs in self.orders}) > 1:
            ways = f"{len(self.orders)} ways; each cell is read by its own"
            found.append(f"{self.name!r} is written in {ways}")
        return found
