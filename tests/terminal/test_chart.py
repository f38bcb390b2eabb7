"""Charts of characters: small drawings by hand, and never wider than the terminal."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from birnn.terminal.chart import BLANK, HEIGHT, Canvas, render_chart

from strategies import quick


def drawing(values, *, width, height=1, low=0.0, high=3.0, first=0, size=None):
    canvas = Canvas(width, height, size or len(values), low, high)
    canvas.line(first, values, "")
    return [row.plain for row in canvas.rows()]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0, 1, 2, 3], "⡠⠊"),
        ([3, 2, 1, 0], "⠑⢄"),
        ([0, 0, 0, 0], "⣀⣀"),
        ([3, 3, 3, 3], "⠉⠉"),
        ([0, None, None, 3], "⡀⠈"),
        ([0, None, 3, 3], "⡀⠉"),
        ([None, None, None, None], "  "),
    ],
)
def test_four_steps_in_two_characters(values, wanted):
    assert drawing(values, width=2) == [wanted]


def test_a_steep_line_has_no_holes():
    assert drawing([0, 3], width=1) == ["⡜"]
    assert drawing([0, 7], width=1, height=2, high=7) == ["⢸", "⡇"]


def test_a_line_may_begin_later():
    assert drawing([3, 3], width=2, first=2, size=4) == [" ⠉"]


def test_a_constant_series_lies_on_the_lower_edge():
    assert drawing([5, 5], width=1, low=5, high=5) == ["⣀"]


def test_what_lies_outside_is_cut():
    assert drawing([9, 9, -9, -9], width=2)[0][0] in " ⢇⢣⢱⠈⠘⢸⡇⠸"


def test_later_lines_win_the_colour():
    canvas = Canvas(1, 1, 2, 0, 3)
    canvas.line(0, [0, 0], "blue")
    canvas.line(0, [3, 3], "bold cyan")
    (row,) = canvas.rows()
    assert row.plain == "⣉"
    assert [span.style for span in row.spans] == ["bold cyan"]


def chart(history, mean, lower=None, upper=None, name="a"):
    return {
        "name": name, "history": history, "mean": mean, "lower": lower, "upper": upper,
        "level": 80, "start": "2024-01-01 00:00:00", "cut": "2024-01-05 00:00:00",
        "end": "2024-01-06 00:00:00",
    }  # fmt: skip


def lines(found, width, terminal=None):
    """What is drawn for ``width`` in a terminal of that width or another."""
    stream = io.StringIO()
    Console(file=stream, width=terminal or width, color_system=None).print(
        render_chart(found, width)
    )
    return stream.getvalue().splitlines()


def body(found):
    return [line for line in found if "│" in line]


number = st.one_of(
    st.integers(-9, 9).map(float), st.floats(-1e300, 1e300),
    st.sampled_from([5e-324, 1e-300, -1e300, 1e300, 0.0]),
)  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@quick
@given(
    history=st.lists(st.one_of(number, st.none()), max_size=30),
    mean=st.lists(number, min_size=1, max_size=9), bounds=st.booleans(),
)  # fmt: skip
def test_no_line_is_wider_than_the_terminal(width, history, mean, bounds):
    lower = [value - 1 for value in mean] if bounds else None
    upper = [value + 1 for value in mean] if bounds else None
    found = lines(chart(history, mean, lower, upper), width)
    assert max(map(cell_len, found)) <= width
    wide = body(lines(chart(history, mean, lower, upper), width, terminal=500))
    assert body(found) == wide  # nothing was wrapped
    assert len(wide) == HEIGHT
    assert {cell_len(line) for line in wide} <= {cell_len(wide[0]), *range(width)}


def test_the_axis_says_where_the_values_lie():
    found = body(lines(chart([0.0, 10.0], [5.0]), 60))
    assert found[0].startswith("10│")
    assert found[(HEIGHT - 1) // 2].startswith(" 5│")
    assert found[-1].startswith(" 0│")
    assert found[1].startswith("  │")


def test_gaps_break_the_line():
    whole = "".join(body(lines(chart([1.0, 2, 3, 4, 5], [5.0]), 80)))
    gap = "".join(body(lines(chart([1.0, 2, None, 4, 5], [5.0]), 80)))

    def dots(text):
        return sum((ord(c) - BLANK).bit_count() for c in text if BLANK < ord(c) < BLANK + 256)

    assert dots(gap) < dots(whole)


def test_a_constant_series_is_one_level_line():
    found = body(lines(chart([2.0] * 9, [2.0] * 3), 60))
    assert not any(set(line.split("│")[1]) - {" "} for line in found[:-1])
    assert found[-1].split("│")[1].startswith("⣀⣀⣀")
    assert set(found[-1].split("│")[1]) <= set("⣀⡀⢀ ")  # the forecast stands apart


def test_title_and_stamps():
    text = "\n".join(lines(chart([1.0] * 20, [2.0] * 20, [1.0] * 20, [3.0] * 20), 100))
    assert text.startswith("a: history, forecast, 80 % interval")
    for stamp in ("2024-01-01 00:00:00", "2024-01-05 00:00:00", "2024-01-06 00:00:00"):
        assert stamp in text
    assert "interval" not in "\n".join(lines(chart([1.0], [2.0]), 100))


def test_stamps_that_do_not_fit_are_left_out():
    found = lines(chart([1.0] * 20, [2.0] * 2), 40)
    assert any("2024-01-01 00:00:00" in line for line in found)
    assert max(map(len, found)) <= 40


@pytest.mark.parametrize(
    "name",
    ["a\x1b[2J\nb\x07", "列" * 60, "👩‍👩‍👧" * 30, "x" * 500, "[bold]x[/bold]", "\u202eabc", ""],
)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_names_steer_nothing_and_stay_in_their_place(name, width):
    found = lines(chart([1.0, 2.0], [3.0], name=name), width)
    assert max(map(cell_len, found)) <= width
    assert not any(c in line for line in found for c in "\x1b\x07\u202e")
    assert len(body(found)) == HEIGHT
    if name.startswith("[bold]"):
        assert found[0].startswith("[bold]x[/bold]: history")
