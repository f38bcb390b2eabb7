"""Time series on a regular grid: many of them, of their own lengths, with their covariates.

``N`` series, ``R`` rows in all, one series after the other. What is missing is NaN; nothing else
is out of the ordinary: stamps are regular, values finite.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from birnn.arrays import Floats, Ints
from birnn.errors import DataError


@dataclass(frozen=True)
class Clock:
    """What the steps of every series are: a pandas frequency, or whole numbers some way apart."""

    frequency: str = ""  # as pandas writes it (h, 15min, MS); empty for whole numbers
    step: int = 1  # how far whole numbers are apart; 1 for a frequency
    zone: str = ""  # time zone of the stamps; empty for none
    day: int = 0  # of each month (or its last, where it is shorter), for MS; 0: the first

    def stamps(self, start: int, first: int, count: int) -> pd.Index:
        """Stamps of the steps ``first`` to ``first + count - 1``, which may lie ahead.

        The series starts, at step 0, with ``start``: nanoseconds since 1970 (UTC), or a number.

        Raises:
            DataError: the last of them lies beyond what nanoseconds can count, the year 2262.
        """
        if not self.frequency:
            return pd.Index(start + self.step * np.arange(first, first + count))
        begin = pd.Timestamp(start, tz=self.zone or None)
        offset = to_offset(self.frequency)
        try:
            if self.day:
                return self._days_of_months(begin, first * offset.n, count, offset.n)
            apart = first * offset
            if isinstance(apart, pd.offsets.Day) and isinstance(apart, pd.offsets.Tick):
                # In pandas 2 a day is 24 hours to a stamp, though not to a range.
                apart = pd.DateOffset(days=apart.n)
            return pd.date_range(begin + apart, periods=count, freq=offset)
        except (pd.errors.OutOfBoundsDatetime, OverflowError):
            what = f"{count} steps of {self.frequency} end after the year 2262"
            raise DataError(f"time: {what}; lower --horizon") from None

    def _days_of_months(
        self, begin: pd.Timestamp, first: int, count: int, step: int
    ) -> pd.DatetimeIndex:
        local = begin.tz_localize(None)
        start = local.to_period("M") + first
        months = pd.period_range(start, periods=count, freq=pd.offsets.MonthEnd(step))
        days = np.minimum(self.day, months.days_in_month) - 1
        dates = months.start_time + pd.to_timedelta(days, unit="D") + (local - local.normalize())
        return pd.DatetimeIndex(dates).as_unit("ns").tz_localize(self.zone or None)

    def named(self) -> str:
        """The clock in words."""
        if self.frequency:
            day = f", day {self.day} of the month" if self.day else ""
            return self.frequency + day + (f", {self.zone}" if self.zone else "")
        return f"whole numbers, {self.step} apart"


def lasts_equally_long(offset: pd.offsets.BaseOffset | None) -> bool:
    """Whether steps of an offset last equally long, as hours do and days (of 23 or 25 hours) don't.

    A day is a calendar day in pandas 3, and 24 hours in pandas 2.
    """
    return isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day)


@dataclass(frozen=True)
class Panel:
    """``N`` series on one clock.

    Series ``i`` has the rows ``offsets[i]`` to ``offsets[i + 1] - 1``. Of these, the first
    ``ends[i]`` are history; later ones, if any, hold known future covariates alone.
    """

    names: list[str]  # of the series
    starts: Ints  # [N] stamp of each first row, as Clock.stamps takes it
    offsets: Ints  # [N + 1]
    ends: Ints  # [N]
    values: Floats  # [R], NaN where missing and beyond the history
    clock: Clock
    season: int  # steps of a season; 1 for none
    covariate_offsets: Ints  # [N] where those of each series start; a wide file's series share them
    past: Floats  # [R', P] covariates that are known up to now alone
    future: Floats  # [R', K] covariates that are known ahead
    static: Floats  # [N, S] numbers of a whole series
    past_names: list[str] = field(default_factory=list)
    future_names: list[str] = field(default_factory=list)
    static_names: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def history(self, series: int) -> Floats:
        """``[T_i]`` a view of the values of a series."""
        start = self.offsets[series]
        return self.values[start : start + self.ends[series]]

    def stamps(self, series: int, first: int, count: int) -> pd.Index:
        """Stamps of ``count`` steps of a series from step ``first`` on."""
        return self.clock.stamps(int(self.starts[series]), first, count)
