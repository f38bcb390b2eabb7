"""Calendar features: where a step stands in its day, week and year, as sine and cosine."""

from dataclasses import replace

import numpy as np
import pandas as pd

from birnn.arrays import Floats
from birnn.data.series.panel import Panel
from birnn.errors import ConfigError
from birnn.registry import suggestion

# Name → the phase of a stamp in [0, 1).
PHASES = {
    "minute": lambda s: s.minute / 60,
    "hour": lambda s: (s.hour + s.minute / 60) / 24,
    "weekday": lambda s: (s.day_of_week + s.hour / 24) / 7,
    "monthday": lambda s: (s.day - 1) / s.days_in_month,
    "month": lambda s: (s.month - 1 + (s.day - 1) / s.days_in_month) / 12,
}


def parse_calendar(names: str, panel: Panel) -> tuple[str, ...]:
    """The features that ``names``, separated by commas, asks for.

    Raises:
        ConfigError: an unknown name, or a panel without dates.
    """
    features = tuple(part.strip() for part in names.split(",") if part.strip())
    for name in features:
        if name not in PHASES:
            known = f"{', '.join(PHASES)}{suggestion(name, PHASES)}"
            raise ConfigError(f"calendar: {name!r} is not one of {known}")
    if features and not panel.clock.frequency:
        raise ConfigError("calendar: the time column holds whole numbers, which have no calendar")
    return features


def add_calendar(panel: Panel, names: tuple[str, ...], horizon: int) -> Panel:
    """The panel with calendar features among its known future covariates.

    Every series gets rows, without values, for ``horizon`` steps beyond its history: a calendar
    is known ahead. Names of the columns start with ``calendar:``.
    """
    if not names:
        return panel
    sizes = np.maximum(np.diff(panel.offsets), panel.ends + horizon)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    columns = [f"calendar:{name}:{part}" for name in names for part in ("sin", "cos")]
    values = np.full(int(offsets[-1]), np.nan)
    past = np.full((len(values), panel.past.shape[1]), np.nan)
    future = np.full((len(values), panel.future.shape[1] + len(columns)), np.nan)
    places = zip(panel.offsets[:-1], panel.covariate_offsets, offsets[:-1], sizes, strict=True)
    for i, (old, start, new, size) in enumerate(places):
        rows = int(panel.offsets[i + 1] - old)
        values[new : new + rows] = panel.values[old : old + rows]
        if panel.past.shape[1]:
            past[new : new + rows] = panel.past[start : start + rows]
        if panel.future.shape[1]:
            future[new : new + rows, : -len(columns)] = panel.future[start : start + rows]
        stamps = panel.stamps(i, 0, int(size))
        future[new : new + size, -len(columns) :] = calendar_features(stamps, names)
    return replace(
        panel, offsets=offsets, values=values, covariate_offsets=offsets[:-1], past=past,
        future=future, future_names=[*panel.future_names, *columns],
    )  # fmt: skip


def calendar_features(stamps: pd.Index, names: tuple[str, ...]) -> Floats:
    """Sine and cosine of each feature's phase: ``[T, 2 · len(names)]``."""
    dates = pd.DatetimeIndex(stamps)
    phases = np.stack([np.asarray(PHASES[name](dates), dtype=np.float64) for name in names], -1)
    turns = 2 * np.pi * phases
    return np.stack([np.sin(turns), np.cos(turns)], axis=-1).reshape(len(stamps), -1)
