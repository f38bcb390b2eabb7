"""Baselines of forecasters: last value, seasonal naive, drift, and closed-form ridge.

The first three after Hyndman & Athanasopoulos (2021), section 5.2. Each looks at rows before the
origin alone. Where a series has none that is observed, its mean in train is the forecast.
"""

import math
import weakref
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from birnn.arrays import Floats, Ints
from birnn.data.series.windows import WindowSplit
from birnn.errors import DataError
from birnn.tasks.forecast.ridge import MOST, choose, fit_ridge, predict_ridge


class ForecastBaseline(ABC):
    """What forecasts windows without a network."""

    name: ClassVar[str]  # in ``metrics.json``
    label: ClassVar[str]  # in a report

    @abstractmethod
    def forecast(self, split: WindowSplit, indices: Ints) -> Floats:
        """``[B, H]`` in original units, of the windows ``indices [B]``."""

    def settings(self) -> dict[str, Any]:
        """What was chosen for it: nothing, unless it says otherwise."""
        return {}


@dataclass(frozen=True, eq=False)
class OnDemand:
    """Forecasts of a split that are made when they are asked for, and not kept."""

    forecaster: ForecastBaseline  # any that is quick
    split: WindowSplit  # of M windows
    low: float | None = None  # the least value there can be; forecasts are clipped to it
    high: float | None = None  # the largest one

    def __getitem__(self, indices: Ints) -> Floats:
        """``[B, H]`` in original units, of the windows ``indices [B]``."""
        values = self.forecaster.forecast(self.split, indices)
        unbounded = self.low is None and self.high is None
        return values if unbounded else np.clip(values, self.low, self.high)


@dataclass(frozen=True)
class LastValue(ForecastBaseline):
    """The last observed value before the origin, at every step."""

    name, label = "last_value", "last value"

    def forecast(self, split: WindowSplit, indices: Ints) -> Floats:
        """``[B, H]`` in original units, of the windows ``indices [B]``."""
        value = _last_or_shift(split, indices, _last_row(split, indices))
        return np.repeat(value[:, None], split.horizon, axis=1)


@dataclass(frozen=True)
class SeasonalNaive(ForecastBaseline):
    """The value of the same phase in the last season before the origin.

    Where it is missing or before the start, that of the season before; then the last value.
    """

    season: int
    name, label = "seasonal_naive", "seasonal naive"

    def forecast(self, split: WindowSplit, indices: Ints) -> Floats:
        """``[B, H]`` in original units, of the windows ``indices [B]``."""
        steps = np.arange(split.horizon) % self.season - self.season
        rows = split.origin[indices][:, None] + steps
        values = _values_at(split, indices, rows)
        if not np.isnan(values).any():
            return values
        before = _values_at(split, indices, rows - self.season)
        values = np.where(np.isnan(values), before, values)
        return np.where(np.isnan(values), LastValue().forecast(split, indices), values)

    def settings(self) -> dict[str, Any]:
        """Steps of a season."""
        return {"season": self.season}


@dataclass(frozen=True)
class Drift(ForecastBaseline):
    """The line through the first and the last observed value of the whole known history."""

    name, label = "drift", "drift"

    def forecast(self, split: WindowSplit, indices: Ints) -> Floats:
        """``[B, H]`` in original units, of the windows ``indices [B]``."""
        last = _last_row(split, indices)
        first = np.minimum(_first_row(split, indices), last)
        value = _last_or_shift(split, indices, last)
        start = _values_at(split, indices, first[:, None])[:, 0]
        slope = np.where(last > first, (value - start) / np.maximum(last - first, 1), 0.0)
        ahead = (split.origin[indices] - last)[:, None] + np.arange(split.horizon)
        return np.asarray(value[:, None] + slope[:, None] * ahead)


@dataclass(frozen=True, eq=False)
class Ridge(ForecastBaseline):
    """One linear map of the lookback for all series, see :mod:`birnn.tasks.forecast.ridge`."""

    weight: Floats  # [H, L]
    bias: Floats  # [H]
    chosen: dict[str, Any]
    name, label = "ridge", "ridge regression"

    @classmethod
    def fit(cls, train: WindowSplit, validation: WindowSplit) -> "Ridge":
        """Fit to train; the penalty is that of the least validation MSE.

        What was fitted last to ``train`` is remembered as long as that is: it is a baseline, and a
        part of the model of every seed.

        Raises:
            DataError: fewer than 2 windows of train have an observed input.
        """
        known = _fitted.get(train)
        if known is None or known[0]() is not validation:
            known = weakref.ref(validation), cls._fit(train, validation)
            _fitted[train] = known
        return known[1]

    @classmethod
    def _fit(cls, train: WindowSplit, validation: WindowSplit) -> "Ridge":
        equations = fit_ridge(train)
        ridge = choose(equations, validation)
        chosen: dict[str, Any] = {"penalty": ridge.penalty, "train_windows": equations.windows}
        chosen["validation_windows"] = ridge.validation_windows
        if len(train) > MOST:
            chosen["sampled"] = f"{MOST} of {len(train)} train windows, evenly spread"
        if equations.filled:
            chosen["filled"] = equations.filled
        if math.isfinite(ridge.validation_mse):
            chosen["validation_mse_scaled"] = ridge.validation_mse
        return cls(ridge.weight, ridge.bias, chosen)

    def forecast(self, split: WindowSplit, indices: Ints) -> Floats:
        """``[B, H]`` in original units, of the windows ``indices [B]``."""
        rows = split.scaled(split.histories(indices), indices)
        return split.original(predict_ridge(self.weight, self.bias, rows), indices)

    def settings(self) -> dict[str, Any]:
        """The penalty, relative to the mean eigenvalue, and the windows it is from."""
        return dict(self.chosen)


Fitted = tuple[weakref.ref[WindowSplit], Ridge]  # to which penalties were chosen, and what was
_fitted: weakref.WeakKeyDictionary[WindowSplit, Fitted] = weakref.WeakKeyDictionary()


def fit_baselines(
    train: WindowSplit, validation: WindowSplit, season: int
) -> list[ForecastBaseline]:
    """Last value, seasonal naive (for a season above 1), drift, and ridge where it can be fitted.

    Ridge needs 2 windows of train with an observed value.
    """
    baselines = [LastValue(), *([SeasonalNaive(season)] if season > 1 else []), Drift()]
    with suppress(DataError):  # the naive ones need no fit; the list shows that ridge isn't there
        baselines.append(Ridge.fit(train, validation))
    return baselines


def _values_at(split: WindowSplit, indices: Ints, rows: Ints) -> Floats:
    """``[B, K]`` values of the series of the windows at ``rows [B, K]``; NaN before the start."""
    starts = split.panel.offsets[split.series[indices]][:, None]
    values = split.panel.values[starts + np.maximum(rows, 0)]
    return np.asarray(np.where(rows < 0, np.nan, values))


def _last_or_shift(split: WindowSplit, indices: Ints, last: Ints) -> Floats:
    """``[B]`` values at the rows ``last [B]``; the mean in train where that is −1."""
    value = _values_at(split, indices, last[:, None])[:, 0]
    return np.where(last < 0, split.shift[split.series[indices]], value)


def _last_row(split: WindowSplit, indices: Ints) -> Ints:
    """``[B]`` the last observed row before the origin of each window; −1 where there is none."""
    panel, series = split.panel, split.series[indices]
    rows = split.origin[indices] - 1
    missing = np.flatnonzero(np.isnan(_values_at(split, indices, rows[:, None])[:, 0]))
    for number in np.unique(series[missing]):
        mine = missing[series[missing] == number]
        known = np.flatnonzero(np.isfinite(panel.history(number)))
        place = np.searchsorted(known, rows[mine], side="right") - 1
        rows[mine] = np.where(place < 0, -1, known[place] if len(known) else -1)
    return rows


def _first_row(split: WindowSplit, indices: Ints) -> Ints:
    """``[B]`` the first observed row of the series of each window; its length where none is."""
    numbers, places = np.unique(split.series[indices], return_inverse=True)
    known = (np.isfinite(split.panel.history(number)) for number in numbers)
    rows = [int(row.argmax()) if row.any() else len(row) for row in known]
    return np.array(rows, dtype=np.int64)[places]
