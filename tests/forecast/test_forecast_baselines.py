"""Naive forecasts: against pandas, window by window, with gaps anywhere."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.tasks.forecast.baselines import (
    Drift,
    LastValue,
    OnDemand,
    Ridge,
    SeasonalNaive,
    fit_baselines,
)

from forecast_cases import NAN, forecast_all, gappy, make_panel, make_split, noise

HORIZON = 5


def last_value(past, mean, season):
    seen = past.dropna()
    return [seen.iloc[-1] if len(seen) else mean] * HORIZON


def seasonal_naive(past, mean, season):
    found = []
    for step in range(HORIZON):
        row = len(past) + step
        while row >= len(past):
            row -= season
        values = [past.get(row, NAN), past.get(row - season, NAN)]
        known = [value for value in values if not np.isnan(value)]
        found.append(known[0] if known else last_value(past, mean, season)[0])
    return found


def drift(past, mean, season):
    seen = past.dropna()
    if len(seen) < 2:
        return last_value(past, mean, season)
    line = np.polyfit(seen.index[[0, -1]], seen.iloc[[0, -1]], 1)
    return np.polyval(line, len(past) + np.arange(HORIZON))


@pytest.mark.parametrize(
    ("make", "oracle"),
    [
        (lambda season: LastValue(), last_value),
        (SeasonalNaive, seasonal_naive),
        (lambda season: Drift(), drift),
    ],
)
@given(st.lists(gappy(), min_size=1, max_size=3), st.integers(1, 8), st.data())
def test_forecasts_are_those_of_brute_force(make, oracle, rows, season, data):
    panel = make_panel(*rows, season=season)
    origins = [
        (i, data.draw(st.integers(0, len(row))))
        for i, row in enumerate(rows)
        for _ in range(data.draw(st.integers(0, 3)))
    ]
    split = make_split(panel, 2, HORIZON, origins=origins)
    found = make(season).forecast(split, np.arange(len(split)))
    assert found.shape == (len(origins), HORIZON)
    for (i, origin), forecast in zip(origins, found, strict=True):
        wanted = oracle(pd.Series(rows[i][:origin], dtype=float), split.shift[i], season)
        np.testing.assert_allclose(forecast, wanted, atol=1e-9)


def cases():
    rows = np.cumsum(noise(1, 2, 80), axis=1) + 10
    rows[0, 30], rows[1, 59] = NAN, NAN
    panel = make_panel(*rows, season=7)
    train = make_split(panel, 14, HORIZON, end=50, train=[50, 50])
    validation = make_split(panel, 14, HORIZON, first=50, end=60, train=[50, 50])
    return panel, train, validation


def test_every_baseline_is_there():
    panel, train, validation = cases()
    found = fit_baselines(train, validation, 7)
    assert [each.name for each in found] == ["last_value", "seasonal_naive", "drift", "ridge"]
    assert found[1].settings() == {"season": 7}
    chosen = found[3].settings()
    assert chosen["train_windows"] < len(train)
    assert chosen["validation_windows"] == len(validation)
    assert chosen["validation_mse_scaled"] > 0
    assert [each.name for each in fit_baselines(train, validation, 1)][1] == "drift"
    few = make_split(panel, 14, HORIZON, origins=[(0, 20)])
    assert [each.name for each in fit_baselines(few, validation, 1)] == ["last_value", "drift"]


def test_no_forecast_knows_what_comes_after_its_origin():
    panel, train, validation = cases()
    test = make_split(panel, 14, HORIZON, origins=[(0, 60), (1, 60)], train=[50, 50])
    changed = panel.values.copy()
    for i in range(2):
        changed[panel.offsets[i] + 60 : panel.offsets[i + 1]] = 1e6
    other = make_panel(*changed.reshape(2, -1), season=7)
    again = make_split(other, 14, HORIZON, origins=[(0, 60), (1, 60)], train=[50, 50])
    for each in fit_baselines(train, validation, 7):
        np.testing.assert_array_equal(forecast_all(each, test), forecast_all(each, again))


def test_forecasts_are_the_same_in_chunks_and_on_demand():
    panel, train, validation = cases()
    split = make_split(panel, 14, HORIZON, first=55, train=[50, 50])
    for each in fit_baselines(train, validation, 7):
        whole = forecast_all(each, split, chunk=1000)
        np.testing.assert_allclose(forecast_all(each, split, chunk=3), whole, rtol=1e-6)
        np.testing.assert_allclose(OnDemand(each, split)[np.array([4, 1])], whole[[4, 1]], 1e-6)


def test_declared_bounds_hold():
    split = make_split(make_panel([9.0, 6, 3, 1, 0, 0]), 2, 2, origins=[(0, 4)])
    np.testing.assert_allclose(forecast_all(Drift(), split)[0], [-5 / 3, -13 / 3], rtol=1e-6)
    np.testing.assert_array_equal(forecast_all(Drift(), split, low=0)[0], [0, 0])
    np.testing.assert_array_equal(forecast_all(LastValue(), split, high=0.5)[0], [0.5, 0.5])


def test_ridge_forecasts_in_original_units():
    panel, train, validation = cases()
    ridge = Ridge.fit(train, validation)
    split = make_split(panel, 14, HORIZON, origins=[(1, 50)], train=[50, 50])
    history = (panel.history(1)[36:50] - split.shift[1]) / split.scale[1]
    wanted = ridge.weight @ (history - history[-1]) + ridge.bias + history[-1]
    np.testing.assert_allclose(
        ridge.forecast(split, np.array([0]))[0], wanted * split.scale[1] + split.shift[1]
    )


def test_a_line_is_drawn_on_by_drift_and_ridge():
    panel = make_panel(np.arange(100.0), 50 - 2 * np.arange(100.0))
    train = make_split(panel, 10, HORIZON, end=60)
    split = make_split(panel, 10, HORIZON, first=70)
    wanted = split.futures(np.arange(len(split)))
    for each in (Drift(), Ridge.fit(train, split)):
        np.testing.assert_allclose(forecast_all(each, split), wanted, atol=1e-2)
