"""What the spelling of a token says."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tags.spelling import (
    AFFIX_SLOTS,
    CASE_SIZE,
    MAX_CHARACTERS,
    affixes,
    case_features,
    frequent,
    letters,
    pad_letters,
)

tokens = st.text(min_size=1, max_size=60)


@given(tokens)
def test_every_token_has_its_slots(token):
    assert len(affixes(token)) == AFFIX_SLOTS
    assert len(case_features(token)) == CASE_SIZE
    assert 1 <= len(letters(token)) <= MAX_CHARACTERS


@given(tokens)
def test_a_long_token_keeps_its_beginning_and_its_end(token):
    found = letters(token)
    half = MAX_CHARACTERS // 2
    assert found[:half] == token[:half]
    assert found[-half:] == token[-half:]


@pytest.mark.parametrize(
    ("token", "other"),
    [("us", "US"), ("us", "Us"), ("Us", "US"), ("mcdonald", "McDonald"), ("abc", "ab1"),
     ("123", "12a"), ("ab", "a-b"), ("...", "abc"), ("#tag", "tag"), ("@me", "me")],
)  # fmt: skip
def test_ways_of_writing_are_told_apart(token, other):
    assert case_features(token) != case_features(other)


@given(st.lists(st.sampled_from("abcde")), st.integers(1, 4))
def test_frequent_ones_come_by_falling_count(values, least):
    found = frequent(values, least)
    counts = Counter(values)
    assert found[:2] == ["<pad>", "<unk>"]
    assert set(found[2:]) == {v for v, n in counts.items() if n >= least}
    assert [counts[v] for v in found[2:]] == sorted((counts[v] for v in found[2:]), reverse=True)


def test_letters_become_padded_numbers():
    ids, lengths = pad_letters(["ab", "c", "bca"], {"a": 2, "b": 3}, 1)
    np.testing.assert_array_equal(ids, [[2, 3, 0], [1, 0, 0], [3, 1, 2]])
    np.testing.assert_array_equal(lengths, [2, 1, 3])
