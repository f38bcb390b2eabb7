"""Tokens of raw text keep their places, and nothing but spaces is lost."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from birnn.data.text.offsets import MARKS, token_offsets

from strategies import quick


def tokens(text: str) -> list[str]:
    return [text[a:b] for a, b in token_offsets(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I don't know.", "I do n't know ."),
        ("It’s John's, isn't it?", "It ’s John 's , is n't it ?"),
        ("We've they'll I'm", "We 've they 'll I 'm"),
        ("The U.S. e-mail cost $3.5 or 1,000!", "The U.S. e-mail cost $ 3.5 or 1,000 !"),
        ("see http://t.co/x?y=1, ok", "see http://t.co/x?y=1 , ok"),
        ("mail a.b@c.org now", "mail a.b@c.org now"),
        ("@you #tag :) <3 :-D", "@you #tag :) <3 :-D"),
        ("wait... what!!", "wait ... what !!"),
        ("(a) [b]", "( a ) [ b ]"),
        ('say "yes"', 'say " yes "'),
        ("shouldn't've they’ll", "should n't 've they ’ll"),
        ("do n't John 's", "do n't John 's"),
        ("O'Brien l'homme dogs'", "O'Brien l'homme dogs '"),
        ("In London.Then node.js", "In London . Then node.js"),
        ("e.g. Dr. Who, U.S.", "e.g. Dr. Who , U.S."),
        ("AT&T 10:30 2020-01-02", "AT&T 10:30 2020-01-02"),
        ("(see 8) f:(x) note:D", "( see 8 ) f : ( x ) note : D"),
        ("東京タワー Tokyo", "東 京 タ ワ ー Tokyo"),
        ("#東京 @ab_c", "#東京 @ab_c"),
    ],
)
def test_tokens_are_near_those_of_treebanks_and_tweets(text, wanted):
    assert tokens(text) == wanted.split()


@pytest.mark.parametrize(
    "whole",
    ["e\u0301te\u0301", "👩‍👩‍👧", "👍🏽", "🇫🇷", "❤️", "हिन्दी", "n\u0303"],
)
def test_what_belongs_to_a_base_is_never_split_from_it(whole):
    assert tokens(f"a {whole} b") == ["a", whole, "b"]


@pytest.mark.parametrize("space", ["\u00a0", "\u2028", "\u3000", "\u200b", "\t", "\n", "\r\n"])
def test_odd_spaces_separate(space):
    assert tokens(f"New{space}York") == ["New", "York"]


SPACES = "\u200b\ufeff"


@quick
@given(st.text(max_size=80))
@example("\u0301a")
@example("a\u200db")
@example("'s n't '")
def test_any_text_is_covered_in_order(text):
    found = token_offsets(text)
    place = 0
    for start, end in found:
        assert place <= start < end
        gap = text[place:start]
        assert all(c.isspace() or c in SPACES for c in gap), repr(gap)
        assert not any(c.isspace() for c in text[start:end])
        place = end
    assert all(c.isspace() or c in SPACES for c in text[place:])


@quick
@given(st.text(st.characters(categories=["Lu", "Ll", "Mn", "Nd", "Po", "Zs"]), max_size=60))
def test_a_mark_never_begins_a_token_that_follows_another(text):
    for start, _ in token_offsets(text):
        if start and unicodedata.category(text[start]) == "Mn":
            assert text[start - 1].isspace()


def test_no_mark_stands_where_none_is_looked_for():
    there = {code for code in range(0x110000) if unicodedata.category(chr(code)) in MARKS}
    assert max(code for code in there if code < 0xE0000) < 0x20000
    assert max(there) < 0xE1000


@pytest.mark.parametrize(
    "unit", ["a", "a.", "-", "http://", "'s", "👍", "@#", "a@b.", "\u0301", "1,"]
)
def test_a_long_text_takes_linear_time(unit):
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        started = time.process_time()
        assert token_offsets(text)
        return time.process_time() - started

    seconds(1000)
    # Not a timed test of speed: a quadratic pattern would take hours for the second.
    assert seconds(300_000) < 20
