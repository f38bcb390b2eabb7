"""What is resampled when forecasts are bootstrapped: blocks of consecutive origins.

Windows overlap in time and series share it, so neither is independent of the others. Blocks of
origins as long as the horizon or the season are nearly so (Künsch 1989; here without overlap).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from birnn.arrays import Ints
from birnn.data.series.panel import Panel
from birnn.data.wording import plural

if TYPE_CHECKING:
    from birnn.data.series.windows import WindowSplit

FEWEST = 8  # blocks of all series together; with fewer, series are blocks of their own


@dataclass(frozen=True)
class Blocks:
    """The block of each window."""

    unit: Ints  # [M] numbers from 0 to ``count - 1``
    count: int  # how many blocks there are
    words: str  # what they are, for a report


def block_units(split: "WindowSplit") -> Blocks:
    """Put each window into a block of ``max(horizon, season)`` consecutive origins.

    Series whose clocks can be laid side by side share blocks. Where that makes fewer than
    ``FEWEST``, or where they can't, each series has blocks of its own. A single block is possible:
    then every resample is the sample.
    """
    length = max(split.horizon, split.panel.season)
    several = len(np.unique(split.series)) > 1
    times = origin_times(split.panel, split.series, split.origin)
    if times is not None:
        unit, kinds = pd.factorize(_since_first(times, np.zeros_like(times)) // length, sort=True)
        count = len(kinds)
        together = ", all series together" if several else ""
        if count >= FEWEST or not several:
            return Blocks(unit, count, f"{plural(count, 'block')} of {length} origins{together}")
    own = _since_first(split.origin, split.series) // length
    unit, kinds = pd.factorize(split.series * (own.max(initial=0) + 1) + own, sort=True)
    words = f"{plural(len(kinds), 'block')} of up to {length} origins of one series each"
    return Blocks(unit, len(kinds), words)


def _since_first(times: Ints, group: Ints) -> Ints:
    """``[M]`` steps since the first time of the same group."""
    first = np.full(int(group.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, group, times)
    return np.asarray(times - first[group])


def origin_times(panel: Panel, series: Ints, origin: Ints) -> Ints | None:
    """``[M]`` steps of origins on one clock of all series, or None where there is no such count.

    The windows are given by the number of their ``series [M]`` and the row of their ``origin [M]``.
    """
    starts = panel.starts[series]
    if not len(starts) or (starts == starts[0]).all():
        return origin
    if not panel.clock.frequency:
        return np.asarray((starts - starts.min()) // panel.clock.step + origin)
    nanoseconds = step_nanoseconds(panel.clock.frequency)
    if nanoseconds is None:
        return None
    # Days of a time zone start an hour off at times: the nearest whole number of steps.
    return np.asarray((starts - starts.min() + nanoseconds // 2) // nanoseconds + origin)


def step_nanoseconds(frequency: str) -> int | None:
    """The length of a step; None for months, business days, and the like."""
    offset = pd.tseries.frequencies.to_offset(frequency)
    days = {"Day": 1, "Week": 7}.get(type(offset).__name__)
    if days is not None:
        return int(pd.Timedelta(days=days * offset.n).value)
    return int(pd.Timedelta(offset).value) if isinstance(offset, pd.offsets.Tick) else None
