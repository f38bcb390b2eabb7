"""Word features against a plain loop over the words."""

import pytest
import torch
from torch import Tensor

from birnn.nn.batch import Batch
from birnn.nn.word_embedder import (
    UNKNOWN_ID,
    PretrainedVectors,
    WordEmbedder,
    WordSizes,
    word_weights,
)

from strategies import randomise

SIZES = WordSizes(words=6, word_size=3, vector_size=4, buckets=7, gram_size=2)
WORD_IDS = [2, 1, 5]  # of the batch's distinct words; the second is unknown
VECTOR_ROWS = [[0, 3], [4], []]  # the third has no pretrained vector
GRAM_IDS = [[1, 2, 2, 6], [0], [5, 3, 1]]
TYPES = [[0, 1, 2, 0], [2, 0, 0, 0]]


def flat(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    offsets = [sum(map(len, rows[:i])) for i in range(len(rows))]
    return torch.tensor([i for row in rows for i in row], dtype=torch.long), torch.tensor(offsets)


def vectors(rows: list[list[int]] = VECTOR_ROWS) -> Tensor:
    """``[U, D]`` as the module makes them."""
    ids, offsets = flat(rows)
    return table()({"vector_rows": ids, "vector_offsets": offsets})


def table() -> PretrainedVectors:
    found = PretrainedVectors(5, SIZES.vector_size)
    randomise(found)
    return found


def batch() -> Batch:
    grams, gram_offsets = flat(GRAM_IDS)
    inputs = {
        "types": torch.tensor(TYPES),
        "word_ids": torch.tensor(WORD_IDS),
        "pretrained": vectors(),
        "gram_ids": grams,
        "gram_offsets": gram_offsets,
    }
    return Batch(inputs, torch.tensor([4, 1]))


def embedder(sizes: WordSizes = SIZES, rate: float = 0.0, dropout: float = 0.0) -> WordEmbedder:
    model = WordEmbedder(sizes, rate, dropout)
    randomise(model)
    return model.eval()


def by_hand(model: WordEmbedder, word: int, word_id: int) -> Tensor:
    assert model.words is not None
    assert model.correction is not None
    assert model.grams is not None
    vector = vectors()[word]
    if word_id != UNKNOWN_ID:
        vector = vector + model.correction.weight[word_id]
    grams = model.grams.weight[GRAM_IDS[word]].sum(0) / len(GRAM_IDS[word]) ** 0.5
    return torch.cat([model.words.weight[word_id], vector, grams])


def test_a_word_is_its_trained_pretrained_and_character_vectors() -> None:
    model = embedder()
    found = model(batch())
    for row, types in zip(found, TYPES, strict=True):
        wanted = [by_hand(model, word, WORD_IDS[word]) for word in types]
        torch.testing.assert_close(row, torch.stack(wanted))


@pytest.mark.parametrize("part", ["word_size", "vector_size", "gram_size"])
def test_a_part_of_width_zero_is_left_out(part: str) -> None:
    sizes = WordSizes(**{**SIZES.__dict__, part: 0})
    model = embedder(sizes)
    assert model.output_size == SIZES.total - getattr(SIZES, part)
    assert model(batch()).shape == (2, 4, model.output_size)


def test_a_pretrained_vector_is_the_scaled_mean_of_a_words_rows() -> None:
    values = table().values.float() * 2
    wanted = [values[rows].mean(0) if rows else torch.zeros(4) for rows in VECTOR_ROWS]
    torch.testing.assert_close(vectors(), torch.stack(wanted))


def test_a_batch_without_any_pretrained_word_has_zero_vectors() -> None:
    assert torch.equal(vectors([[], [], []]), torch.zeros(3, 4))


def test_pretrained_vectors_are_frozen_and_kept_in_half_precision() -> None:
    assert list(table().parameters()) == []
    assert table().state_dict()["values"].dtype == torch.float16


def test_fresh_corrections_are_zero() -> None:
    assert torch.all(WordEmbedder(SIZES, 0.0, 0.0).correction.weight == 0)


def test_word_dropout_hides_trained_parts_and_keeps_the_rest() -> None:
    torch.manual_seed(0)
    model = embedder(rate=0.5).train()
    found = model(batch())
    known, hidden = by_hand(model, 0, 2), by_hand(model, 0, UNKNOWN_ID)
    uses = [found[row, step] for row, step in ((0, 0), (0, 3), (1, 1), (1, 2), (1, 3))]
    is_known = [torch.allclose(use, known) for use in uses]
    assert all(
        torch.allclose(use, known if seen else hidden)
        for use, seen in zip(uses, is_known, strict=True)
    )
    assert {True, False} == set(is_known)


def test_evaluation_drops_nothing() -> None:
    noisy, quiet = embedder(rate=0.9, dropout=0.9), embedder()
    assert torch.equal(noisy(batch()), quiet(batch()))


def test_features_are_dropped_in_training() -> None:
    torch.manual_seed(0)
    found = embedder(dropout=0.5).train()(batch())
    assert 0.2 < float((found == 0).float().mean()) < 0.8


def test_gradients_reach_the_rows_in_use_and_no_others() -> None:
    model = embedder()
    model(batch()).sum().backward()
    rows = {
        "words": ({1, 2, 5}, model.words),
        "correction": ({2, 5}, model.correction),
        "grams": ({0, 1, 2, 3, 5, 6}, model.grams),
    }
    for used, table in rows.values():
        assert table is not None
        assert table.weight.grad is not None
        assert set(table.weight.grad.abs().sum(1).nonzero().flatten().tolist()) == used


def test_attention_weights_are_those_of_real_words() -> None:
    weights = torch.tensor([[0.25, 0.25, 0.25, 0.25], [1.0, 0.0, 0.0, 0.0]])
    assert word_weights(batch(), weights) == [[0.25] * 4, [1.0]]


def test_gradients_repeat_bit_for_bit_on_several_threads() -> None:
    torch.manual_seed(0)
    sizes = WordSizes(words=50, word_size=16, vector_size=0, buckets=200, gram_size=16)
    model = WordEmbedder(sizes, rate=0.0, dropout=0.0)
    inputs = {
        "types": torch.randint(0, 50, (256, 40)),  # large enough for torch to share the work out
        "word_ids": torch.arange(50),
        "gram_ids": torch.randint(0, 200, (400,)),
        "gram_offsets": torch.arange(0, 400, 8),
    }
    pull = torch.randn(256, 40, 32)
    found = []
    for _ in range(5):
        model.zero_grad()
        (model(Batch(inputs, torch.full((256,), 40))) * pull).sum().backward()
        found.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))
