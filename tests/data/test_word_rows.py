"""Rows of words are the same, gone through once or from a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.text import word_rows
from birnn.data.text.words import Lexicon

WORDS = ["film", "good", "very", "#tag", "well-known", "Film"]


@given(st.lists(st.text("film-#@gdotveryFKn", max_size=8)), st.text(max_size=4))
def test_prepared_or_not_a_token_has_the_same_rows(tokens, other):
    prepared, plain = Lexicon([], WORDS, 0), Lexicon([], WORDS, 0)
    prepared.prepare(tokens)
    for token in [*tokens, *WORDS, other, *tokens]:
        assert prepared.vector_rows(token) == plain.vector_rows(token)


@pytest.mark.parametrize("few", [0, 1, 100])
def test_a_table_is_made_where_more_is_asked_than_was_prepared(few, monkeypatch):
    monkeypatch.setattr(word_rows, "FEW", few)
    known = Lexicon([], WORDS, 0)
    known.prepare(["good"])
    assert known.vector_rows("good") == [1]
    assert known._vector_rows._whole == (few < 1)
    known.prepare(["never looked for"])
    assert known.vector_rows("Film") == [5]
    assert known._vector_rows._whole


@given(st.lists(st.text("ab\u20ac\n", max_size=4), min_size=1))
def test_packed_words_are_the_words(words):
    kept = word_rows.PackedWords(words)
    assert len(kept) == len(words)
    if not any("\n" in word for word in words):
        assert list(kept) == words == kept
        assert kept[1:] == words[1:]


def test_long_lists_are_packed_where_each_word_is_one_line(monkeypatch):
    monkeypatch.setattr(word_rows, "MANY", 3)
    monkeypatch.setattr(word_rows, "PART", 2)
    many = ["a", "bc", "", "def", "g", ""]
    assert isinstance(word_rows.packed(many), word_rows.PackedWords)
    assert list(word_rows.packed(many)) == many
    assert word_rows.packed(["a", "b\nc", "d"]) == ["a", "b\nc", "d"]
    assert word_rows.packed(many[:2]) == many[:2]
