"""Which column is the time, and which names the series, where their names don't say so."""

import pandas as pd
import pytest

from birnn.data.series.findings import SeriesOptions
from birnn.data.series.reader import inspect_file
from birnn.errors import DataError


@pytest.fixture
def look(tmp_path):
    def call(header, rows, **options):
        path = tmp_path / "x.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return inspect_file(str(path), SeriesOptions(**options))

    return call


def said(inspection):
    findings = [f"{found.text} {found.treatment}" for found in inspection.findings]
    return "\n".join([*inspection.notes, *findings])


@pytest.mark.parametrize("name", ["when", "日期", "t", "P1"])
def test_years_are_the_time_whatever_their_name(look, name):
    rows = [f"{year},{year % 7}.5" for year in range(2030, 1999, -1)]
    found = look(f"{name},sales", rows)
    assert (found.time_column, found.targets, found.start) == (name, ["sales"], "2000")


@pytest.mark.parametrize("name", ["when", "t", "P1"])
def test_years_of_several_series_are_the_time(look, name):
    rows = [f"{year},{shop},{year % 7}.5" for year in range(2000, 2024) for shop in "AB"]
    found = look(f"{name},P2,value", rows)
    assert (found.time_column, found.id_column, found.series) == (name, "P2", 2)


def test_numbers_between_1700_and_2200_are_no_years(look):
    rows = [f"2024-01-{day:02},{1700 + day * 137 % 500},{day}" for day in range(1, 31)]
    assert look("date,sales_of_month,y", rows).targets == ["sales_of_month", "y"]


@pytest.mark.parametrize("name", ["Filiale", "Kunde", "P1"])
def test_numbers_name_series(look, name):
    days = pd.date_range("2020-01-01", periods=20).strftime("%Y-%m-%d")
    rows = [
        f"{day},{shop},{shop * 10 + at % 7}.5" for shop in (1, 2) for at, day in enumerate(days)
    ]
    assert look(f"date,{name},value", rows).id_column == name


def test_series_that_follow_each_other_under_numbers(look):
    days = pd.date_range("2020-01-01", periods=40).strftime("%Y-%m-%d")
    rows = [f"{day},{1 + at // 20},{at % 7}.5" for at, day in enumerate(days)]
    found = look("date,Filiale,value", rows)
    assert found.id_column == "Filiale"
    assert "--id-column" in said(found)


def test_numbers_that_may_name_series_are_told(look):
    days = pd.date_range("2020-01-01", periods=40).strftime("%Y-%m-%d")
    rows = [f"{day},{1 + at // 20},{at % 7}.5" for at, day in enumerate(days)]
    assert "'P1' could name series" in said(look("date,P1,value", rows))


def test_unix_seconds_of_business_days_before_1998(look):
    days = pd.bdate_range("1990-01-01", periods=30)
    rows = [f"{int(day.timestamp())},{day.day}" for day in days]
    found = look("P1,value", rows)
    assert found.start == "1990-01-01 00:00:00+00:00"


@pytest.mark.parametrize("form", ["%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M"])
def test_compact_stamps_in_the_header(look, form):
    hours = pd.date_range("2024-01-01", periods=30, freq="h").strftime(form)
    rows = [f"{shop},{','.join(map(str, range(30)))}" for shop in ("north", "south")]
    found = look(f"name,{','.join(hours)}", rows)
    assert (found.id_column, found.series, found.longest) == ("name", 2, 30)


@pytest.mark.parametrize("name", ["", "t", "P1"])
def test_months_with_their_year_under_any_name(look, name):
    months = pd.date_range("2003-08-01", periods=8, freq="MS")
    rows = [f"{month:%m.%Y},{month.month}.5,2.5" for month in months]
    found = look(f"{name},price,load", rows)
    assert (found.targets, found.start) == (["price", "load"], "2003-08-01 00:00:00")
    rows = [f"{month:%Y%m},{month.month}.5,2.5" for month in months]
    found = look(f"{name},price,load", rows)
    assert (found.targets, found.start) == (["price", "load"], "2003-08-01 00:00:00")


def test_counts_that_could_be_days_are_told(look):
    rows = [f"{number},{number % 5}" for number in range(33_000, 33_030)]
    found = look("P1,value", rows)
    assert found.start == "33000"
    assert "--date-format excel" in said(found)
    assert look("P1,value", rows, date_format="excel").start == "1990-05-07 00:00:00"
    counts = [f"{number},{number % 5}" for number in range(30)]
    assert "--date-format" not in said(look("P1,value", counts))


@pytest.mark.parametrize(
    ("short", "offset"), [("CST", "-06:00"), ("IST", "+05:30"), ("BST", "+01:00")]
)
def test_short_names_of_several_zones_are_told(look, short, offset):
    hours = pd.date_range("2024-06-01", periods=30, freq="h")
    rows = [f"{hour:%Y-%m-%d %H:%M} {short},{hour.hour}" for hour in hours]
    found = look("time,value", rows)
    assert pd.Timestamp(found.start) == pd.Timestamp(f"2024-06-01T00:00{offset}")
    doubt = next(f for f in found.findings if f.kind == "ambiguous")
    assert short in doubt.text
    assert "--date-format" in doubt.treatment
    local = look("time,value", rows, date_format=f"%Y-%m-%d %H:%M {short}")
    assert (local.start, local.findings) == ("2024-06-01 00:00:00", [])


def test_a_second_name_tells_which_zone(look):
    hours = pd.date_range("2024-03-10", periods=48, freq="h", tz="America/Chicago")
    rows = [f"{hour:%Y-%m-%d %H:%M} {hour.tzname()},{hour.hour}" for hour in hours]
    assert look("time,value", rows).findings == []


def test_a_format_alone_finds_its_column(look):
    rows = [f"{day % 3},north,{day:02}~01~2024,{day}.5" for day in range(1, 29)]
    found = look("a,b,P1,value", rows, date_format="%d~%m~%Y")
    assert (found.time_column, found.start) == ("P1", "2024-01-01 00:00:00")
    with pytest.raises(DataError, match="no column is written as --date-format says"):
        look("a,b,P1,value", rows, date_format="%d#%m#%Y")


def test_a_format_of_dates_beside_a_column_of_times(look):
    hours = pd.date_range("2024-01-01", periods=48, freq="h")
    rows = [f"{hour:%d~%m~%Y},{hour:%H:%M},{hour.hour}.5" for hour in hours]
    for options in ({}, {"time_columns": "Date,Time"}):
        found = look("Date,Time,value", rows, date_format="%d~%m~%Y", **options)
        assert (found.time_column, found.end) == ("Date, Time", "2024-01-02 23:00:00")


@pytest.mark.parametrize("name", ["No", "nr.", "#", "S.No", "row_id", "id"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_column_that_numbers_the_rows_is_no_series(look, name, first):
    rows = [f"{first + i},2024-01-{i + 1:02},{i % 7}.5" for i in range(31)]
    found = look(f"{name},day,sales", rows)
    assert found.targets == ["sales"]
    assert f"not used: {name} (numbers of rows; --target takes them)" in said(found)
    assert look(f"{name},day,sales", rows, target=name).targets == [name]


def test_what_counts_up_alone_or_under_another_name_is_a_series(look):
    rows = [f"2024-01-{i + 1:02},{i}" for i in range(31)]
    assert look("day,No", rows).targets == ["No"]
    rows = [f"{row},{i % 3}.5" for i, row in enumerate(rows)]
    assert look("day,visitors,rain", rows).targets == ["visitors", "rain"]


@pytest.mark.parametrize("name", ["", "t", "index", "P1"])
@pytest.mark.parametrize("days", [pd.date_range("2025-10-19", periods=8),
                                  pd.bdate_range("1992-02-28", periods=12)])  # fmt: skip
def test_a_few_compact_dates_under_any_name(look, name, days):
    found = look(f"{name},price", [f"{day:%Y%m%d},{day.day}.5" for day in days])
    assert (found.targets, found.start) == (["price"], str(days[0]))
    numbers = look(f"{name},price", [f"{20251300 + at},{at}.5" for at in range(12)])
    assert numbers.start == "20251300"


def test_compact_dates_that_many_series_share(look):
    days = pd.date_range("2029-09-26", periods=40)
    rows = [f"s{shop},{day:%Y%m%d},{shop}.5" for day in days for shop in range(30)]
    found = look("unique_id,index,value", rows)
    assert (found.time_column, found.series, found.longest) == ("index", 30, 40)


def test_a_name_among_dates_that_cant_be_read_is_told(look):
    names = [f"2024-01-{day:02}" for day in range(1, 9)]
    names[4] = "2024-01-xx"
    found = look(f"shop,{','.join(names)}", [f"{shop},1,2,3,4,5,6,7,8" for shop in ("a", "b")])
    assert "'2024-01-xx'" in said(found)
    assert "--date-format" in said(found)
