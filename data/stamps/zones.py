"""Time zones of a column of stamps: offsets, names in short and in full → UTC."""

import zoneinfo

import numpy as np
import pandas as pd

from birnn.arrays import Codes, Ints
from birnn.data.stamps import words
from birnn.data.stamps.cells import NAIVE
from birnn.data.stamps.dates import DAY_NS
from birnn.data.stamps.reading import BAD, Doubt, Stamps
from birnn.errors import DataError

MINUTE = 60 * 10**9
# Tried first for offsets that change with the clock.
USUAL = (
    "Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "Europe/Athens", "Australia/Sydney", "America/Sao_Paulo",
)  # fmt: skip


def to_utc(wall: Ints, east: Codes, forms: Codes, named: list[str], run: str, name: str) -> Stamps:
    """Local times ``[R]`` with what is known of their zones → UTC.

    Args:
        east: ``[R]`` minutes east of Greenwich, or NAIVE.
        forms: ``[R]`` numbers of the forms, whose zones are ``named``.
        run: the zone of a run that read such stamps; empty for none.
    """
    known = wall != BAD
    full = sorted({named[number] for number in np.unique(forms[known]) if named[number]})
    if full and not (east[known] != NAIVE).all():
        return _by_name(wall, full, name)
    aware = known & (east != NAIVE)
    if 2 * aware.sum() <= known.sum():
        return Stamps(np.where(aware, BAD, wall))
    values = np.where(aware, wall - np.where(aware, east, 0).astype(np.int64) * MINUTE, BAD)
    offsets = np.unique(east[aware])
    if len(full) == 1:
        return Stamps(values, zone=full[0])
    if run and _agrees(run, values[aware], east[aware]):
        return Stamps(values, zone=run)
    if len(offsets) == 1:
        return Stamps(values, zone=_fixed(int(offsets[0])))
    some = ", ".join(_fixed(int(offset)).removeprefix("UTC") or "+00:00" for offset in offsets[:4])
    several = f"{name!r} has stamps of several offsets ({some})"
    if not _daily(wall[aware]):
        return Stamps(values, zone="UTC", notes=[f"{several}; read in UTC"])
    if zone := fitting_zone(values[aware], east[aware]):
        how = f"which change as the clocks of {zone} do: days of that zone"
        return Stamps(values, zone=zone, notes=[f"{several}, {how}"])
    how = f"has several offsets ({some}) at one time of day: read as days of local time"
    return Stamps(np.where(aware, wall, BAD), notes=[f"{name!r} {how}"])


def shared_names(called: set[str], name: str) -> list[Doubt]:
    """A doubt for each short name of a zone, of those in a column, that means several zones."""
    found = []
    for short in sorted(called & set(words.SHARED_ZONES)):
        where, beside = words.SHARED_ZONES[short]
        if beside and beside in called:
            continue
        taken = _fixed(words.ZONES[short])
        text = f"{short.upper()} in {name!r} names several time zones (also in {where})"
        other = f"--date-format '%Y-%m-%d %H:%M {short.upper()}', as they are written, reads local"
        done = f"read as {taken}; offsets instead of it decide otherwise, and {other} times"
        found.append(Doubt(text, done))
    return found


def _daily(wall: Ints) -> bool:
    """Whether local times are all at one time of day, on several days."""
    return bool((wall % DAY_NS == wall[0] % DAY_NS).all() and (wall != wall[0]).any())


def _fixed(minutes: int) -> str:
    if not minutes:
        return "UTC"
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def fitting_zone(values: Ints, east: Codes) -> str:
    """A zone whose clocks show these offsets ``[K]`` at these times (UTC); empty for none."""
    some = np.unique(np.linspace(0, len(values) - 1, 50).astype(int))
    names = [*USUAL, *sorted(name for name in zoneinfo.available_timezones() if "/" in name)]
    for zone in names:
        if _agrees(zone, values[some], east[some]) and _agrees(zone, values, east):
            return zone
    return ""


def _agrees(zone: str, values: Ints, east: Codes) -> bool:
    utc = pd.DatetimeIndex(values.astype("datetime64[ns]"), tz="UTC")
    local = utc.tz_convert(zone).tz_localize(None).as_unit("ns").asi8
    return bool(np.array_equal(local - values, east.astype(np.int64) * MINUTE))


def _by_name(wall: Ints, full: list[str], name: str) -> Stamps:
    """Local times of one zone; of two hours that clocks show twice, the first comes first."""
    if len(full) > 1:
        raise DataError(
            f"the stamps of {name!r} are of several time zones ({', '.join(full[:3])}) without"
            " their offsets; write them in UTC"
        )
    known = np.flatnonzero(wall != BAD)
    index = pd.DatetimeIndex(wall[known].astype("datetime64[ns]"))
    again = pd.Series(wall[known]).duplicated().to_numpy()
    twice = index.tz_localize(full[0], ambiguous="NaT", nonexistent="shift_forward").isna()
    if twice.any() and np.unique(wall[known][twice], return_counts=True)[1].max() > 2:
        hour = str(index[twice][0])
        what = f"clocks in {full[0]} show {hour} twice, and the file has it more often"
        raise DataError(f"the stamps of {name!r}: {what}; write them in UTC, or with offsets")
    local = index.tz_localize(full[0], ambiguous=~again, nonexistent="NaT")
    values = np.full(len(wall), BAD)
    there = ~local.isna()
    values[known[there]] = local[there].as_unit("ns").asi8
    return Stamps(values, zone=full[0], notes=[f"{name!r} is read as local time of {full[0]}"])
