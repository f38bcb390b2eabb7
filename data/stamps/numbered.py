"""Stamps that are written as numbers: 20160701, Unix time, Excel's day numbers, decimal years.

A reading must fit the whole column. Counts (1, 2, 3, …) and years stay whole numbers.
"""

import re
from dataclasses import replace
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Array, Floats, Ints
from birnn.data.arrow import is_text
from birnn.data.stamps.cells import SLICE, trimmed
from birnn.data.stamps.dates import (
    DAY_NS,
    MOST_DAYS,
    are_years,
    clock_nanoseconds,
    days_of,
    full_years,
    moments,
)
from birnn.data.stamps.names import DATE_NAME, WEEK_NAME
from birnn.data.stamps.orders import CLEARLY, regularity, undecided
from birnn.data.stamps.reading import BAD, Asked, Doubt, Stamps

WHOLE, POINT = r"^[+-]?\d{1,19}(\.0*)?$", r"^[+-]?\d+[.,]\d+$"
UNIX = {"unix": 1, "unix-ms": 1_000, "unix-us": 1_000_000, "unix-ns": 10**9}  # in a second
EXCEL_ZERO = -25_569  # days since 1970 of the day before Excel's first, as all days from March 1900
# Kind → what its digits are (letters as in dates.days_of, and H, M, S and f of a second). Of kinds
# with as many digits the usual one stands first.
DIGITS = {
    "yq": "yyyyq", "ym": "yyyymm", "yw": "yyyyww", "ymd2": "yymmdd", "dmy2": "ddmmyy",
    "mdy2": "mmddyy", "yn": "yyyynnn", "ymd": "yyyymmdd", "dmy": "ddmmyyyy", "mdy": "mmddyyyy",
    "ymdH": "yyyymmddHH", "ymdHM": "yyyymmddHHMM", "ymdHMS": "yyyymmddHHMMSS",
    "ymdHMSf": "yyyymmddHHMMSSfff",
}  # fmt: skip
ONLY_NAMED = {"yq", "ymd2", "dmy2", "mdy2", "dmy", "mdy"}  # where the column is called a date
FRACTIONS = {"decimal", "y.m", "m.y"}
SPOKEN = {
    "ymd": "year, month and day", "ym": "year and month", "yw": "year and ISO week",
    "yq": "year and quarter", "yn": "year and day of the year", "dmy": "day, month and year",
    "mdy": "month, day and year", "ymd2": "year (of two digits), month and day",
    "dmy2": "day, month and year (of two digits)", "mdy2": "month, day and year (of two digits)",
    "ymdH": "year, month, day and hour", "ymdHM": "year, month, day, hour and minute",
    "ymdHMS": "year, month, day and time", "ymdHMSf": "year, month, day and time",
    "excel": "Excel's day numbers (1900 system)", "unix-days": "days since 1970",
    "decimal": "years with their parts as decimals", "y.m": "year and month",
    "m.y": "month and year", "unix": "Unix seconds (UTC)", "unix-ms": "Unix milliseconds (UTC)",
    "unix-us": "Unix microseconds (UTC)", "unix-ns": "Unix nanoseconds (UTC)",
}  # fmt: skip


def is_numeral(text: str) -> bool:
    """Whether a text is a plain number, whole or with a decimal sign."""
    return bool(re.match(WHOLE, text) or re.match(POINT, text))


def read_numbered(column: pa.ChunkedArray, name: str, asked: Asked) -> Stamps | None:
    """Read a column ``[R]`` of numbers, typed or as text; ``None`` where none is a stamp.

    Raises:
        DataError: they can be read in two ways that are as good as each other.
    """
    whole, points, cell = _numbers(column)
    known = whole[whole != BAD]
    pointed = np.isfinite(points)
    if (pointed.any() and 2 * pointed.sum() >= len(known)) or asked.number in FRACTIONS:
        numbers = np.where(pointed, points, np.where(whole == BAD, np.nan, whole))
        found = _fractions(numbers, column, name, asked)
        return None if found is None else replace(found, cell=cell)
    if not len(known):
        return None
    if pointed.any() and not cell:
        cell = str(column[int(np.flatnonzero(pointed)[0])].as_py())
    return replace(_whole(whole, known, name, asked), cell=cell)


def _whole(whole: Ints, known: Ints, name: str, asked: Asked) -> Stamps:
    """Whole numbers (BAD for others, none in ``known``) as they are asked for, or found."""
    if asked.numbers == "number":
        return Stamps(whole, whole=True)
    if asked.numbers in (*UNIX, "excel", "unix-days"):
        return _stamps(_scaled(whole, asked.numbers), asked.numbers, name, known)
    return _dated(whole, known, name, asked) or Stamps(
        whole, whole=True, doubts=_day_numbers(known, name)
    )


def _stamps(values: Ints, kind: str, name: str, known: Array) -> Stamps:
    """Stamps from numbers of a kind; a note says so and shows the first of those ``known``."""
    shown = "" if kind in UNIX else f" ({known[0]:.12g})" if known.dtype.kind == "f" else (
        f" ({known[0]})")  # fmt: skip
    note = f"{name!r} is read as {SPOKEN[kind]}{shown}"
    return Stamps(values, zone="UTC" if kind in UNIX else "", notes=[note], number=kind)


def _day_numbers(known: Ints, name: str) -> list[Doubt]:
    """A doubt where whole numbers could be days as Excel counts them, from 1954 to 2077.

    Or months of one year of our time, as 201903.
    """
    months = len(known) > 1 and known.min() > 190_000 and known.max() // 100 == known.min() // 100
    if months and known.max() < 210_000 and (_by_digits("ym", known) != BAD).all():
        text = f"the numbers of {name!r}, as {known[0]}, could be months"
        return [Doubt(text, "taken as numbers (--date-format %Y%m reads them as months)")]
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
            values = digits.cast(pa.int64())
        except pa.ArrowInvalid:  # beyond 64 bits
            fits = pc.and_(fits, pc.less(pc.utf8_length(text), 19))
            values = pc.if_else(fits, digits, None).cast(pa.int64())
        whole[at] = pc.fill_null(values, BAD).to_numpy(zero_copy_only=False)
        if pc.all(fits, min_count=0).as_py():
            continue
        pointed = pc.match_substring_regex(text, POINT)
        written = pc.replace_substring(pc.if_else(pointed, text, None), ",", ".")
        numbers = pc.fill_null(written.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
        points[at] = np.where(pc.and_(pointed, pc.invert(fits)), numbers, np.nan)
        other = pc.filter(text, pc.invert(pc.or_(pc.or_(fits, pointed), pc.equal(text, ""))))
        cell = cell or (str(other[0].as_py()) if len(other) else "")
    return whole, points, cell


def _dated(whole: Ints, known: Ints, name: str, asked: Asked) -> Stamps | None:
    """Whole numbers that are dates by their digits, Unix time, or days."""
    distinct = np.unique(known)
    if distinct[0] < 0:
        return None
    digits = len(str(int(np.quantile(distinct, 0.5, method="nearest"))))
    named = bool(DATE_NAME.search(name))
    clear = {6: _are_months, 8: _are_days}.get(digits)
    if named or len(distinct) > 12 or digits >= 10 or (clear and clear(distinct)):
        found = _compact(whole, known, distinct, digits, name, asked)
        if found is not None:
            return found
    low, high = int(distinct[0]), int(distinct[-1])
    for kind, parts in UNIX.items():
        # Nine digits may be anything, but for whole minutes apart; twelve and more at such a
        # distance from 1970 are time.
        minutes = len(distinct) > 2 and not (np.diff(distinct) % (60 * parts)).any()
        least = 10**8 if parts > 1 or named or minutes else 9 * 10**8
        if least * parts <= low and high < 42 * 10**8 * parts:
            return _stamps(_scaled(whole, kind), kind, name, known)
    if not named or digits != 5 or re.search("year|jahr|month|quarter|week", name, re.IGNORECASE):
        return None
    kind = "unix-days" if low >= 10_957 and high < 25_569 else "excel"
    if kind == "excel" and not (low >= 32_874 and high < 62_093):  # 1990 to 2069
        return None
    text = f"{name!r} holds numbers of days, as {low}"
    done = f"read as {SPOKEN[kind]} (--date-format excel, unix-days or number decides)"
    return Stamps(_scaled(whole, kind), doubts=[Doubt(text, done)], number=kind)


def _are_months(distinct: Ints) -> bool:
    """Whether distinct numbers are YYYYMM that go on month by month over a change of years."""
    stamps = _by_digits("ym", distinct)
    over = len(distinct) > 3 and distinct[0] // 100 != distinct[-1] // 100
    return bool(over and (stamps != BAD).all() and regularity(stamps) > 0.9)


def _are_days(distinct: Ints) -> bool:
    """Whether distinct numbers are YYYYMMDD of our time: of other numbers one in 1,300 is."""
    near = len(distinct) > 3 and distinct[0] >= 19_000_101 and distinct[-1] <= 21_001_231
    return bool(near and (_by_digits("ymd", distinct) != BAD).all())


def _scaled(whole: Ints, kind: str) -> Ints:
    """Unix time or day numbers as nanoseconds."""
    if kind in UNIX:
        return np.where(whole == BAD, BAD, whole * (10**9 // UNIX[kind]))
    days = whole + (EXCEL_ZERO if kind == "excel" else 0)
    return moments(days, 0, (whole != BAD) & (abs(days) < MOST_DAYS))


def _compact(
    whole: Ints, known: Ints, distinct: Ints, digits: int, name: str, asked: Asked
) -> Stamps | None:
    """Numbers whose digits are year, month, day and so on, if nine in ten are such dates."""
    kinds = [kind for kind, letters in DIGITS.items() if len(letters) == digits]
    if digits == 7:  # without the zero of a day or month
        kinds += ["dmy", "mdy"]
    if asked.numbers in DIGITS:
        kinds = [asked.numbers]
    if not DATE_NAME.search(name):
        kinds = [kind for kind in kinds if kind not in ONLY_NAMED]
    if not WEEK_NAME.search(name):
        kinds = [kind for kind in kinds if kind != "yw"]
    if asked.day_first is not None:
        other = "m" if asked.day_first else "d"
        kinds = [kind for kind in kinds if kind[0] != other]
    read = {kind: _by_digits(kind, distinct) for kind in kinds}
    read = {kind: stamps for kind, stamps in read.items() if (stamps != BAD).mean() >= 0.9}
    if not read:
        return None
    places = np.searchsorted(distinct, whole)
    able = {kind: np.where(whole == BAD, BAD, stamps[places]) for kind, stamps in read.items()}
    lost = {kind: int((values == BAD).sum()) for kind, values in able.items()}
    able = {kind: able[kind] for kind in able if lost[kind] == min(lost.values())}
    best, doubts = next(iter(able)), []
    if best == "ym" and distinct[0] // 100 == distinct[-1] // 100:
        text = f"the numbers of {name!r}, as {distinct[0]}, count up by one"
        done = "read as year and month (--date-format number reads them as numbers)"
        doubts = [Doubt(text, done)]
    elif len(able) > 1 and best not in ("ymd", "ym", "yn"):
        scores = {kind: regularity(values) for kind, values in able.items()}
        best, second = sorted(able, key=lambda kind: -scores[kind])[:2]
        if scores[best] - scores[second] <= CLEARLY:
            raise undecided(name, str(distinct[0]), [SPOKEN[best], SPOKEN[second]])
        text = f"the numbers of {name!r}, as {distinct[0]}, can be read as several dates"
        done = f"read as {SPOKEN[best]}, the more regular (--day-first or --date-format decides)"
        doubts = [Doubt(text, done)]
    return replace(_stamps(able[best], best, name, known), doubts=doubts)


def _by_digits(kind: str, numbers: Ints) -> Ints:
    """``[U]`` numbers by their digits as nanoseconds, BAD for what is no date."""
    parts = dict.fromkeys("HMSf", np.zeros_like(numbers))
    letters = DIGITS[kind]
    for letter, run in groupby(reversed(letters)):
        size = 10 ** len(list(run))
        parts[letter] = numbers if letter == letters[0] else numbers % size
        numbers = numbers // size
    if letters.count("y") == 2:
        parts["y"] = full_years(parts["y"])
    clock = (parts.pop(letter) for letter in "HMSf")
    hour, minute, second, thousandths = clock
    no_half = np.full(len(numbers), -1)
    time, there = clock_nanoseconds(hour, minute, second, thousandths * 10**6, no_half)
    days, fits, year = days_of(parts, us=False)
    return moments(days, time, fits & there & are_years(year))


def _fractions(numbers: Floats, column: pa.ChunkedArray, name: str, asked: Asked) -> Stamps | None:
    """Numbers with a point: Excel's days with the time, Unix time, decimal years, 2024.01."""
    known = numbers[np.isfinite(numbers)]
    low, high, wanted = known.min(), known.max(), asked.numbers
    if wanted == "number" or not (wanted or DATE_NAME.search(name) or _month_cells(column)):
        return None
    values: Ints | None = None
    kind = ""
    if wanted in ("", "excel") and low >= 20_000 and high < 80_000:
        kind, values = "excel", _rounded((known + EXCEL_ZERO) * 86_400)
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
    return _stamps(spread, kind, name, known)


def _month_cells(column: pa.ChunkedArray) -> bool:
    """Whether all cells are written as a month and its year: ``01.2024``."""
    if not is_text(column.type):
        return False
    fits = pc.match_substring_regex(column, r"^\s*(0[1-9]|1[0-2]|[1-9])\.(1[89]|20|21)\d\d\s*$")
    least = pc.count_distinct(column.slice(0, 1000)).as_py() > 3
    return bool(least and pc.all(fits, min_count=0).as_py())


def _rounded(seconds: Floats) -> Ints:
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
