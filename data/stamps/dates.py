"""Numbers → days and moments: calendar dates, weeks, quarters, halves, times of day.

All of it is exact and of whole columns: what is no date (a 13th month, 29 February in a year that
has none, a 54th week) is told apart and never moved.
"""

from collections.abc import Mapping

import numpy as np

from birnn.arrays import Array, Bools, Ints
from birnn.data.stamps.reading import BAD

PIVOT = 69  # of years of two digits: 69 to 99 are in the last century
FIRST_YEAR, LAST_YEAR = 1678, 2261  # whole ones that 64 bits of nanoseconds hold
MOST_DAYS = 106_000  # from 1970, either way, that nanoseconds hold
SECOND = 10**9
DAY_NS = 86_400 * SECOND


def full_years(years: Ints) -> Ints:
    """Years of two digits in full: 69 to 99 as 1969 to 1999, 00 to 68 as 2000 to 2068."""
    return np.where(years < 100, years + np.where(years < PIVOT, 2000, 1900), years)


def are_years(numbers: Ints) -> Bools:
    """Which whole numbers are years of four digits that nanoseconds can count."""
    return np.asarray((numbers >= FIRST_YEAR) & (numbers <= LAST_YEAR))


def civil_days(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Bools]:
    """``[K]`` days since 1970 of calendar dates, and which of them there are."""
    fits = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1) & (year <= 9999)
    months = np.where(fits, (year - 1970) * 12 + month - 1, 0)
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    dates = first + np.where(fits, day - 1, 0)
    fits &= dates.astype("datetime64[M]").astype(np.int64) == months
    return dates.astype(np.int64), fits


def moments(days: Ints, time: Ints | int, fits: Bools) -> Ints:
    """``[K]`` nanoseconds since 1970 of days and times of day; BAD where they don't fit."""
    return np.where(fits, np.where(fits, days, 0) * DAY_NS + np.where(fits, time, 0), BAD)


def iso_weeks(year: Ints, week: Ints, weekday: Ints) -> tuple[Ints, Bools]:
    """``[K]`` days since 1970 of a day of ISO 8601 weeks, whose first holds January 4."""
    monday, fits = _first_monday(year)
    after, _ = _first_monday(year + 1)
    fits &= (week >= 1) & (week <= (after - monday) // 7) & (weekday >= 1) & (weekday <= 7)
    return monday + 7 * (week - 1) + weekday - 1, fits


def _first_monday(year: Ints) -> tuple[Ints, Bools]:
    one = np.ones_like(year)
    fourth, fits = civil_days(year, one, 4 * one)
    return fourth - (fourth + 3) % 7, fits


def us_weeks(year: Ints, week: Ints, weekday: Ints) -> tuple[Ints, Bools]:
    """``[K]`` days of weeks that begin on Sunday, the first of which holds January 1.

    Where there is a week 0, it is the one with January 1, and 1 that of the first Sunday (``%U``).
    """
    one = np.ones_like(year)
    first, fits = civil_days(year, one, one)
    since = (first + 4) % 7
    sunday = first + (7 - since) % 7 if (week == 0).any() else first - since
    fits &= (week >= 0) & (week <= 54) & (weekday >= 1) & (weekday <= 7)
    return sunday + 7 * (week - 1) + weekday - 1, fits


def weeks_in_words(*, us: bool) -> str:
    """Which weeks are meant, and the option that means others."""
    if us:
        return "weeks from Sunday, the first with January 1 (--date-format iso-week reads others)"
    return "ISO weeks (--date-format us-week reads others)"


def days_of(parts: Mapping[str, Ints], *, us: bool) -> tuple[Ints, Bools, Ints]:
    """Days since 1970 of dates in parts, which of them there are, and their years, ``[K]`` each.

    Parts: y, and m and d, q, h (half), n (day of the year), w and u (weekday), v (both as one
    number), or c alone (YYYYMMDD), or e (YYMMDD). What is left out is the first.
    """
    for letter in "ce":
        if letter in parts:
            whole = parts[letter]
            parts = {"y": whole // 10_000, "m": whole // 100 % 100, "d": whole % 100}
    year = parts["y"]
    one = np.ones_like(year)
    if "v" in parts:
        parts = {"y": year, "w": parts["v"] // 10, "u": parts["v"] % 10}
    if "w" in parts:
        weeks = us_weeks if us else iso_weeks
        return *weeks(year, parts["w"], parts.get("u", one)), year
    if "n" in parts:
        days, fits = civil_days(year, one, one)
        following, _ = civil_days(year + 1, one, one)
        fits &= (parts["n"] >= 1) & (parts["n"] <= following - days)
        return days + parts["n"] - 1, fits, year
    for letter, months in (("q", 3), ("h", 6)):
        if letter in parts:
            first = months * (parts[letter] - 1) + 1  # month, of a quarter or half
            return *civil_days(year, first, one), year
    return *civil_days(year, parts.get("m", one), parts.get("d", one)), year


def clock_nanoseconds(
    hour: Ints, minute: Ints, second: Ints, fraction: Ints, half: Array
) -> tuple[Ints, Bools]:
    """``[K]`` nanoseconds since midnight, and which times there are.

    24:00 is the midnight after, and a 60th second the next minute's first. ``half``: 0 for AM, 1
    for PM, -1 for a clock of 24 hours.
    """
    twelve = half >= 0
    fits = (minute <= 59) & (second <= 60) & np.where(twelve, (hour >= 1) & (hour <= 12), hour < 24)
    fits |= ~twelve & (hour == 24) & (minute == 0) & (second == 0) & (fraction == 0)
    hour = np.where(twelve, hour % 12 + 12 * half, hour)
    return ((hour * 60 + minute) * 60 + second) * SECOND + fraction, fits
