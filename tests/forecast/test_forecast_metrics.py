"""Scores of forecasts: utilsforecast and scikit-learn are oracles, brute force the bootstrap's."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, mean_squared_error
from utilsforecast import losses

from birnn.data.series.panel import Clock
from birnn.errors import ConfigError, DataError
from birnn.tasks.forecast import metrics as forecast_metrics
from birnn.tasks.forecast.baselines import LastValue, OnDemand
from birnn.tasks.forecast.blocks import block_units
from birnn.tasks.forecast.conformal import calibrate, calibrate_forecasts, quantile_scores
from birnn.tasks.forecast.forecasts import Calibration, Forecasts
from birnn.tasks.forecast.metrics import forecast_replicates, scores, series_scores, step_scores
from birnn.tasks.forecast.sums import accumulate, naive_scales
from birnn.tasks.scoring.bootstrap import interval, replicates, resample_counts

from forecast_cases import NAN, forecast_all, make_panel, make_split, noise

SEASON, HORIZON = 4, 3
LEVELS = (0.8, 0.95)
RADIUS = np.array([[[0.5, 1.0, 0.7], [1.5, 2.0, 2.5]]])
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)


def make_case(seed=0, gaps=True, heads=False, lengths=(40, 30, 35)):
    """Windows with gaps in their targets, zeros among them, and forecasts with intervals."""
    rows = [np.round(3 * noise(seed + i, length) + i) for i, length in enumerate(lengths)]
    if gaps:
        rows[0][[5, 25, 26]] = NAN
        rows[-1][-1] = NAN
    panel = make_panel(*rows, season=SEASON)
    split = make_split(panel, 5, HORIZON, first=20, train=[20] * len(rows))
    values = noise(seed + 9, len(split), HORIZON).astype(np.float32)
    calibration = Calibration(LEVELS, RADIUS, True, 99)
    if not heads:
        return split, Forecasts(values, calibration)
    quantiles = np.sort(noise(seed + 8, len(split), HORIZON, 5).astype(np.float32))
    calibration = replace(calibration, quantiles=True)
    return split, Forecasts(values, calibration, QUANTILES, quantiles)


def tables(split, forecasts):
    """Observed steps of all windows, and the past, in the layout of utilsforecast."""
    every = np.arange(len(split))
    lower, upper = forecasts.intervals(split, every)
    columns = {
        "y": split.futures(every),
        "m": forecasts.values[every].astype(float),
        "unique_id": np.repeat(split.series[:, None], HORIZON, 1),
        "step": np.tile(np.arange(HORIZON), (len(split), 1)),
        "scale": np.repeat(split.scale[split.series][:, None], HORIZON, 1),
    }
    for k, level in enumerate((80, 95)):
        columns |= {f"m-lo-{level}": lower[:, k], f"m-hi-{level}": upper[:, k]}
    frame = pd.DataFrame({name: values.ravel() for name, values in columns.items()}).dropna()
    past = pd.DataFrame(
        [
            (i, t, value)
            for i in range(len(split.panel))
            for t, value in enumerate(split.panel.history(i)[: split.origin[split.series == i][0]])
        ],
        columns=["unique_id", "ds", "y"],
    )
    return frame, past


def oracle(frame, past):
    """``[N]`` of each score, by utilsforecast."""
    unit = {"models": ["m"]}
    found = {
        "mse": losses.mse(frame, **unit),
        "rmse": losses.rmse(frame, **unit),
        "mae": losses.mae(frame, **unit),
        "smape": losses.smape(frame, **unit),
        "mase": losses.mase(frame, seasonality=SEASON, train_df=past, **unit),
        "rmsse": losses.rmsse(frame, seasonality=SEASON, train_df=past, **unit),
    }
    for level in (80, 95):
        found[f"coverage_{level}"] = losses.coverage(frame, level=level, **unit)
        found[f"winkler_{level}"] = losses.winkler_score(frame, level=level, **unit)
    parts = {name: part.set_index("unique_id")["m"] for name, part in found.items()}
    parts["smape"] *= 200  # theirs is a share, without the factor 2
    return pd.DataFrame(parts)


@pytest.mark.parametrize("heads", [False, True])
def test_scores_of_series_are_those_of_utilsforecast(heads):
    split, forecasts = make_case(gaps=False, heads=heads)
    found = series_scores(accumulate(split, forecasts), split.panel.names)
    wanted = oracle(*tables(split, forecasts))
    assert [row["series"] for row in found] == ["s0", "s1", "s2"]
    for name in wanted:
        np.testing.assert_allclose([row[name] for row in found], wanted[name], err_msg=name)


def test_scores_are_means_over_steps_and_over_series():
    split, forecasts = make_case()
    found = scores(accumulate(split, forecasts))
    frame, past = tables(split, forecasts)
    y, m = frame["y"], frame["m"]
    assert found["mse"] == pytest.approx(mean_squared_error(y, m))
    assert found["rmse"] == pytest.approx(mean_squared_error(y, m) ** 0.5)
    assert found["mae"] == pytest.approx(mean_absolute_error(y, m))
    assert found["mse_scaled"] == pytest.approx((((y - m) / frame["scale"]) ** 2).mean())
    assert found["mae_scaled"] == pytest.approx(((y - m).abs() / frame["scale"]).mean())
    some = frame[y != 0]
    wanted = losses.mape(some.assign(unique_id=0), models=["m"])["m"].item()
    assert found["mape"] == pytest.approx(100 * wanted)
    assert found["smape"] == pytest.approx((200 * (y - m).abs() / (y.abs() + m.abs())).mean())
    each = oracle(frame, past.dropna())  # the gap is not a whole season from the next value
    assert found["coverage_80"] == pytest.approx(
        ((frame["m-lo-80"] <= y) & (y <= frame["m-hi-80"])).mean()
    )
    assert found["width_95"] == pytest.approx((frame["m-hi-95"] - frame["m-lo-95"]).mean())
    counts = frame.groupby("unique_id").size()
    assert found["winkler_95"] == pytest.approx(np.average(each["winkler_95"], weights=counts))
    scales = []
    for i in range(3):
        values = pd.Series(past[past["unique_id"] == i]["y"].to_numpy())
        scales.append((values.diff(SEASON).abs().mean(), (values.diff(SEASON) ** 2).mean()))
    scales = np.array(scales)
    assert found["mase"] == pytest.approx(np.mean(each["mae"] / scales[:, 0]))
    assert found["rmsse"] == pytest.approx(np.mean(np.sqrt(each["mse"] / scales[:, 1])))


@pytest.mark.parametrize("heads", [False, True])
def test_pinball_is_that_of_scikit_learn(heads):
    split, forecasts = make_case(heads=heads)
    found = scores(accumulate(split, forecasts))["pinball"]
    frame, _ = tables(split, forecasts)
    if heads:
        known = np.isfinite(split.futures(np.arange(len(split))))
        columns = [forecasts.quantile_values[..., q][known] for q in range(5)]
    else:
        names = ["m-lo-95", "m-lo-80", "m", "m-hi-80", "m-hi-95"]
        columns = [frame[name] for name in names]
    wanted = [
        mean_pinball_loss(frame["y"], column, alpha=quantile)
        for quantile, column in zip(QUANTILES, columns, strict=True)
    ]
    assert found == pytest.approx(np.mean(wanted))


def test_points_alone_have_no_scores_of_intervals():
    split, forecasts = make_case()
    found = scores(accumulate(split, replace(forecasts, calibration=None)))
    assert list(found) == [
        *("mse", "rmse", "mae", "mse_scaled", "mae_scaled", "mape", "smape", "mase", "rmsse"),
    ]


def test_steps_are_scored_one_by_one():
    split, forecasts = make_case()
    rows = step_scores(accumulate(split, forecasts))
    frame, _ = tables(split, forecasts)
    absolute, _ = naive_scales(split, SEASON)
    for step, found in enumerate(rows):
        part = frame[frame["step"] == step]
        assert found["mae"] == pytest.approx(mean_absolute_error(part["y"], part["m"]))
        each = losses.mae(part, models=["m"])["m"]
        assert found["mase"] == pytest.approx(np.mean(each / absolute))
        inside = (part["m-lo-95"] <= part["y"]) & (part["y"] <= part["m-hi-95"])
        assert found["coverage_95"] == pytest.approx(inside.mean())
    assert rows[0].keys() == scores(accumulate(split, forecasts)).keys()


@pytest.mark.parametrize("most", [1, 10, 10**9])
def test_chunks_change_nothing(most):
    split, forecasts = make_case(heads=True)
    found, wanted = accumulate(split, forecasts, most=most), accumulate(split, forecasts)
    np.testing.assert_allclose(found.cells, wanted.cells, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.series_steps, wanted.series_steps, rtol=1e-12, atol=1e-12)
    radius = calibrate_forecasts(split, forecasts, LEVELS, most).radius
    np.testing.assert_array_equal(radius, calibrate_forecasts(split, forecasts, LEVELS).radius)


def test_the_order_of_windows_changes_nothing():
    split, forecasts = make_case()
    order = np.random.default_rng(0).permutation(len(split))
    mixed = replace(forecasts, values=forecasts.values[order])
    found, wanted = accumulate(split.chosen(order), mixed), accumulate(split, forecasts)
    assert scores(found) == pytest.approx(scores(wanted))
    np.testing.assert_allclose(found.series_steps, wanted.series_steps, atol=1e-9)


def test_forecasts_can_be_made_on_demand():
    split, forecasts = make_case()
    stored = accumulate(split, replace(forecasts, values=forecast_all(LastValue(), split)))
    made = accumulate(split, replace(forecasts, values=OnDemand(LastValue(), split)))
    assert scores(stored) == scores(made)


def test_scores_that_are_not_defined_are_left_out():
    panel = make_panel([2.0] * 9 + [0.0, 0.0], [1.0, 2, 1, 2, 1, 2, 1, 2, 1, NAN, NAN])
    split = make_split(panel, 3, 2, origins=[(0, 9)], train=[9, 9])
    sums = accumulate(split, Forecasts(np.zeros((1, 2), dtype=np.float32)))
    found = scores(sums)
    assert found["smape"] == 0  # 0 / 0
    assert not {"mape", "mase", "rmsse"} & set(found)
    assert sums.unscaled == 1
    split = make_split(panel, 3, 2, origins=[(0, 8), (1, 8)], train=[8, 8])
    sums = accumulate(split, Forecasts(np.zeros((2, 2), dtype=np.float32)))
    assert sums.unscaled == 1
    assert scores(sums)["mase"] == 1  # of the other series
    found = forecast_replicates(sums, 0)["rmsse"]
    assert set(found[np.isfinite(found)]) == {1}  # not of resamples that have the first alone
    assert list(step_scores(sums)[1]) == [
        *("mse", "rmse", "mae", "mse_scaled", "mae_scaled", "smape"),
    ]
    rows = series_scores(sums, panel.names)
    assert "mase" not in rows[0]
    assert series_scores(sums, panel.names, 1) == rows[:1]


def test_nothing_observed_and_nothing_finite_are_refused():
    panel = make_panel([1.0, 2, 3, NAN, NAN], [1.0, 2, 3, 4, 5])
    nothing = make_split(panel, 2, 2, origins=[(0, 3)])
    with pytest.raises(DataError, match="nothing to score"):
        accumulate(nothing, Forecasts(np.zeros((1, 2), dtype=np.float32)))
    split = make_split(panel, 2, 2, origins=[(1, 3)])
    with pytest.raises(DataError, match="not finite"):
        accumulate(split, Forecasts(np.array([[1, np.inf]], dtype=np.float32)))


def test_calibration_of_forecasts():
    split, forecasts = make_case(heads=True)
    every = np.arange(len(split))
    found = calibrate_forecasts(split, forecasts, LEVELS)
    lower, upper = forecasts.pairs(LEVELS, every)
    np.testing.assert_array_equal(lower[:, 1], forecasts.quantile_values[..., 0])
    np.testing.assert_array_equal(upper[:, 0], forecasts.quantile_values[..., 3])
    target, scale = split.futures(every), split.scale[split.series]
    wanted = calibrate(quantile_scores(target, lower, upper) / scale[:, None, None], LEVELS)
    assert found.quantiles
    np.testing.assert_allclose(found.radius[0], wanted, rtol=1e-6)
    points = calibrate_forecasts(split, Forecasts(forecasts.values), LEVELS)
    wanted = calibrate(np.abs(target - forecasts.values) / scale[:, None], LEVELS)
    assert not points.quantiles
    np.testing.assert_allclose(points.radius[0], wanted, rtol=1e-6)
    with pytest.raises(ConfigError, match=r"50 %: no forecast of the quantile 0\.25; there are"):
        calibrate_forecasts(split, forecasts, (0.5,))


def resampled(split, forecasts, monkeypatch, counts):
    """The replicate that has the blocks ``counts [U]`` times."""
    monkeypatch.setattr(forecast_metrics, "replicates", lambda scores, *_: scores(counts[None]))
    found = forecast_replicates(accumulate(split, forecasts), 0)
    return {name: values[0] for name, values in found.items()}


@given(st.integers(0, 50), st.booleans())
def test_the_sample_itself_has_the_scores(seed, heads):
    split, forecasts = make_case(seed, heads=heads)
    sums = accumulate(split, forecasts)
    with pytest.MonkeyPatch.context() as patch:
        found = resampled(split, forecasts, patch, np.ones(sums.units))
    wanted = scores(sums)
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert found[name] == pytest.approx(wanted[name]), name


@pytest.mark.parametrize("lengths", [(70,), (70, 70), (40, 30)])
def test_resamples_are_those_of_windows(lengths, monkeypatch):
    split, forecasts = make_case(lengths=lengths)
    sums = accumulate(split, forecasts)
    for counts in next(resample_counts(sums.units, 3, 5)):
        found = resampled(split, forecasts, monkeypatch, counts)
        windows = np.repeat(np.arange(len(split)), counts[block_units(split).unit].astype(int))
        again = replace(forecasts, values=forecasts.values[windows])
        wanted = scores(accumulate(split.chosen(windows), again))
        for name in wanted.keys() - {"mase", "rmsse"}:
            assert found[name] == pytest.approx(wanted[name]), name
        scales = naive_scales(split, SEASON)
        error = split.futures(windows) - again.values
        parts, weights = [], []
        for i in range(len(lengths)):
            mine, all_mine = error[split.series[windows] == i], split.series == i
            whole = np.isfinite(split.futures(np.flatnonzero(all_mine))).sum()
            if np.isfinite(mine).any():
                mae, mse = np.nanmean(np.abs(mine)), np.nanmean(mine**2)
                parts.append((mae / scales[0][i], np.sqrt(mse / scales[1][i])))
                weights.append(np.isfinite(mine).sum() / whole)
        wanted = np.average(parts, axis=0, weights=weights)
        assert [found["mase"], found["rmsse"]] == pytest.approx(list(wanted))


def test_series_drawn_twice_count_twice():
    """Of one window each, the interval of MASE is that of a mean over series."""
    rows = noise(5, 60, 30)
    split = make_split(make_panel(*rows), 4, HORIZON, origins=[(i, 27) for i in range(60)])
    forecasts = Forecasts(np.zeros((60, HORIZON), dtype=np.float32))
    sums = accumulate(split, forecasts)
    assert sums.units == 60
    each = np.array([row["mase"] for row in series_scores(sums, split.panel.names)])
    wanted = replicates(lambda counts: {"mase": counts @ each / 60}, 60, 0)["mase"]
    np.testing.assert_allclose(forecast_replicates(sums, 0)["mase"], wanted)


def test_replicates_of_few_numbers_at_once(monkeypatch):
    split, forecasts = make_case()
    sums = accumulate(split, forecasts)
    wanted = forecast_replicates(sums, 1)
    monkeypatch.setattr(forecast_metrics, "CELLS", 7)
    for name, values in forecast_replicates(sums, 1).items():
        np.testing.assert_allclose(values, wanted[name])


def test_a_single_block_has_no_spread():
    split = make_split(make_panel(noise(0, 30)), 4, HORIZON, origins=[(0, 27)])
    sums = accumulate(split, Forecasts(np.zeros((1, HORIZON), dtype=np.float32)))
    value = scores(sums)["mae"]
    found = interval(value, forecast_replicates(sums, 0)["mae"])
    assert sums.units == 1
    assert found.low == pytest.approx(value)
    assert found.high == pytest.approx(value)


def test_intervals_of_the_bootstrap_cover():
    """Of the mean absolute error of noise, whose true value is known."""
    hits, true = 0, np.sqrt(2 / np.pi)
    for seed in range(60):
        panel = make_panel(noise(seed, 1000), clock=Clock("h"))
        split = make_split(panel, 1, 10, first=1)
        sums = accumulate(split, Forecasts(np.zeros((len(split), 10), dtype=np.float32)))
        found = interval(0.0, forecast_replicates(sums, 0)["mae"])
        hits += found.low <= true <= found.high
    assert 52 <= hits <= 60  # 95 % of 60 are 57
