"""No forecast, scale, name or interval knows what comes after it; and the checks notice a leak."""

import csv
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from birnn.data.series.windows import WindowSplit
from birnn.data.splits.batching import BucketSampler
from birnn.tasks.forecast import data as forecasting_data
from birnn.tasks.forecast import fit as forecasting_fit
from birnn.tasks.forecast.data import load_series
from birnn.tasks.forecast.options import ForecastConfig, ForecastData, ForecastParts
from birnn.tasks.forecast.task import Forecast
from birnn.training.loop import fit
from birnn.training.state import Validation

import contract
from strategies import randomise
from tiny_parts import ENCODER

ROWS, HORIZON = 120, 2


def write(path: Path, values: np.ndarray, extra: tuple[str, ...] = ()) -> Path:
    """Two daily series ``values [2, T]`` in long layout; ``extra`` ones begin in the test rows."""
    stamps = pd.date_range("2024-01-01", periods=values.shape[1], freq="D")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "date", "y", "price"])
        for name, row in zip("ab", values, strict=True):
            writer.writerows(
                [name, stamp.date(), f"{v:.6f}", f"{v + 1:.6f}"]
                for stamp, v in zip(stamps, row, strict=True)
            )
        for name in extra:
            writer.writerows(
                [name, stamp.date(), f"{t * 7.5:.6f}", "0"] for t, stamp in enumerate(stamps[-24:])
            )
    return path


def series(seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    season = np.sin(np.arange(ROWS) * 2 * np.pi / 7)
    return 5 * season + generator.normal(size=(2, ROWS)) + [[10.0], [-3.0]]


def config(path: Path, **parts: object) -> ForecastConfig:
    """Splits by date: train up to 31 March, validation and calibration to 9 April, then test."""
    return ForecastConfig(
        ForecastData(
            str(path), id_column="id", target="y", past="price", horizon=HORIZON, lookback=14,
            split="2024-03-02,2024-04-05",
        ),
        ForecastParts(
            members=1, segment=7, segment_size=6, series_size=2, levels="50", **parts
        ),
        replace(ENCODER, norm="none"),
        replace(contract.tiny("forecast").FORECAST_TRAIN, epochs=2),
    )  # fmt: skip


def trained(task: Forecast):
    """A model trained two epochs and finished on validation, and its data."""
    data = task.load()
    torch.manual_seed(0)
    model = task.model(data.info)
    settings = task.config.train
    sampler = BucketSampler(data.splits["train"], settings.batch_size, 10**6, 0)
    always = Validation(lambda: {"score": 0.0}, "score", True)
    for _ in fit(model, task.loss, sampler, settings, always):
        pass
    model.eval()
    task.finish(model, data)
    return model, data


def changed_from(split: WindowSplit, series: int, step: int) -> WindowSplit:
    """The same windows of a panel whose every number from ``step`` of a series on is another."""
    panel = split.panel
    values, past = panel.values.copy(), panel.past.copy()
    start, end = panel.offsets[series] + step, panel.offsets[series + 1]
    values[start:end] = 1e6
    first = panel.covariate_offsets[series]
    past[first + step : first + end - panel.offsets[series]] = -1e6
    return replace(split, panel=replace(panel, values=values, past=past))


def check_forecasts_know_nothing_ahead(task: Forecast, model, split: WindowSplit, info) -> None:
    """The forecast from each origin is the same to the bit whatever comes after it."""
    for window in range(0, len(split), 5):
        one = split.chosen(np.array([window]))
        changed = changed_from(one, int(one.series[0]), int(one.origin[0]))
        before = task.predictions(model, one, info)
        after = task.predictions(model, changed, info)
        np.testing.assert_array_equal(before.values, after.values)
        for low, high in zip(
            before.intervals(one, np.array([0])), after.intervals(one, np.array([0])), strict=True
        ):
            np.testing.assert_array_equal(low, high)


def check_learned_alike(first, second) -> None:
    """Two runs learned the same names, scales, weights, linear map and intervals, to the bit."""
    (model, data), (other, changed) = first, second
    assert data.info.files() == changed.info.files()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


@pytest.fixture
def task(tmp_path: Path) -> Forecast:
    return Forecast(config(write(tmp_path / "a.csv", series())))


@pytest.fixture
def other(tmp_path: Path) -> Forecast:
    """The same but for every value of the test rows, and a series that begins there."""
    values = series()
    values[:, 95:] = 1e4 * np.random.default_rng(1).normal(size=values[:, 95:].shape)
    return Forecast(config(write(tmp_path / "b.csv", values, extra=("late",))))


def test_what_comes_after_the_origin_changes_no_forecast(task: Forecast) -> None:
    model, data = trained(task)
    check_forecasts_know_nothing_ahead(task, randomise(model), data.splits["test"], data.info)


def test_the_same_with_every_kind_of_covariate_and_quantile_heads(tmp_path: Path) -> None:
    task = Forecast(contract.tiny("forecast").panel(tmp_path))
    data = task.load()
    torch.manual_seed(0)
    model = randomise(task.model(data.info)).eval()
    check_forecasts_know_nothing_ahead(task, model, data.splits["test"], data.info)


def test_baselines_know_nothing_ahead(task: Forecast) -> None:
    data = task.load()
    test = data.splits["test"]
    for part in task.baselines(data):
        for window in range(0, len(test), 5):
            one = test.chosen(np.array([window]))
            changed = changed_from(one, int(one.series[0]), int(one.origin[0]))
            forecaster = part.predictions.values.forecaster
            np.testing.assert_array_equal(
                forecaster.forecast(one, np.array([0])), forecaster.forecast(changed, np.array([0]))
            )


def test_test_rows_and_late_series_change_nothing_that_is_learned(
    task: Forecast, other: Forecast
) -> None:
    check_learned_alike(trained(task), trained(other))


def test_scales_come_from_train_alone(tmp_path: Path) -> None:
    values = series()
    data = load_series(config(write(tmp_path / "a.csv", values)))
    np.testing.assert_allclose(data.info.scaling.shift, values[:, :61].mean(1), atol=1e-6)
    np.testing.assert_allclose(data.info.scaling.scale, values[:, :61].std(1), atol=1e-6)
    np.testing.assert_allclose(
        data.info.scaling.past[:, 0],
        [(values[:, :61] + 1).mean(), (values[:, :61] + 1).std()],
        atol=1e-6,
    )


def test_a_series_without_training_rows_is_unknown_and_scored_by_its_own_scale(
    other: Forecast,
) -> None:
    data = other.load()
    assert data.info.names == ["a", "b"]
    test = data.splits["test"]
    assert test.ids.tolist() == [1, 2, 0]
    late = np.arange(14) * 7.5
    assert test.shift[2] == pytest.approx(late.mean())
    assert test.origin[test.series == 2].min() >= 14


def test_parts_share_no_target(task: Forecast) -> None:
    splits = task.load().splits
    for series in (0, 1):
        ends = {
            name: (
                part.origin[part.series == series].min(),
                part.origin[part.series == series].max(),
            )
            for name, part in splits.items()
        }
        order = ["train", "validation", "calibration", "test"]
        for before, after in pairwise(order):
            assert ends[before][1] + HORIZON <= ends[after][0]


def test_a_refit_knows_nothing_of_the_parts_after_it(tmp_path: Path) -> None:
    """The first of two parts is forecast alike whatever the second holds."""
    values, middle = series(), 107
    changed = values.copy()
    changed[:, middle:] = 500
    found = []
    for name, table in (("a", values), ("b", changed)):
        task = Forecast(config(write(tmp_path / f"{name}.csv", table), refit=2))
        model, data = trained(task)
        found.append((task.backtest(model, data, 1), data.splits["test"]))
    (first, test), (second, _) = found
    early, late = test.origin < middle - HORIZON, test.origin > middle
    assert early.any()
    np.testing.assert_array_equal(first.values[early], second.values[early])
    assert not np.array_equal(first.values[late], second.values[late])


def test_the_model_that_a_refit_saves_has_seen_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Forecast(config(write(tmp_path / "a.csv", series()), refit=2))
    model, data = trained(task)
    honest, seen = forecasting_fit._train_again, []

    def noted(task, model, train, *rest):
        seen.append(int((train.origin + HORIZON).max()))
        return honest(task, model, train, *rest)

    monkeypatch.setattr(forecasting_fit, "_train_again", noted)
    task.backtest(model, data, 1)
    assert seen == [95, 107, ROWS]


# ------------------------------------------------------------------ a leak put in by hand


def test_a_window_that_reaches_ahead_is_noticed(
    task: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = trained(task)
    honest = WindowSplit._steps

    def leaking(self, indices, first, count, bound):
        return honest(self, indices, first + (first < 0), count, bound)

    monkeypatch.setattr(WindowSplit, "_steps", leaking)
    with pytest.raises(AssertionError):
        check_forecasts_know_nothing_ahead(task, model, data.splits["test"], data.info)


def test_a_covariate_of_the_past_that_reaches_ahead_is_noticed(
    task: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = trained(task)
    honest = WindowSplit._covariates

    def leaking(self, indices, width):
        return honest(replace(self, origin=self.origin + 1), indices, width)

    monkeypatch.setattr(WindowSplit, "_covariates", leaking)
    with pytest.raises(AssertionError):
        check_forecasts_know_nothing_ahead(task, model, data.splits["test"], data.info)


@pytest.mark.parametrize("leak", ["scale", "names", "calibration"])
def test_learning_from_test_rows_is_noticed(
    leak: str, task: Forecast, other: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    if leak == "scale":
        honest = forecasting_data.fit_scaling
        monkeypatch.setattr(
            forecasting_data, "fit_scaling", lambda panel, ends: honest(panel, panel.ends)
        )
    elif leak == "names":
        monkeypatch.setattr(
            forecasting_data, "train_bounds", lambda parts, shape: (parts.train * 0 + 1, parts.test)
        )
    else:
        honest_load = Forecast.load

        def load(self):
            data = honest_load(self)
            data.splits["calibration"] = data.splits["test"]
            return data

        monkeypatch.setattr(Forecast, "load", load)
    with pytest.raises(AssertionError):
        check_learned_alike(trained(task), trained(other))
