"""What regular grid stamps stand on: frequency, place of each stamp, clock changes.

A frame is a run of rows that share their stamps' order: the rows of one series, or of a whole wide
file. ``F`` frames, ``R`` rows, sorted by frame and stamp.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from birnn.arrays import Bools, Ints
from birnn.data.series.panel import Clock, lasts_equally_long
from birnn.errors import DataError

DAY = 86_400 * 10**9
HOUR = 3_600 * 10**9
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def wall_time(stamps: Ints, zone: str) -> Ints:
    """Nanoseconds (UTC) → nanoseconds that clocks on the wall show in ``zone``."""
    if not zone or zone == "UTC":
        return stamps
    local = pd.DatetimeIndex(stamps.astype("datetime64[ns]"), tz="UTC").tz_convert(zone)
    values: Ints = local.tz_localize(None).as_unit("ns").asi8
    return values


def infer_clock(stamps: Ints, *, whole: bool, zone: str = "") -> Clock | None:
    """The clock of one series, from the most common distance of its stamps.

    Calendar steps (months, quarters, years; business days) are told by the days that stamps fall
    on. Gaps do no harm.

    Args:
        stamps: ``[T]`` sorted, distinct.
        whole: these are whole numbers.
        zone: of the stamps.

    Returns:
        The clock; ``None`` for fewer than two stamps.
    """
    if len(stamps) < 2:
        return None
    if whole:
        return Clock(step=_common(np.diff(stamps)))
    wall = wall_time(stamps, zone)
    step = _common(np.diff(wall))
    if step % DAY:
        if step >= 28 * DAY:
            return Clock(_calendar(wall) or _alias(step), zone=zone)
        return Clock(_alias(_common(np.diff(stamps))), zone=zone)
    days = step // DAY
    if days >= 28:
        return Clock(_calendar(wall) or f"{days}D", zone=zone)
    weekdays = _weekdays(wall)
    if days % 7 == 0 and (weekdays == weekdays[0]).mean() > 0.5:
        many = days // 7
        alias = f"W-{WEEKDAYS[int(np.bincount(weekdays).argmax())]}"
        return Clock(alias if many == 1 else f"{many}{alias}", zone=zone)
    if days == 1 and (weekdays < 5).all() and (np.diff(wall) == 3 * DAY).any():
        return Clock("B", zone=zone)
    return Clock("D" if days == 1 else f"{days}D", zone=zone)


def distinct(stamps: Ints) -> Ints:
    """Sorted stamps, each once."""
    return stamps[np.append(True, np.diff(stamps) != 0)] if len(stamps) else stamps


def _common(steps: Ints) -> int:
    if (steps == steps[0]).all():
        return int(steps[0])
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])


def _alias(step: int) -> str:
    return str(pd.tseries.frequencies.to_offset(pd.Timedelta(step, unit="ns")).freqstr)


def _weekdays(wall: Ints) -> Ints:
    days: Ints = (wall // DAY + 3) % 7  # 1970 began on a Thursday
    return days


def _month_numbers(wall: Ints) -> Ints:
    months: Ints = wall.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    return months


def _calendar(wall: Ints) -> str:
    """Months, quarters or years by the days that stamps fall on; empty for none of them."""
    index = pd.DatetimeIndex((wall - wall % DAY).astype("datetime64[ns]"))
    months = _month_numbers(wall)
    many = _common(np.diff(months))
    if many < 1:
        return ""
    best, share, first = "", 0.5, 0
    for kind in ("MS", "ME", "BMS", "BME"):
        offset = pd.tseries.frequencies.to_offset(kind)
        on = (index + offset) - offset == index
        if on.mean() > share:
            best, share, first = kind, on.mean(), int(months[on][0])
    return _months_alias(best, many, first % 12) if best else ""


def _months_alias(kind: str, many: int, month: int) -> str:
    """``QE-DEC`` for ``ME``, 3 months, and a series that holds the month 11 (December)."""
    head, tail = kind[:-2], kind[-1]
    if many % 12 == 0:
        name, many = f"{head}Y{tail}-{MONTHS[month]}", many // 12
    elif many % 3 == 0:
        quarter = month % 3 + (9 if tail == "E" else 0)
        name, many = f"{head}Q{tail}-{MONTHS[quarter]}", many // 3
    else:
        name = kind
    return name if many == 1 else f"{many}{name}"


def month_starts(wall: Ints) -> Ints | None:
    """Stamps on one same day of every month, moved to the first; ``None`` if they are not so.

    Args:
        wall: ``[R]`` sorted within each frame.
    """
    forward = np.diff(wall)
    forward = forward[forward > 0]  # neither repeated nor the next series
    if len(forward) < 2 or _common(forward) < 28 * DAY:
        return None
    starts = wall.astype("datetime64[ns]").astype("datetime64[M]").astype("datetime64[ns]")
    apart = wall - starts.astype(np.int64)
    if (apart != apart[0]).any() or not DAY <= apart[0] < 28 * DAY:
        return None
    moved: Ints = starts.astype(np.int64)
    return moved


def named_clock(frequency: str, *, whole: bool, zone: str) -> Clock:
    """The clock that an option names.

    Args:
        frequency: a pandas alias, or a whole number.
        whole: the stamps are whole numbers.
        zone: of the stamps.

    Raises:
        DataError: no such frequency, or none for these stamps.
    """
    if whole:
        if not frequency.isascii() or not frequency.isdigit() or int(frequency) < 1:
            raise DataError(
                f"--frequency {frequency}: the time column holds whole numbers;"
                " name how far they are apart, as in --frequency 1"
            )
        return Clock(step=int(frequency))
    try:
        offset = pd.tseries.frequencies.to_offset(frequency)
    except ValueError:
        offset = None
    if offset is None or offset.n < 1 or "bh" in offset.freqstr or offset.base.freqstr == "C":
        raise DataError(
            f"--frequency {frequency}: no such frequency; name one as pandas does:"
            " min, 15min, h, D, B, W-SUN, MS, ME, QS, YS"
        )
    return Clock(str(offset.freqstr), zone=zone)


def is_fixed(clock: Clock) -> bool:
    """Whether steps last equally long, as hours do and days (of 23 or 25 hours) don't."""
    offset = pd.tseries.frequencies.to_offset(clock.frequency) if clock.frequency else None
    return offset is None or lasts_equally_long(offset)


def places(stamps: Ints, begins: Ints, clock: Clock) -> tuple[Ints, Bools]:
    """The step of every stamp within its frame.

    Args:
        stamps: ``[R]`` sorted within each frame.
        begins: ``[F]`` the row that each frame begins at.
        clock: of all frames.

    Returns:
        ``[R]`` steps from the frame's first stamp on, and ``[R]`` whether the stamp stands on the
        grid at all.
    """
    lengths = np.diff(np.append(begins, len(stamps)))
    if is_fixed(clock):
        step = clock.step
        if clock.frequency:
            offset = pd.tseries.frequencies.to_offset(clock.frequency)
            step = int(pd.Timedelta(offset).value)
        apart = stamps - np.repeat(stamps[begins], lengths)
        return apart // step, apart % step == 0
    wall = wall_time(stamps, clock.zone)
    offset = pd.tseries.frequencies.to_offset(clock.frequency)
    dates = wall - wall % DAY
    low, high = (pd.Timestamp(int(value)) for value in (dates.min(), dates.max()))
    single = offset.base
    grid = pd.date_range(low, high, freq=single).as_unit("ns").asi8
    if not len(grid):
        return np.zeros(len(stamps), np.int64), np.zeros(len(stamps), bool)
    found = np.minimum(np.searchsorted(grid, dates), len(grid) - 1)
    on = (grid[found] == dates) & (wall - dates == np.repeat((wall - dates)[begins], lengths))
    apart = found - np.repeat(found[begins], lengths)
    return apart // offset.n, on & (apart % offset.n == 0)


def coarser(steps: Ints, begins: Ints) -> Bools:
    """``[F]`` whether a frame of three or more rows has all its steps a multiple of two or more."""
    lengths = np.diff(np.append(begins, len(steps)))
    apart = np.diff(steps, append=0)
    last = np.append(begins[1:], len(steps)) - 1
    apart[last] = 0
    return (np.gcd.reduceat(apart, begins) > 1) & (lengths > 2)


@dataclass(frozen=True)
class ClockChanges:
    """Rows before which an hour is missing in spring, and rows that repeat one in autumn."""

    spring: Ints
    autumn: Ints


def clock_changes(stamps: Ints, clock: Clock) -> ClockChanges:
    """Where stamps of local time jump as clocks do in Europe and North America.

    Args:
        stamps: ``[T]`` of one series without a zone, sorted, repeated ones included.
        clock: of the series.

    Returns:
        Rows of ``stamps``. Only Sundays at the end of March or October, in the second week of
        March, and in the first of April or November count.
    """
    none = np.zeros(0, np.int64)
    if not clock.frequency or clock.zone or not is_fixed(clock):
        return ClockChanges(none, none)
    step = pd.Timedelta(pd.tseries.frequencies.to_offset(clock.frequency)).value
    if HOUR % step:
        return ClockChanges(none, none)
    steps = np.diff(stamps, prepend=stamps[0])
    spring = np.flatnonzero(steps == step + HOUR)
    lost = stamps[spring] - HOUR  # the first stamp that is missing
    spring = spring[_on_sunday(lost, spring=True)]
    repeated = np.flatnonzero((steps == 0) & (np.arange(len(stamps)) > 0))
    return ClockChanges(spring, repeated[_on_sunday(stamps[repeated], spring=False)])


def _on_sunday(stamps: Ints, *, spring: bool) -> Bools:
    index = pd.DatetimeIndex(stamps.astype("datetime64[ns]"))
    month, day, hour = index.month, index.day, index.hour
    sunday = _weekdays(stamps) == 6
    if spring:
        fits = ((month == 3) & ((day >= 25) | ((day > 7) & (day < 15)))) | (
            (month == 4) & (day < 8)
        )
    else:
        fits = ((month == 10) & (day >= 25)) | ((month == 11) & (day < 8))
    chosen: Bools = np.asarray(fits & sunday & (hour >= 1) & (hour <= 3))
    return chosen
