"""JSON and no more: what is read is what was written, and anything else is refused in words."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.tasks.web.refusals import Refused
from birnn.tasks.web.strict_json import encode, parse

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(10**100), 10**100) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(VALUES)
def test_there_and_back(value):
    assert parse(encode(value)) == value
    assert parse(json.dumps(value).encode()) == value


@given(st.binary())
def test_any_bytes(data):
    with contextlib.suppress(Refused):
        parse(data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "'a' stands there twice"), ("NaN", "no NaN"), ("[-Infinity]", "-Inf"),
        ("1e400", "beyond"), ("[" * 10**6, "deeply"), ("9" * 5000, "digits"), ("{", "line 1"),
    ],
)  # fmt: skip
def test_refusals_say_what_is_wrong(text, words):
    with pytest.raises(Refused) as refused:
        parse(text.encode())
    assert words in refused.value.message


def test_what_json_can_not_say():
    assert (
        encode({"a": [math.nan, math.inf, 1.5], "b": "\ud800"}) == b'{"a":[null,null,1.5],"b":"?"}'
    )
