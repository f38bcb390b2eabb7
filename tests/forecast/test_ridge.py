"""Closed-form ridge: against scikit-learn on windows that are built, and against brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from birnn.errors import DataError
from birnn.tasks.forecast.ridge import (
    PENALTIES,
    UNKNOWN_PENALTY,
    choose,
    chunks,
    fill,
    fit_ridge,
    predict_ridge,
    solve,
)

from forecast_cases import NAN, gappy, make_panel, make_split, noise


def walks(seed=0, count=3, length=60):
    return np.cumsum(noise(seed, count, length), axis=1) * [[1.0], [20.0], [0.1]][:count] + 5


def built(split, keep=None):
    """Inputs and targets of all windows, less the last value, in scaled units."""
    indices = np.arange(len(split)) if keep is None else keep
    inputs = split.scaled(split.histories(indices), indices)
    targets = split.scaled(split.futures(indices), indices)
    return inputs - inputs[:, -1:], targets - inputs[:, -1:]


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_maps_are_those_of_scikit_learn(chunk):
    split = make_split(make_panel(*walks()), 8, 3)
    inputs, targets = built(split)
    equations = fit_ridge(split, chunk)
    size = np.linalg.eigvalsh(np.cov(inputs.T, bias=True) * len(inputs)).mean()
    assert equations.windows == len(split)
    for penalty, weight, bias in solve(equations, (1e-6, 1e-2, 1.0, 100.0)):
        wanted = Ridge(alpha=penalty * size).fit(inputs, targets)
        np.testing.assert_allclose(weight, wanted.coef_, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(bias, wanted.intercept_, rtol=1e-6, atol=1e-9)


def test_windows_with_gaps_are_left_out():
    rows = walks()
    rows[0, 30], rows[2, 10] = NAN, NAN
    split = make_split(make_panel(*rows), 8, 3)
    inputs, targets = built(split)
    whole = np.isfinite(inputs).all(1) & np.isfinite(targets).all(1)
    equations = fit_ridge(split)
    assert equations.windows == whole.sum() < len(split)
    assert equations.filled == ""
    np.testing.assert_allclose(equations.mean_target, targets[whole].mean(0), atol=1e-12)
    centred = inputs[whole] - inputs[whole].mean(0)
    np.testing.assert_allclose(equations.gram, centred.T @ centred, atol=1e-9)
    np.testing.assert_allclose(equations.cross, centred.T @ targets[whole], atol=1e-9)


@pytest.mark.parametrize("end", [24, 30])
def test_missing_inputs_are_filled_where_few_windows_are_whole(end):
    values = walks(count=1, length=40)[0]
    values[:20:3] = NAN
    split = make_split(make_panel(values), 6, 2, first=6, end=end)
    inputs, targets = built(split)
    assert (np.isfinite(inputs).all(1) & np.isfinite(targets).all(1)).sum() == max(0, end - 26)
    equations = fit_ridge(split)
    assert equations.filled == "inputs"
    inputs = fill(split.scaled(split.histories(np.arange(len(split))), np.arange(len(split))))
    targets = split.scaled(split.futures(np.arange(len(split))), np.arange(len(split)))
    keep = np.isfinite(targets).all(1)
    assert equations.windows == keep.sum()
    np.testing.assert_allclose(
        equations.mean_input, (inputs - inputs[:, -1:])[keep].mean(0), atol=1e-12
    )


def test_missing_targets_are_filled_last():
    values = walks(count=1, length=40)[0]
    values[::2] = NAN
    split = make_split(make_panel(values), 6, 4)
    equations = fit_ridge(split)
    assert equations.filled == "inputs and targets"
    assert equations.windows == len(split)
    assert np.isfinite(equations.gram).all()


def test_too_few_windows_are_refused():
    for values in ([1.0, 2, 3, 4], [NAN] * 9):
        with pytest.raises(DataError, match="at least 2 are needed"):
            fit_ridge(make_split(make_panel(values), 3, 1))


def test_series_that_never_change():
    split = make_split(make_panel([3.0] * 20, [5.0] * 20), 4, 2)
    found = choose(fit_ridge(split), split)
    forecast = predict_ridge(found.weight, found.bias, np.zeros((2, 4)))
    np.testing.assert_array_equal(forecast, np.zeros((2, 2)))
    assert found.validation_mse == 0
    assert found.penalty == max(PENALTIES)


def test_validation_chooses_the_penalty():
    rows = walks(3)
    rows[1, 50] = NAN
    panel = make_panel(*rows)
    train = make_split(panel, 8, 3, end=40, train=[40] * 3)
    validation = make_split(panel, 8, 3, first=40, train=[40] * 3)
    equations = fit_ridge(train)
    found = choose(equations, validation)
    every = np.arange(len(validation))
    futures = validation.scaled(validation.futures(every), every)
    losses = {}
    for penalty, weight, bias in solve(equations):
        histories = validation.scaled(validation.histories(every), every)
        losses[penalty] = np.nanmean((predict_ridge(weight, bias, histories) - futures) ** 2)
    assert found.penalty == min(losses, key=losses.get)
    assert found.validation_mse == pytest.approx(min(losses.values()))
    assert found.validation_windows == len(validation)


def test_without_validation_the_penalty_is_fixed():
    panel = make_panel(*walks())
    found = choose(fit_ridge(make_split(panel, 4, 2)), make_split(panel, 4, 2, origins=[]))
    assert found.penalty == UNKNOWN_PENALTY
    assert np.isnan(found.validation_mse)


def test_a_history_without_values_is_forecast_as_the_mean_of_train():
    histories = np.array([[NAN, NAN], [1.0, NAN]])
    forecast = predict_ridge(np.ones((3, 2)), np.full(3, 7.0), histories)
    np.testing.assert_array_equal(forecast, [[0.0] * 3, [8.0] * 3])


@given(st.lists(gappy(5, 5), min_size=1, max_size=4))
def test_fill_is_that_of_pandas(rows):
    wanted = pd.DataFrame(rows).T.ffill().bfill().T
    np.testing.assert_array_equal(fill(np.array(rows)), wanted.to_numpy())


@given(st.integers(0, 300), st.integers(1, 100), st.integers(1, 40))
def test_windows_are_drawn_from_equal_stretches(count, most, chunk):
    found = np.concatenate([*chunks(count, most, chunk), np.zeros(0, dtype=int)])
    assert len(found) == min(count, most)
    assert (np.diff(found) > 0).all()
    if count > most:
        np.testing.assert_array_equal(np.ceil((found + 1) * most / count - 1), np.arange(most))


def test_drawn_windows_meet_every_phase_of_a_season():
    found = np.concatenate(list(chunks(24_000, 1000)))  # an even step would be the season
    assert len(np.unique(found % 24)) == 24
