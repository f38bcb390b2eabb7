"""The pictures of a run: of a size that can be opened, every label told apart."""

import doctest
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from birnn.tasks.core import plots
from birnn.tasks.core.plots import save_confusion

from writers import pixels


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(plots) == (0, 1)


@pytest.mark.parametrize("classes", [2, 25, 1000])
def test_a_confusion_matrix_of_many_classes_stays_a_picture(tmp_path: Path, classes: int) -> None:
    labels = [f"class number {i}" for i in range(classes)]
    save_confusion(tmp_path / "c.png", np.eye(classes, dtype=int), labels)
    assert 400 <= max(pixels(tmp_path / "c.png")) <= 3000


def test_labels_that_begin_alike_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(plots, "save_figure", lambda figure, path: drawn.append(figure))
    labels = [f"one long label, as others have it: {i}" for i in range(25)]
    save_confusion(tmp_path / "c.png", np.eye(25, dtype=int), labels)
    axes = drawn[0].axes[0]
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert len({tick.get_text() for tick in ticks}) == 25
