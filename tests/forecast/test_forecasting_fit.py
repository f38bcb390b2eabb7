"""What is fitted around a forecaster: losses, the mix, intervals of known and new series, refit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_pinball_loss

from birnn.tasks.core.inference import predict, run_split
from birnn.tasks.forecast.fit import (
    SHARES,
    fit_linear,
    fit_mix,
    fit_penalty,
    refit_forecasts,
    set_calibration,
    spread_out,
)
from birnn.tasks.forecast.forecasts import Calibration, quantiles_of
from birnn.tasks.forecast.output import apart
from birnn.tasks.forecast.ridge import fit_ridge, solve
from birnn.tasks.forecast.task import Forecast

import contract
from strategies import randomise


def wide(folder: Path, **parts: object) -> Forecast:
    config = contract.tiny("forecast").wide(folder)
    return Forecast(replace(config, model=replace(config.model, **parts)))


@pytest.fixture
def fitted(tmp_path: Path):
    """A task, its data, and a model of random weights with a fitted linear map."""
    task = wide(tmp_path)
    data = task.load()
    torch.manual_seed(0)
    model = randomise(task.model(data.info)).eval()
    fit_linear(model, data.splits["train"], data.splits["validation"])
    model.mix.zero_()
    return task, data, model


# ------------------------------------------------------------------ losses

ERRORS = np.array([[0.0, 0.4, -0.4], [1.0, -3.0, 2.0]])


@pytest.mark.parametrize(
    ("loss", "oracle"),
    [
        ("mae", np.abs(ERRORS)),
        ("mse", ERRORS**2),
        ("huber", np.where(np.abs(ERRORS) < 1, ERRORS**2 / 2, np.abs(ERRORS) - 0.5)),
    ],
)
def test_losses_are_their_formulas(loss: str, oracle: np.ndarray, tmp_path: Path) -> None:
    members = torch.from_numpy(ERRORS).float()[None, ..., None]
    found = wide(tmp_path, loss=loss).step_loss(members, torch.zeros(2, 3))
    np.testing.assert_allclose(found[0].numpy(), oracle, rtol=1e-6)


def test_the_quantile_loss_is_twice_the_mean_pinball_loss(tmp_path: Path) -> None:
    task = wide(tmp_path, loss="quantile", levels="50,80")
    shares = quantiles_of((0.5, 0.8))
    assert shares == pytest.approx((0.1, 0.25, 0.5, 0.75, 0.9))
    generator = torch.Generator().manual_seed(0)
    heads = torch.randn(1, 4, 3, 5, generator=generator)
    wanted = torch.randn(4, 3, generator=generator)
    found = task.step_loss(heads, wanted)[0]
    oracle = np.mean(
        [mean_pinball_loss(wanted.ravel(), heads[0, ..., q].ravel(), alpha=s)
         for q, s in enumerate(shares)]
    )  # fmt: skip
    assert float(found.mean()) == pytest.approx(2 * oracle, rel=1e-5)


def test_training_for_squares_lets_squares_choose(tmp_path: Path) -> None:
    for loss, monitor in (("mse", "mse_scaled"), ("mae", "mae_scaled"), ("huber", "mae_scaled")):
        task = wide(tmp_path, loss=loss)
        assert task.monitor(task.load().info) == monitor


# ------------------------------------------------------------------ the mix


@pytest.mark.parametrize(("monitor", "power"), [("mae_scaled", 1), ("mse_scaled", 2)])
def test_the_share_is_the_best_of_the_grid(monitor: str, power: int, fitted) -> None:
    task, data, model = fitted
    validation = data.splits["validation"]
    for scale in (0.0, 0.02, 1.0):  # from a network that says the last value to a wild one
        with torch.no_grad():
            for member in model.members:
                member.head.linear.weight.mul_(scale)
                member.head.linear.bias.mul_(scale)
        found = fit_mix(task, model, validation, monitor)
        errors = []
        for share in SHARES:
            model.mix.fill_(float(share))
            parts = run_split(model, validation, task.config.train)
            gaps = [(o.mixed[..., 0] - b.targets).abs() ** power for _, b, o in parts]
            errors.append(float(torch.cat(gaps).mean()))
        assert found[f"validation_{monitor}"] == pytest.approx(min(errors), rel=1e-5)
        assert errors[int(np.flatnonzero(found["linear_share"] == SHARES)[0])] == pytest.approx(
            min(errors), rel=1e-5
        )


def test_the_share_that_was_found_is_used(fitted) -> None:
    task, data, model = fitted
    before = predict(task, model, data.splits["test"])
    found = fit_mix(task, model, data.splits["validation"], "mae_scaled")
    assert found["linear_share"] > 0
    assert float(model.mix) == pytest.approx(found["linear_share"])
    assert not np.allclose(before[0], predict(task, model, data.splits["test"])[0])


# ------------------------------------------------------------------ intervals


def test_a_new_series_gets_the_widest_intervals_and_a_known_one_its_own(fitted) -> None:
    task, data, _ = fitted
    test = data.splits["test"]
    radius = np.arange(2 * 1 * 5, dtype=float).reshape(2, 1, 5)
    names = ["south", "new"]
    other = replace(test, panel=replace(test.panel, names=names))
    found = spread_out(Calibration((0.5,), radius, False, 99), other, data.info).radius
    np.testing.assert_array_equal(found[0], radius[1])
    np.testing.assert_array_equal(found[1], radius.max(0))
    assert task.load().info.names == ["north", "south"]


def test_radii_are_kept_by_known_series_in_their_order(fitted) -> None:
    task, data, model = fitted
    held_back = data.splits["calibration"]
    set_calibration(model, held_back, task.predictions(model, held_back, data.info), data.info)
    assert bool((model.radius > 0).all())
    assert model.radius.shape[0] == data.info.groups


# ------------------------------------------------------------------ rows and splits


def test_backtest_rows_follow_each_other_and_end_with_the_last_window(fitted) -> None:
    _, data, _ = fitted
    test = data.splits["test"]
    chosen = apart(test)
    for series in (0, 1):
        origins = test.origin[chosen][test.series[chosen] == series]
        assert set(np.diff(origins)) <= {test.horizon}
        assert origins[-1] == test.origin[test.series == series].max()


def test_a_run_scores_with_its_own_scales_even_if_the_data_have_changed(fitted) -> None:
    task, data, _ = fitted
    info = replace(data.info, scaling=replace(data.info.scaling, shift=np.array([7.0, 8.0])))
    split = task.load_split(info, "", "test").split
    np.testing.assert_array_equal(split.shift, [7.0, 8.0])


# ------------------------------------------------------------------ refit


def test_a_refit_fits_the_linear_map_again_on_all_rows(tmp_path: Path) -> None:
    task = wide(tmp_path, refit=1, members=1)
    data = task.load()
    torch.manual_seed(0)
    model = task.model(data.info).eval()
    task.finish(model, data)
    before, penalty = model.linear_weight.clone(), fit_penalty(model, data)
    refit_forecasts(task, model, data, 1)
    assert not torch.allclose(before, model.linear_weight)
    panel, test = data.splits["test"].panel, data.splits["test"]
    origins = np.arange(test.lookback, int(panel.ends[0]) - test.horizon + 1)
    every = replace(test, series=np.repeat([0, 1], len(origins)), origin=np.tile(origins, 2))
    assert penalty is not None
    _, weight, _ = next(iter(solve(fit_ridge(every), (penalty,))))
    np.testing.assert_allclose(model.linear_weight.numpy(), weight, atol=1e-5)


def test_a_short_first_window_is_still_a_forecast(tmp_path: Path) -> None:
    """Three series with gaps and every kind of covariate: nothing but numbers comes out."""
    task = Forecast(contract.tiny("forecast").panel(tmp_path))
    data = task.load()
    torch.manual_seed(0)
    model = task.model(data.info).eval()
    task.finish(model, data)
    found = task.predictions(model, data.splits["test"], data.info)
    assert np.isfinite(found.values).all()
    bounds = found.intervals(data.splits["test"], np.arange(len(data.splits["test"])))
    assert bounds is not None
    assert (bounds[0] <= bounds[1]).all()
