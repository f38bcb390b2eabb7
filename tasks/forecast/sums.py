"""What the scores of forecasts are computed from: sums over windows, accumulated in chunks.

Memory grows with the stored forecasts alone. scikit-learn's functions want all targets and
forecasts at once and know neither missing steps nor most of these scores; it and ``utilsforecast``
are the oracles of the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from birnn.arrays import Array, Floats, Ints
from birnn.data.series.windows import WindowSplit
from birnn.errors import ConfigError, DataError
from birnn.tasks.forecast.blocks import block_units
from birnn.tasks.forecast.conformal import (
    Calibration,
    absolute_scores,
    calibrate_groups,
    level_name,
    quantile_scores,
)

BASE = (
    "count",
    "squared",
    "absolute",
    "squared_scaled",
    "absolute_scaled",
    "nonzero",
    "ape",
    "sape",
)
COUNT, SQUARED, ABSOLUTE = 0, 1, 2  # places in BASE
STEPS = 200_000  # targets that are looked at at once


class PointForecasts(Protocol):
    """Forecasts of windows: an array, or what makes them when they are asked for."""

    def __getitem__(self, indices: Ints) -> Array:
        """``[B, H]`` of the windows ``indices [B]``."""


@dataclass(frozen=True)
class Forecasts:
    """What is said about ``M`` windows.

    Attributes:
        values: ``[M, H]`` float32 points in original units, within the bounds.
        calibration: from which intervals are made.
        quantiles: ``Q`` shares, ascending; empty without quantile heads.
        quantile_values: ``[M, H, Q]`` float32 in original units.
        low: the least value there can be.
        high: the largest one.
    """

    values: PointForecasts
    calibration: Calibration | None = None
    quantiles: tuple[float, ...] = ()
    quantile_values: Array | None = None
    low: float | None = None
    high: float | None = None

    def pairs(self, levels: tuple[float, ...], indices: Ints) -> tuple[Floats, Floats]:
        """Forecasts of the lower and upper quantile of each level, ``[B, K, H]`` each.

        Raises:
            ConfigError: a level has no pair of quantiles.
        """
        assert self.quantile_values is not None
        rows = self.quantile_values[indices].astype(np.float64).transpose(0, 2, 1)
        bounds = [self._quantile((1 - level) / 2, level) for level in levels]
        upper = [self._quantile((1 + level) / 2, level) for level in levels]
        return rows[:, bounds], rows[:, upper]

    def _quantile(self, share: float, level: float) -> int:
        for i, quantile in enumerate(self.quantiles):
            if abs(quantile - share) < 1e-6:
                return i
        raise ConfigError(
            f"level {level_name(level)} %: no forecast of the quantile {share:g}; there are: "
            + ", ".join(f"{quantile:g}" for quantile in self.quantiles)
        )

    def intervals(self, split: WindowSplit, indices: Ints) -> tuple[Floats, Floats] | None:
        """Lower and upper bounds of the windows ``indices [B]``, ``[B, K, H]`` each, if any."""
        if self.calibration is None:
            return None
        point: Array | tuple[Array, Array] = self.values[indices]
        if self.calibration.quantiles:
            point = self.pairs(self.calibration.levels, indices)
        series = split.series[indices]
        return self.calibration.interval(point, series, split.scale, self.low, self.high)


def calibrate_forecasts(
    split: WindowSplit,
    forecasts: Forecasts,
    levels: tuple[float, ...],
    most: int = STEPS,
    known: tuple[Ints, Floats] | None = None,
) -> Calibration:
    """Calibrate on held-back windows: quantile heads where there are any, otherwise points.

    Args:
        split: ``M`` windows that no weight was fitted to.
        forecasts: of them.
        levels: ``K`` shares, ascending.
        most: targets that are looked at at once.
        known: ``[N]`` a group for each series of the panel, below 0 for one that is left out, and
            the scale ``[G]`` of each group; None: each series is a group.

    Raises:
        ConfigError: there are too few windows for a level, or it has no pair of quantiles.
    """
    heads = forecasts.quantile_values is not None
    steps = (len(levels), split.horizon) if heads else (split.horizon,)
    found = np.empty((len(split), *steps), dtype=np.float32)
    for indices in _chunks(split, most):
        target = split.futures(indices)
        if heads:
            found[indices] = quantile_scores(target, *forecasts.pairs(levels, indices))
        else:
            found[indices] = absolute_scores(target, forecasts.values[indices])
    if known is None:
        return calibrate_groups(found, split.series, split.scale, levels)
    group = known[0][split.series]
    return calibrate_groups(found[group >= 0], group[group >= 0], known[1], levels)


def _chunks(split: WindowSplit, most: int) -> Iterator[Ints]:
    windows = max(1, most // split.horizon)
    for start in range(0, len(split), windows):
        yield np.arange(start, min(start + windows, len(split)))


@dataclass(frozen=True)
class Sums:
    """Sums of ``S`` kinds over observed targets.

    Attributes:
        names: ``S`` kinds.
        levels: of the intervals.
        cells: ``[C, S]`` of each pair of a block and a series that has windows.
        unit: ``[C]`` number of the block.
        series: ``[C]`` number of the series.
        units: how many blocks there are.
        words: what the blocks are.
        steps: ``[H, S]``.
        series_steps: ``[3, N, H]`` of the first three kinds.
        naive_absolute: ``[N]`` mean absolute seasonal difference of the past; NaN if unknown or 0.
        naive_squared: ``[N]`` mean squared one.
    """

    names: tuple[str, ...]
    levels: tuple[float, ...]
    cells: Floats
    unit: Ints
    series: Ints
    units: int
    words: str
    steps: Floats
    series_steps: Floats
    naive_absolute: Floats
    naive_squared: Floats

    @property
    def unscaled(self) -> int:
        """Series with observed targets that MASE and RMSSE leave out: they have no scale."""
        seen = self.series_steps[COUNT].sum(1) > 0
        return int((seen & np.isnan(self.naive_absolute)).sum())


def accumulate(
    split: WindowSplit, forecasts: Forecasts, season: int | None = None, most: int = STEPS
) -> Sums:
    """Add up what every score needs.

    Args:
        split: ``M`` windows.
        forecasts: of them.
        season: lag of the naive forecast in MASE and RMSSE; the panel's where None.
        most: targets that are looked at at once.

    Raises:
        DataError: no target is observed, or a forecast of an observed one is not finite.
    """
    levels = forecasts.calibration.levels if forecasts.calibration else ()
    names = _kinds(forecasts, levels)
    blocks, size = block_units(split), len(split.panel)
    keys, cell = np.unique(blocks.unit * size + split.series, return_inverse=True)
    cells = np.zeros((len(keys), len(names)))
    steps = np.zeros((split.horizon, len(names)))
    series_steps = np.zeros((3, size, split.horizon))
    for indices in _chunks(split, most):
        for k, part in enumerate(_parts(split, forecasts, indices, levels)):
            steps[:, k] += part.sum(0)
            cells[:, k] += np.bincount(cell[indices], weights=part.sum(1), minlength=len(keys))
            if k < len(series_steps):
                _add_rows(series_steps[k], split.series[indices], part)
    if not steps[:, COUNT].any():
        raise DataError("no target of these windows is observed: there is nothing to score")
    absolute, squared = naive_scales(split, split.panel.season if season is None else season)
    unit, series = np.divmod(keys, size)
    return Sums(
        names,
        levels,
        cells,
        unit,
        series,
        blocks.count,
        blocks.words,
        steps,
        series_steps,
        absolute,
        squared,
    )


def _kinds(forecasts: Forecasts, levels: tuple[float, ...]) -> tuple[str, ...]:
    of_levels = [
        f"{kind}_{level_name(level)}"
        for level in levels
        for kind in ("coverage", "width", "winkler")
    ]
    pinball = ["pinball"] if levels or forecasts.quantiles else []
    return (*BASE, *pinball, *of_levels)


def _add_rows(sums: Floats, series: Ints, rows: Floats) -> None:
    """Add ``rows [B, H]`` to the rows ``series [B]`` of ``sums [N, H]``."""
    order = np.argsort(series, kind="stable")
    numbers, starts = np.unique(series[order], return_index=True)
    sums[numbers] += np.add.reduceat(rows[order], starts, axis=0)


def _parts(
    split: WindowSplit, forecasts: Forecasts, indices: Ints, levels: tuple[float, ...]
) -> list[Floats]:
    """``[B, H]`` of every kind; 0 where the target is missing."""
    target = split.futures(indices)
    known = np.isfinite(target)
    point = forecasts.values[indices].astype(np.float64)
    if not np.isfinite(point[known]).all():
        raise DataError("a forecast is not finite: the values are too large, or training failed")
    error = np.where(known, target - point, 0.0)
    squared, absolute = error**2, np.abs(error)
    scale = split.scale[split.series[indices], None]
    size, nonzero = np.abs(target), known & (target != 0)
    both = size + np.abs(point)
    nothing = np.zeros_like(error)
    parts = [
        known.astype(np.float64),
        squared,
        absolute,
        squared / scale**2,
        absolute / scale,
        nonzero.astype(np.float64),
        np.divide(absolute, size, out=nothing.copy(), where=nonzero),
        np.divide(2 * absolute, both, out=nothing.copy(), where=known & (both > 0)),
    ]
    bounds = forecasts.intervals(split, indices)
    if bounds is not None or forecasts.quantiles:
        loss = _pinball(forecasts, indices, target, point, bounds, levels)
        parts.append(np.where(known, loss, 0.0))
    if bounds is not None:
        for k, level in enumerate(levels):
            found = interval_parts(target, bounds[0][:, k], bounds[1][:, k], level)
            parts += [np.where(known, part, 0.0) for part in found]
    return parts


def _pinball(
    forecasts: Forecasts,
    indices: Ints,
    target: Floats,
    point: Floats,
    bounds: tuple[Floats, Floats] | None,
    levels: tuple[float, ...],
) -> Floats:
    """``[B, H]`` mean over the quantiles; without heads, over bounds and point as the median."""
    if forecasts.quantile_values is not None:
        rows = forecasts.quantile_values[indices].astype(np.float64)
        pairs = [(share, rows[..., i]) for i, share in enumerate(forecasts.quantiles)]
    else:
        assert bounds is not None
        pairs = [(0.5, point)]
        for k, level in enumerate(levels):
            pairs.append(((1 - level) / 2, bounds[0][:, k]))
            pairs.append(((1 + level) / 2, bounds[1][:, k]))
    total = sum((pinball(target, value, share) for share, value in pairs), np.zeros_like(target))
    return np.asarray(total / len(pairs))


def pinball(target: Array, forecast: Array, quantile: float) -> Floats:
    """The quantile loss, elementwise (Koenker & Bassett 1978)."""
    error = target - forecast
    return np.maximum(quantile * error, (quantile - 1) * error)


def interval_parts(
    target: Array, lower: Array, upper: Array, level: float
) -> tuple[Floats, Floats, Floats]:
    """Whether a target lies inside, the width, and the interval score, elementwise.

    The interval score, or Winkler's, is the width plus 2 / (1 − level) times the distance of a
    target outside (Gneiting & Raftery 2007).
    """
    width = np.broadcast_to(upper - lower, target.shape)
    outside = np.maximum(np.maximum(lower - target, target - upper), 0.0)
    return (outside == 0).astype(np.float64), width, width + 2 / (1 - level) * outside


def naive_scales(split: WindowSplit, season: int) -> tuple[Floats, Floats]:
    """Mean absolute and squared seasonal difference of each series before its first origin.

    The scales of MASE (Hyndman & Koehler 2006) and RMSSE, as in the M4 and M5 competitions.

    Args:
        split: the rows before the first origin of a series in it are its past.
        season: the lag.

    Returns:
        ``[N]`` each, NaN where the past has no such pair of values, or all differences are 0.
    """
    found = np.full((2, len(split.panel)), np.nan)
    first = np.full(len(split.panel), np.iinfo(np.int64).max)
    np.minimum.at(first, split.series, split.origin)
    for number in np.unique(split.series):
        past = split.panel.history(number)[: first[number]]
        steps = past[season:] - past[:-season]
        steps = steps[np.isfinite(steps)]
        if steps.any():
            found[:, number] = np.abs(steps).mean(), np.square(steps).mean()
    return found[0], found[1]
