"""What a model knows of a word: its row, its pretrained rows, its character n-grams."""

import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.text import words as module
from birnn.data.text.words import CACHE, MAX_GRAMS, Lexicon, Ragged, word_grams

BUCKETS = 1000


def test_grams_are_those_of_three_to_five_characters_with_borders():
    grams = ["<ab", "ab>", "<ab>"]
    assert sorted(word_grams("ab", BUCKETS)) == sorted(
        zlib.crc32(gram.encode()) % BUCKETS for gram in grams
    )


def test_grams_are_the_same_on_every_machine():
    # Pinned: a changed hash would make trained runs speak nonsense.
    assert word_grams("a", 20_000) == [zlib.crc32(b"<a>") % 20_000] == [17515]


def test_empty_word_still_has_a_gram():
    assert word_grams("", BUCKETS) == [zlib.crc32(b"<>") % BUCKETS]


@given(st.text(max_size=300), st.integers(1, 10**6))
def test_grams_are_few_and_within_the_buckets(word, buckets):
    grams = word_grams(word, buckets)
    assert 1 <= len(grams) <= MAX_GRAMS
    assert all(0 <= gram < buckets for gram in grams)


def test_half_a_surrogate_pair_has_grams():
    assert word_grams("a\ud800b", BUCKETS)


def lexicon(buckets=BUCKETS):
    words = ["<pad>", "<unk>", "film", "#good"]
    return Lexicon(words, ["film", "good", "very", "#tag", "well-known"], buckets)


def test_unknown_word_has_the_unknown_row():
    assert lexicon().word_id("film") == 2
    assert lexicon().word_id("nope") == 1


def test_vector_rows_are_of_the_token_then_its_name_then_its_parts():
    known = lexicon()
    assert known.vector_rows("film") == [0]
    assert known.vector_rows("#tag") == [3]
    assert known.vector_rows("#good") == [1]
    assert known.vector_rows("@film") == [0]
    assert known.vector_rows("#well-known") == [4]
    assert known.vector_rows("very-good-thing") == [2, 1]
    assert known.vector_rows("well-known") == [4]
    assert known.vector_rows("nothing") == []
    assert known.vector_rows("#") == []
    assert known.vector_rows("") == []


def test_model_without_a_gram_table_has_no_grams():
    assert lexicon(buckets=0).grams("film") == []


def test_what_is_known_is_remembered_and_the_memory_is_bounded(monkeypatch):
    assert CACHE >= 1000
    monkeypatch.setattr(module, "CACHE", 2)
    known = lexicon()
    for token in ("film", "film", "a", "b", "c"):
        assert known.known(token) == (
            known.word_id(token), known.vector_rows(token), known.grams(token)
        )  # fmt: skip
    assert len(known._cache) == 2


@given(st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=9), st.data())
def test_ragged_rows_can_be_cut_again_and_taken_in_any_order(rows, data):
    order = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9))
    joined = Ragged.of(rows)
    for ragged, wanted in (
        (joined, rows),
        (joined.take(np.array(order, dtype=np.int64)), [rows[i] for i in order]),
    ):
        assert ragged.flat.dtype == ragged.starts.dtype == np.int64
        cut = zip(ragged.starts, ragged.starts + ragged.sizes, strict=True)
        assert [ragged.flat[a:b].tolist() for a, b in cut] == wanted
        assert len(ragged.flat) == sum(map(len, wanted))
