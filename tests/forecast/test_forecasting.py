"""The forecasting task end to end: train, backtest, predict, refit, the best, bad input."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from birnn.data.series.findings import SeriesOptions
from birnn.data.series.reader import read_panel
from birnn.tasks.forecast.data import load_series
from birnn.tasks.forecast.fit import FORECASTERS

from writers import write_table

TINY = [
    *("--hidden-size", "4", "--segment-size", "4", "--members", "1", "--epochs", "1"),
    *("--epoch-windows", "64", "--batch-size", "32", "--threads", "1"),
]


def season(steps: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return 20 + 5 * np.sin(np.arange(steps) * 2 * np.pi / 7) + 0.3 * generator.normal(size=steps)


def wide(path: Path, steps: int = 150, **columns) -> Path:
    """Daily rows with a column ``y`` and any others."""
    stamps = pd.date_range("2023-01-01", periods=steps, freq="D")
    table = pd.DataFrame({"date": stamps, "y": season(steps), **columns})
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def run(birnn, tmp_path: Path):
    """``run(data, …)`` trains into ``tmp_path / "run"``."""

    def call(data, *options):
        return birnn("forecast", data, "--out", tmp_path / "run", *TINY, *options)

    return call


@pytest.fixture
def metrics(tmp_path: Path):
    return lambda: json.loads((tmp_path / "run" / "metrics.json").read_text())


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------ what a run holds


def test_a_run_holds_the_future_the_backtest_and_its_pictures(run, metrics, tmp_path: Path) -> None:
    outcome = run(wide(tmp_path / "d.csv"), "--horizon", "7")
    assert outcome.code == 0, outcome.err
    folder = tmp_path / "run"
    for name in ("forecast.png", "error_by_step.png", "coverage_by_step.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    future = rows(folder / "forecast.csv")
    assert [row["time"] for row in future] == [
        str(stamp) for stamp in pd.date_range("2023-05-31", periods=7, freq="D")
    ]
    for row in future:
        bounds = [
            float(row[f"{side}_{level}"]) for side in ("lower", "upper") for level in (80, 90)
        ]
        assert bounds[1] <= bounds[0] <= float(row["mean"]) <= bounds[2] <= bounds[3]
    assert (folder / "README.md").read_text().count("--input new.csv") == 1
    found = metrics()
    keys = {
        "mse", "rmse", "mae", "mse_scaled", "mae_scaled", "mape", "smape", "mase", "rmsse",
        "pinball", "coverage_80", "coverage_90", "winkler_80",
    }  # fmt: skip
    assert keys <= set(found["test"]["model"])
    assert set(found["test"]["baselines"]) == set(FORECASTERS[1:])
    assert set(found["test"]["skill"]["ridge"]) == {"mae", "mse"}
    assert len(found["details"]["per_step"]) == 7
    assert found["data"]["inspection"]["season"] == 7


def test_the_backtest_counts_every_window_and_its_rows_tell_the_truth(
    run, metrics, tmp_path: Path
) -> None:
    assert run(wide(tmp_path / "d.csv"), "--horizon", "7", "--split", "90,30,30").code == 0
    assert metrics()["data"]["rows"]["test"] == 30 - 7 + 1
    told = rows(tmp_path / "run" / "predictions.csv")
    actual = dict(zip(map(str, pd.date_range("2023-01-01", periods=150)), season(150), strict=True))
    assert len(told) % 7 == 0
    assert all(float(row["actual"]) == pytest.approx(actual[row["time"]]) for row in told)


def test_scores_are_those_of_the_written_rows(run, metrics, tmp_path: Path) -> None:
    """With one test window, the scores can be computed again by hand."""
    data = wide(tmp_path / "d.csv")
    assert run(data, "--horizon", "7", "--test-last", "7").code == 0
    told = rows(tmp_path / "run" / "predictions.csv")
    y = np.array([float(row["actual"]) for row in told])
    p = np.array([float(row["mean"]) for row in told])
    scores = {name: part["value"] for name, part in metrics()["test"]["model"].items()}
    past = season(143)
    naive = np.abs(past[7:] - past[:-7]).mean()
    wanted = {
        "mae": np.abs(y - p).mean(),
        "mse": np.square(y - p).mean(),
        "mape": 100 * np.abs((y - p) / y).mean(),
        "smape": 200 * (np.abs(y - p) / (np.abs(y) + np.abs(p))).mean(),
        "mase": np.abs(y - p).mean() / naive,
    }
    assert {name: scores[name] for name in wanted} == pytest.approx(wanted, rel=1e-4)
    assert metrics()["test"]["model"]["mae"]["low"] is None
    assert "too little data" in metrics()["verdict"]


def test_training_ends_where_the_networks_add_nothing_to_the_linear_map(
    run, metrics, tmp_path: Path
) -> None:
    """Two waves: a linear map knows them to the last digit."""
    t = np.arange(400)
    y = np.sin(t * 2 * np.pi / 7) + np.sin(t * 2 * np.pi / 5.3)
    data = wide(tmp_path / "d.csv", 400, y=y)
    options = ["--horizon", "7", "--epochs", "9", "--patience", "2", "--epoch-steps", "1"]
    outcome = run(data, *options, "--least-batch", "0")
    assert outcome.code == 0, outcome.err
    reason = "no better mae_scaled than linear_mae_scaled for 2 epochs"
    assert f": {reason}" in outcome.out
    assert re.search(
        r"epoch 2/9  loss \S+  MAE 0.00\d\d \(networks \S+, linear 100 %\)", outcome.out
    )
    train = metrics()["train"]
    assert (train["stopped"], train["epochs"], train["linear_share"]) == (reason, 2, 1)
    told = rows(tmp_path / "run" / "history.csv")
    assert {float(row["linear_share"]) for row in told} == {1.0}
    assert {row["mae_scaled"] for row in told} == {told[0]["linear_mae_scaled"]}
    assert float(told[1]["networks_mae_scaled"]) > float(told[1]["mae_scaled"])
    plain = run(data, *options, "--no-linear", "--overwrite")
    assert "epoch 9/9" in plain.out
    assert set(rows(tmp_path / "run" / "history.csv")[0]) == {
        "epoch", "loss", "mae_scaled", "mse_scaled", "learning_rate", "seconds"
    }  # fmt: skip


def test_the_same_seed_gives_the_same_forecast(birnn, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv")
    for name in ("a", "b"):
        assert birnn("forecast", data, "--horizon", "7", "--out", tmp_path / name, *TINY).code == 0
    first, second = ((tmp_path / name / "forecast.csv").read_text() for name in ("a", "b"))
    assert first == second


def test_predict_answers_with_the_forecast_of_training(run, birnn, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv")
    assert run(data, "--horizon", "7").code == 0
    outcome = birnn("predict", tmp_path / "run", "--input", data, "--json")
    told = [json.loads(line) for line in outcome.out.splitlines()]
    for row, wanted in zip(told, rows(tmp_path / "run" / "forecast.csv"), strict=True):
        assert row["time"] == wanted["time"]
        assert row["mean"] == pytest.approx(float(wanted["mean"]), abs=1e-4)
    out = tmp_path / "new.csv"
    assert birnn("predict", tmp_path / "run", "--input", data, "--output", out).code == 0
    assert len(rows(out)) == 7


def test_predict_takes_new_series_and_says_so(run, birnn, tmp_path: Path) -> None:
    assert run(wide(tmp_path / "d.csv"), "--horizon", "7").code == 0
    stamps = pd.date_range("2024-01-01", periods=20)
    pd.DataFrame({"date": stamps, "other": 1e3 + season(20, 3)}).to_csv(
        tmp_path / "n.csv", index=False
    )
    outcome = birnn("predict", tmp_path / "run", "--input", tmp_path / "n.csv", "--json")
    told = [json.loads(line) for line in outcome.out.splitlines()]
    assert {row["id"] for row in told} == {"other"}
    assert all(900 < row["mean"] < 1100 for row in told)
    assert "new to the run" in outcome.err
    assert "less history than the lookback" in outcome.err


def test_evaluate_gives_the_scores_of_training(run, birnn, metrics, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv")
    assert run(data, "--horizon", "7").code == 0
    before = metrics()["test"]["model"]
    after = json.loads(birnn("evaluate", tmp_path / "run", "--json").out)["test"]["model"]
    for name in before:
        assert after[name]["value"] == pytest.approx(before[name]["value"], rel=1e-6), name
    other = birnn("evaluate", tmp_path / "run", "--data", data, "--json")
    assert other.code == 0


# ------------------------------------------------------------------ options


def test_bounds_hold_for_points_and_intervals(run, tmp_path: Path) -> None:
    assert run(wide(tmp_path / "d.csv"), "--horizon", "7", "--min", "18", "--max", "22").code == 0
    for name in ("forecast.csv", "predictions.csv"):
        for row in rows(tmp_path / "run" / name):
            values = [float(v) for k, v in row.items() if k == "mean" or "er_" in k]
            assert all(18 <= value <= 22 for value in values)


def test_best_lets_predict_use_a_baseline(run, birnn, metrics, tmp_path: Path) -> None:
    """Where every week is the same, the seasonal naive forecast makes no error at all."""
    week = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]
    stamps = pd.date_range("2023-01-01", periods=140)
    table = pd.DataFrame({"date": stamps, "y": week * 20})
    table.to_csv(tmp_path / "w.csv", index=False)
    assert run(tmp_path / "w.csv", "--horizon", "9", "--best", "--no-linear").code == 0
    found = metrics()
    assert found["forecaster"] == "seasonal_naive"
    assert found["validation_mae_scaled"]["seasonal_naive"] == 0
    assert "seasonal naive beats the model" in found["verdict"].lower()
    outcome = birnn("predict", tmp_path / "run", "--input", tmp_path / "w.csv", "--json")
    told = [json.loads(line) for line in outcome.out.splitlines()]
    assert [row["mean"] for row in told] == (week * 2)[:9]


def test_refit_changes_the_backtest_and_says_what_the_model_has_seen(birnn, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv")
    for name, parts in (("once", "0"), ("again", "2")):
        options = ("--horizon", "7", "--refit", parts, "--out", tmp_path / name)
        assert birnn("forecast", data, *options, *TINY).code == 0
    first, second = (rows(tmp_path / name / "predictions.csv") for name in ("once", "again"))
    assert [row["actual"] for row in first] == [row["actual"] for row in second]
    assert [row["mean"] for row in first] != [row["mean"] for row in second]
    assert "WARNING" not in birnn("evaluate", tmp_path / "once").out
    assert "WARNING" in birnn("evaluate", tmp_path / "again").out


def test_quantile_heads_are_written_and_ordered(run, tmp_path: Path) -> None:
    options = ("--horizon", "7", "--loss", "quantile", "--levels", "50,80")
    assert run(wide(tmp_path / "d.csv"), *options).code == 0
    for row in rows(tmp_path / "run" / "predictions.csv"):
        values = [float(row[k]) for k in ("lower_80", "lower_50", "upper_50", "upper_80")]
        assert values == sorted(values)


def test_known_future_values_are_read_from_rows_with_an_empty_target(run, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv", holiday=np.arange(150) % 2)
    table = pd.read_csv(data)
    table.loc[143:, "y"] = np.nan
    table.to_csv(data, index=False)
    assert run(data, "--target", "y", "--future", "holiday", "--horizon", "7").code == 0
    future = rows(tmp_path / "run" / "forecast.csv")
    assert future[0]["time"].startswith("2023-05-24")


def test_without_known_future_values_there_is_no_forecast_yet(run, birnn, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv", holiday=np.arange(150) % 2)
    assert run(data, "--target", "y", "--future", "holiday", "--horizon", "7").code == 0
    assert not (tmp_path / "run" / "forecast.csv").exists()
    line = birnn("predict", tmp_path / "run", "--input", data).refusal()
    assert "'holiday'" in line
    assert "2023-05-31" in line


def test_missing_values_never_become_nan(run, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv")
    table = pd.read_csv(data)
    table.loc[[3, 40, 41, 42, 120, 149], "y"] = np.nan
    table.to_csv(data, index=False)
    assert run(data, "--horizon", "7").code == 0
    future = rows(tmp_path / "run" / "forecast.csv")
    assert np.isfinite([float(row["mean"]) for row in future]).all()
    assert future[0]["time"].startswith("2023-05-30")


def test_calendar_features_and_a_vector_for_each_series(run, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv", z=season(150, 2))
    options = ("--horizon", "7", "--calendar", "weekday,month", "--series-size", "3")
    assert run(data, *options).code == 0
    assert len(rows(tmp_path / "run" / "forecast.csv")) == 14


# ------------------------------------------------------------------ bad input

REFUSED = {
    "no such target": (["--target", "load"], ["'load'", "y"]),
    "horizon 0": (["--horizon", "0"], ["horizon"]),
    "negative horizon": (["--horizon", "-3"], ["horizon"]),
    "too long a horizon": (["--horizon", "100"], ["too few rows", "150"]),
    "too long a lookback": (["--lookback", "500"], ["lookback", "500"]),
    "two ways to split": (["--test-last", "9", "--split", "1,2,3"], ["--split", "--test-last"]),
    "split of words": (["--split", "a,b"], ["'a'", "date"]),
    "split of four": (["--split", "1,2,3,4"], ["neither three numbers"]),
    "more rows than there are": (["--split", "100,100,100"], ["300", "150"]),
    "unsupported level": (["--levels", "99.9"], ["99.9", "at least"]),
    "level above 100": (["--levels", "120"], ["120"]),
    "calendar of nothing": (["--calendar", "moon"], ["moon", "weekday"]),
    "bounds that cross": (["--min", "5", "--max", "4"], ["min"]),
    "unknown covariate": (["--past", "rain"], ["'rain'"]),
    "both kinds of data": (["--data", "other.csv"], ["give one"]),
    "a segment beyond the lookback": (["--segment", "30", "--lookback", "20"], ["segment"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_options_get_one_line_and_leave_nothing(case: str, run, tmp_path: Path) -> None:
    options, words = REFUSED[case]
    given = options if "--horizon" in options else [*options, "--horizon", "7"]
    line = run(wide(tmp_path / "d.csv"), *given).refusal()
    assert all(word in line for word in words), line
    assert not (tmp_path / "run").exists()


BAD_ROWS = {
    "text in a number": ([("2023-01-01", "1"), ("2023-01-02", "broken")], ["broken"]),
    "twice the same stamp": (
        [("2023-01-01", "1"), ("2023-01-01", "2")],
        ["line 3", "--duplicates"],
    ),
    "no number at all": ([("2023-01-01", "a"), ("2023-01-02", "b")], []),
    "three rows": ([(f"2023-01-0{i}", str(i)) for i in range(1, 4)], ["rows"]),
}


def test_hours_and_days_in_one_series_are_refused(run, birnn, tmp_path: Path) -> None:
    stamps = [
        *pd.date_range("2024-01-01", periods=60, freq="h"),
        *pd.date_range("2024-01-05", periods=60, freq="D"),
    ]
    data = tmp_path / "d.csv"
    pd.DataFrame({"time": stamps, "y": season(120)}).to_csv(data, index=False)
    assert "24 times the usual one" in run(data, "--horizon", "7").refusal()
    assert "mixed_frequency" in birnn("inspect", data, "--json").out


@pytest.mark.parametrize("value", ["1e300", "-1e31"])
def test_values_too_large_to_square_are_refused(value: str, run, tmp_path: Path) -> None:
    table = [(str(s.date()), str(i)) for i, s in enumerate(pd.date_range("2023-02-01", periods=99))]
    table[40] = (table[40][0], value)
    line = run(write_table(tmp_path / "d.csv", table, ("date", "y")), "--horizon", "7").refusal()
    assert "too large to compute" in line


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_get_one_line(case: str, run, tmp_path: Path) -> None:
    found, words = BAD_ROWS[case]
    good = [(str(s.date()), str(i)) for i, s in enumerate(pd.date_range("2023-02-01", periods=99))]
    table = found if case in ("three rows", "no number at all") else [*found, *good]
    line = run(write_table(tmp_path / "d.csv", table, ("date", "y")), "--horizon", "7").refusal()
    assert all(word in line for word in words), line


def test_a_constant_series_is_forecast_as_it_is(run, tmp_path: Path) -> None:
    stamps = pd.date_range("2023-01-01", periods=150)
    pd.DataFrame({"date": stamps, "y": 4.0}).to_csv(tmp_path / "d.csv", index=False)
    assert run(tmp_path / "d.csv", "--horizon", "7").code == 0
    told = [float(row["mean"]) for row in rows(tmp_path / "run" / "forecast.csv")]
    assert told == pytest.approx([4.0] * 7, abs=0.5)


def test_predict_refuses_what_a_forecaster_can_not_use(run, birnn, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv")
    assert run(data, "--horizon", "7").code == 0
    folder = tmp_path / "run"
    assert "--input" in birnn("predict", folder, "some text").refusal()
    hourly = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=99, freq="h"), "y": season(99)})
    hourly.to_csv(tmp_path / "h.csv", index=False)
    assert "trained on D" in birnn("predict", folder, "--input", tmp_path / "h.csv").refusal()
    bad = birnn("predict", folder, "--input", data, "--output", tmp_path / "x.txt").refusal()
    assert ".csv" in bad


# ------------------------------------------------------------------ inspect


def test_inspect_tells_and_trains_nothing(birnn, tmp_path: Path) -> None:
    data = wide(tmp_path / "d.csv")
    text = data.read_text().splitlines()
    del text[40]
    data.write_text("\n".join(text) + "\n")
    outcome = birnn("inspect", data, "--horizon", "7")
    assert outcome.code == 0
    assert re.search(r"1 step.* missing", outcome.out)
    found = json.loads(birnn("inspect", data, "--json").out)
    assert {part["kind"] for part in found["findings"]} == {"gap"}
    panel, _ = read_panel(str(data), SeriesOptions())
    assert np.isnan(panel.values).sum() == 1


def test_the_embedded_series_are_the_default() -> None:
    from birnn.tasks.forecast.options import ForecastConfig

    found = load_series(ForecastConfig())
    assert found.inspection.source == "embedded electricity"
    assert found.info.season == 24
    assert len(found.panel) == 1
