"""What a program may hand to a run, and what is refused in one line."""

import array
from collections import deque
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from birnn.errors import DataError
from birnn.tasks.serving.python_inputs import read_columns, read_sentences, read_texts

WORDS = ["b", "a", "b"]
ORDERED = {
    "list": WORDS, "tuple": tuple(WORDS), "deque": deque(WORDS), "Index": pd.Index(WORDS),
    "values": {1: "b", 2: "a", 3: "b"}.values(), "map": map(str, WORDS), "iterator": iter(WORDS),
    "generator": (word for word in WORDS), "zip": (a for a, _ in zip(WORDS, WORDS, strict=True)),
    "objects": np.array(WORDS, dtype=object), "str array": np.array(WORDS),
    "column": np.array(WORDS).reshape(3, 1), "series": pd.Series(WORDS),
    "string series": pd.Series(WORDS, dtype="string"), "string array": pd.array(WORDS),
    "category series": pd.Series(WORDS, dtype="category"), "Categorical": pd.Categorical(WORDS),
    "Arrow": pa.array(WORDS), "chunked Arrow": pa.chunked_array([WORDS[:1], WORDS[1:]]),
    "numpy strings": [np.str_(word) for word in WORDS],
    "category index": pd.CategoricalIndex(WORDS),
}  # fmt: skip


@pytest.mark.parametrize("kind", ORDERED)
def test_whatever_has_an_order_is_read(kind: str) -> None:
    found = read_texts(ORDERED[kind])
    assert list(found.texts) == WORDS
    assert all(type(text) is str for text in found.texts)


@pytest.mark.parametrize("read", [read_texts, read_sentences])
@pytest.mark.parametrize(
    "data",
    [{"a", "b"}, frozenset("ab"), {"a": 1}, MappingProxyType({"a": 1}), b"ab", bytearray(b"ab"),
     3, None, pd.NA, object(), np.array([["a", "b"]]),
     np.array("a"), pd.Index([1, 2]), array.array("i", [1])],
    ids=lambda data: type(data).__name__)  # fmt: skip
def test_what_has_none_or_holds_no_text_is_one_line(read, data) -> None:
    with pytest.raises(DataError) as caught:
        read(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan"), np.nan, pd.NaT, np.float64("nan")])
@pytest.mark.parametrize("shape", ["list", "Series", "string", "frame", "generator", "Index"])
def test_a_missing_text_is_named_however_it_is_written(missing, shape: str) -> None:
    rows = ["a", missing, "b"]
    strings = [row if isinstance(row, str) else pd.NA for row in rows]
    data = {
        "list": lambda: rows,
        "Series": lambda: pd.Series(rows, dtype=object),
        "string": lambda: pd.Series(strings, dtype="string"),
        "frame": lambda: pd.DataFrame({"text": pd.Series(rows, dtype=object)}),
        "generator": lambda: (row for row in rows),
        "Index": lambda: pd.Index(rows, dtype=object),
    }[shape]()
    with pytest.raises(DataError, match="row 2.* holds no text but (None|NaN|<NA>|NaT)"):
        read_texts(data)


def test_sentences_of_any_kind() -> None:
    wanted = [["a", "b"], ["c"]]
    for data in (wanted, iter(wanted), pd.Series(wanted), pa.array(wanted), [("a", "b"), ("c",)]):
        assert [list(row) for row in read_sentences(data).tokens] == wanted
    for missing in (None, pd.NA, float("nan")):
        with pytest.raises(DataError, match="row 1"):
            read_sentences([missing, ["a"]])
        with pytest.raises(DataError, match="token"):
            read_sentences([["a", missing]])


def test_rows_of_several_texts() -> None:
    wanted = {"query": ["a", "c"], "title": ["b", "d"]}
    pairs = [("a", "b"), ("c", "d")]
    for data in (pairs, iter(pairs), (pair for pair in pairs), np.array(pairs, dtype=object)):
        if isinstance(data, np.ndarray):
            data = list(data)
        assert read_columns(data, list(wanted)).columns == wanted
    for data in ({("a", "b")}, "ab", [3], None, [("a",)], ["ab"]):
        with pytest.raises(DataError, match="tuples"):
            read_columns(data, list(wanted))
