"""Charts as SVG: their colours are the page's, their words are text, their names their own."""

import re
import xml.etree.ElementTree as ET
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.tasks.pages.figures import COLORS, HALF, Band, Line, LineChart, Mark, draw

HOSTILE = '</svg><script>alert(1)</script> & "$x_1$" \'<b>'


def chart(**options):
    steps = [1, 2, 3, 4]
    lines = [Line("one", steps, [0.5, 0.4, None, 0.35]), Line("two", steps, [1, 2, 3, 4], "c2")]
    return LineChart(lines, [Band("band", steps, [0, 0, 0, 0], [1, 1, 1, 1])], **options)


def texts(svg):
    return [part.text.strip() for part in ET.fromstring(str(svg)).iter() if part.tag == "text"]


def test_words_of_a_user_are_text():
    marked = chart(marks=[Mark(3, HOSTILE)], x_label=HOSTILE, y_label=HOSTILE)
    drawing = draw(marked, HOSTILE)
    for svg in (drawing.broad, drawing.narrow):
        assert texts(svg).count(HOSTILE) == 3
        assert ET.fromstring(str(svg)).get("aria-label") == HOSTILE


def test_every_colour_is_one_of_the_page():
    svg = str(draw(chart(marks=[Mark(2, "kept")], x_label="epoch", y_label="loss"), "loss").broad)
    assert set(re.findall(r"(?:fill|stroke): ([^;\"]+)", svg)) <= {
        "none", *(f"var(--{name})" for name in COLORS)
    }  # fmt: skip
    assert not re.search(r"#[0-9a-f]{6}\b", svg)


def test_no_two_pictures_share_a_name():
    first, second = draw(chart(), "a"), draw(chart(), "b")
    names = [re.findall(r' id="([^"]+)"', str(svg))
             for svg in (first.broad, first.narrow, second.broad)]  # fmt: skip
    every = [*chain(*names)]
    assert every
    assert len(every) == len(set(every))
    for svg, own in zip((first.broad, first.narrow, second.broad), names, strict=True):
        assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', str(svg))) == set(own)


def test_the_frame_is_where_the_axes_lie():
    drawing = draw(chart(), "loss")
    left, top, right, bottom = drawing.frames[0]
    points = re.search(r'd="M ([\d.]+) ([\d.]+)\s+L', str(drawing.broad).split("var(--c2)")[0])
    assert points is not None
    low, high = drawing.limits
    width = HALF[0] * (right - left)
    lines = re.findall(r'<path d="([^"]+)"[^>]*stroke: var\(--c2\)', str(drawing.broad))
    xs = [float(x) for x in re.findall(r"[ML] ([\d.]+) ", lines[0])]
    expected = [HALF[0] * left + (x - low) / (high - low) * width for x in (1, 2, 3, 4)]
    assert xs == pytest.approx(expected, abs=0.5)
    assert 0 < top < bottom < 1


def test_limits_of_moments_are_milliseconds():
    days = np.datetime64("2020-01-01") + np.arange(10)
    drawing = draw(LineChart([Line("a", days, list(range(10)))]), "days")
    start = np.datetime64("2020-01-01", "ms").astype(int)
    low, high = drawing.limits
    assert low < start < start + 9 * 86_400_000 < high < start + 10 * 86_400_000


@given(st.text(max_size=30))
@settings(max_examples=30, deadline=None)
def test_any_word_can_be_drawn(word):
    ET.fromstring(str(draw(chart(y_label=word), word).narrow))


def test_numbers_in_words_are_whole():
    """Coordinates are shortened, ticks and words are not."""
    small = LineChart([Line("x", [1, 2, 3], [0.0012, 0.0034, 0.0051])], y_label="1.23456 of it")
    found = texts(draw(small, "2.71828").broad)
    assert "1.23456 of it" in found
    ticks = [text for text in found if text.startswith("0.00")]
    assert len(ticks) >= 3
    assert len(set(ticks)) == len(ticks)
    assert 'aria-label="2.71828"' in str(draw(small, "2.71828").broad)
