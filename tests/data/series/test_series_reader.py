"""Files of series become panels: layouts, grids, policies for what is missing, covariates."""

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset, DatasetDict
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.series.findings import SeriesOptions
from birnn.data.series.panel import Clock
from birnn.data.series.reader import inspect_file, read_panel
from birnn.data.tables.memory import named_source
from birnn.errors import ConfigError, DataError


@pytest.fixture
def write(tmp_path):
    def make(table, name="x.csv"):
        path = tmp_path / name
        if isinstance(table, str):
            path.write_text(table, encoding="utf-8")
        elif name.endswith("parquet"):
            table.to_parquet(path)
        else:
            table.to_csv(path, index=False)
        return str(path)

    return make


def read(path, horizon=0, lookback=0, **options):
    return read_panel(path, SeriesOptions(**options), horizon=horizon, lookback=lookback)


def hours(count=100, **columns):
    index = pd.date_range("2020-01-01", periods=count, freq="h")
    columns = columns or {"load": np.random.default_rng(count).normal(size=count).round(3)}
    return pd.DataFrame({"time": index, **columns})


def stacked(lengths=(30, 40, 50), seed=0):
    generator = np.random.default_rng(seed)
    parts = []
    for number, length in enumerate(lengths):
        start = pd.Timestamp("2020-01-01") + pd.Timedelta(days=number)
        parts.append(pd.DataFrame({
            "unique_id": f"s{number}",
            "ds": pd.date_range(start, periods=length, freq="D"),
            "y": generator.normal(size=length).round(3),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_wide(write):
    table = hours(50, a=np.arange(50.0), b=np.arange(50) * 2, word=["x"] * 50)
    panel, inspection = read(write(table))
    assert panel.names == ["a", "b"]
    assert panel.clock == Clock("h")
    assert panel.offsets.tolist() == [0, 50, 100]
    assert panel.history(1).tolist() == table["b"].tolist()
    assert list(panel.stamps(0, 0, 50)) == list(table["time"])
    assert (panel.season, inspection.layout, inspection.time_column) == (24, "wide", "time")
    assert inspection.findings == []
    assert inspection.notes[1:] == ["not used: word"]


@pytest.mark.parametrize("by_time", [False, True])
def test_long(write, by_time):
    table = stacked()
    given = table.sort_values("ds", kind="stable") if by_time else table
    panel, inspection = read(write(given))
    assert (inspection.layout, inspection.id_column) == ("long", "unique_id")
    assert panel.names == ["s0", "s1", "s2"]
    assert panel.ends.tolist() == [30, 40, 50]
    for number, name in enumerate(panel.names):
        mine = table[table["unique_id"] == name]
        assert panel.history(number).tolist() == mine["y"].tolist()
        assert list(panel.stamps(number, 0, len(mine))) == list(mine["ds"])
    assert [f.kind for f in inspection.findings] == []
    assert (inspection.start[:10], inspection.end[:10]) == ("2020-01-01", "2020-02-21")


@pytest.mark.parametrize("name", ["x.csv", "x.parquet"])
@given(data=st.data())
def test_any_rows_in_any_order_are_what_pandas_makes_of_them(name, data, tmp_path_factory):
    seed = data.draw(st.integers(0, 10**6))
    generator = np.random.default_rng(seed)
    table = stacked(generator.integers(5, 30, size=3).tolist(), seed)
    table = pd.concat([table, table.sample(8, random_state=seed)], ignore_index=True)
    table["y"] = generator.normal(size=len(table)).round(3)
    table.loc[generator.random(len(table)) < 0.2, "y"] = np.nan
    table = table[generator.random(len(table)) < 0.9]
    table = table.sample(frac=1, random_state=seed)
    duplicates = data.draw(st.sampled_from(["mean", "first", "last"]))
    missing = data.draw(st.sampled_from(["mask", "interpolate"]))
    path = tmp_path_factory.mktemp("x") / name
    table.to_csv(path, index=False) if name.endswith("csv") else table.to_parquet(path)
    panel, _ = read(str(path), duplicates=duplicates, missing=missing, frequency="D")
    groups = {}
    for key, group in table.groupby("unique_id", sort=False):
        series = getattr(group.groupby("ds")["y"], duplicates)(
            **({"skipna": False} if duplicates != "mean" else {})
        )
        series = series.loc[series.first_valid_index() : series.last_valid_index()].asfreq("D")
        if missing == "interpolate":
            series = series.interpolate(limit_area="inside")
        if len(series.dropna()) and len(series) >= 2:
            groups[key] = series
    assert panel.names == list(groups)
    for number, series in enumerate(groups.values()):
        np.testing.assert_allclose(panel.history(number), series.to_numpy(), rtol=0, atol=1e-12)
        assert list(panel.stamps(number, 0, len(series))) == list(series.index)


def test_whole_numbers_and_found_season(write):
    wave = np.sin(np.arange(200) * 2 * np.pi / 12).round(4)
    panel, inspection = read(write(pd.DataFrame({"t": np.arange(200) * 5 + 3, "y": wave})))
    assert panel.clock == Clock(step=5)
    assert panel.season == 12
    assert "autocorrelation" in inspection.season_source
    assert panel.stamps(0, 200, 2).tolist() == [1003, 1008]
    assert read(write(pd.DataFrame({"y": wave})))[1].time_column == ""
    assert read(write(pd.DataFrame({"y": wave})), season=7)[0].season == 7


def test_season_longer_than_half_the_series_is_none(write):
    panel, inspection = read(write(hours(40)))
    assert panel.season == 1
    assert "more than half" in inspection.season_source


def test_gaps_and_missing_by_policy(write):
    table = hours(40, y=np.arange(40.0)).drop(index=[5, 6])
    table.loc[10, "y"] = np.nan
    table.loc[[0, 39], "y"] = np.nan
    path = write(table)
    panel, inspection = read(path)
    found = {f.kind: f for f in inspection.findings}
    assert np.flatnonzero(np.isnan(panel.values)).tolist() == [4, 5, 9]
    assert (found["gap"].count, found["gap"].rows) == (2, [7])
    assert (found["missing"].count, found["missing"].rows) == (1, [10])
    assert panel.ends.tolist() == [38]
    assert len(inspection.notes) == 3  # the first says how many rows there are
    assert read(path, missing="interpolate")[0].values.tolist() == list(range(1, 39))
    with pytest.raises(
        DataError, match=r"2 steps missing in 1 gap \(before line 7\); fill them in"
    ):
        read(path, missing="fail")
    with pytest.raises(DataError, match="--missing drop leaves none"):
        read(path, missing="drop")


def test_drop_leaves_out_the_series_with_missing_values(write):
    table = hours(40, a=np.arange(40.0), b=np.arange(40.0))
    table.loc[10, "a"] = np.nan
    panel, inspection = read(write(table), missing="drop")
    assert panel.names == ["b"]
    assert panel.values.tolist() == list(range(40))
    assert "left out for missing values: 1 series (a)" in inspection.notes


def test_future_rows_are_kept_for_known_covariates(write):
    table = hours(40, y=np.arange(40.0), plan=np.arange(40.0) * 2, seen=np.arange(40.0) * 3)
    table.loc[30:, ["y", "seen"]] = np.nan
    table.loc[0:1, "y"] = np.nan
    path = write(table)
    panel, _ = read(path, future="plan", past="seen")
    assert (panel.names, panel.ends.tolist(), panel.offsets.tolist()) == (["y"], [28], [0, 38])
    assert panel.covariate_offsets.tolist() == [2]
    assert panel.future[2:, 0].tolist() == [2.0 * step for step in range(2, 40)]
    assert panel.past.shape == (40, 1)
    assert np.isnan(panel.values[28:]).all()
    assert (panel.future_names, panel.past_names) == (["plan"], ["seen"])
    assert read(path, past="seen", target="y")[0].offsets.tolist() == [0, 28]
    filled = read(path, future="plan", past="seen", missing="interpolate")[0]
    assert np.isnan(filled.past[30:]).all()
    assert np.isnan(filled.values[28:]).all()


def test_covariates_of_long_files(write):
    table = stacked()
    table["price"] = np.arange(len(table), dtype=float)
    table["kind"] = table["unique_id"].map({"s0": "shop", "s1": "web", "s2": "shop"})
    table["area"] = table["unique_id"].map({"s0": 1.5, "s1": 2.5, "s2": np.nan})
    panel, _ = read(write(table), past="price", static="kind,area", target="y")
    assert panel.static_names == ["kind=shop", "kind=web", "area"]
    assert panel.static[:, :2].tolist() == [[1, 0], [0, 1], [1, 0]]
    assert np.isnan(panel.static[2, 2])
    assert panel.covariate_offsets.tolist() == [0, 30, 70]
    assert panel.past[30:70, 0].tolist() == list(range(30, 70))
    table.loc[7, "kind"] = "web"
    with pytest.raises(DataError, match=r"'kind' changes within 1 series \(line 9\)"):
        read(write(table), static="kind")
    table["kind"] = [f"k{n}" for n in range(len(table))]
    with pytest.raises(DataError, match="changes within|levels"):
        read(write(table), static="kind")


def test_several_columns_of_ids(write):
    table = stacked()
    table["store"] = table["unique_id"].map({"s0": "a", "s1": "a", "s2": "b"})
    table["item"] = table["unique_id"].map({"s0": "x", "s1": "y", "s2": "x"})
    table = table.drop(columns="unique_id")
    panel, inspection = read(write(table))
    assert panel.names == ["a/x", "a/y", "b/x"]
    assert inspection.id_column == "store, item"
    assert read(write(table), id_column="store,item")[0].names == panel.names


def test_ids_are_found_by_content(write):
    table = stacked().rename(columns={"unique_id": "who"})
    panel, inspection = read(write(table[["ds", "y", "who"]]))
    assert (panel.names, inspection.id_column) == (["s0", "s1", "s2"], "who")


def test_a_wide_file_with_a_row_number_called_id_is_wide(write):
    table = hours(60)
    table.insert(0, "id", range(60))
    assert read(write(table), target="load")[1].layout == "wide"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"target": "lod"},
            r"no column 'lod' \(--target\) \(did you mean 'load'\?\); there are: time",
        ),
        ({"target": "word"}, "the target 'word' holds no numbers; it begins with 'x'"),
        ({"time_column": "word"}, "'word' holds no stamps; it begins with 'x'"),
        ({"past": "load", "target": "load"}, "can't be both --target and --past"),
        ({"layout": "long", "target": "load", "past": "word"}, "no column of ids found"),
        ({"layout": "wide", "id_column": "word"}, "for the long layout"),
        ({"static": "word"}, "a wide file has none"),
        ({"frequency": "lunar"}, "no such frequency"),
        (
            {"horizon": 70, "lookback": 40},
            r"100 steps, 110 are needed \(lookback 40 \+ horizon 70\)",
        ),
    ],
)
def test_clear_refusals(write, options, message):
    with pytest.raises(DataError, match=message):
        read(write(hours(100).assign(word="x")), **options)


@pytest.mark.parametrize("bad", [{"missing": "maks"}, {"layout": "tall"}, {"season": -1}])
def test_options_that_cannot_be(write, bad):
    with pytest.raises(ConfigError, match="--"):
        read(write(hours()), **bad)


def test_several_numbers_in_a_long_file_need_a_target(write):
    table = stacked().rename(columns={"y": "one"}).assign(two=1.0)
    with pytest.raises(DataError, match=r"one, two\); name the one"):
        read(write(table))
    with pytest.raises(DataError, match="one column of values"):
        read(write(table), target="one,two")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date;y\n2020-01-01;a\n", "no column of numbers"),
        ("date,y\n2020-01-01,\n", "no column of numbers"),
    ],
)
def test_files_without_numbers(write, text, message):
    with pytest.raises(DataError, match=message):
        read(write(text))


def test_a_lone_rising_column_is_to_be_forecast(write):
    panel, inspection = read(write("y\n" + "\n".join(map(str, range(9)))))
    assert (panel.names, inspection.time_column) == (["y"], "")


def test_splits_are_refused(tmp_path):
    part = Dataset.from_pandas(hours())
    DatasetDict({"train": part, "test": part}).save_to_disk(str(tmp_path / "d"))
    with pytest.raises(DataError, match="cut by time"):
        read(str(tmp_path / "d"))


def test_zones_of_parquet_files_stay(write):
    table = hours(100)
    table["time"] = table["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    panel, _ = read(write(table, "x.parquet"))
    assert panel.clock == Clock("h", zone="Europe/Berlin")
    assert list(panel.stamps(0, 0, 100)) == list(table["time"])


def test_options_are_those_of_the_file(write):
    path = write(
        "time;y\n2020-01-01;1\n".replace(";", ",") + "2020-01-02,2\n2020-01-03,3,3\n2020-01-04,4\n"
    )
    with pytest.raises(DataError, match="--skip-ragged"):
        read(path)
    panel, inspection = read(path, skip_ragged=True)
    assert panel.ends.tolist() == [4]
    assert "line 4" in inspection.notes[0]


def test_the_embedded_electricity():
    panel, inspection = read("electricity")
    assert inspection.source == "embedded electricity"
    assert inspection.targets == ["demand"]
    assert (panel.ends.tolist(), panel.season) == ([8760], 24)
    assert inspection.findings == []
    assert (inspection.start, inspection.end) == ("2013-12-31 23:00:00", "2014-12-31 22:00:00")
    assert "mean of two half-hours" in inspection.notes[0]


def test_the_embedded_temperatures():
    panel, inspection = read("temperatures")
    assert inspection.source == "embedded temperatures"
    assert (panel.ends.tolist(), panel.season) == ([8760], 24)
    assert {f.kind for f in inspection.findings} == {"gap", "clock_change"}


def test_inspection_does_not_raise_where_reading_does(write):
    path = write(
        hours(100).assign(load=lambda t: t["load"].astype(str).where(t.index != 3, "broken"))
    )
    inspection = inspect_file(path, SeriesOptions())
    assert inspection.fatal.kind == "text"
    assert inspection.series == 1
    with pytest.raises(DataError, match="--text missing"):
        read(path)


@pytest.mark.parametrize("names", [("shop", "day"), (None, None)])
@pytest.mark.parametrize("periods", [False, True])
def test_a_frame_with_an_index_of_ids_and_times(names, periods):
    days = pd.date_range("2024-01-01", periods=30, freq="D")
    index = pd.MultiIndex.from_product([[1, 2], days.to_period() if periods else days], names=names)
    frame = pd.DataFrame({"sales": np.arange(60.0)}, index=index)
    with named_source(frame) as source:
        panel, inspection = read(source)
    assert (panel.names, panel.ends.tolist()) == (["1", "2"], [30, 30])
    assert (inspection.time_column, inspection.id_column) == (names[1] or "time", names[0] or "id")
    assert panel.history(1).tolist() == list(range(30, 60))
