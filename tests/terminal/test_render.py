"""What a person sees keeps to the terminal's columns, whatever the letters are."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from birnn.terminal.text import named, shown
from birnn.terminal.views.classification import render_classes, render_prediction

WIDE = "日本語です" * 40


@given(st.text(), st.integers(min_value=4, max_value=60))
def test_a_text_keeps_to_its_columns(text: str, width: int) -> None:
    assert cell_len(shown(text, width)) <= width
    assert cell_len(named(text, width)) <= width


def test_what_fits_is_shown_as_it_is() -> None:
    assert shown("日本", 4) == named("日本", 4) == "日本"
    assert shown("four", 4) == named("four", 4) == "four"


def test_a_text_loses_its_end_and_a_label_its_middle() -> None:
    assert shown("one long label, number 12", 12) == "one long la…"
    assert named("one long label, number 12", 12) == "one lon…r 12"


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("label", ["good", WIDE])
def test_a_prediction_is_one_line(width: int, label: str) -> None:
    record = {"text": WIDE, "label": label, "probabilities": {label: 1.0}}
    assert render_prediction(record, width).cell_len <= max(width, 60)


def test_a_pipe_gets_labels_and_texts_whole() -> None:
    record = {"text": WIDE, "label": WIDE, "probabilities": {WIDE: 1.0}}
    assert render_prediction(record, 10_000_000).plain.count(WIDE) == 2


@pytest.mark.parametrize("width", [40, 80, 120])
def test_all_texts_of_a_row_are_shown(width: int) -> None:
    record = {"first": "one", "second": "two", "label": "x", "probabilities": {"x": 0.5}}
    assert render_prediction(record, width).plain == "x   50.0 %  one ¦ two"
    record |= {"first": WIDE, "second": WIDE}
    line = render_prediction(record, width)
    assert line.plain.count(WIDE[:5]) == 2
    assert line.cell_len <= max(width, 60)


def test_classes_that_begin_alike_are_told_apart() -> None:
    row = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
    labels = [f"a very long label, as others in the data have it: {i}" for i in range(9)]
    table = render_classes([{**row, "label": label} for label in labels], plain=True)
    out = Console(width=80, file=io.StringIO())
    with out.capture() as printed:
        out.print(table)
    assert len(set(printed.get().splitlines()[2:11])) == 9
