"""Forecasts of windows: points, quantiles, and the intervals around them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from birnn.arrays import Array, Floats, Ints
from birnn.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from birnn.data.series.windows import WindowSplit

Levels = tuple[float, ...]  # shares between 0 and 1, ascending


def level_name(level: float) -> str:
    """A level in per cent, as it stands in the names of scores: 0.8 → ``80``."""
    return f"{level * 100:g}"


@dataclass(frozen=True)
class Calibration:
    """Radii of intervals."""

    levels: Levels  # K
    radius: Floats  # [N or 1, K, H] of each series, or of all, in units of the series' scale
    pooled: bool  # whether all series share theirs
    windows: int  # the fewest that a radius is from
    quantiles: bool = False  # whether quantile forecasts are moved, or a radius put around a point

    def interval(
        self, forecast: Array | tuple[Array, Array], series: Ints, scale: Floats,
        low: float | None = None, high: float | None = None,
    ) -> tuple[Floats, Floats]:  # fmt: skip
        """Lower and upper bounds, ``[B, K, H]`` each; a higher level holds the lower ones.

        Args:
            forecast: points ``[B, H]`` in original units; for quantile forecasts those of the
                lower and of the upper quantile of each level, ``[B, K, H]`` each.
            series, scale: ``[B]`` number of each window's series, and ``[N]`` scale of each.
            low, high: the least and the largest value there can be; bounds are clipped to them.

        Raises:
            ConfigError: there are points for a calibration of quantiles, or the other way round.
        """
        if isinstance(forecast, tuple) != self.quantiles:
            raise ConfigError("calibration of points and of quantile forecasts don't mix")
        radius = self.radius[0 if self.pooled else series] * scale[series, None, None]
        if isinstance(forecast, tuple):
            lower, upper = forecast[0] - radius, forecast[1] + radius
            # A negative radius can turn narrow intervals over; a point is what is left of them.
            middle = (lower + upper) / 2
            lower, upper = np.minimum(lower, middle), np.maximum(upper, middle)
            lower, upper = np.minimum.accumulate(lower, 1), np.maximum.accumulate(upper, 1)
        else:
            point = np.asarray(forecast, dtype=np.float64)[:, None]
            lower, upper = point - radius, point + radius
        if low is not None or high is not None:
            lower, upper = np.clip(lower, low, high), np.clip(upper, low, high)
        return lower, upper


def quantiles_of(levels: Sequence[float]) -> tuple[float, ...]:
    """The median and the bounds of each level, ascending."""
    tails = [(1 - level) / 2 for level in levels]
    return tuple(sorted([*tails, 0.5, *(1 - tail for tail in tails)]))


class PointForecasts(Protocol):
    """Forecasts of windows: an array, or what makes them when they are asked for."""

    def __getitem__(self, indices: Ints) -> Array:
        """``[B, H]`` of the windows ``indices [B]``."""


@dataclass(frozen=True)
class Forecasts:
    """What is said about ``M`` windows."""

    values: PointForecasts  # [M, H] float32 points in original units, within the bounds
    calibration: Calibration | None = None  # from which intervals are made
    quantiles: tuple[float, ...] = ()  # Q shares, ascending; empty without quantile heads
    quantile_values: Array | None = None  # [M, H, Q] float32 in original units
    low: float | None = None  # the least value there can be
    high: float | None = None  # the largest one

    def pairs(self, levels: Levels, indices: Ints) -> tuple[Floats, Floats]:
        """Forecasts of the lower and upper quantile of each level, ``[B, K, H]`` each.

        Raises:
            ConfigError: a level has no pair of quantiles.
        """
        assert self.quantile_values is not None
        rows = self.quantile_values[indices].astype(np.float64).transpose(0, 2, 1)
        lower = [self._quantile((1 - level) / 2, level) for level in levels]
        return rows[:, lower], rows[:, [self._quantile((1 + k) / 2, k) for k in levels]]

    def _quantile(self, share: float, level: float) -> int:
        for i, quantile in enumerate(self.quantiles):
            if abs(quantile - share) < 1e-6:
                return i
        raise ConfigError(
            f"level {level_name(level)} %: no forecast of the quantile {share:g}; there are: "
            + ", ".join(f"{quantile:g}" for quantile in self.quantiles)
        )

    def intervals(self, split: "WindowSplit", indices: Ints) -> tuple[Floats, Floats] | None:
        """Lower and upper bounds of the windows ``indices [B]``, ``[B, K, H]`` each, if any."""
        if self.calibration is None:
            return None
        point: Array | tuple[Array, Array] = self.values[indices]
        if self.calibration.quantiles:
            point = self.pairs(self.calibration.levels, indices)
        series = split.series[indices]
        return self.calibration.interval(point, series, split.scale, self.low, self.high)


@dataclass(frozen=True)
class AveragedForecasts(Forecasts):
    """The mean of several models' forecasts of the same windows."""

    # Each model's windows, whose scales are its own, and what it says of them.
    parts: "Sequence[tuple[WindowSplit, Forecasts]]" = field(default_factory=list)

    def pairs(self, levels: Levels, indices: Ints) -> tuple[Floats, Floats]:
        """The means of the models' quantiles; see :class:`Forecasts`."""
        found = [own.pairs(levels, indices) for _, own in self.parts]
        lower, upper = (np.mean(side, axis=0) for side in zip(*found, strict=True))
        return lower, upper

    def intervals(self, split: "WindowSplit", indices: Ints) -> tuple[Floats, Floats] | None:
        """The means of the models' bounds; see :class:`Forecasts`."""
        if self.calibration is None:
            return None
        levels, bounds = self.calibration.levels, []
        for own_split, own in self.parts:
            assert own.calibration is not None
            sides = own.intervals(own_split, indices)
            assert sides is not None
            places = [own.calibration.levels.index(level) for level in levels]
            bounds.append([side[:, places] for side in sides])
        lower, upper = (np.mean(side, axis=0) for side in zip(*bounds, strict=True))
        return lower, upper


def mean_forecasts(parts: "Sequence[tuple[WindowSplit, Forecasts]]") -> AveragedForecasts:
    """The forecasts of several models of the same ``M`` windows as one.

    A level stays that all models have.

    Raises:
        CheckpointError: the models forecast other windows.
    """
    first, own = parts[0]
    if any(len(split) != len(first) or split.horizon != first.horizon for split, _ in parts):
        raise CheckpointError("the models of the ensemble don't forecast the same windows")
    every = np.arange(len(first))
    points = np.mean([np.asarray(f.values[every]) for _, f in parts], axis=0).astype(np.float32)
    quantiles = None
    if all(f.quantile_values is not None and f.quantiles == own.quantiles for _, f in parts):
        values: list[Array] = [np.asarray(f.quantile_values) for _, f in parts]
        quantiles = np.mean(values, axis=0).astype(np.float32)
    return AveragedForecasts(
        points, _calibration([f for _, f in parts]),
        own.quantiles if quantiles is not None else (), quantiles, own.low, own.high, parts,
    )  # fmt: skip


def _calibration(parts: Sequence[Forecasts]) -> Calibration | None:
    """The levels that all have; the radii are never asked for."""
    known = [part.calibration for part in parts]
    calibrations = [one for one in known if one is not None]
    if len(calibrations) < len(known):
        return None
    first = calibrations[0]
    shared = tuple(k for k in first.levels if all(k in one.levels for one in calibrations))
    return replace(first, levels=shared) if shared else None
