"""Series of a report: what is kept of them, how much, and that it is what the run's files hold."""

import csv
import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.errors import CheckpointError
from birnn.tasks.forecast import report_extras
from birnn.tasks.forecast.report import curves as report_curves
from birnn.tasks.forecast.report.curves import read_curves
from birnn.tasks.forecast.report.sections import forecast_sections, series_rows
from birnn.tasks.forecast.report_extras import decimals, fair_share, lines_that_fit, rounded
from birnn.tasks.reporting.inputs import read_run_files
from birnn.tasks.reporting.series import short_grid

finite = st.floats(-1e12, 1e12, allow_subnormal=False)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30), st.integers(0, 5000))
def test_shares_fill_the_room_and_no_more(sizes, spare):
    total = len(sizes) + spare
    most = fair_share(sizes, total)
    assert sum(min(size, most) for size in sizes) <= total
    if max(sizes) > most:  # one more each would be too much
        assert sum(min(size, most + 1) for size in sizes) > total


@given(st.lists(finite | st.just(np.nan), min_size=1, max_size=20))
def test_values_are_rounded_to_what_a_picture_shows(values):
    array = np.array(values)
    known = array[np.isfinite(array)]
    found = rounded(array, decimals(array))
    assert [v is None for v in found] == np.isnan(array).tolist()
    if len(known):
        size = float(np.ptp(known)) or float(np.abs(known).max())
        kept = np.array([v for v in found if v is not None], dtype=float)
        assert np.abs(kept - known).max() <= 1e-4 * size
    json.dumps(found, allow_nan=False)


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(1, 10**9), max_size=20))
def test_a_grid_comes_back(first, apart):
    grid = np.cumsum([first, *apart])
    start, unit, steps = short_grid(grid)
    if isinstance(steps, int):
        again = start + unit * np.arange(steps)
    else:
        again = start + unit * np.cumsum([0, *steps])
    np.testing.assert_array_equal(again, grid)


def test_a_report_has_room_for_a_window_of_every_series_it_draws():
    for horizon, levels in ((1, 0), (48, 3), (720, 3), (100_000, 9)):
        lines = lines_that_fit(horizon, levels)
        numbers = lines * 2 * horizon * (1 + 2 * min(levels, 2))
        assert 1 <= lines <= report_extras.LINES
        assert lines == 1 or numbers <= report_extras.FORECASTS


def files_of(run):
    return read_run_files(run, json.loads((run / "config.json").read_text()))


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(params=["panel", "wide"])
def run(request, finished):
    return finished("forecast", request.param)


def moment(stamp):
    return int(np.datetime64(stamp.replace(" ", "T"), "ms").astype(np.int64))


def test_curves_are_those_of_the_files(run):
    curves = read_curves(files_of(run))
    assert curves.moments
    for kind, name in (("backtest", "predictions.csv"), ("future", "forecast.csv")):
        rows = rows_of(run / name) if (run / name).is_file() else []
        for line in curves.lines:
            own = [row for row in rows if row["id"] == line.name]
            part = getattr(line, kind)
            assert (part is None) == (not own)
            places = {int(x): place for place, x in enumerate(line.grid)}
            for row in own:
                step = places[moment(row["time"])] - part.at
                span = max(abs(float(row["mean"])), 1.0)
                assert part.mean[step] == pytest.approx(float(row["mean"]), abs=1e-3 * span)
                for level, low, high in zip(curves.levels, part.low, part.high, strict=True):
                    assert low[step] == pytest.approx(float(row[f"lower_{level}"]), abs=1e-3 * span)
                    assert high[step] == pytest.approx(
                        float(row[f"upper_{level}"]), abs=1e-3 * span
                    )
                if row.get("actual"):
                    at = places[moment(row["time"])]
                    assert line.history[at] == pytest.approx(float(row["actual"]), abs=1e-3 * span)


def test_gaps_are_gaps(finished):
    """The tiny panel lacks every 17th value from the fifth on."""
    for line in read_curves(files_of(finished("forecast", "panel"))).lines:
        missing = {t for t, value in enumerate(line.history) if value is None}
        assert missing == {t for t in range(len(line.history) - 1) if t % 17 == 5}


def test_the_worst_series_is_drawn_first_and_stands_first(run):
    files = files_of(run)
    curves, rows = read_curves(files), series_rows(files)
    assert [line.name for line in curves.lines] == [row["series"] for row in rows]
    errors = [row.get("mase", row["mae"]) for row in rows]
    assert errors == sorted(errors, reverse=True)
    per_series = {row["series"]: row for row in files.metrics["details"]["per_series"]}
    for row in rows:
        assert row["mae"] == pytest.approx(per_series[row["series"]]["mae"], rel=1e-5)
        assert set(row["baselines"]) == set(files.metrics["test"]["baselines"])


def test_baselines_by_step_agree_with_their_scores(run):
    files = files_of(run)
    count = len(files.metrics["details"]["per_step"])
    for name, steps in files.extras["by_step"].items():
        assert len(steps) == count
        whole = files.metrics["test"]["baselines"][name]["mae"]["value"]
        assert min(s["mae"] for s in steps) <= whole <= max(s["mae"] for s in steps)


def test_what_has_no_room_is_said(finished, monkeypatch):
    files = files_of(finished("forecast", "panel"))
    monkeypatch.setattr(report_curves, "FORECASTS", 60)
    monkeypatch.setattr(report_curves, "lines_that_fit", lambda *_: 2)
    curves = read_curves(files)
    assert len(curves.lines) == 2
    notes = " ".join(curves.notes)
    assert "2 worst of 3 series" in notes
    assert "Of the backtest the last 5 steps" in notes
    assert all(len(line.backtest.mean) <= 5 for line in curves.lines)


def test_a_long_history_is_cut_and_said(finished, birnn, tmp_path, monkeypatch):
    files = files_of(finished("forecast", "wide"))
    stored = json.loads(json.dumps(dict(files.extras)))
    for line in stored["histories"]["lines"]:
        line["values"], line["first"] = line["values"][40:], line["first"] + 40
    cut = read_run_files(files.folder, files.config)
    cut = type(cut)(cut.folder, cut.name, cut.config, cut.metrics, cut.histories, stored)
    whole, short = read_curves(files), read_curves(cut)
    assert "The last 50 steps of each series are here." in short.notes
    for one, other in zip(whole.lines, short.lines, strict=True):
        np.testing.assert_array_equal(one.grid[40:], other.grid)
        assert one.history[40:] == other.history
        assert one.backtest.at == other.backtest.at + 40


@pytest.mark.parametrize("broken", [
    {"start": 2**70}, {"values": ["x"]}, {"values": [[1]]}, {"first": -(2**62)}, {"start": None},
])  # fmt: skip
def test_a_damaged_history_is_one_line(finished, birnn, tmp_path, broken):
    shutil.copytree(finished("forecast", "wide"), tmp_path / "run")
    path = tmp_path / "run" / "report.json"
    extras = json.loads(path.read_text())
    extras["histories"]["lines"][0] |= broken
    path.write_text(json.dumps(extras))
    outcome = birnn("report", tmp_path / "run")
    assert outcome.code == 2
    assert "Traceback" not in outcome.err
    assert len(outcome.err.strip().splitlines()) <= 3


def test_one_series_has_no_table_of_series(finished, monkeypatch):
    files = files_of(finished("forecast", "wide"))
    names = [section.name for section in forecast_sections(files)]
    assert names == ["series", "results", "worst"]
    one = {**files.extras, "by_series": files.extras["by_series"][:1]}
    alone = type(files)(files.folder, files.name, files.config, files.metrics, files.histories, one)
    assert [s.name for s in forecast_sections(alone)] == ["series", "results"]


def test_files_that_are_too_large_are_left_out(finished, monkeypatch):
    monkeypatch.setattr(report_curves, "LARGEST_FILE", 10)
    curves = read_curves(files_of(finished("forecast", "wide")))
    assert "backtest is not drawn" in " ".join(curves.notes)
    assert all(line.backtest is None for line in curves.lines)
    assert all(line.history for line in curves.lines)


def test_stamps_that_are_none_are_one_error(finished, tmp_path):
    shutil.copytree(finished("forecast", "wide"), tmp_path / "run")
    path = tmp_path / "run" / "predictions.csv"
    path.write_text(path.read_text().replace("2024-03", "yesterday"))
    with pytest.raises(CheckpointError, match="stamp"):
        read_curves(files_of(tmp_path / "run"))
