"""Blocks of origins: series that share a clock share blocks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.series.panel import Clock
from birnn.tasks.forecast.blocks import block_units, origin_times

from forecast_cases import make_panel, make_split, noise


def stamps(*texts, zone=None):
    return [pd.Timestamp(text, tz=zone).value for text in texts]


def test_one_series_has_blocks_of_origins():
    split = make_split(make_panel(noise(0, 30), season=1), 4, 3, first=7)
    found = block_units(split)
    np.testing.assert_array_equal(found.unit, np.arange(len(split)) // 3)
    assert found.count == 7
    assert found.words == "7 blocks of 3 origins"


def test_the_season_can_be_longer_than_the_horizon():
    split = make_split(make_panel(noise(0, 60), season=5), 4, 3)
    assert block_units(split).words == "11 blocks of 5 origins"


def test_series_on_one_clock_share_blocks():
    split = make_split(make_panel(*noise(0, 3, 40)), 4, 3)
    found = block_units(split)
    assert found.words == "12 blocks of 3 origins, all series together"
    np.testing.assert_array_equal(found.unit.reshape(3, -1), [np.arange(34) // 3] * 3)


def test_with_few_blocks_series_are_apart():
    split = make_split(make_panel(*noise(0, 3, 30)), 4, 3, first=23)
    found = block_units(split)
    np.testing.assert_array_equal(found.unit, [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5])
    assert found.words == "6 blocks of up to 3 origins of one series each"


def test_one_window():
    found = block_units(make_split(make_panel(noise(0, 30)), 4, 3, origins=[(0, 20)]))
    assert found.count == 1
    assert found.words == "1 block of 3 origins"


@pytest.mark.parametrize(
    ("clock", "starts"),
    [
        (Clock(step=10), [100, 130]),
        (Clock("h"), stamps("2020-01-01 00:00", "2020-01-01 03:00")),
        (Clock("15min"), stamps("2020-01-01 00:00", "2020-01-01 00:45")),
        (
            Clock("D", zone="Europe/Berlin"),
            stamps("2020-03-28", "2020-03-31", zone="Europe/Berlin"),
        ),
        (Clock("W-SUN"), stamps("2020-01-05", "2020-01-26")),
        (Clock("2D"), stamps("2020-01-01", "2020-01-07")),
    ],
)
def test_origins_are_laid_side_by_side(clock, starts):
    rows = [0.0] * 9, [0.0] * 9
    series, origin = np.array([0, 1, 1]), np.array([4, 4, 5])
    later = origin_times(make_panel(*rows, starts=starts, clock=clock), series, origin)
    np.testing.assert_array_equal(later - later[0], [0, 3, 4])
    earlier = origin_times(make_panel(*rows, starts=starts[::-1], clock=clock), series, origin)
    np.testing.assert_array_equal(earlier - earlier[0], [0, -3, -2])


@given(st.integers(0, 700), st.integers(0, 700), st.sampled_from(["h", "D"]))
def test_equal_times_have_equal_stamps(first, second, frequency):
    clock = Clock(frequency, zone="America/New_York")
    begin = pd.Timestamp("2019-06-01", tz="America/New_York")
    offset = pd.tseries.frequencies.to_offset(frequency)
    starts = [(begin + n * offset).value for n in (first, second)]
    panel = make_panel([0.0], [0.0], starts=starts, clock=clock)
    times = origin_times(panel, np.array([0, 1]), np.array([second, first]))
    assert times[0] == times[1]


def test_months_of_different_starts_are_apart():
    starts = stamps("2020-01-01", "2020-02-01")
    panel = make_panel(*noise(0, 2, 60), starts=starts, clock=Clock("MS"))
    found = block_units(make_split(panel, 4, 3))
    assert found.words.endswith("of one series each")
    panel = make_panel(*noise(0, 2, 60), starts=starts[:1] * 2, clock=Clock("MS"))
    assert block_units(make_split(panel, 4, 3)).words.endswith("all series together")


def test_no_windows():
    assert block_units(make_split(make_panel([1.0]), 1, 1, origins=[])).count == 0
