"""Intervals of means over folds, beside numpy's own arithmetic."""

import numpy as np
import pytest
from scipy import stats

from birnn.tasks.scoring.folds import spread


def test_the_corrected_interval_is_that_of_nadeau_and_bengio():
    values = [0.81, 0.79, 0.84, 0.80, 0.78]
    found = spread(values, 0.25)
    variance = (1 / 5 + 0.25) * np.var(values, ddof=1)
    mean, half = np.mean(values), stats.t.ppf(0.975, 4) * np.sqrt(variance)
    assert found.mean == pytest.approx(mean)
    assert found.std == pytest.approx(np.std(values, ddof=1))
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half))


def test_without_shared_rows_it_is_students():
    values = [1.0, 4.0, 2.0]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert (spread(values).low, spread(values).high) == pytest.approx((low, high))


def test_shares_stay_shares_and_one_value_has_no_interval():
    assert spread([0.9, 0.99], 1.0, share=True).high == 1.0
    one = spread([3.0])
    assert (one.mean, one.std, one.low, one.interval.known) == (3.0, 0.0, None, False)
