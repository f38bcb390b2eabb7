"""Clocks and panels: stamps of any step, histories as views."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.series.panel import Clock

from forecast_cases import make_panel
from strategies import quick

STARTS = {
    "15min": "2024-03-30 22:15", "h": "2024-03-30 22:00", "D": "2024-03-25", "W-SUN": "2024-03-24",
    "MS": "2024-01-01", "ME": "2024-01-31", "QS-JAN": "2023-10-01", "YS-JAN": "1900-01-01",
    "B": "2024-03-25",
}  # fmt: skip


def nanoseconds(text, zone=""):
    return pd.Timestamp(text, tz=zone or None).as_unit("ns").value


@pytest.mark.parametrize("zone", ["", "UTC", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("frequency", STARTS)
@quick
@given(first=st.integers(0, 300), count=st.integers(0, 30))
def test_stamps_from_any_step_are_those_of_one_long_range(frequency, zone, first, count):
    start = STARTS[frequency]
    found = Clock(frequency, zone=zone).stamps(nanoseconds(start, zone), first, count)
    whole = pd.date_range(pd.Timestamp(start, tz=zone or None), periods=330, freq=frequency)
    assert found.tolist() == whole[first : first + count].tolist()


def test_days_keep_their_midnight_when_the_clocks_change():
    clock = Clock("D", zone="Europe/Berlin")
    stamps = clock.stamps(nanoseconds("2024-03-30", "Europe/Berlin"), 0, 3)
    assert [str(stamp) for stamp in stamps] == [
        "2024-03-30 00:00:00+01:00", "2024-03-31 00:00:00+01:00", "2024-04-01 00:00:00+02:00",
    ]  # fmt: skip
    hours = Clock("h", zone="Europe/Berlin").stamps(
        nanoseconds("2024-03-31", "Europe/Berlin"), 0, 4
    )
    assert [stamp.hour for stamp in hours] == [0, 1, 3, 4]


def test_short_and_long_months_end_where_they_end():
    stamps = Clock("ME").stamps(nanoseconds("2024-01-31"), 1, 3)
    assert stamps.strftime("%m-%d").tolist() == ["02-29", "03-31", "04-30"]


@quick
@given(
    start=st.integers(-100, 100), step=st.integers(1, 9), first=st.integers(0, 50),
    count=st.integers(0, 9),
)  # fmt: skip
def test_whole_numbers_are_a_step_apart(start, step, first, count):
    stamps = Clock(step=step).stamps(start, first, count)
    assert stamps.tolist() == [start + step * (first + k) for k in range(count)]


def test_clocks_are_named():
    assert Clock("h").named() == "h"
    assert Clock("D", zone="Europe/Berlin").named() == "D, Europe/Berlin"
    assert Clock(step=3).named() == "whole numbers, 3 apart"


def test_series_know_their_rows_and_stamps():
    panel = make_panel([1, 2, 3], [4, 5], starts=[10, 20], clock=Clock(step=2))
    assert len(panel) == 2
    assert panel.history(1).tolist() == [4, 5]
    assert panel.stamps(0, 1, 2).tolist() == [12, 14]
    assert panel.stamps(1, 2, 2).tolist() == [24, 26]


def test_a_history_is_a_view_and_ends_where_the_series_does():
    panel = make_panel([1, 2, np.nan], [4, 5])
    panel.ends[0] = 2  # the last row holds known future covariates alone
    assert panel.history(0).tolist() == [1, 2]
    assert np.shares_memory(panel.history(1), panel.values)
