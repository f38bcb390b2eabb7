"""Panels and windows for the tests of forecasts, and series with gaps."""

import numpy as np
from hypothesis import strategies as st

from birnn.data.series.panel import Clock, Panel
from birnn.data.series.windows import WindowShape, WindowSplit, fit_scaling
from birnn.tasks.forecast.baselines import OnDemand

NAN = float("nan")


def make_panel(*series, starts=None, clock=None, season=1):
    rows = [np.asarray(values, dtype=float) for values in series]
    sizes = np.array([len(values) for values in rows])
    offsets = np.r_[0, np.cumsum(sizes)]
    return Panel(
        [f"s{i}" for i in range(len(rows))],
        np.zeros(len(rows), dtype=np.int64) if starts is None else np.array(starts),
        offsets,
        sizes,
        np.concatenate(rows),
        clock or Clock(),
        season,
        offsets[:-1],
        np.zeros((0, 0)),
        np.zeros((0, 0)),
        np.zeros((len(rows), 0)),
    )


def make_split(panel, lookback, horizon, *, origins=None, first=None, end=None, train=None):
    """Every window with origins from ``first`` on, or those given as ``(series, origin)``."""
    if origins is None:
        first = lookback if first is None else first
        ends = panel.ends if end is None else np.minimum(panel.ends, end)
        origins = [(i, o) for i in range(len(panel)) for o in range(first, ends[i] - horizon + 1)]
    series, origin = np.array(origins, dtype=np.int64).reshape(-1, 2).T
    scaling = fit_scaling(panel, panel.ends if train is None else np.array(train))
    shape = WindowShape(lookback, horizon, 1)
    return WindowSplit(panel, shape, scaling, series, origin, np.arange(len(panel)))


def forecast_all(forecaster, split, low=None, high=None, chunk=1000):
    """``[M, H]`` forecasts of every window, ``chunk`` at a time."""
    rows = OnDemand(forecaster, split, low, high)
    parts = np.array_split(np.arange(len(split)), max(1, len(split) // chunk))
    return np.concatenate([rows[part] for part in parts])


def noise(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def gappy(least=1, most=30):
    """Series of small whole numbers with gaps."""
    value = st.one_of(st.integers(-9, 9).map(float), st.just(NAN))
    return st.lists(value, min_size=least, max_size=most)
