"""Windows: value by value against a brute-force construction, and nothing from after the origin."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from birnn.data.series.windows import WindowShape, WindowSplit, fit_scaling, windows_between

from forecast_cases import NAN, gappy, make_panel, noise
from strategies import quick


def with_gaps(table, seed):
    table[np.random.default_rng(seed).random(table.shape) < 0.2] = NAN
    return table


@st.composite
def splits(draw):
    """Series of their own starts and lengths, with every kind of covariate, and all windows."""
    rows = draw(st.lists(gappy(1, 14), min_size=1, max_size=3))
    ahead = draw(st.integers(0, 3))  # rows beyond the history, with known future covariates alone
    panel = make_panel(*[[*row, *[NAN] * ahead] for row in rows])
    ends = np.array([len(row) for row in rows])
    seed, shared = draw(st.integers(0, 99)), draw(st.booleans())
    # Series of a wide file lie in one table of covariates, each from its own first row on.
    places = np.array([draw(st.integers(0, 4)) for _ in rows]) if shared else panel.offsets[:-1]
    size = int((places + ends + ahead).max())
    kinds = [draw(st.integers(0, 2)) for _ in range(3)]
    panel = replace(
        panel, ends=ends, covariate_offsets=places,
        past=with_gaps(noise(seed, size, kinds[0]), seed),
        future=with_gaps(noise(seed + 1, size, kinds[1]), seed),
        static=with_gaps(noise(seed + 2, len(rows), kinds[2]), seed),
    )  # fmt: skip
    shape = WindowShape(*(draw(st.integers(1, most)) for most in (9, 4, 4)))
    every = [(i, o) for i in range(len(rows)) for o in range(ends[i] + 1)]
    chosen = draw(st.lists(st.sampled_from(every), min_size=1, max_size=6))
    series, origin = np.array(chosen).T
    ids = np.array([draw(st.integers(0, 5)) for _ in rows])
    return WindowSplit(panel, shape, fit_scaling(panel, ends), series, origin, ids)


def scaled(value, moments):
    """A number of a covariate, or what stands for a missing one."""
    return (value - moments[0]) / moments[1] if np.isfinite(value) else 0.0


def brute(split, window):
    """All parts of one window, step by step."""
    panel, shape, scaling = split.panel, split.shape, split.scaling
    i, origin = int(split.series[window]), int(split.origin[window])
    start, place = int(panel.offsets[i]), int(panel.covariate_offsets[i])
    rows = int(panel.offsets[i + 1]) - start
    length = max(1, -(-min(origin, shape.lookback) // shape.segment))
    values, observed, covariates = [], [], []
    for step in range(origin - length * shape.segment, origin):
        value = panel.values[start + step] if origin - shape.lookback <= step >= 0 else NAN
        observed.append(float(np.isfinite(value)))
        values.append(scaled(value, (scaling.shift[i], scaling.scale[i])))
        found = []
        for table, moments in ((panel.past, scaling.past), (panel.future, scaling.future)):
            for k in range(table.shape[1]):
                found.append(scaled(table[place + step, k] if step >= 0 else NAN, moments[:, k]))
        covariates.append(found)
    ahead, targets = [], []
    for step in range(origin, origin + shape.horizon):
        value = panel.values[start + step] if step < panel.ends[i] else NAN
        targets.append((value - scaling.shift[i]) / scaling.scale[i])
        ahead.append(
            [
                scaled(panel.future[place + step, k] if step < rows else NAN, scaling.future[:, k])
                for k in range(panel.future.shape[1])
            ]
        )
    static = [
        scaled(panel.static[i, k], scaling.static[:, k]) for k in range(panel.static.shape[1])
    ]
    return length, values, observed, covariates, ahead, targets, static


@quick
@given(split=splits())
def test_batches_are_those_of_brute_force(split):
    batch = split.batch(np.arange(len(split)))
    size, width = split.shape.segment, int(batch.lengths.max())
    sizes = (split.panel.past.shape[1] + split.panel.future.shape[1], split.panel.future.shape[1])
    assert ("covariates" in batch.inputs) == (sizes[0] > 0)
    assert ("ahead" in batch.inputs) == (sizes[1] > 0)
    assert all(
        part.dtype == torch.float32 for name, part in batch.inputs.items() if name != "series"
    )
    for b in range(len(split)):
        length, *parts = brute(split, b)
        values, observed, covariates, ahead, targets, static = map(np.array, parts)
        assert batch.lengths[b] == split.lengths[b] == length
        read = {name: part[b].numpy() for name, part in batch.inputs.items()}
        assert read["segments"].shape == (width, size)
        close(read["segments"][:length].ravel(), values)
        close(read["observed"][:length].ravel(), observed)
        close(read["static"], static)
        if sizes[0]:
            close(read["covariates"][:length].reshape(-1, sizes[0]), covariates)
        if sizes[1]:
            close(read["ahead"], ahead)
        for name in ("segments", "observed", *(["covariates"] if sizes[0] else [])):
            assert not read[name][length:].any()
        assert read["series"] == split.ids[split.series[b]]
        close(batch.targets[b].numpy(), targets)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@quick
@given(split=splits())
def test_histories_and_futures_come_back_in_the_units_of_the_series(split):
    indices = np.arange(len(split))
    for values in (split.histories(indices), split.futures(indices)):
        back = split.original(split.scaled(values, indices), indices)
        np.testing.assert_allclose(back, values, atol=1e-9)


@quick
@given(split=splits(), other=st.sampled_from([NAN, 1e6, -3.5]))
def test_nothing_from_the_origin_on_reaches_a_network(split, other):
    """Values and past covariates at or after the origin change targets alone, to the bit."""
    for window in range(len(split)):
        one = split.chosen(np.array([window]))
        panel, i, origin = split.panel, int(one.series[0]), int(one.origin[0])
        values, past = panel.values.copy(), panel.past.copy()
        start, place = int(panel.offsets[i]), int(panel.covariate_offsets[i])
        values[start + origin : panel.offsets[i + 1]] = other
        past[place + origin :] = other
        changed = replace(one, panel=replace(panel, values=values, past=past))
        first, second = one.batch(np.array([0])), changed.batch(np.array([0]))
        assert first.inputs.keys() == second.inputs.keys()
        for name, part in first.inputs.items():
            assert torch.equal(part, second.inputs[name]), name
        np.testing.assert_array_equal(
            one.histories(np.array([0])), changed.histories(np.array([0]))
        )
        there = min(split.horizon, int(panel.ends[i]) - origin)
        wanted = (other - split.shift[i]) / split.scale[i]
        np.testing.assert_allclose(second.targets[0, :there], wanted, rtol=1e-6)


@quick
@given(rows=st.lists(gappy(2, 20), min_size=1, max_size=3), data=st.data())
def test_scaling_is_that_of_scikit_learn_on_the_training_rows_alone(rows, data):
    panel = make_panel(*rows)
    panel = replace(
        panel, past=with_gaps(noise(1, len(panel.values), 2), 1),
        future=noise(2, len(panel.values), 1), static=noise(3, len(rows), 2),
    )  # fmt: skip
    ends = np.array([data.draw(st.integers(1, len(row))) for row in rows])
    scaling = fit_scaling(panel, ends)
    for i, row in enumerate(rows):
        known = np.array(row[: ends[i]])[:, None]
        if np.isfinite(known).any():
            wanted = StandardScaler().fit(known)
            np.testing.assert_allclose(scaling.shift[i], wanted.mean_[0], atol=1e-9)
            np.testing.assert_allclose(scaling.scale[i], wanted.scale_[0], atol=1e-9)
        else:
            assert (scaling.shift[i], scaling.scale[i]) == (0, 1)
    training = np.concatenate([panel.offsets[i] + np.arange(ends[i]) for i in range(len(rows))])
    for name in ("past", "future"):
        table = getattr(panel, name)[training]
        for k in range(table.shape[1]):
            if np.isfinite(table[:, k]).any():
                wanted = StandardScaler().fit(table[:, k : k + 1])
                found = getattr(scaling, name)[:, k]
                np.testing.assert_allclose(found, [wanted.mean_[0], wanted.scale_[0]])
    later = np.setdiff1d(np.arange(len(panel.values)), training)
    changed = [part.copy() for part in (panel.values, panel.past, panel.future)]
    for part in changed:
        part[later] = 1e9
    again = replace(panel, values=changed[0], past=changed[1], future=changed[2])
    for name, part in vars(fit_scaling(again, ends)).items():
        np.testing.assert_array_equal(part, getattr(scaling, name))


def test_shared_covariates_are_counted_once():
    panel = replace(
        make_panel(np.arange(4.0), np.arange(4.0)), covariate_offsets=np.array([0, 2]),
        past=np.array([[1.0], [2.0], [3.0], [10.0], [11.0], [99.0]]),
    )  # fmt: skip
    scaling = fit_scaling(panel, np.array([4, 3]))
    wanted = np.array([1.0, 2, 3, 10, 11])
    np.testing.assert_allclose(scaling.past[:, 0], [wanted.mean(), wanted.std()])


def test_a_constant_series_keeps_its_unit():
    scaling = fit_scaling(make_panel([0.1] * 7, [0.0] * 3, [1e12] * 9), np.array([7, 3, 9]))
    assert scaling.scale.tolist() == [1, 1, 1]


@quick
@given(rows=st.integers(1, 30), low=st.integers(0, 9), horizon=st.integers(1, 6))
def test_whole_series_have_rows_less_the_horizon_plus_1_windows(rows, low, horizon):
    panel = make_panel(np.ones(rows))
    series, origin = windows_between(panel, np.array([low]), np.array([rows]), horizon)
    first = max(low, 1)
    assert len(series) == max(0, rows - first - horizon + 1)
    assert origin.tolist() == list(range(first, first + len(origin)))


@quick
@given(
    rows=st.lists(gappy(1, 15), min_size=1, max_size=3), horizon=st.integers(1, 4),
    stride=st.integers(1, 5), data=st.data(),
)  # fmt: skip
def test_windows_between_are_those_of_brute_force(rows, horizon, stride, data):
    low = np.array([data.draw(st.integers(0, len(row))) for row in rows])
    high = np.array([data.draw(st.integers(0, len(row))) for row in rows])
    found = windows_between(make_panel(*rows), low, high, horizon, stride=stride)
    wanted = [
        (i, o)
        for i, row in enumerate(rows)
        for o in range(max(low[i], 1), high[i] - horizon + 1, stride)
        if np.isfinite(row[:o]).any() and np.isfinite(row[o : o + horizon]).any()
    ]
    assert list(zip(*found, strict=True)) == wanted


@pytest.mark.parametrize(("lookback", "segment", "count"), [(8, 4, 2), (9, 4, 3), (3, 4, 1)])
def test_segments_of_a_window(lookback, segment, count):
    assert WindowShape(lookback, 1, segment).segments == count


def test_a_choice_of_windows_keeps_their_order():
    panel = make_panel(np.arange(9.0))
    scaling = fit_scaling(panel, panel.ends)
    split = WindowSplit(
        panel, WindowShape(2, 1, 1), scaling, np.zeros(5, int), np.arange(2, 7), np.ones(1, int)
    )
    assert split.chosen([3, 0]).origin.tolist() == [5, 2]
    assert len(split.chosen([])) == 0
