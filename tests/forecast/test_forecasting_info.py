"""What a forecaster knows of its series: sizes of windows, and a file that is read as written."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.series.panel import Clock
from birnn.data.series.windows import Scaling, WindowShape
from birnn.errors import CheckpointError, ConfigError
from birnn.nn.levels import NORMALISE
from birnn.tasks.forecast.info import (
    ForecastInfo,
    auto_members,
    auto_normalise,
    auto_segment,
    choose_shape,
    read_forecast_info,
)

from forecast_cases import make_panel
from strategies import quick

finite = st.floats(-1e12, 1e12)
positive = st.floats(1e-9, 1e12)


def info(names=("a", "b"), past=("p",), future=("f", "g"), static=(), **parts):
    """One that holds some of everything."""
    table = {
        name: np.arange(1.0, 2 * len(part) + 1).reshape(2, -1)
        for name, part in (("past", past), ("future", future), ("static", static))
    }
    shift = np.arange(float(len(names)))
    usual = ForecastInfo(
        list(names), WindowShape(14, 4, 7), Scaling(shift, shift + 0.1, **table),
        Clock("D", zone="Europe/Berlin"), 7, list(past), list(future), list(static), True,
        (0.8, 0.95), 1, 3,
    )  # fmt: skip
    return replace(usual, **parts)


def written(found, folder):
    (folder / "series.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


def check_equal(first, second):
    for name, value in vars(first).items():
        if name != "scaling":
            assert getattr(second, name) == value, name
    for name, part in vars(first.scaling).items():
        other = getattr(second.scaling, name)
        assert other.shape == part.shape
        np.testing.assert_array_equal(other, part)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@quick
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4,
                   unique=True),
    kinds=st.tuples(*[st.integers(0, 2)] * 3), sizes=st.tuples(*[st.integers(1, 99)] * 3),
    clock=st.sampled_from([Clock(), Clock(step=5), Clock("h"), Clock("MS", zone="UTC")]),
    levels=st.lists(st.integers(1, 999), max_size=3, unique=True),
    own=st.booleans(), masked=st.booleans(), members=st.integers(1, 16),
    normalise=st.sampled_from(NORMALISE), data=st.data(),
)  # fmt: skip
def test_what_was_written_is_read(
    folder, names, kinds, sizes, clock, levels, own, masked, members, normalise, data
):
    def column(size, values):
        return np.array(data.draw(st.lists(values, min_size=size, max_size=size)))

    columns = [[f"{kind}{k}" for k in range(n)] for kind, n in zip("pfs", kinds, strict=True)]
    first = ForecastInfo(
        names, WindowShape(*sizes),
        Scaling(
            column(len(names), finite), column(len(names), positive),
            *(np.array([column(n, finite), column(n, positive)]) for n in kinds),
        ),
        clock, 24, *columns, masked, tuple(level / 1000 for level in sorted(levels)),
        len(names) if own else 1, members, normalise,
    )  # fmt: skip
    (name,) = first.files()
    assert name == "series.json"
    check_equal(first, read_forecast_info(written(first.files()[name], folder)))


DAMAGES = {
    "names": [None, "ab", [], ["a"], ["a", "a"], ["a", 1], ["a", "b", "c"]],
    "past": [None, ["p", "q"], [], ["p", "p"]],
    "season": [0, -1, 1.5, True, "7", None, 10**9],
    "groups": [0, 3, 10**9, "1"],
    "members": [0, 17, None],
    "normalise": [None, "first", 1, ["last"]],
    "masked": [None, 1, "true"],
    "levels": [None, [0.8, 1.0], [0], [-0.1], ["x"], [None], [10**400], {}, "", 0.8],
    "shape": [None, [], {}, {"lookback": 4}, {"lookback": 4, "horizon": 0, "segment": 1},
              {"lookback": 4, "horizon": 1, "segment": 1, "more": 1},
              {"lookback": 10**12, "horizon": 1, "segment": 1}],
    "clock": [None, {}, "h", {"frequency": "fortnight", "step": 1, "zone": ""},
              {"frequency": "h", "step": 0, "zone": ""},
              {"frequency": "h", "step": 1, "zone": "Mars/Olympus"},
              {"frequency": None, "step": 1, "zone": ""}],
    "scaling": [None, {}, []],
    "scaling.scale": [[1.0, 0.0], [1.0, -1.0], [1.0], [1.0, None], ["x", 1.0], [1.0, 10**400],
                      [1.0, float("inf")], [1.0, float("nan")], [[1.0], [1.0, 2.0]]],
    "scaling.past": [[[1.0]], [[1.0], [float("nan")]], None],
}  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value"),
    [(place, value) for place, values in DAMAGES.items() for value in values],
    ids=repr,
)
def test_a_damaged_file_is_refused_by_its_name(place, value, tmp_path):
    found = copy.deepcopy(info().files()["series.json"])
    *outer, last = place.split(".")
    part = found[outer[0]] if outer else found
    part[last] = value
    with pytest.raises(CheckpointError, match=r"series\.json is not (usable|valid JSON) \("):
        read_forecast_info(written(found, tmp_path))
    del part[last]
    with pytest.raises(CheckpointError, match=r"series\.json is not usable \("):
        read_forecast_info(written(found, tmp_path))


@pytest.mark.parametrize("value", [None, [], 3, "x", [1]])
def test_a_file_of_another_kind_is_refused(value, tmp_path):
    with pytest.raises(CheckpointError, match="not usable"):
        read_forecast_info(written(value, tmp_path))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="is missing: not a complete run folder"):
        read_forecast_info(tmp_path)


def test_series_are_numbered_from_1_and_strangers_are_0():
    panel = replace(make_panel([1.0], [1.0], [1.0]), names=["b", "new", "a"])
    assert info().numbers(panel).tolist() == [2, 0, 1]


def test_known_series_keep_their_scale_and_strangers_get_that_of_their_rows():
    known = info()
    panel = make_panel([50.0, 70, 90], [1.0, 3, 500])
    panel = replace(
        panel, names=["b", "new"], past=np.zeros((6, 1)), future=np.ones((6, 2)),
    )  # fmt: skip
    found = known.scaling_of(panel, np.array([3, 2]))
    np.testing.assert_allclose(found.shift, [1.0, 2.0])
    np.testing.assert_allclose(found.scale, [1.1, 1.0])
    np.testing.assert_array_equal(found.past, known.scaling.past)
    np.testing.assert_array_equal(found.future, known.scaling.future)


@quick
@given(
    rows=st.lists(st.integers(0, 5000), min_size=1, max_size=5), season=st.integers(1, 2000),
    horizon=st.integers(1, 800), segment=st.integers(0, 100),
)  # fmt: skip
def test_chosen_shapes_fit(rows, season, horizon, segment):
    shape = choose_shape(make_panel([1.0], season=season), np.array(rows), 0, horizon, segment)
    third = max(int(np.median(rows)) // 3, 1)
    assert shape.horizon == horizon
    assert 1 <= shape.segment <= shape.lookback <= max(720, segment)
    assert shape.lookback % shape.segment == 0
    assert shape.lookback <= max(third, segment)
    assert shape.segment == segment or not segment
    wanted = min(720, 14 * season if season > 1 else 2 * horizon, third)
    assert shape.lookback > wanted - shape.segment  # no whole segment more would fit


@quick
@given(lookback=st.integers(1, 900), season=st.integers(1, 200), segment=st.integers(0, 1000))
def test_a_given_lookback_is_kept(lookback, season, segment):
    panel, rows = make_panel([1.0], season=season), np.array([10])
    if segment > lookback:
        with pytest.raises(ConfigError, match=f"{segment} steps don't fit .* of {lookback}"):
            choose_shape(panel, rows, lookback, 5, segment)
        return
    shape = choose_shape(panel, rows, lookback, 5, segment)
    assert shape.lookback == lookback
    assert shape.segment == min(segment or auto_segment(season), lookback)


@pytest.mark.parametrize(
    ("season", "segment"),
    [(1, 8), (3, 8), (4, 4), (7, 7), (24, 24), (48, 48), (96, 48), (168, 42), (53, 1)],
)
def test_segments_are_a_season_or_its_largest_divisor(season, segment):
    assert auto_segment(season) == segment


@pytest.mark.parametrize(
    ("rows", "season", "horizon", "shape"),
    [
        (10_000, 24, 96, (336, 24)),
        (10_000, 96, 96, (720, 48)),
        (144, 12, 12, (48, 12)),
        (10_000, 1, 20, (40, 8)),
        (30, 24, 5, (10, 5)),
        (1, 1, 1, (1, 1)),
    ],
)
def test_shapes_of_known_series(rows, season, horizon, shape):
    found = choose_shape(make_panel([1.0], season=season), np.array([rows]), 0, horizon, 0)
    assert (found.lookback, found.segment) == shape


def test_few_series_lose_their_level_alone():
    assert [auto_normalise(series) for series in (1, 20, 21)] == ["last", "last", "mean"]


def test_fewer_windows_take_more_networks():
    counts = (1, 5_000, 5_001, 20_000, 20_001)
    assert [auto_members(windows) for windows in counts] == [5, 5, 3, 3, 2]
