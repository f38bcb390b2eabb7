"""Prediction intervals by split-conformal calibration, of points and of quantile forecasts.

Scores of held-back windows are sorted, and the ⌈(n + 1) · level⌉-th smallest is the radius (Vovk et
al. 2005; Lei et al. 2018), for each step of the horizon on its own. If a new window is exchangeable
with the ``n`` held-back ones, it lies within with at least the probability ``level``, whatever the
model. Windows of one series overlap and times change, so for them this holds roughly at best: the
coverage on test says how well. Quantile forecasts are moved by such a radius (CQR, Romano et al.
2019).
"""

from decimal import Decimal, InvalidOperation
from fractions import Fraction

import numpy as np

from birnn.arrays import Array, Floats, Ints
from birnn.data.series.windows import WindowSplit
from birnn.errors import ConfigError, DataError
from birnn.tasks.forecast.forecasts import Calibration, Forecasts, Levels, level_name
from birnn.tasks.forecast.sums import STEPS, window_chunks

OWN_RADIUS = 5  # times the windows that a level needs: from there on a series has its own radius


def check_levels(levels: str) -> Levels:
    """Read levels in per cent, as ``80,95``: each as a share, ascending and once.

    Raises:
        ConfigError: none is given, or one is no number between 0 and 100.
    """
    shares = set()
    for part in levels.split(","):
        try:
            level = Decimal(part.strip()) / 100  # 99.9 / 100 in floats is a little more
        except InvalidOperation:
            level = Decimal(0)
        if not (level.is_finite() and 0 < level < 1):
            raise ConfigError(
                f"level {part.strip()!r}: must be a percentage between 0 and 100, both excluded; "
                "give one or more, as 80,95"
            )
        shares.add(float(level))
    return tuple(sorted(shares))


def _exact(level: float) -> Fraction:
    # 0.95 is no binary fraction; a rank computed with what is nearest to it could be one too high.
    return Fraction(level).limit_denominator(1_000_000)


def conformal_rank(n: int, level: float) -> int | None:
    """⌈(n + 1) · level⌉, or None where ``n`` calibration windows can't support the level."""
    rank = max(-(-(n + 1) * _exact(level) // 1), 1)
    return int(rank) if rank <= n else None


def windows_needed(level: float) -> int:
    """The fewest calibration windows that support a level: ⌈level / (1 − level)⌉."""
    exact = _exact(level)
    if exact >= 1:
        raise ConfigError(f"level {level_name(level)} %: must be below 100")
    return max(int(-(-exact / (1 - exact) // 1)), 1)


def supported(n: int, levels: Levels) -> Levels:
    """Those of the levels that ``n`` calibration windows support."""
    return tuple(level for level in levels if conformal_rank(n, level) is not None)


def absolute_scores(target: Array, point: Array) -> Floats:
    """``[B, H]`` distance of targets from points; NaN where the target is missing."""
    return np.abs(np.asarray(target, dtype=np.float64) - point)


def quantile_scores(target: Array, lower: Array, upper: Array) -> Floats:
    """How far targets lie outside of quantile forecasts, negative inside (CQR): ``[B, K, H]``.

    Of a ``target [B, H]``, NaN where missing, and the ``lower`` and ``upper [B, K, H]`` of levels.
    """
    wanted = np.asarray(target, dtype=np.float64)[:, None]
    return np.maximum(lower - wanted, wanted - upper)


def calibrate(scores: Array, levels: Levels, unit: Floats | None = None) -> Floats:
    """The radius of each level and step, ``[K, H]``.

    Args:
        scores: ``[n, H]``, or ``[n, K, H]`` where each level has its own; NaN where missing, which
            doesn't count towards the ``n`` of its step.
        unit: ``[n]`` that the scores are divided by; 1 where None.

    Raises:
        ConfigError: a step has too few scores for a level.
    """
    radius = np.empty((len(levels), scores.shape[-1]))
    for step in range(scores.shape[-1]):
        for k, level in enumerate(levels):
            if scores.ndim == 3 or k == 0:
                column = scores[:, k, step] if scores.ndim == 3 else scores[:, step]
                column = column.astype(np.float64) / (1.0 if unit is None else unit)
                column = np.sort(column[~np.isnan(column)])
            rank = conformal_rank(len(column), level)
            if rank is None:
                raise _unsupported(level, len(column), step)
            radius[k, step] = column[rank - 1]
    return radius


def _unsupported(level: float, n: int, step: int) -> ConfigError:
    highest = int(1000 * n / (n + 1)) / 10  # rounded down, so that it is really possible
    lower = f"the highest level possible is {highest:g} %" if n else "no level is possible"
    return ConfigError(
        f"level {level_name(level)} %: needs {windows_needed(level)} calibration windows, step "
        f"{step + 1} has {n}; {lower}: ask for a lower one, or hold back more rows for calibration"
    )


def calibrate_groups(scores: Array, group: Ints, scale: Floats, levels: Levels) -> Calibration:
    """Radii of each series, or of all where one has too few windows to be on its own.

    A series needs ``OWN_RADIUS`` times the windows that the highest level needs at every step.
    Pooled scores are divided by the scale of their series first.

    Args:
        scores: ``[n, H]`` (:func:`absolute_scores`) or ``[n, K, H]`` (:func:`quantile_scores`) in
            original units; NaN where missing.
        group, scale: ``[n]`` number of each window's series, and ``[N]`` scale of each, above 0.
        levels: ``K`` shares, ascending.

    Raises:
        ConfigError: there are too few windows for a level, even of all series together.
        DataError: numbers of scores, windows, and levels don't go together.
    """
    if len(scores) != len(group) or (scores.ndim == 3 and scores.shape[1] != len(levels)):
        words = f"{list(scores.shape)} for {len(group)} windows and {len(levels)} levels"
        raise DataError(f"calibration: scores {words}")
    quantiles, unit = scores.ndim == 3, scale[group]
    known = ~np.isnan(scores[:, 0] if quantiles else scores)  # [n, H]
    counts = np.zeros((len(scale), known.shape[1]), dtype=np.int64)
    np.add.at(counts, group, known)
    needed = max(windows_needed(level) for level in levels)
    if counts.min() < OWN_RADIUS * needed or len(scale) == 1:
        radius = calibrate(scores, levels, unit)[None]
        return Calibration(levels, radius, True, int(counts.sum(0).min()), quantiles)
    mine = (np.flatnonzero(group == number) for number in range(len(scale)))
    radii = [calibrate(scores[rows], levels, unit[rows]) for rows in mine]
    return Calibration(levels, np.stack(radii), False, int(counts.min()), quantiles)


def calibrate_forecasts(
    split: WindowSplit, forecasts: Forecasts, levels: Levels, most: int = STEPS,
    known: tuple[Ints, Floats] | None = None,
) -> Calibration:  # fmt: skip
    """Calibrate on held-back windows: quantile heads where there are any, otherwise points.

    Args:
        split: ``M`` windows that no weight was fitted to; ``most`` targets are read at once.
        known: ``[N]`` a group for each series of the panel, below 0 for one that is left out, and
            the scale ``[G]`` of each group; None: each series is a group.

    Raises:
        ConfigError: there are too few windows for a level, or it has no pair of quantiles.
    """
    heads = forecasts.quantile_values is not None
    steps = (len(levels), split.horizon) if heads else (split.horizon,)
    conformity = np.empty((len(split), *steps), dtype=np.float32)
    for indices in window_chunks(split, most):
        target = split.futures(indices)
        if heads:
            conformity[indices] = quantile_scores(target, *forecasts.pairs(levels, indices))
        else:
            conformity[indices] = absolute_scores(target, forecasts.values[indices])
    if known is None:
        return calibrate_groups(conformity, split.series, split.scale, levels)
    group = known[0][split.series]
    return calibrate_groups(conformity[group >= 0], group[group >= 0], known[1], levels)
