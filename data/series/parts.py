"""Stamps that stand in several columns: a date and a time of day; year, month, week, quarter.

Columns are told by their names, in several languages, and by what they hold.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Ints
from birnn.data.stamps import words
from birnn.data.stamps.column import Stamps, first_cells, read_stamps
from birnn.data.stamps.dates import DAY_NS, FIRST_YEAR, LAST_YEAR, days_of, full_years
from birnn.data.stamps.forms import read_clock, skeleton
from birnn.data.stamps.orders import BAD, Asked
from birnn.errors import DataError

# Letters as in :func:`birnn.data.stamps.dates.days_of`; names in lower case, letters alone.
ROLES = {
    "y": "year yr years yyyy yy jahr ano anno annee jaar an",
    "m": "month mon mo months mm mnth monthname monthnumber monthno monat mes mois mese maand",
    "d": "day dd dy mday dayofmonth monthday dom tag dia jour giorno dag days",
    "q": "quarter qtr q quarters quartal trimestre trimester kwartaal",
    "w": "week wk weeks weekno weeknum weeknumber weekofyear isoweek kw kalenderwoche woche semaine"
         " semana settimana",
    "h": "half halfyear halves halbjahr semester semestre hy",
    "n": "dayofyear doy yday yearday julianday tagdesjahres",
    "H": "hour hr hh hours hourofday std stunde hora heure uur ora he hourending",
    "M": "minute min minutes minuto minuut mi",
    "S": "second sec seconds ss sekunde segundo seconde",
}  # fmt: skip
WORDS = {"y": "year", "m": "month", "d": "day", "q": "quarter", "w": "week", "h": "half-year",
         "n": "day of the year", "H": "hour", "M": "minute", "S": "second"}  # fmt: skip
BOUNDS = {"m": (1, 12), "d": (1, 31), "q": (1, 4), "w": (0, 54), "h": (1, 2), "n": (1, 366),
          "H": (0, 24), "M": (0, 59), "S": (0, 60)}  # fmt: skip
TIME_OF_DAY = re.compile(r"time|zeit|uhr|hora|heure|ora|hour|tijd|clock|hhmm|^hr$|^hh$", re.I)
BY_NAME = {name: role for role, names in ROLES.items() for name in names.split()}
ENOUGH = 0.9  # of the cells of a part


@dataclass(frozen=True)
class Joined:
    """Stamps of several columns."""

    columns: list[str]
    stamps: Stamps


def role_of(name: str, column: pa.ChunkedArray | None = None) -> str:
    """The part of a stamp that a column's name stands for; empty for none.

    A ``period`` is told by its cells: ``M01`` or ``Q1``.
    """
    plain = re.sub(r"[^a-z]", "", words.plain(name))
    if plain == "period" and column is not None:
        letters = {text[0] for text in first_cells(column) if re.fullmatch(r"[MQSH]\d{1,2}", text)}
        return {"M": "m", "Q": "q", "S": "h", "H": "h"}[letters.pop()] if len(letters) == 1 else ""
    return BY_NAME.get(plain, "")


def find_parts(table: pa.Table, names: list[str], asked: Asked) -> Joined | None:
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
    if role == "y":
        fits = ((numbers >= FIRST_YEAR) & (numbers <= LAST_YEAR)) | (
            (numbers >= 0) & (numbers < 100) & (numbers == numbers)
        )
    else:
        low, high = BOUNDS[role]
        fits = (numbers >= low) & (numbers <= high)
    return filled > 0 and fits.sum() >= ENOUGH * filled


def part_numbers(column: pa.ChunkedArray, role: str) -> Ints:
    """``[R]`` whole numbers of a column: ``1``, ``Q1``, ``W05``, ``Jan``; BAD for others."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            numbers = pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy()
            good = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (abs(numbers) < 1e9)
            return np.where(good, np.where(good, numbers, 0).astype(np.int64), BAD)
        return np.full(len(column), BAD)
    whole = pa.chunked_array(column.chunks, column.type).combine_chunks()
    coded = pc.utf8_trim_whitespace(pc.fill_null(whole, "")).dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    numbers = np.array([_part(text, role) for text in coded.dictionary.to_pylist()], np.int64)
    places = coded.indices.to_numpy(zero_copy_only=False)
    return numbers[places] if len(numbers) else np.full(len(column), BAD)


def _part(text: str, role: str) -> int:
    match = re.fullmatch(r"(\d{1,4})(?:\.0*)?", text)
    if match is None and role == "m" and (month := words.month_number(text)):
        return month
    if match is None and role in "mqwh":
        match = re.fullmatch(r"[^\W\d]{0,10}\.?\s?(\d{1,2})\.?", text)
    return int(match[1]) if match else int(BAD)


def _from_parts(table: pa.Table, chosen: dict[str, str], asked: Asked) -> Joined:
    parts = {role: part_numbers(table.column(name), role) for role, name in chosen.items()}
    fits = np.all([values != BAD for values in parts.values()], axis=0)
    plain = {role: np.where(fits, values, 1) for role, values in parts.items()}
    plain["y"] = full_years(plain["y"])
    dates = {role: values for role, values in plain.items() if role in "ymdqwhn"}
    us, notes = "us-week" in asked.formats or asked.orders.get("week") == "us", []
    days, there, _ = days_of(dates, us=us)
    if "w" in dates and not us and not there[fits].all():
        us = True
        days, there, _ = days_of(dates, us=True)
    orders = {"parts": "".join(chosen)}
    if "w" in dates:
        orders["week"] = "us" if us else "iso"
        kind = "weeks from Sunday, the first with January 1" if us else "ISO weeks"
        other = "iso-week" if us else "us-week"
        notes.append(f"read as {kind} (--date-format {other} reads others)")
    time = np.zeros(len(days), np.int64)
    for role, seconds in (("H", 3600), ("M", 60), ("S", 1)):
        time += plain.get(role, 0 * time) * seconds * 10**9
    for role, values in plain.items():
        if role in BOUNDS:
            there &= (values >= BOUNDS[role][0]) & (values <= BOUNDS[role][1])
    fits &= there & (days > -106_000) & (days < 106_000)
    values = np.where(fits, np.where(fits, days, 0) * DAY_NS + time, BAD)
    lost = np.flatnonzero(~fits)
    cell = " ".join(str(table.column(n)[int(lost[0])].as_py()) for n in chosen.values()) if len(
        lost) else ""  # fmt: skip
    names = list(chosen.values())
    joined = ", ".join(f"{name!r} ({WORDS[role]})" for role, name in chosen.items())
    notes = [f"the time is joined from {joined}", *notes]
    return Joined(names, Stamps(values, False, cell=cell.strip(), notes=notes, orders=orders))


def with_clock(
    table: pa.Table, date: str, stamps: Stamps, free: list[str], asked: Asked
) -> Joined | None:
    """The date's column joined with one of times of day, where that tells rows apart."""
    known = stamps.values[stamps.values != BAD]
    if stamps.whole or stamps.zone or not len(known) or (known % DAY_NS).any():
        return None
    days = len(np.unique(known))
    if days == len(known):
        return None
    ranked = sorted(free, key=lambda name: not TIME_OF_DAY.search(name))
    for name in ranked:
        joined = join_clock(table, date, stamps, name, asked)
        if joined is None:
            continue
        moments = len(np.unique(joined.stamps.values[joined.stamps.values != BAD]))
        if joined.stamps.read >= ENOUGH * stamps.read and moments > days:
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
) -> Joined | None:
    """A date's column and a time of day's; ``None`` if the second holds none."""
    column = table.column(name)
    if pa.types.is_time(column.type):
        column = column.cast(pa.string())
    told = [f"the time is joined from {date!r} and {name!r}"]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        some = first_cells(column)
        clocks = [text for text in some if read_clock(skeleton(text)) and not text.isdigit()]
        if some and len(clocks) >= ENOUGH * len(some):
            return _with_texts(table.column(date), column, [date, name], stamps, asked)
    role = role_of(name)
    if not (role == "H" or TIME_OF_DAY.search(name)):
        return None
    hours = part_numbers(column, "H")
    known = hours[hours != BAD]
    if not len(known) or known.min() < 0 or known.max() > 2400:
        return None
    if known.max() > 24:  # HHMM
        if (known % 100 > 59).any():
            return None
        minutes = hours // 100 * 60 + hours % 100
        told.append(f"{name!r} is read as hours and minutes (HHMM)")
    else:
        minutes = hours * 60
    fits = (hours != BAD) & (stamps.values != BAD)
    values = np.where(fits, stamps.values + np.where(fits, minutes, 0) * 60 * 10**9, BAD)
    return Joined([date, name], replace(stamps, values=values, notes=[*stamps.notes, *told]))


def _with_texts(
    first: pa.ChunkedArray, clocks: pa.ChunkedArray, names: list[str], stamps: Stamps, asked: Asked
) -> Joined | None:
    """Dates, already read or together with them, and times of day as text."""
    told = [f"the time is joined from {names[0]!r} and {names[1]!r}"]
    if asked.written:  # the format is the dates' alone
        day = pc.binary_join_element_wise("1970-01-01", clocks.cast(pa.string()), " ")
        found = read_stamps(day, names[1])
        if found is None:
            return None
        fits = (found.values != BAD) & (stamps.values != BAD)
        values = np.where(fits, stamps.values + np.where(fits, found.values, 0), BAD)
        return Joined(names, replace(stamps, values=values, notes=[*stamps.notes, *told]))
    if not pa.types.is_string(first.type):
        first = pc.strftime(first.cast(pa.timestamp("s")), format="%Y-%m-%d")
    text = pc.binary_join_element_wise(first.cast(pa.string()), clocks.cast(pa.string()), " ")
    found = read_stamps(text, " ".join(names), asked)
    if found is None:
        return None
    return Joined(names, replace(found, notes=[*told, *found.notes]))


def join_named(table: pa.Table, names: list[str], asked: Asked, where: str) -> Joined:
    """The stamps of the columns that are named, in whatever order.

    Raises:
        DataError: they are no date and time, and no year with its parts.
    """
    if asked.written:
        texts = [table.column(name).cast(pa.string()) for name in names]
        text = pc.binary_join_element_wise(*texts, " ")
        found = read_if_written(text, " ".join(names), asked)
        if found is not None:
            return Joined(names, found)
    roles = {role_of(name, table.column(name)): name for name in names}
    if "y" in roles and len(roles) == len(names):
        parts = find_parts(table, names, asked)
        if parts is not None and set(parts.columns) == set(names):
            return parts
    for date in names:
        stamps = read_if_written(table.column(date), date, asked)
        if stamps is None or stamps.whole or len(names) != 2:
            continue
        other = names[1 - names.index(date)]
        joined = join_clock(table, date, stamps, other, asked)
        if joined is not None:
            return joined
    texts = [table.column(name).cast(pa.string()) for name in names]
    text = pc.binary_join_element_wise(*texts, " ")
    found = read_stamps(text, " ".join(names), asked)
    if found is None:
        shown = " ".join(first_cells(table.column(name), 1)[0] if first_cells(
            table.column(name), 1) else "" for name in names)  # fmt: skip
        mend = "say how they are written together with --date-format"
        raise DataError(f"{where}: {', '.join(names)} hold no stamps, as {shown[:40]!r}; {mend}")
    told = f"the time is joined from {', '.join(map(repr, names))}"
    return Joined(names, replace(found, notes=[told, *found.notes]))
