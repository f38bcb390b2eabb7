"""N-gram features kept as counts equal scikit-learn's own fitted vectorisers."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from birnn.data.text.ngrams import (
    NgramTable,
    Tokens,
    bag,
    count_chars,
    inverse_frequencies,
    weigh,
)
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


ODD = st.text(alphabet="ab A.\0\t\n\x1c\x85\u00a0\u2028\u0130\u00df\u0301\ud800👍", max_size=14)
TEXTS = st.lists(st.one_of(ODD, st.text(max_size=30)), min_size=1, max_size=8)


def same_counts(found, texts, vectorizer, held_out):
    """Whether names, order and numbers are those of scikit-learn, in train and in other texts."""
    count, other = found
    try:
        rows = vectorizer.fit_transform(texts)
    except ValueError:  # no n-gram at all
        assert count.vocabulary(vectorizer.min_df) == {}
        return
    vocabulary = count.vocabulary(vectorizer.min_df)
    assert list(vocabulary) == vectorizer.get_feature_names_out().tolist()
    assert list(vocabulary.values()) == (rows > 0).sum(0).tolist()[0]
    columns = {name: i for i, name in enumerate(vocabulary)}
    for own, wanted in ((count, rows), (other, vectorizer.transform(held_out))):
        own = own.in_columns(columns)
        assert own.shape == wanted.shape
        for part in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(own, part), getattr(wanted, part))


@pytest.mark.parametrize("longest", [1, 2])
@given(texts=TEXTS, held_out=TEXTS)
@settings(max_examples=60, deadline=None)
def test_words_are_counted_as_scikit_learn_counts_them(longest, texts, held_out):
    def with_blanks(text):  # a tokeniser that keeps blanks: two n-grams of one name
        return [part for part in text.replace("a", "|a ").split("|") if part]

    for tokenizer in (str.split, with_blanks):
        vectorizer = CountVectorizer(tokenizer=tokenizer, token_pattern=None, lowercase=False,
                                     ngram_range=(1, longest), dtype=np.float32)  # fmt: skip
        found = [Tokens.cut(part, tokenizer).count(longest) for part in (texts, held_out)]
        same_counts(found, texts, vectorizer, held_out)


@pytest.mark.parametrize("least", [1, 2])
@given(texts=TEXTS, held_out=TEXTS)
@settings(max_examples=60, deadline=None)
def test_characters_are_counted_as_scikit_learn_counts_them(least, texts, held_out):
    vectorizer = CountVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=least,
                                 dtype=np.float32)  # fmt: skip
    same_counts([count_chars(part) for part in (texts, held_out)], texts, vectorizer, held_out)


def test_weights_are_scikit_learns_to_the_bit():
    texts = TRAIN * 30  # more rows than are weighted at once
    vocabulary = count_chars(texts).vocabulary(2)
    idf = inverse_frequencies(vocabulary, len(texts))
    columns = {name: i for i, name in enumerate(vocabulary)}
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True,
                                 dtype=np.float32, vocabulary=columns)  # fmt: skip
    vectorizer.idf_ = idf
    found, wanted = weigh(count_chars(texts).in_columns(columns), idf), vectorizer.transform(texts)
    assert found.dtype == wanted.dtype == np.float32
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(found, part), getattr(wanted, part))


def test_n_grams_are_counted_without_scikit_learn():
    code = "import sys, birnn.data.text.ngrams; print([m for m in sys.modules if 'sklearn' in m])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@given(st.lists(st.text(alphabet="ab cÄß.\u0301", max_size=12), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_texts_round_trip(texts):
    tokenizer = get_tokenizer("whitespace")
    table = NgramTable.fit(texts, tokenizer)
    found = stored(table).transform(texts, tokenizer)
    assert found.shape == (len(texts), len(table))
    assert np.isfinite(found.data).all()
    assert abs(table.transform(texts, tokenizer) - found).sum() == 0


@given(st.lists(st.text("ab .é", max_size=12), min_size=1, max_size=5))
def test_a_few_texts_have_the_bits_of_many(texts):
    tokenizer = get_tokenizer("whitespace")
    table = NgramTable.fit([*TRAIN, "a b", "ab a", "é é a."], tokenizer)
    many, few = table.transform(texts, tokenizer), table.rows(texts, tokenizer)
    assert not isinstance(few, type(many))
    assert isinstance(table.rows([*texts, *["a"] * 99], tokenizer), type(many))
    for one, other in zip(bag(few), bag(many), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    last = np.array([len(texts) - 1, 0])
    for one, other in zip(bag(few[last]), bag(many[last]), strict=True):
        np.testing.assert_array_equal(one, other)


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


def test_features_of_the_texts_it_was_fitted_to_are_the_same_counted_anew_or_not() -> None:
    texts = ["a good film", "no good", "", "film film Film"]
    split = get_tokenizer("social")
    table = NgramTable.fit(texts, split)
    wanted = table.transform(texts, split)
    for _ in range(2):  # what was counted is there once
        found = table.transform_fitted(texts, split)
        assert (found != wanted).nnz == 0
        assert np.array_equal(found.indices, wanted.indices)
