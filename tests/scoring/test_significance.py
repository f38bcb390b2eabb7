"""Who wins, and the sentence that says so."""

import re

import numpy as np
import pytest

from birnn.tasks.scoring.bootstrap import Interval
from birnn.tasks.scoring.significance import Difference, difference, strongest, verdict

SPREAD = np.linspace(-0.01, 0.01, 1001)


def compare(metric, model, other):
    """Two scores that vary by a hundredth, independently of each other."""
    return difference(
        "tfidf", metric, (model, model + SPREAD), (other, other + np.zeros_like(SPREAD))
    )


@pytest.mark.parametrize(
    ("metric", "model", "other", "winner"),
    [
        ("accuracy", 0.8, 0.7, "model"),
        ("accuracy", 0.7, 0.8, "baseline"),
        ("accuracy", 0.8, 0.799, "neither"),
        ("macro_f1", 0.8, 0.7, "model"),
        ("roc_auc", 0.8, 0.7, "model"),
        ("r2", 0.8, 0.7, "model"),
        ("log_loss", 0.3, 0.5, "model"),
        ("log_loss", 0.5, 0.3, "baseline"),
        ("mse", 0.3, 0.5, "model"),
        ("mae", 0.5, 0.3, "baseline"),
        ("rmse", 0.5, 0.501, "neither"),
        ("calibration_error", 0.1, 0.2, "model"),
    ],
)
def test_winner_follows_the_direction_of_the_metric(metric, model, other, winner):
    assert compare(metric, model, other).winner == winner


def test_advantage_is_positive_where_the_model_is_better():
    assert compare("accuracy", 0.8, 0.7).advantage.value == pytest.approx(0.1)
    assert compare("log_loss", 0.3, 0.5).advantage.value == pytest.approx(0.2)


def test_difference_is_taken_on_the_same_resamples():
    shared = np.random.default_rng(0).normal(0.7, 0.1, 1000)  # hard and easy resamples
    found = difference("x", "accuracy", (0.72, shared + 0.02), (0.7, shared))
    assert found.advantage.low == pytest.approx(0.02)
    assert found.winner == "model"


def test_a_worse_score_is_behind_even_by_chance_but_not_an_error_that_no_table_tells_apart():
    draws = np.array([0.4, 0.6])
    assert difference("x", "accuracy", (0.5, draws), (0.51, draws[::-1])).behind
    assert not difference("x", "accuracy", (0.5, draws), (0.5, draws)).behind
    near = difference("x", "mae", (0.50001, draws), (0.5, draws), relative=True)
    far = difference("x", "mae", (0.51, draws), (0.5, draws), relative=True)
    assert (near.behind, far.behind) == (False, True)


def test_equal_models_have_no_winner():
    same = np.random.default_rng(0).random(1000)
    assert difference("x", "accuracy", (0.5, same), (0.5, same)).winner == "neither"


@pytest.mark.parametrize(
    ("metric", "gap", "sentence"),
    [
        (
            "accuracy",
            (0.1, 0.05, 0.149),
            "The model beats the majority class in accuracy by 10.0 points"
            " (95 % interval 5.0 to 14.9).",
        ),
        (
            "macro_f1",
            (-0.1, -0.15, -0.05),
            "The majority class beats the model in macro F1 by 10.0 points"
            " (95 % interval 5.0 to 15.0): prefer the simpler one.",
        ),
        (
            "macro_f1",
            (0.01, -0.02, 0.04),
            "No clear winner between the model and the majority class in macro F1: 1.0 points"
            " (95 % interval -2.0 to 4.0).",
        ),
        (
            "mse",
            (0.25, 0.125, 0.5),
            "The model beats the majority class in mse by 0.2500 (95 % interval 0.1250 to 0.5000).",
        ),
        (
            "log_loss",
            (-0.25, -0.5, -0.125),
            "The majority class beats the model in log loss by 0.2500"
            " (95 % interval 0.1250 to 0.5000): prefer the simpler one.",
        ),
    ],
)
def test_sentence_says_who_wins_and_by_how_much(metric, gap, sentence):
    assert verdict("the majority class", Difference("m", metric, Interval(*gap))) == sentence


def test_name_of_a_baseline_keeps_its_capitals():
    found = verdict("TF-IDF + logistic regression", compare("accuracy", 0.7, 0.8))
    assert found.startswith("TF-IDF + logistic regression beats the model")


def test_several_metrics_make_one_sentence():
    won = Difference("m", "accuracy", Interval(0.1, 0.05, 0.149))
    open_ = Difference("m", "macro_f1", Interval(0.01, -0.02, 0.04))
    lost = Difference("m", "log_loss", Interval(-0.25, -0.5, -0.125))
    assert verdict("the majority class", won, open_) == (
        "The model beats the majority class in accuracy by 10.0 points (95 % interval 5.0 to 14.9);"
        " no clear winner in macro F1: 1.0 points (95 % interval -2.0 to 4.0)."
    )
    assert verdict("the majority class", won, lost).endswith(
        "; the majority class beats the model in log loss by 0.2500"
        " (95 % interval 0.1250 to 0.5000): prefer the simpler one."
    )


def test_strongest_baseline_is_the_one_nearest_to_the_model():
    parts = [compare("accuracy", 0.8, 0.5), compare("accuracy", 0.8, 0.75)]
    named = [
        Difference(name, part.metric, part.advantage)
        for name, part in zip(("weak", "strong"), parts, strict=True)
    ]
    assert strongest(named) == "strong"


@pytest.mark.parametrize(("parts", "words"), [
    (Difference("m", "mae", Interval(0.0, -1e-6, 1e-6), Interval(0.0, -1e-4, 1e-4)),
     "in MAE (less than 0.05 % apart)."),
    (Difference("m", "mae", Interval(0.0, 0.0, 0.0), Interval(0.0, 0.0, 0.0)), "in MAE (equal)."),
    (Difference("m", "accuracy", Interval(0.0, -0.0001, 0.0002)),
     "in accuracy (less than 0.05 points apart)."),
    (Difference("m", "accuracy", Interval(0.0, -0.01, 0.01)),
     "in accuracy: 0.0 points (95 % interval -1.0 to 1.0)."),
    (Difference("m", "accuracy", Interval(0.0003, 0.0001, 0.0006)),
     "in accuracy by 0.03 points (95 % interval 0.01 to 0.1)."),
    (Difference("m", "accuracy", Interval(-0.0003, -0.02, 0.03)),
     "in accuracy: -0.03 points (95 % interval -2.0 to 3.0)."),
    (Difference("m", "mse", Interval(0.0, -1e-6, 1e-5)), "in mse (less than 5e-05 apart)."),
])  # fmt: skip
def test_what_would_be_written_as_zero_is_said_in_words(parts, words):
    sentence = verdict("the majority class", parts)
    assert sentence.endswith(words)
    assert not re.search(r"-0\.0+\b", sentence)
