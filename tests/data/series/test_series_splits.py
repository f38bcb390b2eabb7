"""Chronological splits: known rows, shares and dates, parts that never meet, plain refusals."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.series.panel import Clock
from birnn.data.series.splits import Parts, SplitOptions, enough_rows, hold_back, split_rows
from birnn.data.series.windows import windows_between
from birnn.errors import ConfigError, DataError

from forecast_cases import make_panel
from strategies import quick


def sized(*sizes, **options):
    return make_panel(*[np.ones(size) for size in sizes], **options)


def ends(panel, **options):
    return [part.tolist() for part in split_rows(panel, SplitOptions(**options))]


def daily(*starts, size=10, zone=""):
    stamps = [pd.Timestamp(start, tz=zone or None).as_unit("ns").value for start in starts]
    return sized(*[size] * len(starts), starts=stamps, clock=Clock("D", zone=zone))


def test_shares_are_of_each_series():
    assert ends(sized(100, 50)) == [[64, 32], [80, 40], [100, 50]]
    assert ends(sized(100), test_share=0.1, validation_share=0.5) == [[45], [90], [100]]


def test_rows_are_counted_from_the_start():
    assert ends(sized(100, 14), split="10, 5,20") == [[10, 10], [15, 14], [35, 14]]


def test_the_last_rows_are_held_out_and_twice_as_many_choose():
    assert ends(sized(100, 30, 5), test_last=12) == [[64, 9, 0], [88, 18, 0], [100, 30, 5]]


def test_dates_begin_validation_and_test():
    panel = daily("2024-01-01", "2024-01-04", "2024-02-01")
    assert ends(panel, split="2024-01-05,2024-01-08") == [[4, 1, 0], [7, 4, 0], [10, 10, 10]]
    assert ends(panel, split="2024-01-05 12:00,2024-03-01")[0] == [5, 2, 0]


def test_dates_are_of_the_zone_of_the_data():
    panel = daily("2024-03-29", zone="Europe/Berlin")
    assert ends(panel, split="2024-03-31,2024-04-02") == [[2], [4], [10]]
    assert ends(panel, split="2024-03-30T23:00Z,2024-04-01T22:00Z") == [[2], [4], [10]]
    assert ends(panel, split="2024-03-30T22:59Z,2024-04-01T22:01Z") == [[2], [5], [10]]


def test_an_hour_that_the_clocks_skip_or_strike_twice_is_a_date_too():
    spring = daily("2024-03-29", zone="Europe/Berlin")
    assert ends(spring, split="2024-03-31 02:30,2024-04-02") == [[3], [4], [10]]
    autumn = daily("2024-10-25", zone="Europe/Berlin")
    assert ends(autumn, split="2024-10-27 02:30,2024-10-29") == [[3], [4], [10]]


def test_whole_numbers_are_dates_of_their_own():
    panel = sized(10, 10, starts=[100, 106], clock=Clock(step=2))
    assert ends(panel, split="105,110") == [[3, 0], [5, 2], [10, 10]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "1,1,1", "test_last": 2}, "--split and --test-last .* give one"),
        ({"split": "5"}, "'5' is neither three numbers of rows .* nor the two dates"),
        ({"split": "1,2,3,4"}, "neither three numbers of rows"),
        ({"split": "1,x,3"}, "neither three numbers of rows"),
        ({"split": "x,5"}, "'x' is not a whole number, as the time column holds"),
        ({"split": "7,5"}, "validation must begin before test does"),
    ],
)
def test_a_split_that_cannot_be_read_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        split_rows(sized(10), SplitOptions(**options))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("soon,2024-01-05", "'soon' is not a date; write it as 2017-07-01"),
        ("2024-01-05,", "'' is not a date"),
        ("2024-13-01,2024-01-05", "'2024-13-01' is not a date"),
        ("2024-01-05T00:00Z,2024-01-07", "has a time zone, the data have none"),
        ("2024-01-07,2024-01-05", "validation must begin before test does"),
    ],
)
def test_dates_that_cannot_be_read_are_refused(split, message):
    with pytest.raises(ConfigError, match=message):
        split_rows(daily("2024-01-01"), SplitOptions(split))


def test_more_rows_than_there_are_are_refused():
    with pytest.raises(DataError, match="asks for 12 rows; the longest series has 10"):
        split_rows(sized(10, 3), SplitOptions("8,2,2"))
    with pytest.raises(DataError, match="no series has more than 10 rows .*has 10.; hold out"):
        split_rows(sized(10, 3), SplitOptions(test_last=10))


options_of = st.one_of(
    st.builds(SplitOptions, validation_share=st.floats(0, 0.95), test_share=st.floats(0, 0.95)),
    st.builds(SplitOptions, test_last=st.integers(1, 9)),
    st.tuples(*[st.integers(0, 3)] * 3).map(lambda t: SplitOptions(",".join(map(str, t)))),
    st.tuples(*[st.integers(-3, 25)] * 2).map(
        lambda t: SplitOptions(",".join(map(str, sorted(t))))
    ),
)


@quick
@given(
    sizes=st.lists(st.integers(10, 40), min_size=1, max_size=4), options=options_of,
    horizon=st.integers(1, 4), share=st.floats(0, 1), needed=st.integers(1, 5),
)  # fmt: skip
def test_parts_are_in_order_and_no_target_lies_in_two(sizes, options, horizon, share, needed):
    panel = sized(*sizes)
    train, validation, test = split_rows(panel, options)
    chosen = hold_back(train, validation, share, horizon, needed)
    edges = [np.zeros(len(sizes), int), train, chosen, validation, test]
    for low, high in itertools.pairwise(edges):
        assert (low <= high).all()
    assert (test <= panel.ends).all()
    seen = set()
    for low, high in itertools.pairwise(edges):
        windows = zip(*windows_between(panel, low, high, horizon), strict=True)
        targets = {(i, o + h) for i, o in windows for h in range(horizon)}
        assert not targets & seen
        seen |= targets


@pytest.mark.parametrize(
    ("rows", "share", "horizon", "needed", "end"),
    [
        (60, 0.5, 2, 1, 130),
        (60, 0.25, 1, 1, 145),
        (60, 0.5, 2, 29, 130),  # 30 rows are 29 windows of 2 steps
        (60, 0.5, 2, 30, 160),
        (58, 0.5, 2, 1, 158),  # 29 rows hold 14 windows of 2 steps that lie apart
        (60, 0.9, 2, 1, 160),  # 6 rows are left to choose by
        (20, 0.5, 11, 1, 120),  # neither half has a window
        (0, 0.5, 1, 1, 100),
    ],
)
def test_rows_are_held_back_where_both_halves_have_enough(rows, share, horizon, needed, end):
    train = np.array([100])
    assert hold_back(train, train + rows, share, horizon, needed).tolist() == [end]


def test_windows_of_all_series_together_are_enough():
    train, validation = np.array([10] * 15 + [10]), np.array([14] * 15 + [11])
    assert hold_back(train, validation, 0.5, 2, 15).tolist() == [12] * 15 + [11]
    assert hold_back(train, validation, 0.5, 2, 16).tolist() == [14] * 15 + [11]
    assert hold_back(train[1:], validation[1:], 0.5, 2, 1).tolist() == [14] * 14 + [11]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((4, 10, 10, 20), "has 20, of which 3 are left for train; lower --horizon or hold out"),
        ((5, 8, 8, 20), "3 are left for validation; .*--validation-share"),
        ((5, 10, 17, 20), "3 are left for test; .*--test-share or --test-last"),
    ],
)
def test_too_few_rows_say_for_what(parts, message):
    parts = Parts(*(np.array([end]) for end in parts))
    with pytest.raises(DataError, match=message):
        enough_rows(sized(20), parts, 4)


def test_just_enough_rows_pass():
    enough_rows(sized(20, 1), Parts(*(np.array([end, 0]) for end in (5, 9, 16, 20))), 4)
