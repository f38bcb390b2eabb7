"""Which steps moved a forecast: complete in the series' own unit, and exact for baselines."""

import numpy as np
import pandas as pd
import pytest

import birnn
from birnn.errors import ConfigError
from birnn.tasks.forecast.fit import FORECASTERS
from birnn.tasks.runs.folder import load_run

from places import RUNS

LAST = sorted(RUNS.glob("*-forecast"))[-1]


def series(steps: int = 60) -> pd.DataFrame:
    """What the kept run was trained on looks like: see tests/fixtures/make_runs.py."""
    stamps = pd.date_range("2024-01-01", periods=steps, freq="D")
    values = 20 + 5 * np.sin(np.arange(steps) * 2 * np.pi / 7)
    noise = np.random.default_rng(1).normal(size=steps)
    return pd.DataFrame({"date": stamps, "y": values + 0.3 * noise})


@pytest.fixture
def run():
    return birnn.load(LAST)


@pytest.mark.parametrize("gap", [False, True])
def test_the_score_is_the_forecast(run, gap):
    frame = series()
    if gap:
        frame.loc[50:52, "y"] = np.nan
    mean = run.predict(frame)["mean"].to_numpy()
    (one,) = run.explain(frame)
    assert one.value == pytest.approx(mean.mean(), rel=1e-5)
    assert sum(c.weight for c in one.causes) == pytest.approx(one.difference, rel=0.02, abs=1e-3)
    assert [c.value is None for c in one.causes] == frame["y"].isna()[-len(one.causes) :].tolist()
    assert all(c.weight == 0 for c in one.causes if c.value is None)
    for step in range(1, len(mean) + 1):
        (one,) = run.explain(frame, step=step)
        assert one.value == pytest.approx(mean[step - 1], rel=1e-5)
    assert str(frame["date"].iloc[-1]) == one.causes[-1].name


@pytest.mark.parametrize("name", FORECASTERS[1:])
def test_baselines_are_explained_exactly(name):
    loaded = load_run(LAST)
    loaded.model.forecaster.fill_(FORECASTERS.index(name))
    run = birnn.Run(loaded)
    frame = series()
    (one,) = run.explain(frame)
    assert one.points == 0
    assert one.gap == pytest.approx(0, abs=1e-6)
    assert one.value == pytest.approx(run.predict(frame)["mean"].mean(), rel=1e-6)
    assert "which was best on validation" in one.notes[0]
    if name == "last_value":
        assert [c.name for c in one.strongest] == [one.causes[-1].name]
        assert one.causes[-1].weight == pytest.approx(one.difference)


def test_one_series_of_several(run):
    two = pd.concat([series().assign(id=name) for name in "ab"])
    assert [one.item for one in run.explain(two)] == ["a", "b"]
    assert [one.item for one in run.explain(two, series="b")] == ["b"]
    with pytest.raises(ConfigError, match="series: .* has no 'c'; there are: a, b"):
        run.explain(two, series="c")
