"""The season of a series: from its frequency, or from the values themselves."""

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from birnn.arrays import Floats
from birnn.data.series.frequency import DAY
from birnn.data.series.panel import Clock, lasts_equally_long

SEASON_SERIES, SEASON_ROWS, MAX_SEASON = 50, 20_000, 200
LEARNT_SHARE = 0.7  # of each series; what comes after may be tested on


def clock_season(clock: Clock) -> tuple[int, str]:
    """Steps of the usual season of a frequency, and in words where it is from.

    A day for minutes and hours, a minute for seconds, a week for days, a year for the rest.
    """
    offset = to_offset(clock.frequency)
    if lasts_equally_long(offset):
        step = int(pd.Timedelta(offset).value)
        spans = ((10**9, "a second"), (60 * 10**9, "a minute"), (DAY, "a day"))
        span, words = next((pair for pair in spans if step < pair[0]), (1, "none"))
    else:
        table = {"D": (7, "a week"), "B": (5, "a week"), "W": (52, "a year")}
        kind = offset.base.freqstr.split("-")[0]
        in_year = {"M": 12, "Q": 4}.get(kind.removeprefix("B")[:1], 1)
        span, words = table.get(kind, (in_year, "a year"))
        step = offset.n
    if span % step or span // step < 2:
        return 1, f"none known for {clock.frequency}"
    return span // step, f"{words}, from the frequency {clock.frequency}"


def data_season(series: list[Floats]) -> int:
    """The season that the values themselves show; 1 for none.

    Mean autocorrelation over at most 50 series, their linear trends removed, on the first 70 % of
    each: the smallest lag from 2 to a third of the length (at most 200) that is a local maximum of
    at least 0.3 and within 90 % of the largest one. Each series is ``[T]``, NaN where missing.
    """
    chosen = np.linspace(0, len(series) - 1, min(len(series), SEASON_SERIES)).astype(int)
    learnt = [series[i][: int(len(series[i]) * LEARNT_SHARE)] for i in np.unique(chosen)]
    tried = [_autocorrelation(values[-SEASON_ROWS:]) for values in learnt]
    curves = [curve for curve in tried if curve is not None]
    if not curves:
        return 1
    width = int(np.median([len(curve) for curve in curves]))
    table = np.full((len(curves), width), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = curve[:width]
    mean = np.nanmean(table, axis=0)
    inner = mean[2:-1]
    peak = (inner >= mean[1:-2]) & (inner > mean[3:]) & (inner >= 0.3)
    if not peak.any():
        return 1
    best = inner[peak].max()
    return int(np.flatnonzero(peak & (inner >= 0.9 * best))[0]) + 2


def _autocorrelation(values: Floats) -> Floats | None:
    """Lags 0 to one past a third of the length; missing values count as the trend."""
    known = np.flatnonzero(np.isfinite(values))
    lags = min(MAX_SEASON, len(values) // 3)
    if len(known) < 8 or lags < 2:
        return None
    times = known - known.mean()
    spread = float(np.abs(values[known]).max())
    if spread == 0:
        return None
    centred = values[known] / spread  # no overflow below
    centred -= centred.mean()
    if np.abs(centred).max() < 1e-12:
        return None
    rest = np.zeros(len(values))
    rest[known] = centred - times * (times @ centred) / (times @ times)
    size = 1 << (2 * len(values) - 1).bit_length()
    power = np.abs(np.fft.rfft(rest, size)) ** 2
    products: Floats = np.fft.irfft(power, size)[: lags + 2]
    # A line, to rounding, has none.
    return products / products[0] if products[0] > 1e-24 * len(values) else None
