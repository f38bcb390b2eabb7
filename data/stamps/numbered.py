"""Stamps that are written as numbers: 20160701, Unix time, Excel's day numbers, decimal years.

A reading must fit the whole column. Counts (1, 2, 3, …) and years stay whole numbers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Array, Floats, Ints
from birnn.data.stamps.cells import SLICE, trimmed
from birnn.data.stamps.dates import DAY_NS, clock_nanoseconds, days_of, full_years
from birnn.data.stamps.orders import BAD, CLEARLY, NUMBERS, Asked, Doubt, regularity, undecided

DATE_NAME = re.compile(
    r"date|time|month|day|^ds$|period|stamp|datum|zeit|fecha|^data$|quarter|week|year|moment"
    r"|(?<![a-z])(?:tag|monat|jahr|mes|mois|jour|dia|giorno|mese|anno|hora|ora|yyyy\w*|when|dato"
    r"|año|ano|année|annee|rok|aasta|tarih|data ?hora|dátum|dzień|semana|woche|år)(?![a-z])"
    r"|дата|время|год|месяц|日期|日付|日時|时间|時間|年|月|날짜|일자|시간|연도|تاريخ",
    re.IGNORECASE,
)
WHOLE, POINT = r"^[+-]?\d{1,19}(\.0*)?$", r"^[+-]?\d+[.,]\d+$"
UNIX = {"unix": 1, "unix-ms": 1_000, "unix-us": 1_000_000, "unix-ns": 10**9}
UNITS = {"unix": "seconds", "unix-ms": "milliseconds", "unix-us": "microseconds",
         "unix-ns": "nanoseconds"}  # fmt: skip
EXCEL_ZERO = -25_569  # days since 1970 of the day before Excel's first, as all days from March 1900
# Digits → what numbers of so many digits can be, the usual one first.
COMPACT = {
    5: ("yq",), 6: ("ym", "yw", "ymd2", "dmy2", "mdy2"), 7: ("yn", "dmy", "mdy"),
    8: ("ymd", "dmy", "mdy"), 10: ("ymdH",), 12: ("ymdHM",), 14: ("ymdHMS",), 17: ("ymdHMSf",),
}  # fmt: skip
SPOKEN = {
    "ymd": "year, month and day", "ym": "year and month", "yw": "year and ISO week",
    "yq": "year and quarter", "yn": "year and day of the year", "dmy": "day, month and year",
    "mdy": "month, day and year", "ymd2": "year (of two digits), month and day",
    "dmy2": "day, month and year (of two digits)", "mdy2": "month, day and year (of two digits)",
    "ymdH": "year, month, day and hour", "ymdHM": "year, month, day, hour and minute",
    "ymdHMS": "year, month, day and time", "ymdHMSf": "year, month, day and time",
    "excel": "Excel's day numbers (1900 system)", "unix-days": "days since 1970",
    "decimal": "years with their parts as decimals", "y.m": "year and month",
    "m.y": "month and year",
}  # fmt: skip


@dataclass(frozen=True)
class Numbered:
    """``R`` stamps from numbers."""

    values: Ints  # [R] nanoseconds since 1970, or the whole numbers; BAD where there is none
    whole: bool
    kind: str = ""  # what they were read as; empty for whole numbers
    cell: str = ""  # the first text that is no such number
    notes: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    @property
    def zone(self) -> str:
        """Unix time is in UTC."""
        return "UTC" if self.kind in UNIX else ""


def read_numbered(column: pa.ChunkedArray, name: str, asked: Asked) -> Numbered | None:
    """Read a column ``[R]`` of numbers, typed or as text; ``None`` where none is a stamp.

    Raises:
        DataError: they can be read in two ways that are as good as each other.
    """
    whole, points, cell = _numbers(column)
    known = whole[whole != BAD]
    pointed = np.isfinite(points)
    if pointed.any() and 2 * pointed.sum() >= len(known):
        numbers = np.where(pointed, points, np.where(whole == BAD, np.nan, whole))
        return _fractions(numbers, column, name, cell, asked)
    if not len(known):
        return None
    if pointed.any() and not cell:
        cell = str(column[int(np.flatnonzero(pointed)[0])].as_py())
    wanted = asked.number or next((form for form in asked.formats if form in NUMBERS), "")
    plain = Numbered(whole, True, cell=cell)
    if wanted == "number":
        return plain
    if wanted in (*UNIX, "excel", "unix-days"):
        return Numbered(_scaled(whole, wanted), False, wanted, cell, [_told(name, wanted, known)])
    found = _dated(whole, known, name, cell, wanted, asked)
    return found or replace(plain, doubts=_day_numbers(known, name))


def _day_numbers(known: Ints, name: str) -> list[Doubt]:
    """A doubt where whole numbers could be days as Excel counts them, from 1954 to 2077."""
    if len(known) < 2 or known.min() < 20_000 or known.max() >= 65_000:
        return []
    text = f"the numbers of {name!r}, as {known[0]}, could be days"
    return [Doubt(text, "taken as numbers (--date-format excel or unix-days reads them as days)")]


def _numbers(column: pa.ChunkedArray) -> tuple[Ints, Floats, str]:
    """Whole numbers (BAD for others), those with a point (NaN), and the first text that is none."""
    whole, points, cell = np.full(len(column), BAD), np.full(len(column), np.nan), ""
    for start in range(0, len(column), SLICE):
        part = column.slice(start, SLICE)
        at = slice(start, start + len(part))
        if pa.types.is_floating(part.type) or pa.types.is_decimal(part.type):
            numbers = pc.fill_null(part.cast(pa.float64(), safe=False), np.nan).to_numpy()
            good = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (abs(numbers) < 2**63)
            whole[at][good] = numbers[good].astype(np.int64)
            points[at] = np.where(good, np.nan, numbers)
            continue
        if pa.types.is_integer(part.type):
            whole[at] = pc.fill_null(part.cast(pa.int64(), safe=False), BAD).to_numpy()
            continue
        text = trimmed(part)
        fits = pc.match_substring_regex(text, WHOLE)
        digits = pc.replace_substring_regex(pc.if_else(fits, text, None), r"^\+|\.0*$", "")
        try:
            whole[at] = pc.fill_null(digits.cast(pa.int64()), BAD).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:  # beyond 64 bits
            fits = pc.and_(fits, pc.less(pc.utf8_length(text), 19))
            digits = pc.if_else(fits, digits, None)
            whole[at] = pc.fill_null(digits.cast(pa.int64()), BAD).to_numpy(zero_copy_only=False)
        if pc.all(fits, min_count=0).as_py():
            continue
        pointed = pc.match_substring_regex(text, POINT)
        written = pc.replace_substring(pc.if_else(pointed, text, None), ",", ".")
        numbers = pc.fill_null(written.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
        points[at] = np.where(pc.and_(pointed, pc.invert(fits)), numbers, np.nan)
        other = pc.filter(text, pc.invert(pc.or_(pc.or_(fits, pointed), pc.equal(text, ""))))
        cell = cell or (str(other[0].as_py()) if len(other) else "")
    return whole, points, cell


def _dated(
    whole: Ints, known: Ints, name: str, cell: str, wanted: str, asked: Asked
) -> Numbered | None:
    """Whole numbers that are dates by their digits, Unix time, or days."""
    distinct, places = np.unique(known, return_inverse=True)
    if distinct[0] < 0:
        return None
    digits = len(str(int(np.quantile(distinct, 0.5, method="nearest"))))
    named = bool(DATE_NAME.search(name))
    if named or len(distinct) > 12 or digits >= 10 or (digits == 6 and _are_months(distinct)):
        found = _compact(distinct, digits, name, named, wanted, asked, whole, places)
        if found is not None:
            values, kind, doubts = found
            notes = [_told(name, kind, known)]
            return Numbered(values, False, kind, cell, notes, doubts)
    low, high = int(distinct[0]), int(distinct[-1])
    for kind, parts in UNIX.items():
        # Nine digits may be anything, but for whole minutes apart; twelve and more at such a
        # distance from 1970 are time.
        minutes = len(distinct) > 2 and not (np.diff(distinct) % (60 * parts)).any()
        least = 10**8 if parts > 1 or named or minutes else 9 * 10**8
        if least * parts <= low and high < 42 * 10**8 * parts:
            return Numbered(_scaled(whole, kind), False, kind, cell, [_told(name, kind, known)])
    if not named or digits != 5 or re.search("year|jahr|month|quarter|week", name, re.IGNORECASE):
        return None
    kind = "unix-days" if low >= 10_957 and high < 25_569 else "excel"
    if kind == "excel" and not (low >= 32_874 and high < 62_093):  # 1990 to 2069
        return None
    text = f"{name!r} holds numbers of days, as {low}"
    done = f"read as {SPOKEN[kind]} (--date-format excel, unix-days or number decides)"
    return Numbered(_scaled(whole, kind), False, kind, cell, [], [Doubt(text, done)])


def _are_months(distinct: Ints) -> bool:
    """Whether distinct numbers are YYYYMM that go on month by month over a change of years."""
    stamps = _parts_of("ym", distinct)
    over = len(distinct) > 3 and distinct[0] // 100 != distinct[-1] // 100
    return bool(over and (stamps != BAD).all() and regularity(stamps) > 0.9)


def _scaled(whole: Ints, kind: str) -> Ints:
    """Unix time or day numbers as nanoseconds."""
    if kind in UNIX:
        return np.where(whole == BAD, BAD, whole * (10**9 // UNIX[kind]))
    days = whole + (EXCEL_ZERO if kind == "excel" else 0)
    fits = (whole != BAD) & (abs(days) < 106_000)
    return np.where(fits, np.where(fits, days, 0) * DAY_NS, BAD)


def _told(name: str, kind: str, known: Array) -> str:
    if kind in UNIX:
        return f"{name!r} is read as Unix {UNITS[kind]} (UTC)"
    shown = known[0] if known.dtype.kind == "i" else f"{known[0]:.12g}"
    return f"{name!r} is read as {SPOKEN[kind]} ({shown})"


def _compact(
    distinct: Ints, digits: int, name: str, named: bool, wanted: str, asked: Asked, whole: Ints,
    places: Ints,
) -> tuple[Ints, str, list[Doubt]] | None:  # fmt: skip
    """Numbers whose digits are year, month, day and so on, if nine in ten are such dates."""
    able: dict[str, Ints] = {}
    kinds = COMPACT.get(digits, ())
    for kind in [wanted] if wanted in SPOKEN else kinds:
        if kind in ("yq", "ymd2", "dmy2", "mdy2", "dmy", "mdy") and not named:
            continue
        if kind == "yw" and not re.search(r"w(?:ee)?k|yw|ww|kw|woche|semana", name, re.I):
            continue
        stamps = _parts_of(kind, distinct)
        spread = np.full(len(whole), BAD)
        spread[whole != BAD] = stamps[places]
        if (stamps != BAD).mean() >= 0.9:
            able[kind] = spread
    if asked.day_first is not None:
        order = "d" if asked.day_first else "m"
        able = {k: v for k, v in able.items() if k[0] == order or k[:3] not in ("dmy", "mdy")}
    if not able:
        return None
    least = min(int((values == BAD).sum()) for values in able.values())
    able = {kind: values for kind, values in able.items() if int((values == BAD).sum()) == least}
    first = next(iter(able))
    if len(able) == 1 or first in ("ymd", "ym", "yn"):
        doubts = []
        if first == "ym" and distinct[0] // 100 == distinct[-1] // 100:
            text = f"the numbers of {name!r}, as {distinct[0]}, count up by one"
            done = "read as year and month (--date-format number reads them as numbers)"
            doubts = [Doubt(text, done)]
        return able[first], first, doubts
    scores = {kind: regularity(values) for kind, values in able.items()}
    best, second = sorted(able, key=lambda kind: -scores[kind])[:2]
    if scores[best] - scores[second] <= CLEARLY:
        raise undecided(name, str(distinct[0]), [SPOKEN[best], SPOKEN[second]])
    text = f"the numbers of {name!r}, as {distinct[0]}, can be read as several dates"
    done = f"read as {SPOKEN[best]}, the more regular (--day-first or --date-format decides)"
    return able[best], best, [Doubt(text, done)]


def _parts_of(kind: str, numbers: Ints) -> Ints:
    """``[U]`` numbers by their digits as nanoseconds, BAD for what is no date."""
    nothing = np.zeros_like(numbers)
    time, fits = nothing, np.ones(len(numbers), bool)
    if kind.startswith("ymdH"):
        extra = {"ymdH": 2, "ymdHM": 4, "ymdHMS": 6, "ymdHMSf": 9}[kind]
        tail = numbers % 10**extra * 10 ** (9 - extra)
        numbers, hour = numbers // 10**extra, tail // 10**7
        parts = (hour, tail // 10**5 % 100, tail // 1000 % 100, tail % 1000 * 10**6)
        time, fits = clock_nanoseconds(*parts, np.full(len(numbers), -1))
        kind = "ymd"
    cut: dict[str, Callable[[Ints], dict[str, Ints]]] = {
        "ymd": lambda n: {"c": n},
        "ym": lambda n: {"y": n // 100, "m": n % 100},
        "yw": lambda n: {"y": n // 100, "w": n % 100},
        "yq": lambda n: {"y": n // 10, "q": n % 10},
        "yn": lambda n: {"y": n // 1000, "n": n % 1000},
        "dmy": lambda n: {"y": n % 10_000, "m": n // 10_000 % 100, "d": n // 10**6},
        "mdy": lambda n: {"y": n % 10_000, "d": n // 10_000 % 100, "m": n // 10**6},
        "ymd2": lambda n: {"y": full_years(n // 10_000), "m": n // 100 % 100, "d": n % 100},
        "dmy2": lambda n: {"y": full_years(n % 100), "m": n // 100 % 100, "d": n // 10_000},
        "mdy2": lambda n: {"y": full_years(n % 100), "d": n // 100 % 100, "m": n // 10_000},
    }
    days, there, year = days_of(cut[kind](numbers), us=False)
    fits = fits & there & (year >= 1678) & (year <= 2261)
    return np.where(fits, np.where(fits, days, 0) * DAY_NS + np.where(fits, time, 0), BAD)


def _fractions(
    numbers: Floats, column: pa.ChunkedArray, name: str, cell: str, asked: Asked
) -> Numbered | None:
    """Numbers with a point: Excel's days with the time, Unix time, decimal years, 2024.01."""
    known = numbers[np.isfinite(numbers)]
    low, high, wanted = known.min(), known.max(), asked.number
    wanted = wanted or next((form for form in asked.formats if form in NUMBERS), "")
    if wanted == "number" or not (wanted or DATE_NAME.search(name) or _month_cells(column)):
        return None
    values: Ints | None = None
    kind = ""
    if wanted in ("", "excel") and low >= 20_000 and high < 80_000:
        kind, values = "excel", _moments((known + EXCEL_ZERO) * 86_400)
    elif wanted in ("", *UNIX) and low >= 9 * 10**8 and high < 42 * 10**8:
        kind, values = "unix", np.rint(known * 10**6).astype(np.int64) * 1000
    elif low >= 1 and high < 13 and wanted in ("", "m.y"):
        kind, values = "m.y", _year_and_month(known, month_first=True)
    elif low >= 1678 and high < 2262 and wanted in ("", "y.m", "decimal"):
        kind, values = "y.m", _year_and_month(known, month_first=False)
        if values is None or wanted == "decimal":
            kind, values = "decimal", _decimal_years(known)
    if values is None:
        return None
    spread = np.full(len(numbers), BAD)
    spread[np.isfinite(numbers)] = values
    return Numbered(spread, False, kind, cell, [_told(name, kind, known)])


def _month_cells(column: pa.ChunkedArray) -> bool:
    """Whether all cells are written as a month and its year: ``01.2024``."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    fits = pc.match_substring_regex(column, r"^\s*(0[1-9]|1[0-2]|[1-9])\.(1[89]|20|21)\d\d\s*$")
    least = pc.count_distinct(column.slice(0, 1000)).as_py() > 3
    return bool(least and pc.all(fits, min_count=0).as_py())


def _moments(seconds: Floats) -> Ints:
    """Nanoseconds of seconds that come from rounded days: whole seconds where they are near."""
    whole = np.rint(seconds)
    if (np.abs(seconds - whole) < 0.02).all():
        return whole.astype(np.int64) * 10**9
    return np.rint(seconds * 1000).astype(np.int64) * 10**6


def _year_and_month(known: Floats, *, month_first: bool) -> Ints | None:
    """``2024.01`` or ``01.2024``; ``None`` where the decimals are no such months or years."""
    size = 10_000 if month_first else 100
    whole = np.floor(known)
    rest = (known - whole) * size
    if (np.abs(rest - np.rint(rest)) > 1e-4).any():
        return None
    year, month = np.rint(rest).astype(np.int64), whole.astype(np.int64)
    if not month_first:
        year, month = month, year
    days, fits, _ = days_of({"y": year, "m": month}, us=False)
    return days * DAY_NS if fits.all() and (year >= 1678).all() else None


def _decimal_years(known: Floats) -> Ints | None:
    """``1949.083``: years in twelfths, or quarters; ``None`` for other parts."""
    months = known * 12
    whole = np.rint(months)
    if (np.abs(months - whole) > 0.1).any() or len(np.unique(known)) < 3:
        return None
    number = whole.astype(np.int64)
    days, _, _ = days_of({"y": number // 12, "m": number % 12 + 1}, us=False)
    return days * DAY_NS
