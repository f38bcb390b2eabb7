"""Conformal intervals: ranks by their definition, coverage on data that is exchangeable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.errors import ConfigError, DataError
from birnn.tasks.forecast.conformal import (
    absolute_scores,
    calibrate,
    calibrate_groups,
    check_levels,
    conformal_rank,
    quantile_scores,
    supported,
    windows_needed,
)
from birnn.tasks.forecast.forecasts import Calibration, level_name

from forecast_cases import NAN, noise

LEVELS = (0.8, 0.95)


@pytest.mark.parametrize(
    ("n", "level", "rank"),
    [(19, 0.95, 19), (18, 0.95, None), (4, 0.8, 4), (3, 0.8, None), (99, 0.8, 80), (0, 0.5, None)],
)
def test_ranks(n, level, rank):
    assert conformal_rank(n, level) == rank


@given(st.integers(0, 400), st.integers(1, 999))
def test_the_rank_is_the_least_that_reaches_the_level(n, thousandths):
    reaching = [k for k in range(1, n + 1) if 1000 * k >= thousandths * (n + 1)]
    wanted = reaching[0] if reaching else None
    for level in (thousandths / 1000, 1 - (1000 - thousandths) / 1000):
        assert conformal_rank(n, level) == wanted
        assert (n >= windows_needed(level)) == (wanted is not None)


def test_supported_levels():
    assert supported(10, (0.5, 0.9, 0.95)) == (0.5, 0.9)
    assert supported(0, LEVELS) == ()


def test_levels_are_read():
    assert check_levels("95, 80,80") == LEVELS
    assert check_levels("99.9") == (0.999,)
    assert [level_name(level) for level in (0.8, 0.999, 1 - 0.05)] == ["80", "99.9", "95"]


@pytest.mark.parametrize("levels", ["", "0", "100", "80,", "high", "-5", "nan", "inf", "1e-99x"])
def test_wrong_levels_are_refused(levels):
    with pytest.raises(ConfigError, match="percentage between 0 and 100"):
        check_levels(levels)


def test_a_level_next_to_one_is_refused():
    with pytest.raises(ConfigError, match="below 100"):
        windows_needed(1 - 1e-9)


@given(
    st.lists(st.lists(st.integers(-5, 20), min_size=3, max_size=3), min_size=9, max_size=40),
    st.integers(0, 10),
)
def test_radii_are_the_order_statistics(rows, seed):
    scores = np.array(rows, dtype=float)
    scores[np.random.default_rng(seed).random(scores.shape) < 0.1] = NAN
    levels = (0.4, 0.5)
    if np.isfinite(scores).sum(0).min() < 1:
        return
    radius = calibrate(scores, levels)
    for step in range(3):
        known = sorted(value for value in scores[:, step] if not np.isnan(value))
        for k, level in enumerate(levels):
            # At least this share of the n + 1 is not above it, and of no smaller one.
            wanted = [v for v in known if sum(w <= v for w in known) >= level * (len(known) + 1)]
            assert radius[k, step] == min(wanted)


def test_a_level_that_the_data_cannot_support_is_refused():
    scores = np.abs(noise(0, 19, 4))
    calibrate(scores, LEVELS)
    scores[3, 2] = NAN
    with pytest.raises(ConfigError, match=r"95 %: needs 19 .* step 3 has 18; .* 94.7 %: ask for"):
        calibrate(scores, LEVELS)
    with pytest.raises(ConfigError, match=r"has 15; .* 93\.7 %"):  # 15 / 16 = 93.75 %
        calibrate(scores[4:], (0.94,))
    with pytest.raises(ConfigError, match="has 0; no level is possible"):
        calibrate(np.zeros((0, 1)), LEVELS)


def test_series_have_their_own_radius_where_windows_suffice():
    scale, group = np.array([1.0, 10.0]), np.repeat([0, 1], [95, 100])
    scores = np.abs(noise(0, 195, 2)) * scale[group][:, None] * np.array([[1.0, 3.0]])
    found = calibrate_groups(scores, group, scale, LEVELS)
    assert not found.pooled
    assert found.windows == 95
    for i in range(2):
        wanted = calibrate(scores[group == i] / scale[i], LEVELS)
        np.testing.assert_allclose(found.radius[i], wanted)


@pytest.mark.parametrize("scale", [[1.0, 10.0], [1.0, 10.0, 5.0]])  # the third has no windows
def test_series_with_few_windows_are_pooled(scale):
    scale, group = np.array(scale), np.repeat([0, 1], [94, 100])
    scores = np.abs(noise(0, 194, 2)) * scale[group][:, None]
    found = calibrate_groups(scores, group, scale, LEVELS)
    assert found.pooled
    assert found.windows == 194
    wanted = calibrate(scores / scale[group][:, None], LEVELS)
    np.testing.assert_allclose(found.radius, wanted[None])
    lower, upper = found.interval(np.zeros((2, 2)), np.array([0, 1]), scale)
    np.testing.assert_allclose(upper[1], 10 * upper[0])
    np.testing.assert_allclose(lower, -upper)


def test_intervals_are_nested_and_within_bounds():
    found = Calibration((0.5, 0.9), np.array([[[1.0], [3.0]]]), True, 99)
    lower, upper = found.interval(np.array([[2.0]]), np.array([0]), np.ones(1), low=0, high=4)
    np.testing.assert_array_equal(lower[0, :, 0], [1, 0])
    np.testing.assert_array_equal(upper[0, :, 0], [3, 4])


@given(st.integers(0, 1000))
def test_quantile_intervals_are_in_order(seed):
    lows, highs, radius = noise(seed, 3, 4, 2, 5)
    found = Calibration((0.5, 0.8), radius[:1], True, 99, quantiles=True)
    lower, upper = found.interval((lows, highs), np.zeros(4, dtype=int), np.ones(1), low=-1)
    assert (lower <= upper).all()
    assert (lower[:, 1] <= lower[:, 0]).all()
    assert (upper[:, 1] >= upper[:, 0]).all()
    assert lower.min() >= -1
    wide = highs - lows + 2 * radius[0] >= 0
    raw_lower, raw_upper = lows - radius[0], highs + radius[0]
    assert (lower <= np.maximum(raw_lower, -1))[wide].all()
    assert (upper >= raw_upper)[wide].all()


def test_quantile_scores_are_the_distance_from_inside():
    target = np.array([[1.0, 5.0, NAN]])
    lower, upper = np.full((1, 1, 3), 0.0), np.full((1, 1, 3), 4.0)
    np.testing.assert_array_equal(quantile_scores(target, lower, upper), [[[-1, 1, NAN]]])


def test_points_and_quantiles_do_not_mix():
    found = Calibration((0.8,), np.ones((1, 1, 2)), True, 9)
    with pytest.raises(ConfigError, match="don't mix"):
        found.interval((np.zeros((1, 1, 2)),) * 2, np.array([0]), np.ones(1))


def test_scores_must_fit_their_windows():
    with pytest.raises(DataError, match="3 windows"):
        calibrate_groups(np.zeros((2, 4)), np.zeros(3, dtype=int), np.ones(1), LEVELS)


def iid(generator, count):
    return generator.standard_t(3, (count, 2))


def dependent(generator, count):
    """Exchangeable: all share an effect that none is free of."""
    return 3 * generator.normal() + generator.normal(size=(count, 2))


@pytest.mark.parametrize("draw", [iid, dependent])
@pytest.mark.parametrize("heads", [False, True])
def test_coverage_of_exchangeable_data(draw, heads):
    generator, inside = np.random.default_rng(0), []
    for _ in range(200):
        target = draw(generator, 150)
        old, new = np.split(target, [50])
        series, scale = np.zeros(100, dtype=int), np.array([4.0])
        if heads:  # quantiles far too narrow, and far too wide
            low, high = (np.broadcast_to([[b], [9 * b]], (100, 2, 2)) for b in (-0.3, 0.3))
            scores = quantile_scores(old, low[:50], high[:50])
            forecast = (low, high)
        else:
            scores, forecast = absolute_scores(old, np.zeros((50, 2))), np.zeros((100, 2))
        found = calibrate_groups(scores, series[:50], scale, LEVELS)
        lower, upper = found.interval(forecast, series, scale)
        inside.append(((lower <= new[:, None]) & (new[:, None] <= upper)).mean(0))
    coverage = np.mean(inside, axis=0)  # [K, H]
    # Of 50 windows, the ranks are 41 and 49: 41 / 51 and 49 / 51.
    np.testing.assert_allclose(coverage, np.array([[41 / 51] * 2, [49 / 51] * 2]), atol=0.02)
