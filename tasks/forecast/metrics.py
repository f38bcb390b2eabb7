"""Scores of forecasts: errors, scaled errors, quantiles and intervals, with a block bootstrap.

All from the sums of :mod:`birnn.tasks.forecast.sums`, which are divided once.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from birnn.arrays import Array, Floats
from birnn.tasks.forecast.sums import ABSOLUTE, COUNT, SQUARED, Sums
from birnn.tasks.scoring.bootstrap import ratio, replicates

CELLS = 4_000_000  # numbers of an array of the bootstrap


def _values(sums: Floats, names: tuple[str, ...], scaled: dict[str, Floats]) -> dict[str, Floats]:
    """Every score, from ``sums [..., S]`` and scaled errors; NaN where nothing was observed."""
    part = {name: sums[..., k] for k, name in enumerate(names)}
    count = part.pop("count")
    mse = ratio(part.pop("squared"), count)
    means = {
        "mse": mse, "rmse": np.sqrt(mse), "mae": ratio(part.pop("absolute"), count),
        "mse_scaled": ratio(part.pop("squared_scaled"), count),
        "mae_scaled": ratio(part.pop("absolute_scaled"), count),
        "mape": 100 * ratio(part.pop("ape"), part.pop("nonzero")),
        "smape": 100 * ratio(part.pop("sape"), count),
    }  # fmt: skip
    return {**means, **scaled, **{name: ratio(values, count) for name, values in part.items()}}


def _mean(values: Floats) -> Floats:
    """Mean over the first axis of what is not NaN; NaN where nothing is."""
    return ratio(np.nansum(values, axis=0), (~np.isnan(values)).sum(0))


def _scaled_errors(sums: Sums, series_sums: Floats) -> dict[str, Floats]:
    """MASE and RMSSE of each series from ``[3, N, ...]`` sums; NaN where it has no scale."""
    shape = (-1, *[1] * (series_sums.ndim - 2))
    mae = ratio(series_sums[ABSOLUTE], series_sums[COUNT])
    mse = ratio(series_sums[SQUARED], series_sums[COUNT])
    return {
        "mase": mae / sums.naive_absolute.reshape(shape),
        "rmsse": np.sqrt(mse / sums.naive_squared.reshape(shape)),
    }


def _defined(values: Mapping[str, Array]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}


def scores(sums: Sums) -> dict[str, float]:
    """Every score that is defined.

    Returns:
        Over every observed step of every window: ``mse``, ``rmse``, ``mae`` in original units,
        ``mse_scaled`` and ``mae_scaled`` in those of the scaler, ``mape`` (per cent, of targets
        that are not 0) and ``smape`` (per cent, 200 · abs(e) / (abs(y) + abs(ŷ)) as in M4; 0 / 0
        counts 0). ``mase`` and ``rmsse``: of each series, then the mean over the series that have
        a scale. ``pinball``, and for each level ``coverage_80`` (a share), ``width_80`` and
        ``winkler_80``.
    """
    scaled = _scaled_errors(sums, sums.series_steps.sum(2))
    means = {name: _mean(values) for name, values in scaled.items()}
    return _defined(_values(sums.steps.sum(0), sums.names, means))


def step_scores(sums: Sums) -> list[dict[str, float]]:
    """The scores of :func:`scores` for each of the ``H`` steps; ``mase`` is a mean over series."""
    means = {name: _mean(part) for name, part in _scaled_errors(sums, sums.series_steps).items()}
    values = _values(sums.steps, sums.names, means)
    steps = range(len(sums.steps))
    return [_defined({name: part[step] for name, part in values.items()}) for step in steps]


def series_scores(sums: Sums, names: list[str], limit: int | None = None) -> list[dict[str, Any]]:
    """The scores of :func:`scores` for each series with observed targets, in their order.

    The first ``limit`` of them, each with its name under ``series``.
    """
    total = np.zeros((len(names), len(sums.names)))
    np.add.at(total, sums.series, sums.cells)
    values = _values(total, sums.names, _scaled_errors(sums, sums.series_steps.sum(2)))
    return [
        {"series": names[i], **_defined({name: part[i] for name, part in values.items()})}
        for i in np.flatnonzero(total[:, COUNT] > 0)[:limit]
    ]


def forecast_replicates(sums: Sums, seed: int) -> dict[str, Array]:
    """Every score of :func:`scores` on resamples of whole blocks of origins.

    Forecasts of the same windows meet the same resamples, so that differences of them are paired.
    In the means over series each weighs by the share of its targets that a resample holds: where
    a block is of one series, a series that is drawn twice counts twice.
    """
    import scipy.sparse as sp

    shape = (sums.units, len(sums.naive_absolute))
    total = np.zeros((sums.units, len(sums.names)))
    np.add.at(total, sums.unit, sums.cells)
    whole = sums.series_steps[COUNT].sum(1)
    used = (whole > 0) & np.isfinite(sums.naive_absolute)
    tables = [
        sp.coo_matrix((sums.cells[:, kind], (sums.unit, sums.series)), shape).tocsr()[:, used]
        for kind in (COUNT, SQUARED, ABSOLUTE)
    ]
    whole, absolute, squared = whole[used], sums.naive_absolute[used], sums.naive_squared[used]

    def some(counts: Array) -> dict[str, Array]:
        seen, squares, sizes = (np.asarray((table.T @ counts.T).T) for table in tables)
        share = seen / whole  # [R, N]
        weight = share.sum(1)
        rmsse = np.sqrt(ratio(squares, seen) / squared)
        scaled = {
            "mase": ratio((sizes / whole / absolute).sum(1), weight),
            "rmsse": ratio(np.where(seen > 0, rmsse * share, 0.0).sum(1), weight),
        }
        return _values(counts @ total, sums.names, scaled)

    def every(counts: Array) -> Mapping[str, Array]:
        rows = max(1, CELLS // max(len(whole), 1))
        parts = [some(counts[start : start + rows]) for start in range(0, len(counts), rows)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    defined = scores(sums)
    drawn = replicates(every, sums.units, seed)
    return {name: values for name, values in drawn.items() if name in defined}
