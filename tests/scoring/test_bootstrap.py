"""Resamples, replicates and percentile intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.tasks.scoring.bootstrap import RESAMPLES, Interval, interval, replicates, resample_counts


@given(st.integers(1, 50), st.integers(0, 2**31), st.integers(1, 30))
@settings(max_examples=50, deadline=None)
def test_counts_sum_to_the_number_of_items(items, seed, resamples):
    counts = np.concatenate(list(resample_counts(items, seed, resamples)))
    assert counts.shape == (resamples, items)
    assert (counts.sum(1) == items).all()
    assert (counts >= 0).all()
    assert (counts == np.round(counts)).all()


def test_counts_follow_their_seed():
    first, same, other = (np.concatenate(list(resample_counts(20, seed, 50))) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_counts_are_those_of_drawing_with_replacement():
    counts = np.concatenate(list(resample_counts(10, 0, 20_000)))
    assert counts.mean(0) == pytest.approx(np.ones(10), abs=0.05)
    # Binomial(10, 1/10): variance 0.9, and absent from (9/10)^10 of the resamples.
    assert counts.var() == pytest.approx(0.9, abs=0.02)
    assert (counts == 0).mean() == pytest.approx(0.9**10, abs=0.01)


def test_many_items_come_in_chunks_that_together_are_all():
    chunks = list(resample_counts(1_000_000, 0, 10))
    assert len(chunks) > 1
    assert sum(map(len, chunks)) == 10


def test_replicates_join_the_chunks():
    values = np.arange(5.0)
    found = replicates(lambda counts: {"mean": counts @ values / 5}, 5, seed=4)
    counts = np.concatenate(list(resample_counts(5, 4)))
    assert len(found["mean"]) == RESAMPLES
    np.testing.assert_allclose(found["mean"], counts @ values / 5)


def test_interval_is_of_percentiles():
    found = interval(0.3, np.arange(1001.0))
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 25.0, 975.0))
    assert Interval(1.0, 0.5, 2.0).to_json() == {"value": 1.0, "low": 0.5, "high": 2.0}


def test_resamples_without_a_value_are_left_out():
    values = np.array([np.nan, 1.0, np.inf, 2.0])
    found = interval(1.5, values)
    assert 1.0 <= found.low <= found.high <= 2.0
    assert interval(1.5, np.array([np.nan])) == Interval(1.5, 1.5, 1.5, known=False)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        hits = (generator.random(150) < 0.7).astype(float)
        found = replicates(lambda counts, hits=hits: {"a": counts @ hits / 150}, 150, seed)
        part = interval(hits.mean(), found["a"])
        covered += part.low <= 0.7 <= part.high
    assert 0.88 <= covered / 200 <= 0.99
