"""How scores are named and written: the same in a report and at the end of an epoch."""

import pytest

from birnn.tasks import TASKS
from birnn.tasks.scoring.metric_names import format_score, lower_is_better, metric, score_title
from birnn.training.events import EpochEvent


@pytest.mark.parametrize("name", ["sentiment", "tagging"])
def test_epoch_lines_use_the_titles_of_the_report(name):
    task = TASKS[name].part("task")
    made = task(TASKS[name].part("options")())
    scores = dict.fromkeys(task.monitors, 0.1234)
    event = EpochEvent(3, 12, 0.5, scores, 0.001, 1.0, 100, improved=True)
    line = made.epoch_line(event)
    assert line.startswith("epoch  3/12  loss 0.500  ")
    assert line.endswith("1.0 s *")
    assert "_" not in line
    for monitor in task.monitors:
        title = score_title(monitor).removesuffix(" %")
        assert f"{title} {format_score(monitor, 0.1234)}" in line
    assert "accuracy 12.3" in line
    assert len(line) < 80


def test_neither_coverage_nor_width_is_better_by_itself():
    assert not metric("coverage_90").judged
    assert not metric("width_90").judged
    assert metric("winkler_90").judged
    assert lower_is_better("winkler_90")


@pytest.mark.parametrize("name", ["sentiment", "tagging", "forecast"])
def test_epoch_lines_are_columns(name):
    """Whatever the numbers, each stands below the one before it, in 80 columns."""
    task = TASKS[name].part("task")
    made = task(TASKS[name].part("options")())
    lines = []
    for value, loss, seconds in ((0.03, 0.5, 0.1), (1.0, 12.5, 99.9), (0.5, 3.0, 10.0)):
        scores = dict.fromkeys(task.monitors, value)
        event = EpochEvent(9, 100, loss, scores, 0.001, seconds, 100, improved=False)
        lines.append(made.epoch_line(event))
    assert len({len(line) for line in lines}) == 1, lines
    assert len(lines[0]) <= 78


@pytest.mark.parametrize(("name", "value", "text"), [
    ("accuracy", -0.0001, "0.0"), ("accuracy", -0.001, "-0.1"), ("mae", -0.0, "0.000"),
])  # fmt: skip
def test_no_zero_has_a_sign(name, value, text):
    assert format_score(name, value) == text
