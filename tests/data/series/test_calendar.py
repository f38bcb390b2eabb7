"""Calendar features: known phases, rows ahead, and a panel that is otherwise what it was."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.series.calendar import PHASES, add_calendar, calendar_features, parse_calendar
from birnn.data.series.panel import Clock
from birnn.data.series.windows import WindowShape, WindowSplit, fit_scaling
from birnn.errors import ConfigError

from forecast_cases import NAN, make_panel
from strategies import quick

HOUR = Clock("h")
START = pd.Timestamp("2024-01-01").as_unit("ns").value  # a Monday


def angle(stamp, name):
    """The phase of one stamp, as a share of a turn, from its sine and cosine."""
    sine, cosine = calendar_features(pd.DatetimeIndex([stamp]), (name,))[0]
    assert sine**2 + cosine**2 == pytest.approx(1)
    return np.arctan2(sine, cosine) / (2 * np.pi) % 1


@pytest.mark.parametrize(
    ("stamp", "name", "phase"),
    [
        ("2024-01-01 05:45", "minute", 0.75),
        ("2024-01-01 00:00", "hour", 0),
        ("2024-01-01 06:00", "hour", 0.25),
        ("2024-01-01 18:30", "hour", 18.5 / 24),
        ("2024-01-01", "weekday", 0),
        ("2024-01-04 12:00", "weekday", 0.5),
        ("2024-02-01", "monthday", 0),
        ("2024-02-29", "monthday", 28 / 29),
        ("2023-02-15", "monthday", 0.5),
        ("2024-01-01", "month", 0),
        ("2024-07-01", "month", 0.5),
        ("2024-12-31", "month", (11 + 30 / 31) / 12),
    ],
)
def test_phases_of_known_stamps(stamp, name, phase):
    assert angle(stamp, name) == pytest.approx(phase, abs=1e-9)


def test_a_quarter_turn_is_sine_1_cosine_0():
    found = calendar_features(pd.DatetimeIndex(["2024-05-05 06:00"]), ("hour", "minute"))
    np.testing.assert_allclose(found, [[1, 0, 0, 1]], atol=1e-12)


@pytest.mark.parametrize(("name", "period"), [("minute", "1h"), ("hour", "1D"), ("weekday", "7D")])
@quick
@given(minutes=st.integers(0, 10**6), turns=st.integers(1, 500))
def test_features_repeat_with_their_period(name, period, minutes, turns):
    stamp = pd.Timestamp("2020-01-01") + pd.Timedelta(minutes=minutes)
    both = pd.DatetimeIndex([stamp, stamp + turns * pd.Timedelta(period)])
    first, second = calendar_features(both, (name,))
    np.testing.assert_allclose(first, second, atol=1e-12)


@pytest.mark.parametrize("name", PHASES)
def test_phases_lie_in_one_turn_and_are_of_local_time(name):
    stamps = pd.date_range("2023-12-30", periods=3000, freq="7h17min")
    phase = np.asarray(PHASES[name](stamps))
    assert (phase >= 0).all()
    assert (phase < 1).all()
    local = calendar_features(stamps.tz_localize("Asia/Kolkata"), (name,))
    np.testing.assert_array_equal(local, calendar_features(stamps, (name,)))


def test_names_are_read():
    panel = make_panel([1.0], clock=HOUR)
    assert parse_calendar(" hour,weekday, ", panel) == ("hour", "weekday")
    assert parse_calendar("", panel) == ()
    assert parse_calendar("", make_panel([1.0])) == ()


def test_refusals_say_what_there_is():
    with pytest.raises(ConfigError, match="calendar: 'hours' is not one of minute, hour"):
        parse_calendar("hours", make_panel([1.0], clock=HOUR))
    with pytest.raises(ConfigError, match="did you mean 'weekday'"):
        parse_calendar("weekdya", make_panel([1.0], clock=HOUR))
    with pytest.raises(ConfigError, match="whole numbers, which have no calendar"):
        parse_calendar("hour", make_panel([1.0]))


def wide():
    """Two series that share their covariates; the second starts two hours later."""
    panel = make_panel(
        np.arange(8.0), np.arange(6.0) + 100, starts=[START, START + 2 * 3600 * 10**9], clock=HOUR
    )
    past, future = np.arange(8.0)[:, None] * 10, np.arange(16.0).reshape(8, 2)
    future[3, 1] = NAN
    return replace(
        panel, covariate_offsets=np.array([0, 2]), past=past, future=future,
        past_names=["p"], future_names=["f", "g"],
    )  # fmt: skip


def test_values_histories_and_covariates_stay_where_they_were():
    old = wide()
    new = add_calendar(old, ("hour", "weekday"), 3)
    assert new.future_names == [
        "f", "g", "calendar:hour:sin", "calendar:hour:cos", "calendar:weekday:sin",
        "calendar:weekday:cos",
    ]  # fmt: skip
    np.testing.assert_array_equal(new.ends, old.ends)
    np.testing.assert_array_equal(np.diff(new.offsets), old.ends + 3)
    for i in range(2):
        np.testing.assert_array_equal(new.history(i), old.history(i))
        rows, before = int(old.ends[i]), int(old.covariate_offsets[i])
        start = int(new.covariate_offsets[i])
        np.testing.assert_array_equal(
            new.past[start : start + rows], old.past[before : before + rows]
        )
        np.testing.assert_array_equal(
            new.future[start : start + rows, :2], old.future[before : before + rows]
        )
        assert np.isnan(new.values[new.offsets[i] + rows : new.offsets[i + 1]]).all()
        assert np.isnan(new.future[start + rows : start + rows + 3, :2]).all()


def test_rows_ahead_are_known_to_a_network():
    panel = add_calendar(wide(), ("hour",), 3)
    scaling = fit_scaling(panel, panel.ends)
    split = WindowSplit(
        panel, WindowShape(4, 3, 2), scaling, np.array([0, 1]), panel.ends, np.arange(2)
    )
    ahead = split.batch(np.arange(2)).inputs["ahead"].numpy()
    for i in range(2):
        wanted = calendar_features(panel.stamps(i, int(panel.ends[i]), 3), ("hour",))
        wanted = (wanted - scaling.future[0, 2:]) / scaling.future[1, 2:]
        np.testing.assert_allclose(ahead[i, :, 2:], wanted, atol=1e-5)
        assert not ahead[i, :, :2].any()  # nothing is known of these, so they stand at their mean


def test_rows_that_are_known_ahead_already_are_not_added_again():
    old = wide()
    longer = replace(
        old, values=np.r_[old.values[:8], [NAN] * 2, old.values[8:]], offsets=np.array([0, 10, 16]),
        covariate_offsets=np.array([0, 10]), past=np.zeros((16, 0)), past_names=[],
        future=np.arange(32.0).reshape(16, 2),
    )  # fmt: skip
    new = add_calendar(longer, ("hour",), 1)
    assert np.diff(new.offsets).tolist() == [10, 7]
    assert new.future[8:10, :2].tolist() == longer.future[8:10].tolist()


def test_a_panel_without_covariates_gets_a_calendar_alone():
    panel = make_panel([1.0, 2.0], [3.0], starts=[START, START], clock=HOUR)
    panel = replace(panel, past=np.zeros((3, 0)), future=np.zeros((3, 0)))
    new = add_calendar(panel, ("minute",), 2)
    assert new.future.shape == (7, 2)
    assert new.past.shape[1] == 0
    assert add_calendar(panel, (), 2) is panel
