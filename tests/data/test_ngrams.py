"""N-gram features kept as counts equal scikit-learn's own fitted vectorisers."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from birnn.data.text.ngrams import NgramTable, bag
from birnn.data.text.tokenizers import get_tokenizer

from writers import sentences

TRAIN = [text for text, _ in sentences(150)] + ["Ünï ©ode 👍👍", "NUL \0 here", "so, so!! so."]
HELD_OUT = [text for text, _ in sentences(40)] + ["", "   ", "unseen words only", "👍 so so film"]
TOKENIZERS = ["social", "whitespace", "basic_english"]


def oracle(texts, tokenizer):
    """scikit-learn's vectorisers, spelled out and fitted."""
    options = {"sublinear_tf": True, "dtype": np.float32}
    words = TfidfVectorizer(
        tokenizer=tokenizer, token_pattern=None, lowercase=False, ngram_range=(1, 2), **options
    )
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, **options)
    return words.fit(texts), chars.fit(texts)


def stored(table):
    """``table`` as a run folder gives it back."""
    values = json.loads(
        json.dumps({"texts": table.texts, "words": table.words, "chars": table.chars})
    )
    return NgramTable(values["texts"], values["words"], values["chars"])


@pytest.mark.parametrize("name", TOKENIZERS)
def test_transform_equals_fitted_scikit_learn_after_a_round_trip(name):
    tokenizer = get_tokenizer(name)
    table = stored(NgramTable.fit(TRAIN, tokenizer))
    fitted = oracle(TRAIN, tokenizer)
    assert len(table) == sum(len(part.vocabulary_) for part in fitted)
    for texts in (TRAIN, HELD_OUT):
        found = table.transform(texts, tokenizer).toarray()
        wanted = np.hstack([part.transform(texts).toarray() for part in fitted])
        np.testing.assert_allclose(found, wanted, atol=1e-6)


@given(st.lists(st.text(alphabet="ab cÄß.\u0301", max_size=12), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_texts_round_trip(texts):
    tokenizer = get_tokenizer("whitespace")
    table = NgramTable.fit(texts, tokenizer)
    found = stored(table).transform(texts, tokenizer)
    assert found.shape == (len(texts), len(table))
    assert np.isfinite(found.data).all()
    assert abs(table.transform(texts, tokenizer) - found).sum() == 0


def test_counts_are_of_texts_not_of_occurrences():
    table = NgramTable.fit(["a a a b", "a c", "b b"], get_tokenizer("whitespace"))
    assert table.texts == 3
    assert {name: table.words[name] for name in "abc"} == {"a": 2, "b": 2, "c": 1}
    assert table.words["a a"] == 1
    assert min(table.chars.values()) == 2


def test_texts_without_any_word_leave_an_empty_table():
    tokenizer = get_tokenizer("whitespace")
    table = NgramTable.fit([" ", ""], tokenizer)
    assert len(table) == 0
    assert table.transform(["a text"], tokenizer).shape == (1, 0)


def test_bag_holds_the_sparse_rows():
    tokenizer = get_tokenizer("whitespace")
    rows = NgramTable.fit(TRAIN, tokenizer).transform(HELD_OUT, tokenizer)
    ids, values, offsets = bag(rows)
    dense = np.zeros(rows.shape)
    for row, (start, end) in enumerate(zip(offsets, [*offsets[1:], len(ids)], strict=True)):
        dense[row, ids[start:end]] = values[start:end]
    np.testing.assert_array_equal(dense, rows.toarray())
