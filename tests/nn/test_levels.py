"""Levels, spreads and filled lookbacks: against numpy and pandas, whatever stands in the gaps."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from birnn.nn.levels import (
    NORMALISE,
    SMALLEST_SPREAD,
    filled_lookback,
    level_and_spread,
    observed_values,
    recent_mean,
)

from forecast_cases import NAN
from strategies import quick

JUNK = (NAN, 1e30, -7.0, float("inf"))


@st.composite
def windows(draw, empty=True):
    """Real steps of each window (NaN where missing), the segment's size and the padded batch."""
    size = draw(st.integers(1, 4))
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    value = st.one_of(st.integers(-9, 9).map(float), st.just(NAN))
    rows = [draw(st.lists(value, min_size=n * size, max_size=n * size)) for n in lengths]
    if not empty:
        rows = [row if np.isfinite(row).any() else [1.0, *row[1:]] for row in rows]
    junk = draw(st.sampled_from(JUNK))
    return rows, size, padded(rows, size, max(lengths) + draw(st.integers(0, 2)), junk)


def padded(rows, size, width, junk):
    """``segments``, ``observed`` and ``lengths``; junk where nothing is, observed or not."""
    segments = torch.full((len(rows), width * size), junk, dtype=torch.float64)
    observed = torch.ones_like(segments)  # the padding says that it was observed: it was not
    for i, row in enumerate(rows):
        known = torch.tensor(row, dtype=torch.float64)
        segments[i, : len(row)] = torch.where(known.isnan(), junk, known)
        observed[i, : len(row)] = (~known.isnan()).double()
    lengths = torch.tensor([len(row) // size for row in rows])
    return segments.unflatten(1, (-1, size)), observed.unflatten(1, (-1, size)), lengths


def known_of(row):
    return np.array([value for value in row if np.isfinite(value)])


@quick
@given(case=windows())
def test_what_was_not_observed_becomes_zero(case):
    rows, _, batch = case
    values, mask = observed_values(*batch)
    for i, row in enumerate(rows):
        wanted = np.nan_to_num(row)
        np.testing.assert_array_equal(values[i].flatten()[: len(row)], wanted)
        np.testing.assert_array_equal(mask[i].flatten()[: len(row)], np.isfinite(row))
        assert not values[i].flatten()[len(row) :].any()
        assert not mask[i].flatten()[len(row) :].any()


def oracle(row, normalise, season):
    """Level and spread of one window by numpy."""
    known = known_of(row)
    if normalise == "none" or not len(known):
        return 0.0, 1.0
    if normalise in ("last", "scale"):
        level = known[-1]
    elif normalise == "mean":
        level = known.mean()
    else:
        end = np.flatnonzero(np.isfinite(row))[-1] + 1
        level = np.nanmean(row[max(0, end - season) : end])
    if normalise in ("last", "season"):
        return level, 1.0
    return level, np.hypot(known.std(), SMALLEST_SPREAD)


@pytest.mark.parametrize("normalise", NORMALISE)
@quick
@given(case=windows(), season=st.integers(1, 9))
def test_levels_and_spreads_are_those_of_numpy(normalise, case, season):
    rows, _, batch = case
    level, spread = level_and_spread(*observed_values(*batch), normalise, season)
    wanted = np.array([oracle(row, normalise, season) for row in rows])
    np.testing.assert_allclose(level, wanted[:, 0], atol=1e-12)
    np.testing.assert_allclose(spread, wanted[:, 1], atol=1e-12)
    assert (spread > 0).all()


@quick
@given(case=windows(), count=st.integers(1, 9))
def test_last_and_recent_values_are_found_by_brute_force(case, count):
    rows, _, batch = case
    flat, mask = (part.flatten(1) for part in observed_values(*batch))
    last, recent = recent_mean(flat, mask, 1), recent_mean(flat, mask, count)
    for i, row in enumerate(rows):
        known = known_of(row)
        assert last[i] == (known[-1] if len(known) else 0)
        steps = np.flatnonzero(np.isfinite(row))
        wanted = [row[t] for t in steps if t > steps[-1] - count] or [0.0]
        assert recent[i].item() == pytest.approx(np.mean(wanted))


@quick
@given(case=windows(), data=st.data())
def test_gaps_are_filled_as_pandas_fills_them(case, data):
    rows, size, batch = case
    values, mask = observed_values(*batch)
    lookback = data.draw(st.integers(1, size * values.shape[1]))
    filled = filled_lookback(values, mask, batch[2], lookback)
    assert filled.shape == (len(rows), lookback)
    for i, row in enumerate(rows):
        wanted = pd.Series(row).ffill().bfill().fillna(0.0).to_numpy()
        first = wanted[0]
        wanted = np.r_[np.full(max(0, lookback - len(row)), first), wanted][-lookback:]
        np.testing.assert_array_equal(filled[i], wanted)


@pytest.mark.parametrize("normalise", NORMALISE)
@quick
@given(case=windows(), other=st.sampled_from(JUNK))
def test_gaps_and_padding_never_matter_to_the_bit(normalise, case, other):
    rows, size, batch = case
    width = batch[0].shape[1]
    changed = padded(rows, size, width, other)
    for first, second in zip(
        level_and_spread(*observed_values(*batch), normalise, 3),
        level_and_spread(*observed_values(*changed), normalise, 3),
        strict=True,
    ):
        assert torch.equal(first, second)


@pytest.mark.parametrize("junk", JUNK)
def test_junk_has_no_gradient(junk):
    segments, observed, lengths = padded([[1.0, NAN, 3.0, 4.0], [NAN, 2.0]], 2, 3, junk)
    segments.requires_grad_()
    values, mask = observed_values(segments, observed, lengths)
    level, spread = level_and_spread(values, mask, "mean")
    filled = filled_lookback(values, mask, lengths, 4)
    (level.sum() + spread.sum() + filled.sum()).backward()
    real = torch.tensor([[1, 0, 1, 1, 0, 0], [0, 1, 0, 0, 0, 0]], dtype=torch.bool)
    assert segments.grad.isfinite().all()
    assert not segments.grad.flatten(1)[~real].any()
    assert segments.grad.flatten(1)[real].all()


@pytest.mark.parametrize("normalise", NORMALISE)
def test_a_window_with_nothing_observed_has_level_0_and_spread_1(normalise):
    batch = padded([[NAN] * 4, [5.0, 5.0]], 2, 2, NAN)
    values, mask = observed_values(*batch)
    level, spread = level_and_spread(values, mask, normalise, 2)
    assert (level[0], spread[0]) == (0, 1)
    assert spread[1] == (1 if normalise in ("last", "season", "none") else SMALLEST_SPREAD)
    assert filled_lookback(values, mask, batch[2], 3)[0].tolist() == [0, 0, 0]


@quick
@given(case=windows(empty=False), shift=st.integers(-50, 50), scale=st.integers(1, 9))
def test_levels_move_with_the_series(case, shift, scale):
    rows, size, batch = case
    width = batch[0].shape[1]
    moved = padded([[scale * v + shift for v in row] for row in rows], size, width, 0.0)
    for normalise in ("last", "mean", "season"):
        level, _ = level_and_spread(*observed_values(*batch), normalise, 2)
        found, _ = level_and_spread(*observed_values(*moved), normalise, 2)
        torch.testing.assert_close(found, scale * level + shift)
