"""Scores: each one and its form for bootstrap counts against scikit-learn or a naive loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from birnn.tasks.scoring.bootstrap import resample_counts
from birnn.tasks.scoring.metric_names import lower_is_better
from birnn.tasks.scoring.metrics import (
    calibration_error,
    classification_replicates,
    classification_scores,
    regression_replicates,
    regression_scores,
    weighted_auc,
    with_intervals,
)

BINS = 15  # both are promised in docs/metrics.md
EPSILON = 1e-7


def example(seed, items=60, classes=3, decimals=None):
    """Gold classes and probabilities that know something of them; float32, like a network's."""
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, classes, items)
    logits = generator.normal(size=(items, classes)) + 1.5 * np.eye(classes)[gold]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if decimals is not None:  # many ties
        shares = np.round(shares, decimals) + 1e-9
        shares /= shares.sum(1, keepdims=True)
    return gold, shares.astype(np.float32)


def clipped(shares):
    kept = np.clip(shares.astype(np.float64), EPSILON, 1 - EPSILON)
    return kept / kept.sum(1, keepdims=True)


def oracle(gold, shares):
    """Every score from scikit-learn, spelled out."""
    classes = shares.shape[1]
    guess = shares.argmax(1)
    present = sorted(set(gold) | set(guess))
    areas = [
        sk.roc_auc_score(gold == c, shares[:, c])
        for c in (range(classes) if classes > 2 else [1])
        if 0 < (gold == c).sum() < len(gold)
    ]
    found = {
        "accuracy": sk.accuracy_score(gold, guess),
        "macro_f1": sk.f1_score(gold, guess, labels=present, average="macro", zero_division=0),
        "weighted_f1": sk.f1_score(gold, guess, average="weighted", zero_division=0),
        "log_loss": sk.log_loss(gold, clipped(shares), labels=list(range(classes))),
        "calibration_error": naive_calibration(gold, shares),
    }
    return {**found, "roc_auc": np.mean(areas)} if areas else found


def naive_calibration(gold, shares):
    """Guo et al. 2017, one bin after the other."""
    sure, right = shares.max(1).astype(float), shares.argmax(1) == gold
    total = 0.0
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        last = number == BINS - 1
        inside = (sure >= low) & ((sure < high) | last)
        if inside.any():
            total += inside.sum() * abs(sure[inside].mean() - right[inside].mean())
    return total / len(gold)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("items", [1, 2, 60])
@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_those_of_scikit_learn(seed, items, classes):
    gold, shares = example(seed, items, classes)
    found = classification_scores(gold, shares)
    wanted = oracle(gold, shares)
    assert found.keys() == wanted.keys()
    assert found == pytest.approx(wanted, abs=1e-12)
    assert all(type(value) is float for value in found.values())


def test_two_classes_have_the_area_of_the_second():
    gold, shares = example(3, classes=2)
    assert classification_scores(gold, shares)["roc_auc"] == pytest.approx(
        sk.roc_auc_score(gold, shares[:, 1])
    )


def test_three_classes_have_scikit_learns_one_against_rest():
    gold, shares = example(3, 300)
    shares = shares.astype(np.float64) / shares.astype(np.float64).sum(1, keepdims=True)
    assert classification_scores(gold, shares)["roc_auc"] == pytest.approx(
        sk.roc_auc_score(gold, shares, multi_class="ovr", average="macro")
    )


def test_one_class_has_no_area():
    gold = np.zeros(4, int)
    assert "roc_auc" not in classification_scores(gold, example(0, 4, 2)[1])


def test_class_that_is_neither_gold_nor_guessed_does_not_count():
    gold = np.array([0, 1, 0])
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1]])
    assert classification_scores(gold, shares)["macro_f1"] == 1.0


def test_sure_mistakes_cost_a_finite_log_loss():
    gold, shares = np.array([0, 1]), np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    assert classification_scores(gold, shares)["log_loss"] == pytest.approx(-np.log(EPSILON))


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1), st.floats(0, 1)), min_size=1),
)
def test_calibration_error_is_the_naive_sum(rows):
    shares = np.array([[a, b, 1.0] for _, a, b in rows])
    shares /= shares.sum(1, keepdims=True)
    gold = np.array([label for label, _, _ in rows])
    assert calibration_error(gold, shares) == pytest.approx(naive_calibration(gold, shares))


def test_calibration_error_of_one_sure_hit_is_nothing():
    assert calibration_error(np.array([0]), np.array([[1.0, 0.0]])) == 0.0


# Few distinct scores, so that ties are the rule.
SCORES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.9, 1.0])


@given(
    st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=30),
    st.integers(0, 2**31),
)
@settings(max_examples=200, deadline=None)
def test_weighted_area_is_scikit_learns_with_weights(rows, seed):
    scores = np.array([score for score, _ in rows])
    positive = np.array([flag for _, flag in rows])
    counts = np.random.default_rng(seed).integers(0, 4, (5, len(rows))).astype(float)
    for found, weights in zip(weighted_auc(scores, positive, counts), counts, strict=True):
        kept = weights > 0
        if len(set(positive[kept])) < 2:
            assert np.isnan(found)
        else:
            wanted = sk.roc_auc_score(positive[kept], scores[kept], sample_weight=weights[kept])
            assert found == pytest.approx(wanted)


def resampled(counts):
    """The item numbers of a resample, drawn out."""
    return np.repeat(np.arange(len(counts)), counts.astype(int))


@pytest.mark.parametrize("items", [5, 25])
@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_replicates_are_the_scores_of_drawn_out_resamples(classes, decimals, items):
    gold, shares = example(7, items, classes, decimals)
    found = classification_replicates(gold, shares, seed=5)
    every = np.concatenate(list(resample_counts(items, 5)))
    assert all(len(values) == len(every) for values in found.values())
    for number, counts in enumerate(every[:40]):
        rows = resampled(counts)
        wanted = oracle(gold[rows], shares[rows])
        part = {name: found[name][number] for name in wanted}
        assert part == pytest.approx(wanted, abs=1e-6)
        assert ("roc_auc" in wanted) == bool(np.isfinite(found["roc_auc"][number]))


def test_replicates_of_many_classes_take_no_square_of_memory():
    gold, shares = example(seed=3, items=40, classes=1000)
    found = classification_replicates(gold, shares, seed=0)
    counts = next(resample_counts(40, seed=0))
    expected = [np.mean(np.repeat(gold == shares.argmax(1), row)) for row in counts.astype(int)]
    assert found["accuracy"] == pytest.approx(expected)


def test_replicates_of_rare_classes_pass_over_undefined_areas():
    gold = np.array([0, 0, 0, 0, 0, 1])
    shares = example(1, 6, 2)[1]
    found = classification_replicates(gold, shares, seed=0)
    lacking = np.concatenate(list(resample_counts(6, 0)))[:, 5] == 0
    assert lacking.any()
    assert np.array_equal(np.isnan(found["roc_auc"]), lacking)
    scores = with_intervals(classification_scores(gold, shares), found)
    assert all(np.isfinite([s.value, s.low, s.high]).all() for s in scores.values())


def steps(seed=0, sequences=12):
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 6, sequences)
    sequence = np.repeat(np.arange(sequences), lengths)
    gold = generator.normal(size=len(sequence)) + sequence / 5
    return gold, gold + generator.normal(size=len(gold)) / 2, sequence


def regression_oracle(gold, predicted):
    return {
        "mse": sk.mean_squared_error(gold, predicted),
        "rmse": sk.root_mean_squared_error(gold, predicted),
        "mae": sk.mean_absolute_error(gold, predicted),
        "r2": sk.r2_score(gold, predicted),
    }


def test_regression_scores_are_those_of_scikit_learn():
    gold, predicted, _ = steps()
    assert regression_scores(gold, predicted) == pytest.approx(regression_oracle(gold, predicted))


def test_one_step_has_no_r2():
    assert set(regression_scores(np.array([1.0]), np.array([2.0]))) == {"mse", "rmse", "mae"}


def test_regression_replicates_draw_whole_sequences():
    gold, predicted, sequence = steps()
    found = regression_replicates(gold, predicted, sequence, seed=3)
    every = np.concatenate(list(resample_counts(12, 3)))
    for number, counts in enumerate(every[:60]):
        rows = np.concatenate([np.flatnonzero(sequence == drawn) for drawn in resampled(counts)])
        part = {name: values[number] for name, values in found.items()}
        assert part == pytest.approx(regression_oracle(gold[rows], predicted[rows]))


def test_regression_replicates_of_a_far_off_target_keep_their_digits():
    gold, predicted, sequence = steps()
    near = regression_replicates(gold, predicted, sequence, seed=3)
    far = regression_replicates(gold + 1e6, predicted + 1e6, sequence, seed=3)
    for name, values in near.items():
        np.testing.assert_allclose(far[name], values, rtol=1e-6)


def test_every_score_has_a_replicate_and_a_direction():
    gold, shares = example(0)
    scores = classification_scores(gold, shares)
    assert set(scores) == set(classification_replicates(gold, shares, 0))
    target, predicted, sequence = steps()
    others = regression_scores(target, predicted)
    assert set(others) == set(regression_replicates(target, predicted, sequence, 0))
    assert all(map(lower_is_better, ("log_loss", "calibration_error", "mse", "rmse", "mae")))
