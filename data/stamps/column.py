"""Stamps of a column → whole numbers: nanoseconds since 1970 (UTC), or the integers there.

Text is read by its form (:mod:`birnn.data.stamps.forms`), the same for the whole column; what its
numbers mean is decided from all of them. ISO 8601 goes through Arrow's parser, formats that are
named through pandas'.
"""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Bools, Ints
from birnn.data.stamps import zones
from birnn.data.stamps.cells import SLICE, Cells, cut_cells, trimmed
from birnn.data.stamps.dates import (
    DAY_NS,
    FIRST_YEAR,
    LAST_YEAR,
    clock_nanoseconds,
    days_of,
    full_years,
)
from birnn.data.stamps.forms import LONE_YEAR, ORDERS, Form, read_form, skeleton
from birnn.data.stamps.numbered import POINT, WHOLE, read_numbered
from birnn.data.stamps.orders import AS_FOUND, BAD, Asked, Doubt, choose_order
from birnn.data.wording import plural
from birnn.errors import DataError

ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
LOOKED_AT = 50  # cells that tell whether a column holds stamps
ORDER_WORDS = {"dmy": "day before month", "mdy": "month before day", "ydm": "day before month"}


@dataclass(frozen=True)
class Stamps:
    """``R`` stamps: nanoseconds since 1970 (UTC; of local time without a zone), or numbers."""

    values: Ints  # [R], BAD where a cell can't be read
    whole: bool  # these are whole numbers
    zone: str = ""  # empty for none
    cell: str = ""  # the first text that can't be read; empty for none, or for an empty cell
    notes: list[str] = field(default_factory=list)  # how they were read
    doubts: list[Doubt] = field(default_factory=list)  # and where that could be otherwise
    orders: dict[str, str] = field(default_factory=dict)  # signs of a form → order of its numbers
    number: str = ""  # what numbers were read as

    @property
    def read(self) -> int:
        """How many cells were read."""
        return int((self.values != BAD).sum())


def read_stamps(column: pa.ChunkedArray, name: str, asked: Asked = AS_FOUND) -> Stamps | None:
    """Read a column ``[R]`` of stamps: text, timestamps, dates, or numbers.

    Its name tells dates from counts. ``None`` where most of the first cells are neither.

    Raises:
        DataError: a stamp outside the years 1678 to 2261, or dates that can be read in two ways.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _typed(column, name)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (numeric or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return None
    if asked.written:
        return _formatted(column, name, asked.written)
    some = first_cells(column)
    if not some:
        return None
    if numeric or 2 * sum(map(is_number, some)) >= len(some):
        found = read_numbered(column, name, asked)
        if found is None:
            return None
        return Stamps(found.values, found.whole, found.zone, found.cell, found.notes,
                                found.doubts, number=found.kind)  # fmt: skip
    if 2 * sum(read_form(skeleton(text)) is not None for text in some) < len(some):
        return None
    return _plain_iso(column, asked) or _texts(column, name, asked)


def first_cells(column: pa.ChunkedArray, count: int = LOOKED_AT) -> list[str]:
    """The first texts of a column, without the spaces around them and empty ones."""
    texts: list[str] = []
    for start in range(0, len(column), 10_000):
        part = column.slice(start, 10_000)
        values = part.to_pylist() if start else part[:count].to_pylist() + part[count:].to_pylist()
        texts += [text for text in ("" if v is None else str(v).strip() for v in values) if text]
        if len(texts) >= count:
            break
    return texts[:count]


def first_cell(column: pa.ChunkedArray) -> str:
    """The first text of a column; empty if there is none."""
    return next(iter(first_cells(column, 1)), "")


def is_number(text: str) -> bool:
    """Whether a text is a number, and no month with its year (``01.2024``)."""
    return bool(re.match(WHOLE, text) or re.match(POINT, text))


def _typed(column: pa.ChunkedArray, name: str) -> Stamps:
    zone = getattr(column.type, "tz", None) or ""
    if zone and zone[0] in "+-":
        zone = "UTC" if zone[1:] == "00:00" else f"UTC{zone}"
    try:
        exact = column.cast(pa.timestamp("ns", getattr(column.type, "tz", None)))
    except pa.ArrowInvalid:
        raise outside(name) from None
    return Stamps(pc.fill_null(exact.cast(pa.int64()), BAD).to_numpy(), whole=False, zone=zone)


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
    return Stamps(values, whole=False, orders={"422": "ymd"})


def _formatted(column: pa.ChunkedArray, name: str, formats: list[str]) -> Stamps:
    """Stamps in formats that are named, each cell in the first that fits."""
    text = column if pa.types.is_string(column.type) else _as_text(column)
    values, unread = np.full(len(column), BAD), ""
    aware = False
    for start in range(0, len(column), SLICE):
        coded = trimmed(text.slice(start, SLICE)).dictionary_encode()
        distinct = pd.Index(coded.dictionary.to_pylist(), dtype=object)
        found = np.full(len(distinct), BAD)
        left = np.flatnonzero(distinct != "")
        for form in formats:
            index = _strptime(distinct[left], form, name)
            aware |= "%z" in form
            fits = ~index.isna()
            found[left[fits]] = nanoseconds(index[fits], name)
            left = left[~fits]
        values[start : start + len(coded)] = found[coded.indices.to_numpy(zero_copy_only=False)]
        unread = unread or (str(distinct[left[0]]) if len(left) else "")
    if not (values != BAD).any():
        what = f"no cell of {name!r} is written as --date-format says ({' | '.join(formats)})"
        raise DataError(f"{what}; it begins with {first_cell(text)[:40]!r}")
    notes = [f"{name!r} is read as {' | '.join(formats)}"]
    return Stamps(values, False, "UTC" if aware else "", unread, notes)


def _strptime(texts: Any, form: str, name: str) -> pd.DatetimeIndex:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about formats that pandas will drop
        try:
            index = pd.to_datetime(texts, format=form, errors="coerce", utc="%z" in form)
        except ValueError as error:
            raise DataError(f"--date-format {form}: {' '.join(str(error).split())}") from None
        if index.hasnans:
            try:  # to pandas 2 years that nanoseconds can't count are no stamps, as any text is
                pd.to_datetime(texts[index.isna()][0], format=form, utc="%z" in form)
            except pd.errors.OutOfBoundsDatetime:
                raise outside(name) from None
            except ValueError:
                pass
    return pd.DatetimeIndex(index)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = column.cast(pa.string())
    return pc.replace_substring_regex(text, r"\.0*$", "")


def _texts(column: pa.ChunkedArray, name: str, asked: Asked) -> Stamps:
    """Text by its forms: the orders of each, times of day, zones."""
    cells = cut_cells(column)
    read = _Reading(cells, name, asked, lambda row: str(column[row].as_py() or "").strip())
    days, fits = read.days()
    time, there = _times(cells)
    fits &= there
    wall = np.where(fits, np.where(fits, days, 0) * DAY_NS + np.where(fits, time, 0), BAD)
    named = [form.zone for form in cells.forms]
    zoned = zones.to_utc(wall, cells.parts["east"], cells.parts["form"], named, asked.zone, name)
    lost = np.flatnonzero(zoned.values == BAD)
    unread = next((text for text in map(read.cell, lost[:1000].tolist()) if text), "")
    notes = [*read.notes(), *zoned.notes]
    midnights = int((fits & (cells.parts["H"] == 24)).sum())
    if midnights:
        notes.append(f"{plural(midnights, 'stamp')} of 24:00 taken as 0:00 of the day after")
    sixty = int((fits & (cells.parts["S"] == 60)).sum())
    if sixty:
        notes.append(f"{plural(sixty, 'stamp')} with 60 seconds taken as the next minute's first")
    doubts = read.doubts
    if not asked.by_run:
        doubts = [*doubts, *zones.shared_names({form.called for form in cells.forms}, name)]
    return Stamps(zoned.values, False, zoned.zone, unread, notes, doubts, read.orders)


def _times(cells: Cells) -> tuple[Ints, Bools]:
    parts = [cells.parts[part].astype(np.int64) for part in ("H", "M", "S", "f", "half")]
    return clock_nanoseconds(*parts)


class _Reading:
    """Decides, form by form, what the numbers of dates are."""

    def __init__(self, cells: Cells, name: str, asked: Asked, cell: Callable[[int], str]) -> None:
        self.cells, self.name, self.asked, self.cell = cells, name, asked, cell
        self.orders: dict[str, str] = {}
        self.doubts: list[Doubt] = []
        self.us = "us-week" in asked.formats or asked.orders.get("week") == "us"

    def days(self) -> tuple[Ints, Bools]:
        """``[R]`` days since 1970, and which cells hold a date."""
        days = np.zeros(len(self.cells.parts["form"]), np.int64)
        fits = np.zeros(len(days), bool)
        for signs in dict.fromkeys(form.signs for form in self.cells.forms):
            rows = self.cells.rows(signs)
            if not len(rows):
                continue
            days[rows], fits[rows] = self._family(signs, rows)
        return days, fits

    def _family(self, signs: str, rows: Ints) -> tuple[Ints, Bools]:
        """Days of the cells of one form."""
        parts = {part: values[rows].astype(np.int64) for part, values in self.cells.parts.items()}
        time, there = clock_nanoseconds(*(parts[part] for part in ("H", "M", "S", "f", "half")))

        def read(order: str) -> Ints:
            days, fits, _ = self._date(order, parts)
            fits &= there
            return np.where(fits, np.where(fits, days, 0) * DAY_NS + np.where(fits, time, 0), BAD)

        orders: Any = ORDERS[signs]
        if not orders:
            return np.zeros(len(rows), np.int64), np.zeros(len(rows), bool)
        example, dots = self.cell(int(rows[0])), self._form(signs).dots
        week = re.search(r"w(?:ee)?k|woche|semana|semaine|kw", self.name, re.IGNORECASE)
        if signs == "42" and (week or re.search("quarter|qtr|quartal", self.name, re.IGNORECASE)):
            orders = ("yw", "ym") if week else ("yq", "ym")
        order, doubt = choose_order(signs, orders, read, self.asked, self.name, example, dots)
        self.orders[signs] = order
        self.doubts += [doubt] if doubt else []
        if "w" in order and not self.us and not self._weeks_fit(order, parts):
            self.us = True
        days, fits, years = self._date(order, parts)
        beyond = fits & ((years < FIRST_YEAR) | (years > LAST_YEAR))
        if beyond.any():
            raise outside(self.name, self.cell(int(rows[np.flatnonzero(beyond)[0]])))
        if signs in LONE_YEAR and len(rows) > 1:
            steps = np.diff(days[fits])
            yearly = (steps >= 365) & (steps <= 366)  # 1-Jan, 2-Jan: days, not years
            fits &= bool(len(steps) and yearly.mean() < 0.5)
        return days, fits

    def _weeks_fit(self, order: str, parts: dict[str, Ints]) -> bool:
        return bool(self._date(order, parts)[1].all())

    def _form(self, signs: str) -> Form:
        return next(form for form in self.cells.forms if form.signs == signs)

    def _date(self, order: str, parts: dict[str, Ints]) -> tuple[Ints, Bools, Ints]:
        letters = [letter for letter in order if letter != "_"]
        numbers = {
            letter: parts[part]
            for letter, part in zip(letters, ("one", "two", "three"), strict=False)
        }
        brief = np.isin(parts["form"], self._short())
        if "y" in numbers:
            numbers["y"] = np.where(brief, full_years(numbers["y"]), numbers["y"])
        if "e" in numbers:
            years, rest = numbers["e"] // 10_000, numbers["e"] % 10_000
            numbers["e"] = full_years(years) * 10_000 + rest
        if "_" in order and "m" not in numbers and (parts["month"] > 0).any():
            numbers["m"] = parts["month"]
        return days_of(numbers, us=self.us)

    def _short(self) -> list[int]:
        return [number for number, form in enumerate(self.cells.forms) if form.short]

    def notes(self) -> list[str]:
        """How the dates were read, in sentences."""
        found = []
        for signs, order in self.orders.items():
            if signs in ("224", "222", "422") and order in ORDER_WORDS and not self.doubts:
                found.append(f"{self.name!r} is read with the {ORDER_WORDS[order]}")
        forms = self.cells.forms
        if any(form.short for form in forms):
            pivot = "69 to 99 are read as 1969 to 1999"
            found.append(f"{self.name!r} has years of two digits; {pivot}")
        if any(form.range for form in forms):
            found.append(f"{self.name!r} holds spans of time; each is taken by its first stamp")
        if any("w" in order for order in self.orders.values()):
            kind = "weeks from Sunday, the first with January 1" if self.us else "ISO weeks"
            other = "iso-week" if self.us else "us-week"
            found.append(f"{self.name!r} is read as {kind} (--date-format {other} reads others)")
        ways = sorted(signs for signs in self.orders if signs not in ("week",))
        if len({"".join(sorted(signs)) for signs in ways}) > 1:
            found.append(
                f"{self.name!r} is written in {len(ways)} ways; each cell is read by its own"
            )
        if any("w" in order for order in self.orders.values()):
            self.orders["week"] = "us" if self.us else "iso"
        return found
