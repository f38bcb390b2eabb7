"""What regular grid stamps stand on: frequency, place of each stamp, clock changes.

A frame is a run of rows that share their stamps' order: the rows of one series, or of a whole wide
file. ``F`` frames, ``R`` rows, sorted by frame and stamp.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from birnn.arrays import Bools, Ints
from birnn.data.series.panel import Clock, lasts_equally_long
from birnn.errors import DataError

DAY, HOUR = 86_400 * 10**9, 3_600 * 10**9
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def wall_time(stamps: Ints, zone: str) -> Ints:
    """Nanoseconds (UTC) → nanoseconds that clocks on the wall show in ``zone``."""
    if not zone or zone == "UTC":
        return stamps
    local = pd.DatetimeIndex(stamps.astype("datetime64[ns]"), tz="UTC").tz_convert(zone)
    return np.asarray(local.tz_localize(None).as_unit("ns").asi8)


def infer_clock(stamps: Ints, *, whole: bool, zone: str = "") -> Clock | None:
    """The clock of one series, from the most common distance of its stamps.

    Calendar steps (months, quarters, years; business days) are told by the days that stamps fall
    on. Gaps do no harm. The ``stamps [T]`` are sorted and distinct (``whole``: whole numbers);
    ``None`` for fewer than two.
    """
    if len(stamps) < 2:
        return None
    if whole:
        return Clock(step=_common(np.diff(stamps)))
    wall = wall_time(stamps, zone)
    step = _common(np.diff(wall))
    if step >= 28 * DAY:
        if which := month_day(wall):
            return Clock(_times(_month_steps(wall), "MS"), zone=zone, day=which)
        return Clock(_calendar(wall) or _alias(step), zone=zone)
    if step % DAY:
        return Clock(_alias(_common(np.diff(stamps))), zone=zone)
    days = step // DAY
    weekdays = _weekdays(wall)
    if days % 7 == 0 and (weekdays == weekdays[0]).mean() > 0.5:
        day = WEEKDAYS[int(np.bincount(weekdays).argmax())]
        return Clock(_times(days // 7, f"W-{day}"), zone=zone)
    if days == 1 and (weekdays < 5).all() and (np.diff(wall) == 3 * DAY).any():
        return Clock("B", zone=zone)
    return Clock(_times(days, "D"), zone=zone)


def distinct(stamps: Ints) -> Ints:
    """Sorted stamps, each once."""
    return stamps[np.append(True, np.diff(stamps) != 0)] if len(stamps) else stamps


def _common(steps: Ints) -> int:
    if (steps == steps[0]).all():
        return int(steps[0])
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])


def _alias(step: int) -> str:
    return str(to_offset(pd.Timedelta(step, unit="ns")).freqstr)


def _times(many: int, alias: str) -> str:
    """``D`` or ``3D``."""
    return alias if many == 1 else f"{many}{alias}"


def _weekdays(wall: Ints) -> Ints:
    return np.asarray((wall // DAY + 3) % 7)  # 1970 began on a Thursday


def _calendar(wall: Ints, least: float = 0.5) -> str:
    """Months, quarters or years by the days that stamps fall on; empty for none of them.

    More than a share of ``least`` must fall on such days.
    """
    index = pd.DatetimeIndex((wall - wall % DAY).astype("datetime64[ns]"))
    months = _months(wall)
    many = _common(np.diff(months))
    if many < 1:
        return ""
    best, share, first = "", least, 0
    for kind in ("MS", "ME", "BMS", "BME"):
        on = (index + to_offset(kind)) - to_offset(kind) == index
        if on.mean() > share:
            best, share, first = kind, on.mean(), int(months[on][0])
    return _months_alias(best, many, first % 12) if best else ""


def _months_alias(kind: str, many: int, month: int) -> str:
    """``QE-DEC`` for ``ME``, 3 months, and a series that holds the month 11 (December)."""
    head, tail = kind[:-2], kind[-1]
    if many % 12 == 0:
        return _times(many // 12, f"{head}Y{tail}-{MONTHS[month]}")
    if many % 3 == 0:
        quarter = month % 3 + (9 if tail == "E" else 0)
        return _times(many // 3, f"{head}Q{tail}-{MONTHS[quarter]}")
    return _times(many, kind)


def _months(wall: Ints) -> Ints:
    """``[R]`` months since 1970."""
    return np.asarray(wall.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64))


def _first_of(months: Ints) -> Ints:
    """``[R]`` nanoseconds of the first of months since 1970."""
    return np.asarray(months.astype("datetime64[M]").astype("datetime64[ns]").astype(np.int64))


def _on_day(wall: Ints, day: int) -> Bools:
    """Which stamps fall on a day of their month, or on its last where it is shorter."""
    months = _months(wall)
    starts = _first_of(months)
    last = (_first_of(months + 1) - starts) // DAY
    return np.asarray((wall - starts) // DAY + 1 == np.minimum(day, last))


def month_starts(wall: Ints, *, again: bool = False) -> Ints | None:
    """Stamps on any one day of each month, moved to its first; ``None`` if they are not so.

    ``wall [R]`` is sorted within each frame. ``again``: of a file of a run whose stamps were so.
    """
    forward: Ints = np.diff(wall)
    forward = forward[forward > 0]  # neither repeated nor the next series
    if not again and (
        len(forward) < 2 or np.median(forward) < 28 * DAY or (forward == forward[0]).all()
        or month_day(wall) or not _one_a_month(np.unique(wall))
    ):  # fmt: skip
        return None
    return _first_of(_months(wall))


def month_day(wall: Ints) -> int:
    """The day of the month that all stamps fall on, or on a shorter month's last; 0 for none.

    The first and the last days have frequencies of their own.
    """
    stamps = np.unique(wall)
    steps = np.diff(stamps)
    if len(stamps) < 3 or (steps == steps[0]).all():
        return 0
    day = int(((stamps - _first_of(_months(stamps))) // DAY).max()) + 1
    clock = stamps % DAY
    fits = _on_day(stamps, day).all() and (clock == clock[0]).all()
    if not fits or not 1 < day < 31 or _on_day(stamps, 31).all():
        return 0
    return day if _month_steps(stamps) % 12 else 0


def _month_steps(wall: Ints) -> int:
    return _common(np.diff(np.unique(_months(wall))).astype(np.int64))


def _one_a_month(stamps: Ints) -> bool:
    """Whether months follow each other with one stamp in each, on no day that pandas knows."""
    apart: Ints = np.diff(_months(stamps))
    return (
        len(stamps) > 5 and bool((apart > 0).all()) and _common(apart) == 1
        and bool((stamps % DAY == stamps[0] % DAY).all()) and not _calendar(stamps, 0.99)
    )  # fmt: skip


def named_clock(frequency: str, *, whole: bool, zone: str) -> Clock:
    """The clock that an option names: a pandas alias, or for ``whole`` stamps a whole number.

    Raises:
        DataError: no such frequency, or none for these stamps.
    """
    if whole:
        if not frequency.isascii() or not frequency.isdigit() or int(frequency) < 1:
            mend = "name how far they are apart, as in --frequency 1"
            what = "the time column holds whole numbers"
            raise DataError(f"--frequency {frequency}: {what}; {mend}")
        return Clock(step=int(frequency))
    try:
        offset = to_offset(frequency)
    except ValueError:
        offset = None
    if offset is None or offset.n < 1 or "bh" in offset.freqstr or offset.base.freqstr == "C":
        mend = "name one as pandas does: min, 15min, h, D, B, W-SUN, MS, ME, QS, YS"
        raise DataError(f"--frequency {frequency}: no such frequency; {mend}")
    return Clock(str(offset.freqstr), zone=zone)


def is_fixed(clock: Clock) -> bool:
    """Whether steps last equally long, as hours do and days (of 23 or 25 hours) don't."""
    return not clock.frequency or lasts_equally_long(to_offset(clock.frequency))


def _tick(clock: Clock) -> int:
    """How far the stamps of a fixed clock are apart."""
    return int(pd.Timedelta(to_offset(clock.frequency)).value) if clock.frequency else clock.step


def places(stamps: Ints, begins: Ints, clock: Clock) -> tuple[Ints, Bools]:
    """The step of every stamp within its frame.

    ``stamps [R]`` are sorted within each frame; ``begins [F]`` are the rows that frames begin at.

    Returns:
        ``[R]`` steps from the frame's first stamp on, and ``[R]`` whether it stands on the grid.
    """
    lengths = np.diff(np.append(begins, len(stamps)))
    if is_fixed(clock):
        apart = stamps - np.repeat(stamps[begins], lengths)
        return apart // _tick(clock), apart % _tick(clock) == 0
    wall = wall_time(stamps, clock.zone)
    offset = to_offset(clock.frequency)
    dates, first = wall - wall % DAY, np.repeat(begins, lengths)
    if clock.day:
        apart = _months(wall) - _months(wall)[first]
        on = _on_day(wall, clock.day) & (wall % DAY == wall[first] % DAY)
        return apart // offset.n, on & (apart % offset.n == 0)
    low, high = (pd.Timestamp(int(value)) for value in (dates.min(), dates.max()))
    grid = pd.date_range(low, high, freq=offset.base).as_unit("ns").asi8
    if not len(grid):
        return np.zeros(len(stamps), np.int64), np.zeros(len(stamps), bool)
    steps = np.minimum(np.searchsorted(grid, dates), len(grid) - 1)
    on = (grid[steps] == dates) & (wall % DAY == wall[first] % DAY)
    apart = steps - steps[first]
    return apart // offset.n, on & (apart % offset.n == 0)


def coarser(steps: Ints, begins: Ints) -> Bools:
    """``[F]`` whether a frame of three or more rows has all its steps a multiple of two or more."""
    ends = np.append(begins[1:], len(steps))
    apart = np.diff(steps, append=0)
    apart[ends - 1] = 0
    return (np.gcd.reduceat(apart, begins) > 1) & (ends - begins > 2)


@dataclass(frozen=True)
class ClockChanges:
    """Rows before which an hour is missing in spring, and rows that repeat one in autumn."""

    spring: Ints
    autumn: Ints


def clock_changes(stamps: Ints, clock: Clock) -> ClockChanges:
    """Where stamps of local time jump as clocks do in Europe and North America.

    The ``stamps [T]`` have no zone and are sorted, repeated ones included. Only Sundays at the end
    of March or October, in the second week of March, and in the first of April or November count.
    """
    none = np.zeros(0, np.int64)
    if not clock.frequency or clock.zone or not is_fixed(clock) or HOUR % _tick(clock):
        return ClockChanges(none, none)
    steps = np.diff(stamps, prepend=stamps[0])
    spring = np.flatnonzero(steps == _tick(clock) + HOUR)
    lost = stamps[spring] - HOUR  # the first stamp that is missing
    spring = spring[_on_sunday(lost, spring=True)]
    repeated = np.flatnonzero((steps == 0) & (np.arange(len(stamps)) > 0))
    return ClockChanges(spring, repeated[_on_sunday(stamps[repeated], spring=False)])


def _on_sunday(stamps: Ints, *, spring: bool) -> Bools:
    index = pd.DatetimeIndex(stamps.astype("datetime64[ns]"))
    month, day, hour = index.month, index.day, index.hour
    last, first = day >= 25, day < 8  # weeks of a month
    fits = (month == 10) & last | (month == 11) & first
    if spring:
        fits = (month == 3) & (last | (day > 7) & (day < 15)) | (month == 4) & first
    return np.asarray(fits & (_weekdays(stamps) == 6) & (hour >= 1) & (hour <= 3))
