"""What is fitted around a forecaster: losses, the mix, intervals of known and new series, refit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_pinball_loss

from birnn.data.series.windows import WindowSplit
from birnn.tasks.core.inference import predict, run_split
from birnn.tasks.forecast import baselines, metrics
from birnn.tasks.forecast.baselines import Ridge
from birnn.tasks.forecast.fit import (
    SHARES,
    fit_linear,
    fit_mix,
    fit_penalty,
    refit_forecasts,
    set_calibration,
    spread_out,
)
from birnn.tasks.forecast.forecasts import Calibration, Forecasts, quantiles_of
from birnn.tasks.forecast.output import apart
from birnn.tasks.forecast.ridge import fit_ridge, solve
from birnn.tasks.forecast.sums import accumulate
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


@pytest.mark.parametrize("loss", ["mae", "mse"])
def test_an_epoch_is_judged_by_what_would_be_predicted(loss: str, tmp_path: Path) -> None:
    """Two errors of the mix at its best share, and those of its two parts."""
    task = wide(tmp_path, loss=loss)
    data = task.load()
    torch.manual_seed(0)
    model = task.model(data.info).eval()
    task.prepare(model, data)
    found, validation = task.validate(model, data, task.config.train), data.splits["validation"]
    monitor = task.monitor(data.info)
    for share, name in (
        (found["linear_share"], monitor), (0.0, f"networks_{monitor}"), (1.0, task.floor(data.info))
    ):  # fmt: skip
        model.mix.fill_(share)
        scores = evaluate(task, task.predictions(model, validation, data.info), validation)
        assert found[name] == pytest.approx(scores[monitor], rel=1e-4)
        if name == monitor:
            assert {k: found[k] for k in task.monitors} == pytest.approx(
                {k: scores[k] for k in task.monitors}, rel=1e-4
            )
    assert found[monitor] <= min(found[f"networks_{monitor}"], found[task.floor(data.info)])


def evaluate(task: Forecast, forecasts: Forecasts, split: WindowSplit) -> dict[str, float]:
    return metrics.scores(accumulate(split, forecasts))


def test_the_share_of_a_map_that_says_it_all_is_1_to_the_bit(fitted) -> None:
    """Whatever the networks say: their epochs are alike, and none of them is a gain."""
    task, data, model = fitted
    errors = set()
    for scale in (3.0, 5.0):
        for member in model.members:
            torch.nn.init.constant_(member.head.linear.bias, scale)
        found = task.validate(model, data, task.config.train)
        assert found["linear_share"] == 1
        errors.add((found["mae_scaled"], found["linear_mae_scaled"]))
    assert len({error for pair in errors for error in pair}) == 1


@pytest.mark.parametrize("linear", [True, False])
def test_without_a_linear_map_the_networks_are_judged(linear: bool, tmp_path: Path) -> None:
    task = wide(tmp_path, linear=linear)
    data = task.load()
    torch.manual_seed(0)
    model = task.model(data.info).eval()
    if not linear:
        task.prepare(model, data)
        assert not model.has_linear
    found = task.validate(model, data, task.config.train)
    assert set(found) == set(task.monitors)
    parts = run_split(model, data.splits["validation"], task.config.train)
    members = [(o.recurrent[..., 0] - b.targets).abs() for _, b, o in parts]
    assert found["mae_scaled"] == pytest.approx(float(torch.cat(members).mean()), rel=1e-5)


def test_a_run_that_began_without_the_linear_map_gets_it_in_the_end(tmp_path: Path) -> None:
    """Older versions fitted it after training: their snapshots hold none."""
    task = wide(tmp_path)
    data = task.load()
    torch.manual_seed(0)
    model = task.model(data.info).eval()
    found = task.finish(model, data)
    assert model.has_linear
    assert float(model.mix) == pytest.approx(found["linear_share"])


def test_the_ridge_regression_is_fitted_once_to_a_split(fitted, monkeypatch) -> None:
    _, data, _ = fitted
    train, validation = data.splits["train"], data.splits["validation"]
    first = Ridge.fit(train, validation)
    monkeypatch.setattr(baselines, "fit_ridge", None)
    assert Ridge.fit(train, validation) is first
    with pytest.raises(TypeError):
        Ridge.fit(train, data.splits["calibration"])
    with pytest.raises(TypeError):
        Ridge.fit(replace(train), validation)


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
