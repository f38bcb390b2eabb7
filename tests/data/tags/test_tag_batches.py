"""Tagged sentences become batches whose tokens and tags can be told again."""

import numpy as np
import pytest
from datasets import Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tags.batches import TagLexicon, TagSplit
from birnn.data.text.words import Lexicon

from strategies import quick

SENTENCES = [["The", "film", "THE"], ["a"], ["film", "The", "x9", "a", "unseen"]]
LEXICON = TagLexicon(
    Lexicon(["<pad>", "<unk>", "the", "film", "x9"], ["the", "film"], 0),
    frozenset({"x9"}),
    ["<pad>", "<unk>", "f", "i"],
    ["<pad>", "<unk>", "-lm", "f-"],
)


def table(sentences):
    features = Features({"tokens": List(Value("string"))})
    return Dataset.from_dict({"tokens": sentences}, features=features)


def split(sentences=SENTENCES, lexicon=LEXICON):
    count = sum(map(len, sentences))
    return TagSplit.build(table(sentences), lexicon, np.arange(count))


@quick
@given(st.permutations(range(3)), st.integers(1, 3))
def test_a_batch_holds_the_asked_sentences_in_order(order, count):
    chosen = np.array(order[:count])
    batch = split().batch(chosen)
    starts = np.cumsum([0, *map(len, SENTENCES)])
    assert batch.lengths.tolist() == [len(SENTENCES[i]) for i in chosen]
    for row, i in enumerate(chosen):
        size = len(SENTENCES[i])
        assert batch.targets[row, :size].tolist() == list(range(starts[i], starts[i] + size))
        words = batch.inputs["word_ids"][batch.inputs["types"][row, :size]].tolist()
        assert words == [LEXICON.words.word_id(token.lower()) for token in SENTENCES[i]]
        case = batch.inputs["case"][batch.inputs["types"][row, :size]].numpy()
        np.testing.assert_array_equal(case, LEXICON.features(SENTENCES[i])["case"])


def test_each_distinct_token_of_a_batch_stands_there_once():
    inputs = split().batch(np.array([0, 2])).inputs
    assert len(inputs["word_ids"]) == len({"The", "film", "THE", "x9", "a", "unseen"})
    assert inputs["singletons"].sum() == 1


def test_letters_are_as_wide_as_the_batch_needs():
    assert split().batch(np.array([1])).inputs["characters"].shape == (1, 1)
    assert split().batch(np.array([2])).inputs["characters"].shape == (5, 6)


def test_pretrained_rows_are_those_of_each_token():
    batch = split().batch(np.array([0, 1]))
    rows, offsets = batch.inputs["vector_rows"], batch.inputs["vector_offsets"]
    ends = [*offsets.tolist()[1:], len(rows)]
    found = [rows[a:b].tolist() for a, b in zip(offsets.tolist(), ends, strict=True)]
    told = {}
    for sentence, types in zip(SENTENCES[:2], batch.inputs["types"].tolist(), strict=True):
        told |= {token: found[kind] for token, kind in zip(sentence, types, strict=False)}
    assert told == {"The": [0], "THE": [0], "film": [1], "a": []}


def test_parts_that_the_lexicon_lacks_are_left_out():
    bare = TagLexicon(Lexicon(["<pad>", "<unk>"], [], 0), frozenset(), [], [])
    inputs = split(lexicon=bare).batch(np.array([0])).inputs
    assert set(inputs) == {"types", "word_ids", "singletons", "case"}


def test_a_split_without_tags_has_no_targets():
    assert TagSplit.build(table(SENTENCES), LEXICON).batch(np.array([0])).targets is None


def test_odd_spaces_and_emoji_are_tokens_like_others():
    odd = [["a\u00a0b", "👩‍👩‍👧", "e\u0301"], ["\u3000"]]
    assert split(odd).batch(np.array([0, 1])).lengths.tolist() == [3, 1]


@pytest.mark.parametrize("sentences", [[["a"] * 3000], [["b"]] * 500])
def test_extreme_shapes_are_fine(sentences):
    found = split(sentences)
    batch = found.batch(np.arange(len(found)))
    assert int(batch.lengths.sum()) == sum(map(len, sentences))
    assert len(batch.inputs["word_ids"]) == 1
