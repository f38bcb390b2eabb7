"""Token features against a plain loop over the tokens."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from birnn.nn.batch import Batch
from birnn.nn.token_embedder import TokenDropout, TokenEmbedder, TokenSizes
from birnn.nn.word_embedder import UNKNOWN_ID

from strategies import randomise

SIZES = TokenSizes(
    words=6, word_size=3, vector_size=4, characters=7, character_size=2, char_encoder="cnn",
    char_size=5, affixes=9, affix_slots=3, affix_size=2, case_size=4,
)  # fmt: skip
NOTHING = TokenDropout(0.0, 0.0, 0.0, 0.0, 0.0)
WORD_IDS = [2, UNKNOWN_ID, 5]
TYPES = [[0, 1, 2, 0], [2, 1, 1, 1]]
LENGTHS = [4, 1]


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    inputs = {
        "types": torch.tensor(TYPES),
        "word_ids": torch.tensor(WORD_IDS),
        "singletons": torch.tensor([False, False, True]),
        "pretrained": torch.randn(3, 4, generator=generator),
        "characters": torch.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]]),
        "character_lengths": torch.tensor([2, 1, 3]),
        "affixes": torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 1]]),
        "case": torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]),
    }
    return Batch(inputs, torch.tensor(LENGTHS))


def made(sizes: TokenSizes = SIZES, dropout: TokenDropout = NOTHING) -> TokenEmbedder:
    model = TokenEmbedder(sizes, dropout)
    randomise(model)
    return model


def by_hand(model: TokenEmbedder, kind: int) -> Tensor:
    inputs, word_id = batch().inputs, WORD_IDS[kind]
    parts = []
    if model.words is not None:
        parts.append(model.words.weight[word_id])
    if model.correction is not None:
        known = word_id != UNKNOWN_ID
        parts.append(inputs["pretrained"][kind] + known * model.correction.weight[word_id])
    if model.characters is not None:
        length = inputs["character_lengths"][kind : kind + 1]
        parts.append(model.characters(inputs["characters"][kind : kind + 1], length)[0])
    if model.affixes is not None:
        parts += [model.affixes.weight[int(i)] for i in inputs["affixes"][kind]]
    if model.sizes.case_size:
        parts.append(inputs["case"][kind])
    return torch.cat(parts)


@pytest.mark.parametrize(
    "without",
    [{}, {"word_size": 0}, {"vector_size": 0}, {"char_size": 0}, {"affix_size": 0},
     {"case_size": 0}, {"char_encoder": "none", "affix_size": 0, "case_size": 0}],
)  # fmt: skip
def test_each_part_is_a_switch_and_a_step_is_their_join(without):
    model = made(replace(SIZES, **without)).eval()
    found = model(batch())
    assert found.shape == (2, 4, model.output_size)
    for row, types in enumerate(TYPES):
        for step, kind in enumerate(types):
            wanted = by_hand(model, kind)
            torch.testing.assert_close(found[row, step], wanted, rtol=1e-5, atol=1e-5)


def shares_hidden(dropout: TokenDropout) -> list[float]:
    """How often each kind of token has the unknown word's trained row, in training."""
    model = made(dropout=dropout).train()
    assert model.words is not None
    unknown = model.words.weight[UNKNOWN_ID]
    torch.manual_seed(0)
    hits, seen = torch.zeros(3), torch.zeros(3)
    for _ in range(400):
        found = model(batch())[..., : SIZES.word_size]
        for types, row in zip(TYPES, found, strict=True):
            for kind, step in zip(types, row, strict=True):
                hits[kind] += bool(torch.equal(step, unknown))
                seen[kind] += 1
    return [float(share) for share in hits / seen]


def test_words_that_train_has_once_are_hidden_half_of_the_time():
    often, unknown, once = shares_hidden(replace(NOTHING, singletons=0.5))
    assert (often, unknown) == (0.0, 1.0)
    assert once == pytest.approx(0.5, abs=0.06)


def test_any_word_can_be_hidden():
    often, _, once = shares_hidden(replace(NOTHING, words=0.3))
    assert often == pytest.approx(0.3, abs=0.06)
    assert once == pytest.approx(0.3, abs=0.06)


def test_nothing_is_hidden_in_evaluation():
    model = made(dropout=TokenDropout(0.9, 0.9, 0.9, 0.9, 0.9)).eval()
    torch.testing.assert_close(model(batch())[0, 2], by_hand(model, 2), rtol=1e-5, atol=1e-5)


def test_locked_dropout_hides_a_feature_at_all_steps():
    sizes = replace(SIZES, word_size=0, vector_size=0, char_size=0, affix_size=8, case_size=0)
    model = made(sizes, replace(NOTHING, locked=0.5)).train()
    torch.manual_seed(1)
    gone = model(batch()) == 0
    assert torch.equal(gone.all(1), gone.any(1))
    assert 0 < gone.float().mean() < 1
