"""Large Parquet panels, read some series at a time: what is read is what the whole would give."""

from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.series import by_parts
from birnn.data.series.findings import Inspection, SeriesOptions
from birnn.data.series.panel import Panel
from birnn.data.series.reader import inspect_file, read_panel
from birnn.errors import DataError

HOURS = pd.date_range("2024-01-01", periods=60, freq="h")
OPTIONS = SeriesOptions(target="y", past="x", static="size")


def frame(lengths: list[int], seed: int = 0) -> pd.DataFrame:
    """Series of these lengths, one after the other, with gaps, a covariate and a static number."""
    generator = np.random.default_rng(seed)
    parts = []
    for number, length in enumerate(lengths):
        part = pd.DataFrame({"id": f"s{number}", "time": HOURS[:length]})
        part["y"] = generator.normal(size=length)
        part["x"] = generator.normal(size=length)
        part["size"] = float(number)
        part.loc[generator.random(length) < 0.1, "y"] = np.nan
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def both(
    path: Path, patch: pytest.MonkeyPatch, rows: int, options: SeriesOptions = OPTIONS
) -> list[tuple[Panel, Inspection]]:
    """Read whole, and by parts of about so many rows."""
    found = [read_panel(str(path), options, horizon=3, lookback=4)]
    with patch.context() as own:
        own.setattr(by_parts, "LARGE", 0)
        own.setattr(by_parts, "ROWS", rows)
        own.setattr(by_parts, "AT_ONCE", max(1, rows // 3))
        found.append(read_panel(str(path), options, horizon=3, lookback=4))
    return found


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    return bool(one == other)


def check_same(whole: tuple[Panel, Inspection], parts: tuple[Panel, Inspection]) -> None:
    covariates = ("past", "future", "covariate_offsets")  # of series that are left out too
    for name in (part.name for part in fields(Panel)):
        assert name in covariates or same(getattr(whole[0], name), getattr(parts[0], name)), name
    steps = np.diff(whole[0].offsets)
    for number, length in enumerate(steps):
        for name in ("past", "future"):
            one, other = (
                getattr(p, name)[p.covariate_offsets[number] :][:length]
                for p in (whole[0], parts[0])
            )
            assert same(one, other), name
    for name in (part.name for part in fields(Inspection)):
        if name not in ("notes", "findings"):
            assert getattr(whole[1], name) == getattr(parts[1], name), name
    assert {part.kind for part in whole[1].findings} == {part.kind for part in parts[1].findings}


LENGTHS = st.lists(st.integers(3, 60), min_size=2, max_size=12)


@given(LENGTHS.filter(lambda own: max(own) > 30), st.integers(1, 150), st.integers(0, 9))
def test_parts_are_what_the_whole_would_give(lengths: list[int], rows: int, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        path = Path(folder) / "panel.parquet"
        frame(lengths, seed).to_parquet(path)
        found = both(path, patch, rows)
        check_same(*found)


def test_a_folder_of_parts_is_one_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = frame([40, 30, 50, 20])
    for number, own in enumerate((whole[:55], whole[55:])):  # cut within a series
        own.to_parquet(tmp_path / f"part-{number}.parquet")
    found = both(tmp_path, monkeypatch, 45)
    check_same(*found)
    assert found[1][1].notes[0].startswith("rows: 140, read in ")
    assert isinstance(found[1][0].values, np.memmap)


@pytest.mark.parametrize("how", ["by time", "a series in two places", "no series"])
def test_what_can_t_be_told_by_parts_is_read_whole(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = frame([40, 40, 40])
    if how == "by time":
        rows = rows.sort_values("time", kind="stable")
    elif how == "a series in two places":
        rows = pd.concat([rows[:20], rows[40:], rows[20:40]])
    else:
        rows = rows[:40].drop(columns=["id", "size"])
    rows.to_parquet(tmp_path / "panel.parquet", index=False)
    options = SeriesOptions(target="y", past="x") if how == "no series" else OPTIONS
    found = both(tmp_path / "panel.parquet", monkeypatch, 30, options)
    check_same(*found)
    assert not isinstance(found[1][0].values, np.memmap)
    assert found[0][1].notes == found[1][1].notes


def test_what_is_refused_is_refused_in_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = frame([40, 40, 40])
    rows.loc[70, "time"] = rows.loc[69, "time"]  # twice, in a later part
    rows.to_parquet(tmp_path / "panel.parquet")
    said = []
    for large in (by_parts.LARGE, 0):
        monkeypatch.setattr(by_parts, "LARGE", large)
        monkeypatch.setattr(by_parts, "ROWS", 30)
        with pytest.raises(DataError) as caught:
            read_panel(str(tmp_path / "panel.parquet"), OPTIONS, horizon=3)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "line 72" in said[0]
    assert inspect_file(str(tmp_path / "panel.parquet"), OPTIONS, horizon=3).fatal


def test_lines_of_findings_are_those_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame([30, 30, 30, 30]).to_parquet(tmp_path / "panel.parquet")
    whole, parts = both(tmp_path / "panel.parquet", monkeypatch, 40)
    told = [{(f.kind, f.series): f.rows for f in one[1].findings} for one in (whole, parts)]
    gaps = {key: rows for key, rows in told[0].items() if key[1]}
    assert gaps
    assert all(told[1][key] == rows for key, rows in gaps.items())
