"""Closed-form ridge regression from a lookback to a horizon: one linear map for all series.

The last value of a lookback is subtracted from inputs and targets, in the units of a scaler, and
one map ``L → H`` with an intercept is fitted to all windows (Hoerl & Kennard 1970; as a forecaster
"NLinear" of Zeng et al. 2023, without their gradient descent). Windows are read in chunks; what
is kept of them is the normal equations alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from birnn.arrays import Array, Floats, Ints
from birnn.data.series.windows import WindowSplit
from birnn.errors import DataError

CHUNK = 2048  # windows that are built at once
MOST = 200_000  # windows that a map is fitted to
MOST_VALIDATION = 20_000  # and that a penalty is chosen by
PENALTIES = tuple(10.0 ** (power * 9 / 11 - 6) for power in range(12))  # 1e-6 … 1e3
UNKNOWN_PENALTY = 1e-1  # where validation has nothing to choose by


@dataclass(frozen=True)
class NormalEquations:
    """What a ridge fit needs to know of its windows; inputs and targets less the last value."""

    windows: int
    mean_input: Floats  # [L]
    mean_target: Floats  # [H]
    gram: Floats  # [L, L] sums of products of centred inputs
    cross: Floats  # [L, H] sums of products of centred inputs and targets
    filled: str = ""  # by the value before, where missing: "inputs" or "inputs and targets"


def chunks(count: int, most: int, chunk: int = CHUNK) -> Iterator[Ints]:
    """Numbers of at most ``most`` of ``count`` windows, some at a time, ascending.

    Beyond ``most``, one window is drawn from each of ``most`` equal stretches, by a fixed seed: an
    even step could fall on the same phase of a season over and over.
    """
    chosen = np.arange(count)
    if count > most:
        edges = np.arange(most + 1) * count // most
        chosen = np.random.default_rng(0).integers(edges[:-1], edges[1:])
    for start in range(0, len(chosen), chunk):
        yield chosen[start : start + chunk]


def fill(rows: Array) -> Floats:
    """Fill what is missing by the last value before it, or else by the first one after it.

    ``[B, T]`` with NaN where missing → ``[B, T]``; a row without any value stays NaN.
    """
    rows = np.asarray(rows, dtype=np.float64)
    known = np.isfinite(rows)
    if known.all():
        return rows
    places = np.maximum.accumulate(np.where(known, np.arange(rows.shape[1]), -1), axis=1)
    places = np.where(places < 0, known.argmax(1)[:, None], places)
    return np.asarray(np.take_along_axis(rows, places, axis=1))


def fit_ridge(split: WindowSplit, chunk: int = CHUNK) -> NormalEquations:
    """Add up the normal equations over at most ``MOST`` windows of train, ``chunk`` at once.

    Windows with a missing value are left out. Where fewer than ``L + 1`` whole ones remain, those
    without any missing target are taken, missing inputs filled as in prediction; where these are
    too few as well, missing targets are filled by the value before them.

    Raises:
        DataError: fewer than 2 windows have an observed input.
    """
    best: NormalEquations | None = None
    for filled in ("", "inputs", "inputs and targets"):
        equations, read = _accumulate(split, chunk, filled)
        if best is None or equations.windows > best.windows:
            best = equations
        if best.windows > split.lookback or best.windows == read:
            break
    assert best is not None
    if best.windows < 2:
        raise DataError(
            f"ridge: train has {best.windows} windows with observed values, at least 2 are "
            "needed: give more rows, or a shorter lookback or horizon"
        )
    return best


def _accumulate(split: WindowSplit, chunk: int, filled: str) -> tuple[NormalEquations, int]:
    """The equations of the windows that can be used, and how many were read."""
    lookback, horizon = split.lookback, split.horizon
    mean, total = np.zeros(lookback + horizon), np.zeros((lookback, lookback + horizon))
    windows = read = 0
    for indices in chunks(len(split), MOST, chunk):
        read += len(indices)
        rows = _joined(split, indices, filled)
        if not len(rows):
            continue
        # Chunks are centred one by one and then merged (Chan et al. 1983): no digits are lost.
        share = len(rows) / (windows + len(rows))
        middle = rows.mean(0)
        rows -= middle
        step = middle - mean
        total += product(rows[:, :lookback].T, rows)
        total += windows * share * np.outer(step[:lookback], step)
        mean += share * step
        windows += len(rows)
    gram, cross = total[:, :lookback], total[:, lookback:]
    return NormalEquations(windows, mean[:lookback], mean[lookback:], gram, cross, filled), read


def _joined(split: WindowSplit, indices: Ints, filled: str) -> Floats:
    """``[B', L + H]`` scaled inputs and targets less the last value, of usable windows."""
    inputs = split.scaled(split.histories(indices), indices)
    targets = split.scaled(split.futures(indices), indices)
    if filled:
        inputs = fill(inputs)
    if filled == "inputs and targets":
        # Behind a known last input, nothing is left for a target but the value before it.
        targets = fill(np.hstack([inputs[:, -1:], targets]))[:, 1:]
    rows = np.hstack([inputs, targets]) - inputs[:, -1:]
    return np.asarray(rows[np.isfinite(rows).all(1)])


def solve(
    equations: NormalEquations, penalties: tuple[float, ...] = PENALTIES
) -> Iterator[tuple[float, Floats, Floats]]:
    """Ridge maps for each penalty, from one eigendecomposition of the Gram matrix.

    Yields:
        The penalty (relative to the mean eigenvalue, above 0), weight ``[H, L]`` and bias ``[H]``:
        targets = inputs · weightᵀ + bias. The intercept is not penalised.
    """
    values, vectors = (part.numpy() for part in torch.linalg.eigh(torch.tensor(equations.gram)))
    values = np.maximum(values, 0.0)
    size = values.mean() or 1.0  # inputs that never change: any penalty gives 0
    turned = product(vectors.T, equations.cross)
    for penalty in penalties:
        weight = product(vectors, turned / (values + penalty * size)[:, None]).T
        yield penalty, weight, equations.mean_target - product(weight, equations.mean_input)


def product(left: Array, right: Array) -> Floats:
    """``left @ right``, by torch.

    Its threads are as many as were asked for and wait asleep. Those of numpy's BLAS wait for each
    other at full speed: on busy cores, a small decomposition took them a hundred times as long.
    Copies begin at whole lines of the cache: the last bits don't depend on where arrays lie.
    """
    one, other = (torch.tensor(part, dtype=torch.float64) for part in (left, right))
    return np.asarray((one @ other).numpy())


@dataclass(frozen=True)
class RidgeChoice:
    """The map that validation chose."""

    weight: Floats  # [H, L]
    bias: Floats  # [H]
    penalty: float  # relative to the mean eigenvalue
    validation_mse: float  # in scaled units; NaN where validation has no observed target
    validation_windows: int  # that it was measured on


def choose(equations: NormalEquations, validation: WindowSplit) -> RidgeChoice:
    """Pick the penalty with the least validation MSE in scaled units; of equals, the larger.

    At most ``MOST_VALIDATION`` windows are read (:func:`chunks`); without an observed target among
    them, ``UNKNOWN_PENALTY`` is taken.
    """
    maps = list(solve(equations))
    squared, steps, windows = np.zeros(len(maps)), 0, 0
    for indices in chunks(len(validation), MOST_VALIDATION):
        histories = validation.scaled(validation.histories(indices), indices)
        futures = validation.scaled(validation.futures(indices), indices)
        known = np.isfinite(futures)
        steps, windows = steps + int(known.sum()), windows + len(indices)
        for i, (_, weight, bias) in enumerate(maps):
            error = predict_ridge(weight, bias, histories) - futures
            squared[i] += np.square(error, where=known, out=np.zeros_like(error)).sum()
    if not steps:
        penalty, weight, bias = next(solve(equations, (UNKNOWN_PENALTY,)))
        return RidgeChoice(weight, bias, penalty, float("nan"), 0)
    least = np.flatnonzero(squared == squared.min())
    best = max(least, key=lambda i: maps[i][0])
    penalty, weight, bias = maps[best]
    return RidgeChoice(weight, bias, penalty, float(squared[best]) / steps, windows)


def predict_ridge(weight: Floats, bias: Floats, histories: Floats) -> Floats:
    """Forecast with a ridge map of ``weight [H, L]`` and ``bias [H]``: ``[B, L]`` → ``[B, H]``.

    Both in scaled units. What is missing (NaN) in a history is filled by :func:`fill`; where it has
    no value at all, the forecast is 0, the mean of train.
    """
    rows = fill(histories)
    last = rows[:, -1:]
    forecast = product(rows - last, weight.T) + bias + last
    return np.asarray(np.where(np.isfinite(last), forecast, 0.0))
