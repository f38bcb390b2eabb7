"""What a person sees keeps to the terminal's columns, whatever the letters are."""

import io
from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from birnn.tasks import TASKS
from birnn.terminal.text import named, shown
from birnn.terminal.views import scores, view_of
from birnn.terminal.views.classification import render_classes, render_prediction
from birnn.terminal.views.scores import render_record

WIDE = "日本語です" * 40


@given(st.text(), st.integers(min_value=4, max_value=60))
def test_a_text_keeps_to_its_columns(text: str, width: int) -> None:
    assert cell_len(shown(text, width)) <= width
    assert cell_len(named(text, width)) <= width


def test_what_fits_is_shown_as_it_is() -> None:
    assert shown("日本", 4) == named("日本", 4) == "日本"
    assert shown("four", 4) == named("four", 4) == "four"


@pytest.mark.parametrize("task", TASKS)
def test_the_view_of_each_task_draws_details_and_answers(task: str) -> None:
    view = view_of(task)
    for name, takes in (
        ("render_details", ["details", "width", "plain"]),
        ("draw_answer", ["answer", "out", "plain"]),
    ):
        assert list(signature(getattr(view, name)).parameters) == takes


def test_a_task_of_scores_alone_has_no_details() -> None:
    out = Console(width=80, file=io.StringIO())
    with out.capture() as printed:
        out.print(scores.render_details({"anything": 1}, 80, plain=True))
    assert printed.get() == ""


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
    assert [part[:5] for part in line.plain[12:].split(" ¦ ")] == [WIDE[:5]] * 2
    assert line.cell_len <= max(width, 60)


def test_classes_that_begin_alike_are_told_apart() -> None:
    row = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
    labels = [f"a very long label, as others in the data have it: {i}" for i in range(9)]
    table = render_classes([{**row, "label": label} for label in labels], plain=True)
    out = Console(width=80, file=io.StringIO())
    with out.capture() as printed:
        out.print(table)
    assert len(set(printed.get().splitlines()[2:11])) == 9


def test_a_record_of_another_kind_is_its_numbers_and_its_texts() -> None:
    record = {"text": "fine\x1b[31m", "predicted": 3.14159}
    for draw in (render_record, lambda r: render_prediction(r, 80)):
        assert draw(record).plain == "3.142  fine [31m"
