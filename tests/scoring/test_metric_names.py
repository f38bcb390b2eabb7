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
