"""What is drawn between the events of a run: a line that moves, in a terminal alone."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from birnn.progress import tell, told_to
from birnn.tasks.runs.events import Evaluating
from birnn.terminal.views import progress, working
from birnn.training.events import StopEvent


def events():
    """A run whose linear model is fitted before and after training's last word."""
    tell("linear model", 0.25)
    yield StopEvent(1, 0.5, "all epochs done", 1.0, 9)
    yield Evaluating("baselines")
    for share in (0, 0.5):
        tell("baseline", share)
    yield Evaluating("test scores")


@pytest.mark.parametrize("terminal", [True, False])
def test_work_between_events_moves_a_line_in_a_terminal(terminal, monkeypatch):
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, highlight=False)
    monkeypatch.setattr(progress, "console", lambda: console)
    monkeypatch.setattr(working, "console", lambda: console)
    monkeypatch.setattr(working, "is_plain", lambda: not terminal)
    display = progress.TrainingDisplay()
    heard = []
    share = display.work.share
    monkeypatch.setattr(display.work, "share", lambda *told: (heard.append(told), share(*told)))
    with told_to(display.share):
        display.draw(events())
    assert heard == [
        ("reading data",), ("linear model", 0.25), ("baselines",), ("baseline", 0),
        ("baseline", 0.5), ("test scores",),
    ]  # fmt: skip
    assert "Kept epoch 1: all epochs done" in file.getvalue()
    assert ("linear model" in file.getvalue()) is terminal


@pytest.mark.parametrize(("total", "left", "words"), [
    (None, None, "0:00:07"), (1.0, None, "0:00:07"), (1.0, 65.0, "0:01:05 left"),
])  # fmt: skip
def test_the_time_left_is_told_where_it_is_known(total, left, words):
    task = SimpleNamespace(total=total, time_remaining=left, elapsed=7.5)
    assert working.Left().render(task).plain == words


def test_nobody_has_to_listen():
    tell("work", 0.5)
    heard = []
    with told_to(lambda what, share: heard.append((what, share))):
        tell("work", 0.75)
    tell("work", 1.0)
    assert heard == [("work", 0.75)]


def test_work_without_an_end_has_none_after_work_with_one(monkeypatch):
    console = Console(file=io.StringIO(), force_terminal=True, width=80, highlight=False)
    monkeypatch.setattr(working, "console", lambda: console)
    monkeypatch.setattr(working, "is_plain", lambda: False)
    line = working.Working()
    try:
        for share, total in ((None, None), (0.5, 1.0), (0.25, 1.0), (None, None)):
            line.share("work", share)
            (task,) = line.progress.tasks
            assert (task.description, task.total, task.completed) == ("work", total, share or 0.0)
    finally:
        line.stop()
    assert line.progress is None
