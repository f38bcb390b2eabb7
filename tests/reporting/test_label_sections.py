"""The numbers of a classifier's report, beside scikit-learn and counting by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from birnn.tasks.reporting.blocks import Dot, DotGroup, Matrix
from birnn.tasks.reporting.labels import (
    TestItems,
    answered_scores,
    binary_scores,
    mistaken,
    quarters,
)
from birnn.tasks.scoring.reliability import reliability_bins, wilson

items = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


@given(items, st.floats(0, 1))
def test_scores_at_a_threshold_are_scikit_learns(pairs, level):
    shares, gold = np.array([p for p, _ in pairs]), np.array([g for _, g in pairs])
    said = shares >= level
    precision, recall, f1 = binary_scores(shares, gold, level)
    if said.any():
        assert precision == pytest.approx(sk.precision_score(gold, said, zero_division=0))
    else:
        assert precision is None
    if gold.any():
        assert recall == pytest.approx(sk.recall_score(gold, said, zero_division=0))
    else:
        assert recall is None
    if said.any() or gold.any():
        assert f1 == pytest.approx(sk.f1_score(gold, said, zero_division=0))


@given(items, st.floats(0, 1))
def test_the_answered_are_those_that_are_sure_enough(pairs, level):
    top = np.array([max(p, 1 - p) for p, _ in pairs])
    shares = np.stack([1 - np.array([p for p, _ in pairs]), np.array([p for p, _ in pairs])], 1)
    gold = np.array([int(g) for _, g in pairs])
    found = TestItems(["a", "b"], [""] * len(pairs), gold, shares)
    right, answered = answered_scores(shares.max(1), found.right, level)
    kept = [g == s.argmax() for g, s in zip(gold, shares, strict=True) if s.max() >= level]
    assert answered == pytest.approx(len(kept) / len(top))
    assert right == (pytest.approx(sum(kept) / len(kept)) if kept else None)


@given(items)
def test_bins_hold_every_item_once(pairs):
    confidence, right = np.array([p for p, _ in pairs]), np.array([r for _, r in pairs])
    bins = reliability_bins(confidence, right)
    assert sum(b.items for b in bins) == len(pairs)
    hits = sum(b.accuracy * b.items for b in bins)
    assert hits == pytest.approx(right.sum())
    assert sum(b.confidence * b.items for b in bins) == pytest.approx(confidence.sum())
    for b in bins:
        assert b.start - 1e-9 <= b.confidence <= b.end + 1e-9
        assert b.low <= b.accuracy + 1e-12
        assert b.accuracy - 1e-12 <= b.high


@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_its_formula(counts):
    hits, n = counts
    z, p = 1.959963984540054, hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low, high = wilson(hits, n)
    assert low == pytest.approx(max(centre - half, 0), abs=1e-9)
    assert high == pytest.approx(min(centre + half, 1), abs=1e-9)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=80))
def test_each_length_is_in_one_part(lengths):
    words = np.array(lengths)
    masks = [mask for _, mask in quarters(words)]
    assert (np.sum(masks, axis=0) == 1).all()


@given(items)
def test_mistakes_are_all_that_are_wrong_the_surest_first(pairs):
    shares = np.stack([1 - np.array([p for p, _ in pairs]), np.array([p for p, _ in pairs])], 1)
    gold = np.array([int(g) for _, g in pairs])
    found = mistaken(gold, shares).tolist()
    assert sorted(found) == [i for i, g in enumerate(gold) if shares[i].argmax() != g]
    sure = [shares[i].max() for i in found]
    assert sure == sorted(sure, reverse=True)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_dots_lie_on_their_scale(values):
    group = DotGroup("x", [Dot(str(v), v, "", v, v) for v in values], [(values[0], "tick")])
    assert all(0 <= group.place(value) <= 100 for value in values)


def test_a_row_without_items_has_no_shade():
    assert Matrix("x", ["a", "b"], [[0, 0], [1, 3]]).share(0, 1) == 0
    assert Matrix("x", ["a", "b"], [[0, 0], [1, 3]]).share(1, 1) == 0.75
