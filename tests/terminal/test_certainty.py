"""Shares as bars, reliability as a picture, and the surest mistakes of a run just trained."""

import re

import pytest
from rich.console import Console

from birnn.tasks.runs.folder import load_run
from birnn.terminal.views import classification
from birnn.terminal.views.certainty import CLASSES, render_reliability, render_shares


def drawn(part, width: int = 80, *, terminal: bool = True) -> str:
    out = Console(width=width, force_terminal=terminal, highlight=False)
    with out.capture() as capture:
        out.print(part)
    return re.sub(r"\x1b\[[0-9;]*m", "", capture.get())


BINS = [
    {"start": 0.5, "end": 0.6, "items": 1200, "confidence": 0.55, "accuracy": 0.5},
    {"start": 0.9, "end": 1.0, "items": 3, "confidence": 0.97, "accuracy": 1.0},
]


def test_the_likeliest_class_has_the_longest_bar_and_comes_first():
    lines = drawn(render_shares({"bad": 0.25, "good": 0.75})).splitlines()
    assert [line.split()[0] for line in lines] == ["good", "bad"]
    assert lines[0].count("█") > 2 * lines[1].count("█")
    assert "75.0 %" in lines[0]


def test_of_many_classes_the_rest_is_summed():
    shares = {f"c{i}": 0.1 for i in range(10)}
    lines = drawn(render_shares(shares)).splitlines()
    assert len(lines) == CLASSES + 1
    assert lines[-1].strip() == "4 more classes together 40.0 %"


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("width", [80, 120])
def test_reliability_says_its_numbers_and_fits(plain, width):
    text = drawn(render_reliability(BINS, "rows", plain=plain), width, terminal=not plain)
    assert all(len(line) <= width for line in text.splitlines())
    assert re.search(r"50 to 60 +1,200 +55.0 +50.0", text)
    assert ("█" in text) is not plain
    if not plain:
        row = next(line for line in text.splitlines() if "50 to 60" in line)
        assert row.index("┃") > row.rindex("█")  # surer than it is right


def test_a_trained_run_has_its_reliability(birnn, trained):
    outcome = birnn("evaluate", trained)
    assert "How often right, by how sure" in outcome.out


def test_the_surest_mistakes_are_shaded(trained):
    label, other = load_run(trained).info.labels
    out = Console(width=80, force_terminal=True, highlight=False, color_system="standard")
    rows = [{"text": "a lovely [b]film[/b]", "gold": label, "predicted": other, "confidence": 0.9}]
    with out.capture() as capture:
        classification.draw_learned(trained, {"mistakes": rows}, out)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capture.get())
    assert f"{other}, but it is {label}" in text
    assert "a lovely [b]film[/b]" in text


def test_without_a_mistake_or_a_run_nothing_is_drawn(tmp_path):
    out = Console(width=80, highlight=False)
    with out.capture() as capture:
        classification.draw_learned(tmp_path, {"mistakes": []}, out)
        row = {"text": "x", "gold": "a", "predicted": "b", "confidence": 1.0}
        classification.draw_learned(tmp_path, {"mistakes": [row]}, out)
    assert not capture.get().strip()
