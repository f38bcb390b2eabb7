"""What the scores of forecasts are computed from: sums over windows, accumulated in chunks.

Memory grows with the stored forecasts alone. scikit-learn's functions want all targets and
forecasts at once and know neither missing steps nor most of these scores; it and ``utilsforecast``
are the oracles of the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from birnn.arrays import Array, Floats, Ints
from birnn.errors import DataError
from birnn.tasks.forecast.blocks import block_units
from birnn.tasks.forecast.forecasts import Forecasts, Levels, level_name

if TYPE_CHECKING:
    from birnn.data.series.windows import WindowSplit

OF_SERIES = ("count", "squared", "absolute")  # kinds that are summed by series and step too
COUNT, SQUARED, ABSOLUTE = 0, 1, 2  # their places
STEPS = 200_000  # targets that are looked at at once


def window_chunks(split: "WindowSplit", most: int) -> Iterator[Ints]:
    """Numbers of all windows, in order, some at a time: ``most`` targets, or one window."""
    windows = max(1, most // split.horizon)
    for start in range(0, len(split), windows):
        yield np.arange(start, min(start + windows, len(split)))


@dataclass(frozen=True)
class Sums:
    """Sums of ``S`` kinds over observed targets."""

    names: tuple[str, ...]  # S kinds
    levels: Levels  # of the intervals
    cells: Floats  # [C, S], of each pair of a block and a series that has windows
    unit: Ints  # [C] number of the block
    series: Ints  # [C] number of the series
    units: int  # how many blocks there are
    words: str  # what the blocks are
    steps: Floats  # [H, S]
    series_steps: Floats  # [3, N, H], of the first three kinds
    naive_absolute: Floats  # [N] mean absolute seasonal difference of the past; NaN if none or 0
    naive_squared: Floats  # [N] mean squared one

    @property
    def unscaled(self) -> int:
        """Series with observed targets that MASE and RMSSE leave out: they have no scale."""
        seen = self.series_steps[COUNT].sum(1) > 0
        return int((seen & np.isnan(self.naive_absolute)).sum())


def accumulate(
    split: "WindowSplit", forecasts: Forecasts, season: int | None = None, most: int = STEPS
) -> Sums:
    """Add up what every score needs, of ``most`` targets at once.

    The ``season`` is the lag of the naive forecast in MASE and RMSSE; the panel's where None.

    Raises:
        DataError: no target is observed, or a forecast of an observed one is not finite.
    """
    levels = forecasts.calibration.levels if forecasts.calibration else ()
    blocks, size = block_units(split), len(split.panel)
    keys, cell = np.unique(blocks.unit * size + split.series, return_inverse=True)
    cells: dict[str, Floats] = {}
    steps: dict[str, Floats] = {"count": np.zeros(split.horizon)}
    series_steps = np.zeros((3, size, split.horizon))
    for indices in window_chunks(split, most):
        parts = _parts(split, forecasts, indices, levels)
        for name, part in parts.items():
            of_cells = np.bincount(cell[indices], weights=part.sum(1), minlength=len(keys))
            cells[name] = np.add(cells.get(name, 0.0), of_cells)
            steps[name] = np.add(steps.get(name, 0.0), part.sum(0))
        for name, total in zip(OF_SERIES, series_steps, strict=True):
            _add_rows(total, split.series[indices], parts[name])
    if not steps["count"].any():
        raise DataError("no target of these windows is observed: there is nothing to score")
    scales = naive_scales(split, split.panel.season if season is None else season)
    return Sums(
        tuple(steps), levels, np.stack([*cells.values()], 1), *np.divmod(keys, size),
        blocks.count, blocks.words, np.stack([*steps.values()], 1), series_steps, *scales,
    )  # fmt: skip


def _add_rows(sums: Floats, series: Ints, rows: Floats) -> None:
    """Add ``rows [B, H]`` to the rows ``series [B]`` of ``sums [N, H]``."""
    order = np.argsort(series, kind="stable")
    numbers, starts = np.unique(series[order], return_index=True)
    sums[numbers] += np.add.reduceat(rows[order], starts, axis=0)


def _parts(
    split: "WindowSplit", forecasts: Forecasts, indices: Ints, levels: Levels
) -> dict[str, Floats]:
    """``[B, H]`` of every kind, by its name; 0 where the target is missing."""
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
    parts = {
        "count": known.astype(np.float64), "squared": squared, "absolute": absolute,
        "squared_scaled": squared / scale**2, "absolute_scaled": absolute / scale,
        "nonzero": nonzero.astype(np.float64),
        "ape": np.divide(absolute, size, out=np.zeros_like(error), where=nonzero),
        "sape": np.divide(
            2 * absolute, both, out=np.zeros_like(error), where=known & (both > 0)),
    }  # fmt: skip
    bounds = forecasts.intervals(split, indices)
    if bounds is not None or forecasts.quantiles:
        loss = _pinball(forecasts, indices, target, point, bounds, levels)
        parts["pinball"] = np.where(known, loss, 0.0)
    if bounds is not None:
        for k, level in enumerate(levels):
            scores = interval_parts(target, bounds[0][:, k], bounds[1][:, k], level)
            for kind, score in zip(("coverage", "width", "winkler"), scores, strict=True):
                parts[f"{kind}_{level_name(level)}"] = np.where(known, score, 0.0)
    return parts


def _pinball(
    forecasts: Forecasts, indices: Ints, target: Floats, point: Floats,
    bounds: tuple[Floats, Floats] | None, levels: Levels,
) -> Floats:  # fmt: skip
    """``[B, H]`` mean over the quantiles; without heads, over bounds and point as the median."""
    if forecasts.quantile_values is not None:
        rows = forecasts.quantile_values[indices].astype(np.float64)
        pairs = [(share, rows[..., i]) for i, share in enumerate(forecasts.quantiles)]
    else:
        assert bounds is not None
        pairs = [(0.5, point)]
        for k, level in enumerate(levels):
            pairs += [((1 - level) / 2, bounds[0][:, k]), ((1 + level) / 2, bounds[1][:, k])]
    total = np.zeros_like(target)
    for share, value in pairs:  # Koenker & Bassett 1978
        error = target - value
        total += np.maximum(share * error, (share - 1) * error)
    return np.asarray(total / len(pairs))


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


def naive_scales(split: "WindowSplit", season: int) -> tuple[Floats, Floats]:
    """Mean absolute and squared seasonal difference of each series before its first origin.

    The scales of MASE (Hyndman & Koehler 2006) and RMSSE, as in the M4 and M5 competitions:
    ``[N]`` each, NaN where the past has no such pair of values, or all differences are 0.
    """
    scales = np.full((2, len(split.panel)), np.nan)
    first = np.full(len(split.panel), np.iinfo(np.int64).max)
    np.minimum.at(first, split.series, split.origin)
    for number in np.unique(split.series):
        past = split.panel.history(number)[: first[number]]
        steps = past[season:] - past[:-season]
        steps = steps[np.isfinite(steps)]
        if steps.any():
            scales[:, number] = np.abs(steps).mean(), np.square(steps).mean()
    return scales[0], scales[1]
