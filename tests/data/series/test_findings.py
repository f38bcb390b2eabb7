"""Every oddity of a file of series is found, with its rows, its treatment, and a way to mend it."""

import json

import numpy as np
import pandas as pd
import pytest

from birnn.data.series.findings import MAX_FINDINGS, SeriesOptions, lines_of
from birnn.data.series.reader import inspect_file, read_panel
from birnn.errors import DataError


@pytest.fixture
def look(tmp_path):
    def make(table, horizon=0, lookback=0, **options):
        path = tmp_path / "x.csv"
        table.to_csv(path, index=False)
        chosen = SeriesOptions(**options)
        inspection = inspect_file(str(path), chosen, horizon=horizon, lookback=lookback)
        json.dumps(inspection.to_json())
        if inspection.fatal:
            with pytest.raises(DataError) as error:
                read_panel(str(path), chosen, horizon=horizon, lookback=lookback)
            assert inspection.fatal.text in str(error.value)
            assert "\n" not in str(error.value)
        else:
            read_panel(str(path), chosen, horizon=horizon, lookback=lookback)
        return inspection

    return make


def days(count=60, freq="D", start="2020-01-01", seed=0):
    index = pd.date_range(start, periods=count, freq=freq)
    values = np.random.default_rng(seed).normal(size=count)
    return pd.DataFrame({"date": index.astype(str), "y": values})


def long(**parts):
    return pd.concat([t.assign(unique_id=n) for n, t in parts.items()], ignore_index=True)


def only(inspection, kind):
    found = [finding for finding in inspection.findings if finding.kind == kind]
    assert len(found) == 1, inspection.findings
    return found[0]


def test_nothing_odd(look):
    inspection = look(days())
    rows = "rows: 60 in the file, 60 read; fields between commas, header on line 1, utf-8"
    assert (inspection.findings, inspection.notes) == ([], [rows])
    assert inspection.to_json()["clock"] == "D"


def test_text_and_infinite_cells(look):
    table = days().astype({"y": object})
    table.loc[[3, 8], "y"] = ["broken", "--"]
    table.loc[20, "y"] = "-inf"
    table.loc[21, "y"] = "  "
    inspection = look(table)
    text, infinite = only(inspection, "text"), only(inspection, "infinite")
    assert (text.series, text.count, text.rows, text.fatal) == ("y", 2, [5, 10], True)
    assert "'broken'" in text.text
    assert (infinite.count, infinite.rows, infinite.fatal) == (1, [22], False)
    assert only(inspection, "missing").count == 4
    assert not look(table, text="missing").fatal
    assert look(table, text="missing", missing="fail").fatal.kind == "infinite"


@pytest.mark.parametrize(("policy", "value"), [("mean", 2.0), ("first", 1.0), ("last", 3.0)])
def test_duplicates(look, tmp_path, policy, value):
    table = days(30)
    table.loc[10, "y"] = 1.0
    table = pd.concat([table, table.iloc[[10]].assign(y=3.0)], ignore_index=True)
    refused = look(table)
    found = only(refused, "duplicate")
    assert (found.count, found.rows, found.fatal) == (1, [32], True)
    assert only(refused, "disorder").treatment == "sorted by time"
    assert not look(table, duplicates=policy).fatal
    options = SeriesOptions(duplicates=policy)
    assert read_panel(str(tmp_path / "x.csv"), options)[0].values[10] == value


def test_disorder_by_series(look):
    one = days(20).iloc[::-1]
    inspection = look(long(a=days(20), b=one))
    found = only(inspection, "disorder")
    assert (found.series, found.count, found.rows) == ("b", 19, [23, 24, 25, 26, 27])


def test_mixed_frequencies_name_two_series(look):
    found = only(look(long(a=days(60, "h"), b=days(50))), "mixed_frequency")
    assert found.fatal
    assert "'a' by h, 'b' by D" in found.text
    assert look(long(a=days(60), b=days(50, "h"))).fatal.kind == "mixed_frequency"
    assert look(long(a=days(60, "W-SUN"), b=days(50, "W-MON"))).fatal.kind == "mixed_frequency"
    assert look(long(a=days(60, "MS"), b=days(9, "QS"))).fatal.kind == "mixed_frequency"


def test_a_short_series_takes_the_frequency_of_the_others(look):
    table = long(a=days(60, "h"), b=days(2), c=days(1))
    inspection = look(table)
    assert inspection.clock.frequency == "h"
    assert {f.kind for f in inspection.findings} == {"gap", "short"}


def test_stamps_off_the_grid(look):
    table = days(60, "h")
    table.loc[[7, 9], "date"] = ["2020-01-01 07:10:00", "2020-01-01 09:30:00"]
    found = only(look(table), "off_grid")
    assert (found.count, found.rows, found.fatal) == (2, [9, 11], True)


def test_a_grid_of_nothing_but_gaps_is_refused(look):
    table = days(100, "s")
    table.loc[99, "date"] = "2021-01-01 00:00:00"
    assert only(look(table), "gap").fatal
    assert "name the right --frequency" in only(look(table), "gap").treatment


def test_stamps_that_cannot_be_read_and_empty_ids(look):
    table = days()
    table.loc[[4, 5], "date"] = ["", "soon"]
    found = only(look(table), "stamp")
    assert (found.count, found.rows, found.fatal) == (2, [6, 7], True)
    assert "'soon'" in found.text
    table = long(a=days(20), b=days(20))
    table.loc[3, "unique_id"] = None
    assert only(look(table), "id").rows == [5]


def test_one_stamp_tells_no_frequency(look):
    assert only(look(days(1)), "frequency").fatal


def test_change_of_clocks(look):
    zone = pd.date_range("2016-01-01", "2016-12-31", freq="h", tz="UTC").tz_convert("Europe/Berlin")
    values = np.random.default_rng(0).normal(size=len(zone))
    table = pd.DataFrame({"date": zone.tz_localize(None).astype(str), "y": values})
    inspection = look(table)
    found = only(inspection, "clock_change")
    assert (found.count, found.fatal) == (2, False)
    assert "missing in spring" in found.text
    assert "twice in autumn" in found.text
    assert only(inspection, "duplicate").fatal
    assert not look(table, duplicates="mean").fatal
    table["date"] = zone.astype(str)
    inspection = look(table)
    assert (inspection.findings, inspection.clock.zone) == ([], "UTC")


def test_constant_series_and_stretches(look):
    one, two = days(100), days(100)
    one["y"] = 5.0
    two.loc[10:49, "y"] = 1.0
    inspection = look(long(a=one, b=two, c=days(100)))
    whole, part = (f for f in inspection.findings if f.kind == "constant")
    assert (whole.series, whole.treatment) == ("a", "kept; scale set to 1")
    assert (part.series, part.count, part.rows) == ("b", 40, [112])


def test_short_series(look):
    table = long(a=days(100), b=days(20))
    inspection = look(table, horizon=10, lookback=24)
    found = only(inspection, "short")
    assert (found.series, found.treatment, found.fatal) == ("b", "left out", False)
    assert (inspection.series, inspection.shortest) == (1, 100)
    assert look(table, horizon=18).findings == []
    assert look(days(10), horizon=9).fatal.kind == "short"


def test_a_series_without_a_value(look):
    empty = days(20).assign(y=np.nan)
    assert "not one value" in only(look(long(a=days(20), b=empty)), "short").text


def test_missing_covariates(look):
    table = days().assign(x=np.arange(60.0))
    table.loc[[5, 59], "x"] = np.nan
    found = only(look(table, past="x"), "missing")
    assert (found.count, found.rows, found.treatment) == (2, [7, 61], "masked")
    assert look(table, past="x", missing="fail").fatal


def test_findings_are_listed_up_to_a_limit_and_counted_in_full(look):
    parts = {f"s{n:03}": days(20).drop(index=5) for n in range(50)}
    inspection = look(long(**parts))
    assert len(inspection.findings) <= MAX_FINDINGS
    assert sum(f.kind == "gap" for f in inspection.findings) == 30
    assert "gap: 20 more series (20 in all) not listed" in inspection.notes


def test_days_of_the_month_are_noted(look):
    table = days(24, "MS")
    table["date"] = table["date"].str.replace("-01", "-15").str.replace("-15-15", "-01-15")
    inspection = look(table)
    assert "day 15" in inspection.clock.named()
    assert inspection.start == "2020-01-15 00:00:00"


def test_line_numbers():
    assert lines_of(np.array([11, 5, 7])) == [5, 7, 11]
    assert lines_of(np.arange(2, 102)[::-1]) == [2, 3, 4, 5, 6]


def test_lines_are_those_of_the_file_whatever_stands_above_the_rows(tmp_path):
    days = [f"2023-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(56)]
    rows = [f"{day};{'' if i in (3, 40) else i % 7}" for i, day in enumerate(days)]
    head = ["A report", "of two", "", "day;value"]
    (tmp_path / "a.csv").write_text("\n".join([*head, *rows]) + "\n")
    found = inspect_file(str(tmp_path / "a.csv"), SeriesOptions(missing="mask", frequency="D"))
    assert [f.rows for f in found.findings if f.kind == "missing"] == [[8, 45]]
    (tmp_path / "b.csv").write_text("\n".join(rows) + "\n")  # without a header
    found = inspect_file(str(tmp_path / "b.csv"), SeriesOptions(missing="mask", frequency="D"))
    assert [f.rows for f in found.findings if f.kind == "missing"] == [[4, 41]]


def test_nested_columns_of_json_are_no_series(tmp_path):
    rows = [
        {"day": f"2023-01-{i:02}", "y": i % 7, "more": {"a": i}, "l": [i]} for i in range(1, 32)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = inspect_file(str(tmp_path / "a.jsonl"), SeriesOptions())
    assert found.targets == ["y"]
    assert "not used: more, l" in found.notes
    (tmp_path / "a.json").write_text(json.dumps({"data": rows}))
    with pytest.raises(DataError, match="no column of numbers"):
        inspect_file(str(tmp_path / "a.json"), SeriesOptions())


def test_lines_around_cells_of_several_lines_and_a_header_again(tmp_path):
    days = [f"2024-01-{day:02}" for day in range(1, 31)]
    rows = [f"{day},{number},as usual" for number, day in enumerate(days)]
    rows[3] = f'{days[3]},3,"two\nlines"'  # lines 7 and 8
    rows[20] = f"{days[20]},many,as usual"
    rows.insert(10, "date,y,note")
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["A title", "", "date,y,note", *rows]) + "\n")
    found = only(inspect_file(str(path), SeriesOptions()), "text")
    assert path.read_text().splitlines()[25].startswith("2024-01-21,many")
    assert found.rows == [26]
    assert "(line 26)" in found.text


def test_lines_of_a_file_without_a_header_and_of_one_with_the_dates_there(tmp_path):
    path = tmp_path / "x.csv"
    rows = [f"2024-01-{day:02},{day}" for day in range(1, 21)]
    path.write_text("\n".join(rows).replace("11,11", "11,many") + "\n")
    assert only(inspect_file(str(path), SeriesOptions()), "text").rows == [11]
    names = ",".join(f"2024-{month:02}" for month in range(1, 13))
    cells = ",".join(map(str, range(12)))
    path.write_text(f"A title\n\nshop,{names}\na,{cells}\nb,{cells.replace('5', 'many')}\n")
    found = inspect_file(str(path), SeriesOptions())
    assert only(found, "text").rows == [5]


def test_other_steps_than_a_run_has_are_refused_with_the_file(tmp_path):
    for name, frequency in (("a.csv", "D"), ("b.csv", "7D")):
        times = pd.date_range("2023-01-01", periods=60, freq=frequency)
        pd.DataFrame({"day": times, "y": np.arange(60) % 7}).to_csv(tmp_path / name, index=False)
    run = inspect_file(str(tmp_path / "a.csv"), SeriesOptions()).reading
    with pytest.raises(DataError, match=r"b\.csv: its steps are W-SUN; the run was trained on D; "):
        read_panel(str(tmp_path / "b.csv"), SeriesOptions(reading=run))
