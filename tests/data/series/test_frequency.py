"""Frequencies are told from stamps with gaps, places agree with pandas, seasons with the data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.series.frequency import (
    clock_changes,
    coarser,
    infer_clock,
    month_starts,
    named_clock,
    places,
)
from birnn.data.series.panel import Clock
from birnn.data.series.season import clock_season, data_season
from birnn.errors import DataError

ALIASES = [
    "s", "100ms", "min", "15min", "h", "2h", "7h", "D", "3D", "B", "W-MON", "W-SUN", "2W-WED", "MS",
    "ME", "2MS", "BMS", "BME", "QS-JAN", "QS-FEB", "QE-DEC", "QE-NOV", "BQE-DEC", "YS-JAN",
    "YS-JUL", "YE-DEC", "BYE-DEC",
]  # fmt: skip
ZERO = np.array([0])


def nanoseconds(index):
    return index.as_unit("ns").asi8


@pytest.mark.parametrize("zone", ["", "UTC", "Europe/Berlin", "UTC+05:30"])
@pytest.mark.parametrize("alias", ALIASES)
def test_frequency_is_told_in_spite_of_gaps(alias, zone):
    index = pd.date_range("2001-01-01", periods=60, freq=alias, tz=zone or None)
    keep = np.sort(np.random.default_rng(len(alias)).choice(60, 50, replace=False))
    stamps = nanoseconds(index)[keep]
    clock = infer_clock(stamps, whole=False, zone=zone)
    assert (clock.frequency, clock.zone) == (alias, zone)
    steps, on = places(stamps, ZERO, clock)
    assert on.all()
    assert steps.tolist() == (keep - keep[0]).tolist()
    again = clock.stamps(int(stamps[0]), 0, int(steps[-1]) + 1)
    assert (again[steps] == index[keep]).all()


@given(st.sampled_from(ALIASES), st.integers(0, 10**9), st.sets(st.integers(1, 150), min_size=1))
def test_places_agree_with_pandas(alias, second, steps):
    offset = pd.tseries.frequencies.to_offset(alias)
    first = offset.rollforward(pd.Timestamp(second, unit="s"))
    index = pd.date_range(first, periods=151, freq=alias)
    chosen = np.array([0, *sorted(steps)])
    found, on = places(nanoseconds(index)[chosen], ZERO, Clock(alias))
    assert on.all()
    assert found.tolist() == chosen.tolist()


def test_stamps_off_the_grid_are_told():
    index = pd.DatetimeIndex(["2020-01-01 00:00", "2020-01-01 01:00", "2020-01-01 01:30"])
    assert places(nanoseconds(index), ZERO, Clock("h"))[1].tolist() == [True, True, False]
    index = pd.DatetimeIndex(["2020-01-01", "2020-02-01", "2020-02-15", "2020-03-01 05:00"])
    assert places(nanoseconds(index), ZERO, Clock("MS"))[1].tolist() == [True, True, False, False]


def test_whole_numbers_and_several_frames():
    stamps = np.array([10, 20, 40, 5, 15, 16])
    assert infer_clock(stamps[:3], whole=True) == Clock(step=10)
    steps, on = places(stamps, np.array([0, 3]), Clock(step=10))
    assert steps.tolist() == [0, 1, 3, 0, 1, 1]
    assert on.tolist() == [True] * 5 + [False]
    assert infer_clock(stamps[:1], whole=True) is None


def test_coarser_frames_are_told():
    steps = np.array([0, 1, 2, 0, 2, 6, 0, 4, 0, 2, 3])
    assert coarser(steps, np.array([0, 3, 6, 8])).tolist() == [False, True, False, False]


def test_named_clocks():
    assert named_clock("10", whole=True, zone="") == Clock(step=10)
    assert named_clock("15min", whole=False, zone="UTC") == Clock("15min", zone="UTC")
    for word, whole in (("h", True), ("0", True), ("lunar", False), ("bh", False), ("-1h", False)):
        with pytest.raises(DataError, match="--frequency"):
            named_clock(word, whole=whole, zone="")


@pytest.mark.parametrize("day", [2, 15, 28, 29, 30])
def test_one_same_day_of_each_month(day):
    months = pd.date_range("2001-01-01", periods=40, freq="MS")
    days = np.minimum(day, months.days_in_month) - 1
    index = months + pd.to_timedelta(days, unit="D") + pd.Timedelta(hours=6)
    clock = infer_clock(nanoseconds(index), whole=False)
    assert clock == Clock("MS", day=day)
    start = int(nanoseconds(index)[0])
    assert clock.stamps(start, 0, 40).tolist() == index.tolist()
    assert clock.stamps(start, 7, 3).tolist() == index[7:10].tolist()
    steps, on = places(nanoseconds(index.delete(4)), np.array([0]), clock)
    assert on.all()
    assert steps.tolist() == [n for n in range(40) if n != 4]


def test_one_day_of_each_month_that_is_not_the_same():
    days = [3, 5, 1, 2, 9, 7, 4, 11]
    index = [pd.Timestamp(2001, month, day) for month, day in enumerate(days, start=1)]
    moved = month_starts(nanoseconds(pd.DatetimeIndex(index)))
    assert infer_clock(moved, whole=False) == Clock("MS")
    index = pd.date_range("2001-01-01", periods=12, freq="MS") + pd.Timedelta(days=14)
    assert month_starts(nanoseconds(index)) is None
    assert month_starts(nanoseconds(index[:0])) is None
    assert month_starts(nanoseconds(pd.date_range("2001-01-15", periods=9, freq="D"))) is None
    assert month_starts(nanoseconds(pd.date_range("2001-01-01", periods=9, freq="MS"))) is None


@pytest.mark.parametrize(("zone", "spring"), [("Europe/Berlin", "03-27"), ("US/Eastern", "03-13")])
@pytest.mark.parametrize("alias", ["h", "15min"])
def test_changes_of_clocks(zone, spring, alias):
    local = pd.date_range("2016-01-01", "2016-12-31", freq=alias, tz="UTC").tz_convert(zone)
    stamps = np.sort(nanoseconds(local.tz_localize(None)))
    changes = clock_changes(stamps, Clock(alias))
    many = 4 if alias == "15min" else 1
    assert [str(pd.Timestamp(s))[5:10] for s in stamps[changes.spring]] == [spring]
    assert len(changes.autumn) == many
    assert not len(clock_changes(stamps, Clock(alias, zone="UTC")).spring)
    assert not len(clock_changes(stamps[:2000], Clock(alias)).autumn)


@pytest.mark.parametrize(
    ("alias", "season"),
    [("h", 24), ("D", 7), ("B", 5), ("W-SUN", 52), ("MS", 12), ("ME", 12), ("BME", 12),
     ("QE-DEC", 4), ("15min", 96), ("min", 1440), ("s", 60), ("YS-JAN", 1), ("7h", 1), ("2MS", 6),
     ("100ms", 10), ("BYE-DEC", 1), ("10s", 6)],
)  # fmt: skip
def test_seasons_of_frequencies(alias, season):
    assert clock_season(Clock(alias))[0] == season


@pytest.mark.parametrize("season", [2, 7, 12, 24, 168])
def test_season_is_found_in_the_values(season):
    generator = np.random.default_rng(season)
    shape = generator.normal(size=season) * 3
    series = []
    for length in (6 * season + 60, 9 * season + 30):
        values = np.resize(shape, length) + generator.normal(size=length) * 0.5
        values += 0.1 * np.arange(length)
        values[generator.random(length) < 0.05] = np.nan
        series.append(values)
    assert data_season(series) == season


def test_no_season_in_noise_a_walk_or_a_constant():
    noise = np.random.default_rng(0).normal(size=(5, 500))
    assert data_season(list(noise)) == 1
    assert data_season([np.ones(100), np.full(100, np.nan), np.arange(3.0)]) == 1
    assert data_season([1e300 * np.ones(100)]) == 1


def test_the_last_30_percent_have_no_say():
    values = np.random.default_rng(0).normal(size=400)
    other = values.copy()
    other[280:] = 100 * np.sin(np.arange(120) * 2 * np.pi / 10)
    assert data_season([values]) == data_season([other]) == 1
