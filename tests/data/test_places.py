"""Where changed tokens and n-grams stand in the text as given."""

import html

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.text.ngram_places import char_places, share_out
from birnn.data.text.ngrams import NgramTable, word_chars
from birnn.data.text.places import Placed, placed_tokens, words_of
from birnn.data.text.social_tokens import LINK, social_tokens
from birnn.data.text.tokenizers import get_tokenizer

PIECES = ["&amp;", "&lt", "&#39;", "&nbsp;", "&notit;", "&", "İ", "ẞ", "Σ", "’", "`", "!!!", "....",
          "http://a.b/c", "don't", "LOVE", " ", "\n", "日本", "👍", "#tag", ":)", "ﬁ"]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12).map("".join)


@given(texts)
def test_places_are_those_of_the_tokens(text):
    placed = placed_tokens(text, "social")
    assert [one.token for one in placed] == social_tokens(text)
    last = 0
    for one in placed:
        start, end = one.place
        assert last <= start <= end <= len(text)
        last = end
        slice_ = html.unescape(text[start:end]).lower().replace("’", "'").replace("`", "'")
        if one.token != LINK and start < end:
            assert slice_.startswith(one.token[:1]) or not slice_.isascii()


@given(texts)
def test_what_stands_outside_of_tokens_is_blank(text):
    covered = {i for one in placed_tokens(text, "social") for i in range(*one.place)}
    rest = "".join(c for i, c in enumerate(text) if i not in covered)
    assert not html.unescape(rest).strip() or "&" in text


@pytest.mark.parametrize("name", ["basic_english", "whitespace"])
@given(texts)
def test_tokens_of_others_are_looked_for(name, text):
    placed = placed_tokens(text, name)
    assert [one.token for one in placed] == get_tokenizer(name)(text)
    last = 0
    for one in placed:
        if one.place is not None:
            assert last <= one.place[0] <= one.place[1] <= len(text)
            last = one.place[1]


@given(texts)
def test_words_are_those_that_are_counted(text):
    found = words_of(text)
    assert [word for word, _ in found] == text.lower().split()
    for word, origin in found:
        assert len(word) == len(origin)
        assert "".join(text[i].lower() for i in dict.fromkeys(origin)).startswith(word[:1])


@given(st.text(min_size=1, max_size=9))
def test_places_of_character_ngrams_are_in_step_with_their_counting(word):
    places = list(char_places(word))
    assert [gram for gram, _ in places] == list(word_chars(word))
    for gram, letters in places:
        assert gram.strip() in word or " " in word
        assert len(letters) >= 1


@given(st.lists(texts, min_size=1, max_size=4), st.integers(0, 2**31))
def test_all_that_ngrams_add_is_shared_out(rows, seed):
    tokenizer = get_tokenizer("social")
    table = NgramTable.fit(rows + rows, tokenizer)
    if not len(table):
        return
    slopes = np.random.default_rng(seed).normal(size=len(table))
    for text, row in zip(rows, np.asarray(table.transform(rows, tokenizer).todense()), strict=True):
        columns = np.flatnonzero(row)
        shares = share_out(text, placed_tokens(text, "social"), table, columns,
                           slopes[columns] * row[columns])  # fmt: skip
        assert shares.tokens.sum() + shares.outside == pytest.approx(float(slopes @ row), abs=1e-6)


def test_each_word_gets_its_own():
    """By hand: a word of its own, half of a pair, and the letters of n-grams."""
    tokenizer = get_tokenizer("social")
    table = NgramTable.fit(["good bad"], tokenizer)
    numbers = {name: column for column, name in enumerate(table.words)}
    columns = np.array([numbers["good"], numbers["good bad"]])
    placed = placed_tokens("good bad", "social")
    assert placed == [Placed("good", (0, 4)), Placed("bad", (5, 8))]
    shares = share_out("good bad", placed, table, columns, np.array([1.0, 3.0]))
    assert shares.tokens.tolist() == [2.5, 1.5]
    assert shares.outside == 0
