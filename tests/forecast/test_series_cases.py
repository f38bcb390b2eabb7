"""Files of series as people bring them: each is read as it was meant, or refused with its mend."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

CASES = Path(__file__).parent.parent / "cases/series"
TINY = [
    *("--hidden-size", "4", "--segment-size", "4", "--members", "1", "--epochs", "1"),
    *("--epoch-windows", "64", "--batch-size", "32", "--threads", "1"),
]


@pytest.fixture
def look(birnn):
    """``look("c33", …)`` is what ``inspect`` says of a case."""

    def call(case, *options):
        outcome = birnn("inspect", file_of(case), "--json", *options)
        assert outcome.code == 0
        return json.loads(outcome.out)

    return call


def file_of(case: str) -> Path:
    (path,) = CASES.glob(f"{case}_*.csv")
    return path


@pytest.fixture
def train(birnn, tmp_path):
    """``train("c60", …)`` trains on a case into ``tmp_path / "run"``."""

    def call(case, *options):
        return birnn("forecast", file_of(case), "--out", tmp_path / "run", *TINY, *options)

    return call


@pytest.fixture
def predict(birnn, tmp_path):
    """What a run in ``tmp_path / "run"`` forecasts of a case."""

    def call(case, *options):
        outcome = birnn("predict", tmp_path / "run", "--input", file_of(case), "--json", *options)
        assert outcome.code == 0, outcome.err
        return [json.loads(line) for line in outcome.out.splitlines()], outcome.err

    return call


def told(inspection) -> str:
    findings = [f"{f['text']} {f['treatment']}" for f in inspection["findings"]]
    return "\n".join([*inspection["notes"], *findings])


@pytest.mark.parametrize(
    ("case", "time", "targets", "frequency", "start", "end", "said"),
    [
        ("c01b", "Date, Time", ["kW"], "h", "2024-01-01 00:00:00", "2024-01-20 23:00:00",
         "joined from 'Date' and 'Time'"),
        ("c09d", "Year, Month", ["Sales"], "MS", "2012-01-01 00:00:00", "2021-12-01 00:00:00",
         "joined from 'Year' (year), 'Month' (month)"),
        ("c12", "datetime", ["load"], "h", "2020-01-01 00:00:00", "2020-01-20 23:00:00",
         "read as year, month, day and hour"),
        ("c14", "date", ["sales"], "D", "2024-01-01 00:00:00", "2024-12-31 00:00:00",
         "--date-format"),
        ("c33", "date", ["y"], "MS", "2012-01-01 00:00:00", "2021-12-01 00:00:00",
         "read as day before month, the more regular (--no-day-first"),
        ("c22", "Date", ["Close"], "D", "2023-01-01 00:00:00", "2023-07-19 00:00:00",
         "stamps go back at 199 rows"),
        ("c09", "Date", ["Close"], "D", "2023-01-01 00:00:00", "2023-07-19 00:00:00",
         "years of two digits"),
        ("c15c", "time", ["load"], "D", "2024-01-01 00:00:00+01:00", "2024-10-26 00:00:00+02:00",
         "change as the clocks of Europe/Berlin do"),
        ("c16b", "ds", ["y"], "MS", "2015-01-30 00:00:00", "2023-04-30 00:00:00", ""),
    ],
)  # fmt: skip
def test_times_are_read(look, case, time, targets, frequency, start, end, said):
    found = look(case)
    assert (found["time_column"], found["targets"]) == (time, targets)
    assert (found["layout"], found["series"], found["frequency"]) == ("wide", 1, frequency)
    assert (found["start"], found["end"]) == (start, end)
    assert said in told(found)
    assert not any(finding["fatal"] for finding in found["findings"])


def test_first_of_month_goes_on_in_january(train, tmp_path):
    assert train("c33", "--horizon", "3").code == 0
    with (tmp_path / "run/forecast.csv").open(newline="") as file:
        stamps = [row["time"][:10] for row in csv.DictReader(file)]
    assert stamps == ["2022-01-01", "2022-02-01", "2022-03-01"]


def test_the_30th_of_each_month_goes_on_on_the_30th(train, predict):
    assert train("c16b", "--horizon", "11").code == 0
    rows, _ = predict("c16b")
    stamps = [row["time"][:10] for row in rows]
    assert (stamps[0], stamps[9], stamps[10]) == ("2023-05-30", "2024-02-29", "2024-03-30")


def test_newest_row_first_goes_on_upwards(train, predict):
    assert train("c22", "--horizon", "2").code == 0
    rows, _ = predict("c22")
    assert rows[0]["time"].startswith("2023-07-20")
    assert all(400 < row["mean"] < 600 for row in rows)


def test_dates_in_the_header_are_turned(look, birnn):
    found = look("c20b")
    assert (found["layout"], found["id_column"], found["series"]) == ("long", "Page", 60)
    assert (found["start"][:10], found["end"][:10]) == ("2015-07-01", "2015-07-30")
    assert (found["shortest"], found["longest"]) == (30, 30)
    assert "the dates stand in the header" in told(found)
    assert "the header" in birnn("inspect", file_of("c20b")).out


def test_series_that_follow_each_other_are_two(look):
    found = look("c68")
    assert (found["layout"], found["id_column"], found["series"]) == ("long", "shop", 2)
    assert (found["shortest"], found["longest"]) == (80, 80)
    assert "--id-column" in told(found)


def test_series_that_share_stamps_name_the_option(look, birnn, tmp_path):
    fatal = next(finding for finding in look("c19")["findings"] if finding["fatal"])
    assert "several series share their stamps" in fatal["text"]
    assert "--id-column store_nbr,family" in fatal["treatment"]
    assert "--id-column" in birnn("forecast", file_of("c19"), "--out", tmp_path / "r").refusal()
    found = look("c19", "--id-column", "store_nbr,family", "--target", "sales")
    assert (found["series"], found["shortest"]) == (4, 120)


def test_no_forecast_without_a_line_that_says_why(train, tmp_path):
    outcome = train("c26c", "--target", "sales", "--future", "holiday", "--horizon", "7")
    assert outcome.code == 0
    assert not (tmp_path / "run/forecast.csv").exists()
    assert "No forecast.csv was written: future: 'holiday'" in outcome.out
    assert "add rows with an empty target for the 7 steps ahead" in outcome.out


def test_yes_and_no_are_covariates(train, tmp_path):
    outcome = train("c61", "--target", "sales", "--future", "holiday", "--horizon", "7")
    assert outcome.code == 0
    assert "'holiday' holds yes and no: read as 1 and 0" in outcome.out
    table = pd.read_csv(tmp_path / "run/forecast.csv")
    assert len(table) == 7


def test_one_shop_of_three_keeps_its_id_and_scale(train, predict):
    assert train("c60", "--horizon", "2").code == 0
    rows, said = predict("c60b")
    assert {row["id"] for row in rows} == {"B"}
    assert all(900 < row["mean"] < 1100 for row in rows)
    assert "new to the run" not in said


def test_one_day_is_read_in_the_runs_order(train, predict):
    assert train("c32", "--horizon", "2").code == 0
    rows, _ = predict("c32b")
    assert [row["time"] for row in rows] == ["2024-03-06 00:00:00", "2024-03-06 01:00:00"]


def test_business_days_go_on_after_one_week(train, predict):
    assert train("c23", "--horizon", "2").code == 0
    rows, _ = predict("c64b")
    assert [row["time"][:10] for row in rows] == ["2024-01-22", "2024-01-23"]


def test_one_more_column_is_noted_and_not_scored(train, birnn, tmp_path):
    assert train("c30", "--horizon", "2").code == 0
    own = birnn("evaluate", tmp_path / "run", "--data", file_of("c30"), "--json")
    more = birnn("evaluate", tmp_path / "run", "--data", file_of("c41c"), "--json")
    scores = [json.loads(outcome.out) for outcome in (own, more)]
    errors = [score["test"]["model"]["mae"]["value"] for score in scores]
    assert errors[1] < 3 * errors[0]
    assert scores[1]["data"]["rows"] == scores[0]["data"]["rows"]
    assert any("not used: temp" in note for note in scores[1]["data"]["notes"])


def test_a_file_without_the_runs_id_is_refused(train, birnn, tmp_path):
    assert train("c60", "--horizon", "2").code == 0
    said = birnn("predict", tmp_path / "run", "--input", file_of("c30")).refusal()
    assert "the run named its series by 'shop', and there is no column 'shop'" in said


def test_options_of_predict_override_the_run(train, predict):
    assert train("c32", "--horizon", "2").code == 0
    for option in (["--no-day-first"], ["--date-format", "%m/%d/%Y %H:%M"]):
        rows, _ = predict("c32b", *option)
        assert rows[0]["time"] == "2024-05-04 00:00:00"


def test_a_run_of_texts_has_no_stamps(birnn, trained):
    said = birnn("predict", trained, "a text", "--day-first").refusal()
    assert "is no run of series" in said


def test_a_cell_is_shown_as_it_stands_in_the_file(look):
    assert "(2020010100)" in told(look("c12"))


def test_training_tells_which_columns_it_took(birnn, tmp_path):
    options = ["--future", "holiday", "--horizon", "7", "--target", "sales"]
    done = birnn("forecast", file_of("c26c"), "--out", tmp_path / "run", *TINY, *options)
    said = " ".join((done.out + done.err).split())
    assert "columns: time: date; values: sales; future: holiday" in said


@pytest.mark.parametrize(
    ("case", "why"),
    [("c01b", "several columns (Date, Time)"), ("c20b", "the header"), ("c16b", "one day")],
)
def test_an_exported_script_refuses_what_it_cannot_read(train, birnn, tmp_path, case, why):
    pytest.importorskip("onnxruntime")
    assert train(case, "--horizon", "2", "--lookback", "8").code == 0
    out = birnn("export", tmp_path / "run", "--onnx", "--out", tmp_path / "out")
    assert out.code == 0, out.err
    from birnn.tasks.forecast.predict_script import Predictor

    with pytest.raises(ValueError, match="use birnn predict") as error:
        Predictor(tmp_path / "out")
    assert why in str(error.value)
