"""Stamps: every way people write them, zones, day and month, and what is no stamp."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.stamps.cells import SLICE
from birnn.data.stamps.column import read_stamps
from birnn.data.stamps.reading import BAD
from birnn.errors import DataError


def read(*cells, name="date"):
    return read_stamps(pa.chunked_array([pa.array(cells)]), name)


def written(stamps):
    return pd.DatetimeIndex(stamps.values.astype("datetime64[ns]")).astype(str).tolist()


@pytest.mark.parametrize(
    ("cells", "stamps"),
    [
        (("1949-01", "1949-02"), ["1949-01-01", "1949-02-01"]),
        (("2016-07-01 05:00:00", "2016-07-01 06:00:00"),
         ["2016-07-01 05:00:00", "2016-07-01 06:00:00"]),
        (("2016-07-01 23:00:00", "2016-07-02"), ["2016-07-01 23:00:00", "2016-07-02 00:00:00"]),
        (("1990/1/1 0:00", "1990/10/1 12:00"), ["1990-01-01 00:00:00", "1990-10-01 12:00:00"]),
        (("7/31/2016 1:00 PM", "7/1/2016 2:00 AM"), ["2016-07-31 13:00:00", "2016-07-01 02:00:00"]),
        (("13.07.2016", "01.07.2016"), ["2016-07-13", "2016-07-01"]),
        (("Jan 1 2000", "Feb 1 2000"), ["2000-01-01", "2000-02-01"]),
        (("1 January 2000", "2 January 2000"), ["2000-01-01", "2000-01-02"]),
        (("2001Q1", "2001-Q2"), ["2001-01-01", "2001-04-01"]),
        (("2020-W01", "2020-W02"), ["2019-12-30", "2020-01-06"]),
        (("2020W01", "2020W02"), ["2019-12-30", "2020-01-06"]),
        (("Jan-99", "Feb-99"), ["1999-01-01", "1999-02-01"]),
        ((" 2016-07-01 ", "2016-07-02"), ["2016-07-01", "2016-07-02"]),
        (("20160701", "20160702"), ["2016-07-01", "2016-07-02"]),
        (("27/APR./2015 to 3/MAY/2015", "4/MAY/2015 to 10/MAY/2015"), ["2015-04-27", "2015-05-04"]),
        (("29 de JUL. de 2019/4 de AGO. de 2019", "5 de AGO. de 2019/11 de AGO. de 2019"),
         ["2019-07-29", "2019-08-05"]),
        (("1/2/2024-7/2/2024", "29/2/2024-6/3/2024"), ["2024-02-01", "2024-02-29"]),
    ],
)  # fmt: skip
def test_stamps_of_many_kinds(cells, stamps):
    found = read(*cells)
    assert written(found) == stamps
    assert (found.whole, found.zone, found.cell) == (False, "", "")


@pytest.mark.parametrize(
    ("cells", "zone", "first"),
    [
        (("2016-07-01T00:00:00Z", "2016-07-01T01:00:00Z"), "UTC", "2016-07-01 00:00:00"),
        (("2016-07-01 00:00+02:00", "2016-07-01 01:00+0200"), "UTC+02:00", "2016-06-30 22:00:00"),
        (("2016-10-30 02:00+02:00", "2016-10-30 02:00+01:00"), "UTC", "2016-10-30 00:00:00"),
        (("1467331200", "1467334800"), "UTC", "2016-07-01 00:00:00"),
        (("1467331200000", "1467334800000"), "UTC", "2016-07-01 00:00:00"),
    ],
)
def test_zones_and_unix_time(cells, zone, first):
    found = read(*cells)
    assert found.zone == zone
    assert written(found)[0] == first
    assert (np.diff(found.values) == 3600 * 10**9).all()


@pytest.mark.parametrize("text", ["12:00AMZ", "12:00 AMZ", "00:00Z", "12:00 a.m.Z"])
def test_a_zone_may_touch_the_half_of_the_day(text):
    found = read(*(f"02/{day:02}/2025 {text}" for day in range(4, 20)))
    assert (found.zone, written(found)[0][:10]) == ("UTC", "2025-02-04")


def test_mixed_offsets_are_noted():
    assert "several offsets" in read("2016-10-30 02:00+02:00", "2016-10-30 02:00+01:00").notes[0]


def test_day_and_month_are_told_from_the_whole_column():
    cells = ["01/02/2016", *["02/02/2016"] * 200, "13/02/2016"]
    assert written(read(*cells))[0] == "2016-02-01"
    cells[-1] = "02/13/2016"
    assert written(read(*cells))[0] == "2016-01-02"


def test_without_a_day_over_12_the_order_that_runs_on_is_taken():
    days = [f"{day:02}/{month:02}/2016" for month in range(1, 13) for day in range(1, 13)]
    found = read(*days)
    assert "can be read in several orders" in found.doubts[0].text
    assert "day before month" in found.doubts[0].treatment
    assert "--no-day-first" in found.doubts[0].treatment
    assert written(found)[1] == "2016-01-02"


def test_numbers_that_could_be_months_of_one_year_are_told():
    found = read("201903", "201904", "201905", name="index")
    assert found.whole
    assert "--date-format %Y%m" in found.doubts[0].treatment
    assert not read("201913", "201914", name="index").doubts
    assert not read("118003", "118004", name="index").doubts


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("1", "2", "10"), [1, 2, 10]),
        (("1950", "1951"), [1950, 1951]),
        (("-1", "+3", "4.0"), [-1, 3, 4]),
        ((1, 2, 3), [1, 2, 3]),
        ((1.0, 2.0), [1, 2]),
    ],
)
def test_whole_numbers_stay(cells, numbers):
    found = read(*cells, name="year")
    assert found.whole
    assert found.values.tolist() == numbers


@pytest.mark.parametrize(
    "cells", [("abc", "def"), ("12.5", "3"), ("", ""), ("May", "June"), (True,)]
)
def test_what_is_no_stamp(cells):
    assert read(*cells) is None


def test_cells_that_cannot_be_read_are_marked():
    found = read("31/02/2016", "01/02/2016", "", "oops", "17/02/2016")
    assert (found.values == BAD).tolist() == [True, False, True, True, False]
    assert found.cell == "31/02/2016"
    assert (read("1", "x", "").values == BAD).tolist() == [False, True, True]
    assert (read("2016-01-01", "2016-01-02Z").values == BAD).tolist() == [False, True]
    assert (read("2016-02-30", "2016-02-28").values == BAD).tolist() == [True, False]


def test_typed_columns():
    column = pa.chunked_array([pa.array([0, None, 3600], pa.timestamp("s", "Europe/Berlin"))])
    found = read_stamps(column, "t")
    assert found.zone == "Europe/Berlin"
    assert found.values.tolist() == [0, BAD, 3600 * 10**9]
    dates = read_stamps(pa.chunked_array([pa.array([datetime.date(2020, 2, 29)])]), "t")
    assert written(dates) == ["2020-02-29"]


def test_stamps_beyond_64_bits_are_refused():
    with pytest.raises(DataError, match="outside the years 1678 to 2261"):
        read("2999/01/01", "2999/01/02")
    with pytest.raises(DataError, match="outside the years"):
        read_stamps(pa.chunked_array([pa.array([datetime.date(2999, 1, 1)])]), "t")


def test_columns_longer_than_a_slice():
    cells = np.char.add("1/", np.arange(1, 29).astype(str))
    column = pa.chunked_array([pa.array(np.char.add(np.tile(cells, SLICE // 28 + 10), "/2016"))])
    found = read_stamps(column, "t")
    assert len(found.values) == len(column) > SLICE
    assert written(found)[-1] == "2016-01-28"


FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M", "%d/%m/%Y %H:%M:%S",
           "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M", "%d %B %Y %H:%M"]  # fmt: skip


@given(
    st.sampled_from(FORMATS),
    st.lists(st.integers(0, 60 * 24 * 365 * 100), min_size=1, max_size=20),
)
def test_reads_what_python_writes(form, minutes):
    moments = [datetime.datetime(1950, 1, 1) + datetime.timedelta(minutes=m) for m in minutes]
    moments.append(datetime.datetime(1999, 12, 31))  # tells day from month
    found = read(*(moment.strftime(form) for moment in moments))
    assert found.values.tolist() == pd.DatetimeIndex(moments).as_unit("ns").asi8.tolist()
