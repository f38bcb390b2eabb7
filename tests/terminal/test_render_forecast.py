"""What a person sees of a forecaster: tables of scores and rows, and nothing that steers."""

import io
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from birnn.tasks.serving.request import Answer
from birnn.terminal.views import forecast

from strategies import quick


def drawn(renderable, width=100):
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(renderable)
    return stream.getvalue()


def scores(mae, **more):
    return {"mae": mae, "mae_scaled": mae / 10, "rmse": 2 * mae, **more}


def details(steps=3, series=1, **more):
    return {
        "per_step": [scores(t + 1.0, coverage_80=0.75) for t in range(steps)],
        "per_series": [
            {"series": f"s{i:02d}", **scores(i + 1.0, mase=i + 0.5)} for i in range(series)
        ],
        **more,
    }


@quick
@given(count=st.integers(1, 500), most=st.integers(2, 20))
def test_places_are_spread_from_first_to_last(count, most):
    found = forecast.spread(count, most)
    assert len(found) == min(count, most)
    assert (found[0], found[-1]) == (0, count - 1)
    assert found == sorted(set(found))
    gaps = {b - a for a, b in itertools.pairwise(found)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("plain", [True, False])
def test_scores_by_step_show_the_first_and_the_last(plain):
    text = drawn(forecast.render_details(details(96), 100, plain=plain))
    lines = [line.split() for line in text.splitlines()]
    rows = [line for line in lines if line and line[0].isdigit()]
    assert len(rows) == forecast.STEPS_SHOWN
    assert rows[0] == ["1", "1.000", "2.000", "75.0"]
    assert rows[-1][:2] == ["96", "96.000"]
    assert "By step ahead" in text
    assert "By series" not in text
    assert "mase" not in text  # no step has it


def test_the_hardest_series_come_first():
    text = drawn(forecast.render_details(details(1, 12), 100, plain=True))
    assert "By series, the hardest" in text
    found = [line.split()[0] for line in text.splitlines() if line.startswith("s") and "." in line]
    assert found == [f"s{i:02d}" for i in range(11, 1, -1)]


def test_all_series_are_shown_where_they_are_few():
    text = drawn(forecast.render_details(details(1, 3), 100, plain=True))
    assert "hardest" not in text
    assert [name in text for name in ("s00", "s01", "s02")] == [True] * 3


def test_a_score_that_a_row_lacks_is_a_dash():
    found = details(1, 2)
    del found["per_series"][0]["mase"]  # a constant series has none
    text = drawn(forecast.render_details(found, 100, plain=True))
    (row,) = [line for line in text.splitlines() if line.startswith("s00")]
    assert row.split() == ["s00", "1.000", "2.000", "–"]


def test_bootstrap_blocks_are_named():
    text = drawn(forecast.render_details(details(blocks="3 blocks of 5 windows"), 100, plain=True))
    assert "bootstrap over 3 blocks of 5 windows" in text


def records(count, name="a"):
    return [
        {"id": name, "time": f"2024-01-{t + 1:02d}", "mean": t + 0.123456789, "lower_80": -1e9}
        for t in range(count)
    ]


def test_rows_of_a_forecast():
    text = drawn(forecast.render_forecast(records(3), plain=True))
    head, *rows = [line.split() for line in text.splitlines()]
    assert head == ["id", "time", "mean", "lower", "80"]
    assert rows[1] == ["a", "2024-01-02", "1.12346", "-1e+09"]
    assert len(rows) == 3


@pytest.mark.parametrize(("most", "left"), [(0, None), (2, "1,998"), (2000, None), (3000, None)])
def test_rows_that_are_left_out_are_counted(most, left):
    rows = records(20) * 100
    text = drawn(forecast.render_forecast(rows, plain=True, most=most))
    assert ("rows more" in text) == (left is not None)
    if left:
        assert f"… and {left} rows more; --output FILE writes all" in text
        assert text.count("2024-01") == most


@pytest.mark.parametrize("name", ["a\x1b[2J\nb\x07", "列" * 60, "x" * 500, "[red]x[/red]", ""])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_names_steer_nothing_and_stay_in_their_place(name, width):
    found = details(1, 2)
    found["per_series"][0]["series"] = name
    for part in (
        forecast.render_forecast(records(2, name), plain=False),
        forecast.render_details(found, 100, plain=False),
    ):
        text = drawn(part, width)
        assert max(map(cell_len, text.splitlines())) <= width
        assert not set("\x1b\x07") & set(text)
        if name.startswith("[red]"):
            assert "[red]" in text


def wide_rows(series: int) -> list[dict[str, Any]]:
    levels = ("80", "90", "95")
    return [
        {"id": f"series {i}", "time": f"2024-01-26 {hour:02}:00:00", "mean": 49.5965 + hour,
         **{f"{side}_{level}": 49.123456 for level in levels for side in ("lower", "upper")}}
        for i in range(series) for hour in range(3)
    ]  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("series", [1, 2])
def test_stamps_are_whole_in_any_terminal(width, series):
    out = Console(width=width, force_terminal=True, color_system=None)
    with out.capture() as capture:
        out.print(forecast.render_forecast(wide_rows(series), plain=False, width=width))
    lines = capture.get().splitlines()
    assert all(len(line) <= width for line in lines)
    assert sum("2024-01-26 01:00:00" in line for line in lines) == series
    assert any("upper 95" in line for line in lines)
    assert ("Bounds of 80" in capture.get()) is (not any("lower 80" in line for line in lines))


def test_a_pipe_has_all_columns():
    out = Console(width=120, color_system=None)
    with out.capture() as capture:
        out.print(forecast.render_forecast(wide_rows(1), plain=True))
    head = capture.get().splitlines()[0]
    names = [f"{side} {level}" for level in (80, 90, 95) for side in ("lower", "upper")]
    assert head.split() == ["id", "time", "mean", *" ".join(names).split()]


def test_a_narrow_pipe_cuts_no_number():
    out = Console(width=40, color_system=None)
    answer = Answer(wide_rows(2), lambda path: None)
    with out.capture() as capture:
        forecast.draw_answer(answer, out, plain=True)
    assert "…" not in capture.get()
    assert len(capture.get().splitlines()[0].split()) == 15
    assert out.width == 40
