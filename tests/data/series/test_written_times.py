"""A known time index, written in a random format, is read exactly, refused, or with a warning."""

import datetime

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.stamps.column import read_stamps
from birnn.data.stamps.reading import BAD, Asked
from birnn.errors import DataError

FORMATS = [
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d %b %Y",
    "%d-%b-%y", "%b %d, %Y", "%A, %d %B %Y", "%Y%m%d", "%Y-%j", "%G-W%V-%u", "%Y/%b/%d",
]  # fmt: skip
CLOCKS = ["", " %H:%M", "T%H:%M:%S", " %I:%M %p", " %H:%M:%S.%f"]
STEPS = ["D", "B", "W-SUN", "MS", "ME", "h", "6h"]


def read(cells, name="date", **asked):
    return read_stamps(pa.chunked_array([pa.array(cells)]), name, Asked(**asked))


def moments(stamps):
    return pd.DatetimeIndex(stamps.values.astype("datetime64[ns]")).tolist()


@given(
    form=st.sampled_from(FORMATS),
    clock=st.sampled_from(CLOCKS),
    step=st.sampled_from(STEPS),
    start=st.dates(datetime.date(1971, 1, 1), datetime.date(2040, 1, 1)),
    count=st.integers(2, 60),
    backwards=st.booleans(),
)
def test_a_known_index_is_never_altered_in_silence(form, clock, step, start, count, backwards):
    index = pd.date_range(start, periods=count, freq=step).normalize()
    if clock and step.endswith("h"):
        index = pd.date_range(start, periods=count, freq=step)
    if "%y" in form and not 1970 <= index[0].year <= index[-1].year < 2068:
        return
    if form == "%Y%m%d" and clock:
        clock = "T%H%M"
    wanted = index[::-1] if backwards else index
    cells = [stamp.strftime(form + clock) for stamp in wanted]
    try:
        found = read(cells)
    except DataError:  # which names its option: see below
        return
    assert found is not None
    assert (found.values != BAD).all()
    if moments(found) != wanted.tolist():
        assert any("--" in doubt.treatment for doubt in found.doubts)
    if "%d" in form and "%m" in form and "/" in form:
        told = read(cells, day_first=form.startswith("%d"))
        assert moments(told) == wanted.tolist() or form.startswith("%y")


@pytest.mark.parametrize(
    ("cells", "stamps"),
    [
        (("1-Jan-23", "2-Jan-23"), ["2023-01-01", "2023-01-02"]),
        (("1. März 2024", "2. März 2024"), ["2024-03-01", "2024-03-02"]),
        (("juil. 2024", "août 2024"), ["2024-07-01", "2024-08-01"]),
        (("1 de enero de 2024", "2 de enero de 2024"), ["2024-01-01", "2024-01-02"]),
        (("Q1 2024", "Q2 2024"), ["2024-01-01", "2024-04-01"]),
        (("1Q24", "2Q24"), ["2024-01-01", "2024-04-01"]),
        (("2024-H1", "2024-H2"), ["2024-01-01", "2024-07-01"]),
        (("W05 2024", "W06 2024"), ["2024-01-29", "2024-02-05"]),
        (("2024010100", "2024010101"), ["2024-01-01 00:00:00", "2024-01-01 01:00:00"]),
        (("202401010000", "202401010015"), ["2024-01-01 00:00:00", "2024-01-01 00:15:00"]),
        (("20240101T0000", "20240101T0015"), ["2024-01-01 00:00:00", "2024-01-01 00:15:00"]),
        (("2024-01-01 - 2024-01-07", "2024-01-08 - 2024-01-14"), ["2024-01-01", "2024-01-08"]),
        (("2024-01-01 23:00", "2024-01-01 24:00"), ["2024-01-01 23:00:00", "2024-01-02 00:00:00"]),
        (("2024-01-01 00:00:60", "2024-01-01 00:02:00"),
         ["2024-01-01 00:01:00", "2024-01-01 00:02:00"]),
        (("45292", "45293"), ["2024-01-01", "2024-01-02"]),
        (("45292.0", "45292.5"), ["2024-01-01 00:00:00", "2024-01-01 12:00:00"]),
        (("1949.000", "1949.083", "1949.167"), ["1949-01-01", "1949-02-01", "1949-03-01"]),
    ],
)  # fmt: skip
def test_what_people_write(cells, stamps):
    found = read(cells)
    assert pd.DatetimeIndex(found.values.astype("datetime64[ns]")).astype(str).tolist() == stamps


@pytest.mark.parametrize("zone", ["CET", "GMT+1", "+01:00", "UTC+01:00", "Europe/Berlin"])
def test_names_of_zones(zone):
    found = read(["2024-01-01 12:00 " + zone, "2024-01-01 13:00 " + zone])
    assert str(moments(found)[0]) == "2024-01-01 11:00:00"
    assert found.zone == ("Europe/Berlin" if "/" in zone else "UTC+01:00")


def test_two_orders_that_are_as_good_as_each_other_are_refused():
    cells = [f"05/03/2024 {hour:02}:00" for hour in range(24)]
    with pytest.raises(DataError, match="--day-first or --no-day-first"):
        read(cells)
    assert moments(read(cells, day_first=True))[0] == pd.Timestamp("2024-03-05")
    assert moments(read(cells, orders={"224": "mdy"}))[0] == pd.Timestamp("2024-05-03")


def test_no_such_day_is_told_apart():
    found = read(["2023-02-28", "2023-02-29", "2023-03-01"])
    assert (found.values == BAD).tolist() == [False, True, False]
    assert found.cell == "2023-02-29"


@pytest.mark.parametrize("cells", [("2024-01-02 Jan", "2024-01-03 Jan"), ("2024-01-02 Q",)])
def test_a_date_and_a_word_that_is_no_clock_hold_no_stamps(cells):
    assert read(cells) is None


def test_named_formats_decide():
    assert moments(read(["05/03/24"], formats=("%d/%m/%y",))) == [pd.Timestamp("2024-03-05")]
    assert read(["44927"], "x", formats=("number",)).whole
    with pytest.raises(DataError, match="no cell of 'date' is written as --date-format says"):
        read(["2024-01-01"], formats=("%d.%m.%Y",))
    with pytest.raises(DataError, match="--date-format %Y %Y: redefinition"):
        read(["2024 2024"], formats=("%Y %Y",))


def test_a_run_of_months_as_decimals_reads_a_whole_number_without_a_crash():
    assert read(["1949.0"], "year", number="decimal") is None
