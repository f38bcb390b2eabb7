"""Windows of a panel, cut when they are asked for: memory grows with the series alone.

A window is a series and an origin, the step of its first target. Its lookback are the ``L`` steps
before, its targets the ``H`` steps from there on. The network sees the lookback in segments of
``w`` steps, right-aligned; a window near the start of its series has fewer of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from birnn.arrays import Floats, Ints
from birnn.data.series.panel import Panel
from birnn.nn.batch import Batch


@dataclass(frozen=True)
class WindowShape:
    """Sizes of a window in steps."""

    lookback: int  # L
    horizon: int  # H
    segment: int  # w

    @property
    def segments(self) -> int:
        """``⌈L / w⌉``."""
        return -(-self.lookback // self.segment)


@dataclass(frozen=True)
class Scaling:
    """Shift and scale of everything that a network reads, from the training rows alone."""

    shift: Floats  # [N] of each series
    scale: Floats  # [N]
    past: Floats  # [2, P] shift and scale of each covariate
    future: Floats  # [2, K]
    static: Floats  # [2, S]


@dataclass(frozen=True, eq=False)  # a split is itself: one with the same windows is another
class WindowSplit:
    """``M`` windows."""

    panel: Panel
    shape: WindowShape
    scaling: Scaling
    series: Ints  # [M] number of each window's series
    origin: Ints  # [M] step of its first target
    ids: Ints  # [N] number of each series for the network; 0 for one it doesn't know

    def __len__(self) -> int:
        return len(self.series)

    @property
    def lookback(self) -> int:
        """``L``."""
        return self.shape.lookback

    @property
    def horizon(self) -> int:
        """``H``."""
        return self.shape.horizon

    @property
    def shift(self) -> Floats:
        """``[N]``."""
        return self.scaling.shift

    @property
    def scale(self) -> Floats:
        """``[N]``."""
        return self.scaling.scale

    @property
    def lengths(self) -> Ints:
        """``[M]`` segments that hold any of the history, at least 1."""
        return self._lengths(self.origin)

    def _lengths(self, origin: Ints) -> Ints:
        steps = np.minimum(origin, self.shape.lookback)
        return np.asarray(np.maximum(-(-steps // self.shape.segment), 1))

    def chosen(self, indices: Ints | Sequence[int]) -> "WindowSplit":
        """The split with these windows alone."""
        return replace(self, series=self.series[indices], origin=self.origin[indices])

    def _steps(self, indices: Ints, first: int, count: int, bound: Ints) -> Floats:
        """Values from ``origin + first`` on, ``[B, count]``; NaN outside ``0 … bound - 1``."""
        series, begin = self.series[indices], self.origin[indices] + first
        starts, bounds = self.panel.offsets[series], bound[series]
        if len(begin) and (begin >= 0).all() and (begin + count <= bounds).all():
            # Stretches of the panel, each copied in one piece.
            return np.asarray(sliding_window_view(self.panel.values, count)[starts + begin])
        steps = begin[:, None] + np.arange(count)
        inside = (steps >= 0) & (steps < bounds[:, None])
        values = self.panel.values[np.where(inside, starts[:, None] + steps, 0)]
        return np.where(inside, values, np.nan)

    def histories(self, indices: Ints) -> Floats:
        """``[B, L]`` the lookbacks in the series' units, NaN where missing or before the start."""
        return self._steps(indices, -self.lookback, self.lookback, self.panel.ends)

    def futures(self, indices: Ints) -> Floats:
        """``[B, H]`` the targets in the series' units, NaN where missing."""
        return self._steps(indices, 0, self.horizon, self.panel.ends)

    def scaled(self, values: Floats, indices: Ints) -> Floats:
        """``values [B, ·]`` of windows in scaled units."""
        series = self.series[indices]
        moved = values - self.shift[series, None]
        moved /= self.scale[series, None]
        return np.asarray(moved)

    def original(self, values: NDArray[np.floating], indices: Ints) -> Floats:
        """``values [B, ·]`` of windows in the series' units."""
        series = self.series[indices]
        return np.asarray(values * self.scale[series, None] + self.shift[series, None])

    def batch(self, indices: Ints) -> Batch:
        """What a network reads, in scaled units.

        Inputs: ``segments`` and ``observed`` ``[B, T, w]`` (missing values are 0), ``covariates``
        ``[B, T, w, P + K]``, ``ahead [B, H, K]``, ``static [B, S]`` and ``series [B]``;
        the targets ``[B, H]`` are NaN where missing.
        """
        indices = np.asarray(indices)
        lengths = self._lengths(self.origin[indices])
        width = self.shape.segments * self.shape.segment
        history = self.scaled(self.histories(indices), indices)
        known = np.isfinite(history)
        seen = np.zeros((2, len(indices), width), dtype=np.float32)
        seen[0, :, width - self.lookback :] = (
            history if known.all() else np.where(known, history, 0)
        )
        seen[1, :, width - self.lookback :] = known
        segments, observed = (self._segments(part[..., None], lengths)[..., 0] for part in seen)
        inputs = {"segments": segments, "observed": observed, "static": self._static(indices)}
        before, ahead = self._covariates(indices, width)
        if before.shape[-1]:
            inputs["covariates"] = self._segments(before, lengths)
        if ahead.shape[-1]:
            inputs["ahead"] = ahead
        tensors = {
            name: torch.from_numpy(part.astype(np.float32, copy=False))
            for name, part in inputs.items()
        }
        tensors["series"] = torch.from_numpy(self.ids[self.series[indices]])
        targets = self.scaled(self.futures(indices), indices).astype(np.float32)
        return Batch(tensors, torch.from_numpy(lengths), torch.from_numpy(targets))

    def _segments(self, steps: NDArray[np.generic], lengths: Ints) -> NDArray[np.generic]:
        """``[B, n · w, F] → [B, T, w, F]``: each window's real segments first."""
        count, longest = self.shape.segments, int(lengths.max())
        whole: NDArray[np.generic] = steps.reshape((len(steps), count, self.shape.segment, -1))
        if int(lengths.min()) == count:
            return whole
        first = (count - lengths)[:, None] + np.arange(longest)
        rows = np.arange(len(steps))[:, None]
        packed: NDArray[np.generic] = whole[rows, np.minimum(first, count - 1)]
        packed[first >= count] = 0
        return packed

    def _covariates(self, indices: Ints, width: int) -> tuple[Floats, Floats]:
        """``[B, width, P + K]`` before the origin and ``[B, H, K]`` after; 0 if missing."""
        panel, series = self.panel, self.series[indices]
        if not (panel.past.shape[1] or panel.future.shape[1]):
            return np.zeros((len(indices), width, 0)), np.zeros((len(indices), self.horizon, 0))
        steps = self.origin[indices, None] + np.arange(-width, self.horizon)
        inside = (steps >= 0) & (steps < np.diff(panel.offsets)[series][:, None])
        rows = np.where(inside, panel.covariate_offsets[series][:, None] + steps, 0)

        def read(table: Floats, scaling: Floats, count: int) -> Floats:
            if not table.shape[1]:
                return np.zeros((len(indices), count, 0))
            scaled = (table[rows[:, :count]] - scaling[0]) / scaling[1]
            return np.where(inside[:, :count, None] & np.isfinite(scaled), scaled, 0.0)

        future = read(panel.future, self.scaling.future, width + self.horizon)
        past = read(panel.past, self.scaling.past, width)
        return np.concatenate([past, future[:, :width]], axis=-1), future[:, width:]

    def _static(self, indices: Ints) -> Floats:
        scaled = (self.panel.static - self.scaling.static[0]) / self.scaling.static[1]
        return np.asarray(np.where(np.isfinite(scaled), scaled, 0.0)[self.series[indices]])


def fit_scaling(panel: Panel, ends: Ints) -> Scaling:
    """Mean and standard deviation of each series and covariate over its training rows.

    These end at ``ends [N]``; what comes later is not read.
    """
    # Series by series: a panel can be larger than memory has room for twice.
    moments = [_moments(panel.history(i)[: ends[i]][:, None]) for i in range(len(panel))]
    shift, scale = np.array(moments)[..., 0].T
    rows = _training_rows(panel, ends)
    tables = (table[rows] if table.shape[1] else table[:0] for table in (panel.past, panel.future))
    past, future, static = (np.stack(_moments(table)) for table in (*tables, panel.static))
    return Scaling(shift, scale, past, future, static)


def _training_rows(panel: Panel, ends: Ints) -> Ints:
    """Rows of the covariate tables that training may read, each once."""
    if not (panel.past.shape[1] or panel.future.shape[1]):
        return np.zeros(0, dtype=np.int64)
    starts = panel.covariate_offsets
    spans = np.unique(np.stack([starts, starts + ends], axis=1), axis=0)
    return np.unique(np.concatenate([np.arange(*span) for span in spans]))


def _moments(values: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column of ``[T, F]``, NaN left out; no scale is 0."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0.0).sum(0) / count
    spread = np.sqrt(np.where(known, np.square(values - mean), 0.0).sum(0) / count)
    # A constant column differs from its mean by rounding alone.
    tiny = spread <= 1e-9 * np.maximum(np.abs(mean), 1e-300)
    return mean, np.where(tiny, 1.0, spread)


def windows_between(
    panel: Panel, low: Ints, high: Ints, horizon: int, *, stride: int = 1
) -> tuple[Ints, Ints]:
    """Every window whose targets lie in the steps ``low [N]`` to ``high [N]`` (exclusive).

    The origins of a series are ``stride`` steps apart.

    Returns:
        ``series [M]`` and ``origin [M]``, series by series in time. Windows that have no observed
        value before their origin, or none after, are left out.
    """
    series, origins = [], []
    for i in range(len(panel)):
        origin = np.arange(max(int(low[i]), 1), int(high[i]) - horizon + 1, stride)
        if len(origin):
            observed = np.isfinite(panel.history(i)[: high[i]])
            known = np.concatenate([[0], np.cumsum(observed)])
            origin = origin[(known[origin] > 0) & (known[origin + horizon] > known[origin])]
        series.append(np.full(len(origin), i, dtype=np.int64))
        origins.append(origin.astype(np.int64))
    return np.concatenate(series), np.concatenate(origins)
