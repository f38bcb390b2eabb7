"""Tokenised texts become batches whose words can be told again."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tables.plain import PlainTable
from birnn.data.text.batches import TextSplit, tokenize
from birnn.data.text.tokenizers import UNKNOWN
from birnn.data.text.words import Lexicon, WordFeatures

TEXTS = ["a good film", "", "good good", "  ", "one two three four five six"]
ROWS = {"vector": "vector_rows", "gram": "gram_ids"}
LEXICON = Lexicon(["<pad>", "<unk>", "good", "film"], ["film", "one", "two"], 50)


def table(**columns):
    return Dataset.from_dict({"text": TEXTS, **columns})


def split(lexicon=LEXICON, targets=(0, 1, 0, 2, 0), ngrams=None):
    return TextSplit.build(tokenize(table(), "social", 4), lexicon, list(targets), ngrams)


def words_of(batch, names):
    """The tokens of each item, told from the batch's types and lengths."""
    types, lengths = batch.inputs["types"], batch.lengths
    return [[names[i] for i in row[:n]] for row, n in zip(types, lengths, strict=True)]


def test_tokens_are_cut_and_counted_and_never_empty():
    found = tokenize(table(other=[1, 2, 3, 4, 5]), "social", 4)
    assert found["tokens"][:] == [
        ["a", "good", "film"], [UNKNOWN], ["good", "good"], [UNKNOWN],
        ["one", "two", "three", "four"],
    ]  # fmt: skip
    assert found["cut"][:] == [0, 0, 0, 0, 2]
    assert found["other"][:] == [1, 2, 3, 4, 5]


def test_tokenising_is_cached(tmp_path, monkeypatch):
    Dataset.from_dict({"text": TEXTS}).save_to_disk(tmp_path / "saved")
    from datasets import load_from_disk

    tokenize(load_from_disk(tmp_path / "saved"), "social", 4)
    monkeypatch.setattr(
        "birnn.data.text.batches.get_tokenizer", lambda name: pytest.fail("not cached")
    )
    again = tokenize(load_from_disk(tmp_path / "saved"), "social", 4)
    assert again["cut"][:] == [0, 0, 0, 0, 2]


def test_lengths_are_those_of_the_tokens():
    assert split().lengths.tolist() == [3, 1, 2, 1, 4]
    assert len(split()) == 5


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 2, 0], [1], [2, 2]])
def test_batch_holds_the_items_in_the_order_asked_for(order):
    part = split()
    batch = part.batch(np.array(order))
    tokens = part.table["tokens"][:]
    present = {token for i in order for token in tokens[i]}
    distinct = [token for token in part.tokens.distinct if token in present]
    assert words_of(batch, distinct) == [tokens[i] for i in order]
    assert batch.targets.tolist() == [[0, 1, 0, 2, 0][i] for i in order]
    wanted = [LEXICON.word_id(word) for word in distinct]
    assert batch.inputs["word_ids"].tolist() == wanted


def test_each_distinct_word_is_looked_up_once():
    batch = split().batch(np.array([2]))
    assert batch.inputs["types"].tolist() == [[0, 0]]
    assert len(batch.inputs["word_ids"]) == 1


def test_tables_that_the_model_lacks_are_not_looked_up():
    plain = WordFeatures.of(Lexicon(["<pad>", "<unk>"], [], 0), ["a"]).inputs(np.array([0]))
    assert set(plain) == {"word_ids"}
    assert set(split().batch(np.array([0])).inputs) > {"vector_rows", "gram_ids"}


def test_a_table_to_predict_makes_the_same_batches_as_one_to_train():
    columns = {"text": TEXTS, "label": list("01020")}
    plain = TextSplit.build(tokenize(PlainTable(columns), "social", 4), LEXICON)
    for order in ([0, 1, 2, 3, 4], [4, 0], [1]):
        one, other = plain.batch(np.array(order)), split().batch(np.array(order))
        for name, tensor in one.inputs.items():
            assert torch.equal(tensor, other.inputs[name]), name


@given(st.lists(st.lists(st.sampled_from(["good", "film", "one", "x-two", "none"]), min_size=1),
                min_size=1, max_size=6), st.data())  # fmt: skip
def test_a_batch_holds_what_the_lexicon_knows_of_each_token(rows, data):
    table = PlainTable({"text": [" ".join(row) for row in rows], "tokens": rows})
    part = TextSplit.build(table, LEXICON)
    order = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=8))
    batch = part.batch(np.array(order))
    inputs = {name: tensor.tolist() for name, tensor in batch.inputs.items()}

    def row(name, word):
        offsets = [*inputs[f"{name}_offsets"], len(inputs[ROWS[name]])]
        return inputs[ROWS[name]][offsets[word] : offsets[word + 1]]

    for item, types, length in zip(order, inputs["types"], batch.lengths, strict=True):
        assert length == len(rows[item])
        for token, word in zip(rows[item], types, strict=False):
            assert inputs["word_ids"][word] == LEXICON.word_id(token)
            assert row("vector", word) == LEXICON.vector_rows(token)
            assert row("gram", word) == LEXICON.grams(token)


def test_ngrams_of_the_items_follow_their_order():
    features = sp.csr_matrix(np.diag([1.0, 2.0, 3.0, 4.0, 5.0]).astype(np.float32))
    batch = split(ngrams=features).batch(np.array([3, 0]))
    assert batch.inputs["ngram_ids"].tolist() == [3, 0]
    assert batch.inputs["ngram_values"].tolist() == [4.0, 1.0]
    assert batch.inputs["ngram_offsets"].tolist() == [0, 1]


def test_text_to_predict_has_no_target():
    part = TextSplit.build(tokenize(table(), "social", 4), LEXICON)
    assert part.batch(np.array([0])).targets is None


def test_balanced_weights_count_each_class_alike_and_have_a_mean_of_one():
    part = split().balanced(3)
    assert part.weights.mean() == pytest.approx(1.0)
    sums = np.bincount([0, 1, 0, 2, 0], weights=part.weights)
    np.testing.assert_allclose(sums, sums[0], rtol=1e-6)
    batch = part.batch(np.array([1, 0]))
    assert torch.equal(batch.inputs["weights"], torch.from_numpy(part.weights[[1, 0]]))


def test_balanced_weights_pass_over_a_class_that_is_absent():
    part = split(targets=(0, 1, 0, 0, 0)).balanced(3)
    assert part.weights.mean() == pytest.approx(1.0)
    assert np.isfinite(part.weights).all()
