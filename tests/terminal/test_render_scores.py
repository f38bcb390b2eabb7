"""Scores beside baselines: in every width that holds them, each score of each model is there."""

import pytest
from rich.console import Console

from birnn.terminal.views.scores import render_scores

LABELS = {"a": "last value", "b": "seasonal naive", "c": "drift", "d": "ridge regression"}
METRICS = ("mse", "mae", "mase", "coverage_80")


def score(number):
    value = 1.5 + number
    return {"value": value, "low": value - 0.25, "high": value + 0.25}


@pytest.fixture(scope="module")
def metrics():
    models = ["model", *LABELS]
    scores = {
        name: {metric: score(10 * i + j) for j, metric in enumerate(METRICS)}
        for i, name in enumerate(models)
    }
    test = {"model": scores.pop("model"), "baselines": scores}
    return {"encoder": "bigru", "train": {}, "test": test}


def drawn(metrics, width, *, plain):
    console = Console(width=width, force_terminal=not plain, color_system=None)
    with console.capture() as capture:
        console.print(render_scores(metrics, LABELS, width, plain=plain))
    return capture.get()


@pytest.mark.parametrize("plain", [True, False])
def test_no_score_and_no_heading_is_cropped(metrics, plain):
    values = [
        f"{model[metric]['value']:.3f}"
        for model in (metrics["test"]["model"], *metrics["test"]["baselines"].values())
        for metric in METRICS[:3]
    ]
    for width in range(70, 160):
        text = drawn(metrics, width, plain=plain)
        assert max(map(len, text.split("\n"))) <= width
        assert not [value for value in values if value not in text], width
        words = {word for label in LABELS.values() for word in label.split()}
        assert words <= set(text.split()), width


def test_a_wide_terminal_has_all_intervals_and_a_narrow_one_the_models(metrics):
    assert drawn(metrics, 160, plain=True).count("[") == 20
    assert drawn(metrics, 80, plain=True).count("[") == 4
