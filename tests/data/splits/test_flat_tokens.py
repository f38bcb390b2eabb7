"""Joined sequences are padded, and their tokens numbered, as a loop over them would."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.splits.flat import padded_places, renumbered

ROWS = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5), min_size=1, max_size=6)


@given(ROWS, st.data())
def test_places_are_those_of_the_chosen_sequences(rows, data):
    order = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=6)))
    lengths = np.array(list(map(len, rows)))
    starts = np.cumsum(lengths) - lengths
    flat = np.array([value for row in rows for value in row])
    places, mask = padded_places(starts[order], lengths[order])
    assert mask.shape == (len(order), lengths[order].max())
    padded = np.full(mask.shape, -1)
    padded[mask] = flat[places]
    for item, found in zip(order, padded, strict=True):
        assert found[found >= 0].tolist() == rows[item]
        assert (found[len(rows[item]) :] == -1).all()


@given(st.lists(st.integers(0, 20), min_size=1))
def test_values_are_numbered_as_numpy_does(values):
    types = np.array(values, dtype=np.int32)
    distinct, numbers = renumbered(types, 21)
    wanted, inverse = np.unique(types, return_inverse=True)
    assert distinct.tolist() == wanted.tolist()
    assert numbers.tolist() == inverse.tolist()
