"""Where rows come from: duplicates, overlap, and cuts that are fair."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.data.splits.cutting import cut
from birnn.data.splits.provenance import audit, duplicates, normalise, overlaps
from birnn.errors import DataError

LABELS = st.sampled_from(["a", "b", "c"])
# Few words in odd spellings: many rows are the same text once normalised.
WORDS = st.sampled_from(["So", "so", "SO ", "good", " Good", "film", "Film\n", "ß", "SS", "x", "y"])
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)


@given(st.lists(st.tuples(TEXTS, LABELS), min_size=1, max_size=60), st.floats(0.05, 0.6))
@settings(max_examples=200, deadline=None)
def test_no_text_stands_on_both_sides_of_a_cut(rows, share):
    texts, labels = zip(*rows, strict=True)
    try:
        first, second = cut(texts, labels, share, seed=0)
    except DataError:
        return
    assert sorted([*first, *second]) == list(range(len(rows)))
    assert list(first) == sorted(first)
    assert list(second) == sorted(second)
    sides = [{normalise(texts[row]) for row in side} for side in (first, second)]
    assert sides[0].isdisjoint(sides[1])
    assert all(sides)


@given(st.integers(0, 2**31), st.floats(0.1, 0.5), st.integers(20, 200))
@settings(max_examples=50, deadline=None)
def test_cut_keeps_the_shares_of_classes(seed, share, count):
    labels = ["a" if i % 4 else "b" for i in range(count)]
    texts = [f"text {i}" for i in range(count)]
    _, second = cut(texts, labels, share, seed)
    size = len(second)
    assert size == max(round(share * count), 2)
    found = Counter(labels[row] for row in second)
    assert abs(found["b"] - size * labels.count("b") / count) <= 1


def test_cut_follows_its_seed():
    texts, labels = [f"text {i}" for i in range(100)], ["a", "b"] * 50
    same = [cut(texts, labels, 0.2, seed) for seed in (1, 1, 2)]
    assert np.array_equal(same[0][1], same[1][1])
    assert not np.array_equal(same[0][1], same[2][1])


def test_class_of_one_text_is_trained_on():
    texts = [f"text {i}" for i in range(20)] + ["lonely"]
    first, second = cut(texts, ["a", "b"] * 10 + ["rare"], 0.2, 0)
    assert 20 in first
    assert len(second) == 4


@pytest.mark.parametrize("texts", [["x"], ["x", "X "], ["x", "y"]])
def test_too_few_texts_are_refused(texts):
    with pytest.raises(DataError, match="too few"):
        cut(texts, ["a", "b", "a"][: len(texts)], 0.5, 0)


@given(st.lists(TEXTS, max_size=30))
def test_duplicates_are_the_rows_beyond_the_distinct_ones(texts):
    assert duplicates(texts) == len(texts) - len(set(texts))


@given(st.lists(TEXTS, max_size=20), st.lists(TEXTS, max_size=20), st.lists(TEXTS, max_size=20))
def test_overlap_counts_rows_of_the_later_split(train, validation, test):
    found = overlaps({"train": train, "validation": validation, "test": test})
    assert found == {
        "train/validation": sum(text in train for text in validation),
        "train/test": sum(text in train for text in test),
        "validation/test": sum(text in validation for text in test),
    }


def test_audit_tells_exact_from_normalised():
    found = audit({"train": ["A b", "a  B ", "c"], "test": ["a b", "C", "c", "d"]})
    assert found["duplicates"]["exact"] == {"train": 0, "test": 0}
    assert found["duplicates"]["normalised"] == {"train": 1, "test": 1}
    assert found["overlap"]["exact"] == {"train/test": 1}
    assert found["overlap"]["normalised"] == {"train/test": 3}
