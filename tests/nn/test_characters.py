"""What is made of a word's letters, against plain loops over one word at a time."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from birnn.errors import ConfigError
from birnn.nn.characters import (
    CHARACTER_ENCODERS,
    WIDTHS,
    CharacterCNN,
    Strip,
    build_characters,
    strip_of,
)
from birnn.nn.engines import compiled_serves, forced

from strategies import quick, randomise

ROWS, SIZE, OUT = 9, 5, 8
ENGINES = ("auto", "torch")  # what reads a strip: C where it can be had, and torch
KINDS = [kind for kind in CHARACTER_ENCODERS if kind != "none"]


def made(kind: str) -> nn.Module:
    found = build_characters(kind, ROWS, SIZE, OUT, 0.0)
    assert found is not None
    return randomise(found).eval()


def padded(words: list[list[int]], extra: int = 0, fill: int = 0) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(word) for word in words])
    ids = torch.full((len(words), int(lengths.max()) + extra), fill)
    for row, word in zip(ids, words, strict=True):
        row[: len(word)] = torch.tensor(word)
    return ids, lengths


def by_hand(model: CharacterCNN, word: list[int]) -> Tensor:
    """Every window of each width that touches the word, zeros beyond its borders."""
    vectors = model.table.weight[torch.tensor(word)]
    parts = []
    for convolution, width in zip(model.convolutions, WIDTHS, strict=True):
        edge = torch.zeros(width - 1, SIZE)
        long = torch.cat([edge, vectors, edge])
        windows = [long[i : i + width] for i in range(len(word) + width - 1)]
        scores = [
            torch.einsum("ocw,wc->o", convolution.weight, window) + convolution.bias
            for window in windows
        ]
        parts.append(torch.stack(scores).amax(0))
    return torch.tanh(torch.cat(parts))


words = st.lists(st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=7), min_size=1, max_size=5)


@quick
@given(words)
def test_convolutions_equal_a_loop_over_windows(found):
    model = made("cnn")
    wanted = torch.stack([by_hand(model, word) for word in found])
    torch.testing.assert_close(model(*padded(found)), wanted, rtol=1e-5, atol=1e-5)


def strip(words: list[list[int]]) -> Strip:
    return strip_of(*padded(words, extra=2, fill=8))


def gradients(model: nn.Module, words: list[list[int]], found: Strip | None) -> list[Tensor]:
    """Vectors of words, and what each parameter learns where every number of them counts."""
    model.zero_grad()
    vectors = model(*padded(words), found)
    (vectors * torch.arange(1.0, 1 + vectors.numel()).view_as(vectors)).sum().backward()
    return [vectors.detach(), *(parameter.grad.clone() for parameter in model.parameters())]


@pytest.mark.parametrize("engine", ENGINES)
@quick
@given(words)
def test_a_strip_of_letters_equals_torch_s_convolutions_over_padded_words(engine, found):
    model = made("cnn")
    with forced(engine):
        vectors = model(*padded(found), strip(found))
    torch.testing.assert_close(vectors, model(*padded(found)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
@quick
@given(words)
def test_a_strip_of_letters_teaches_what_torch_s_convolutions_do(engine, found):
    model = made("cnn")
    wanted = gradients(model, found, None)
    with forced(engine):
        learned = gradients(model, found, strip(found))
    for one, other in zip(learned, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("size", "filters", "letters"), [(1, 3, 40), (30, 100, 32), (33, 210, 9), (4, 2, 5)]
)
def test_a_strip_takes_words_and_tables_of_any_size(engine, size, filters, letters):
    found = build_characters("cnn", ROWS, size, filters, 0.0)
    assert found is not None
    model = randomise(found)
    batch = [[(i * j) % ROWS for j in range(i)] for i in range(1, letters + 1)]
    wanted = gradients(model, batch, None)
    with forced(engine):
        learned = gradients(model, batch, strip(batch))
    for one, other in zip(learned, wanted, strict=True):
        torch.testing.assert_close(one / other.abs().max(), other / other.abs().max(),
                                   rtol=1e-4, atol=1e-5)  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_a_word_without_a_number_has_no_maximum(engine):
    model = made("cnn")
    model.table.weight.data[3] = torch.nan
    with forced(engine):
        vectors = model(*padded([[3, 1], [1, 2]]), strip([[3, 1], [1, 2]]))
    assert vectors[0].isnan().all()
    assert not vectors[1].isnan().any()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_strip_is_computed_in_float32_under_autocast(engine):
    model, word = made("cnn"), [[3, 1, 4], [1, 5]]
    with forced(engine):
        wanted = gradients(model, word, strip(word))
    with forced(engine), torch.autocast("cpu", torch.bfloat16):
        found = gradients(model, word, strip(word))
    for one, other in zip(found, wanted, strict=True):
        assert torch.equal(one, other)


def test_equal_windows_share_what_they_teach():
    model = made("cnn").double()
    word = [[3, 3, 3, 3, 3, 3]]
    wanted = gradients(model, word, None)
    for one, other in zip(gradients(model, word, strip(word)), wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("engine", ENGINES)
@quick
@given(words, st.integers(1, 40))
def test_a_word_of_a_strip_is_the_same_to_the_bit_in_any_batch(engine, found, copies):
    model = build_characters("cnn", ROWS, 30, 100, 0.0)
    assert model is not None
    batch = found * copies
    with forced(engine):
        together = model(*padded(batch), strip(batch))
        alone = torch.cat([model(*padded([word]), strip([word])) for word in found])
    wanted = alone.repeat(copies, 1)
    # How torch's product sums rows is not ours to say: close is what holds on any processor.
    bits = engine == "auto" and compiled_serves()
    assert torch.equal(together, wanted) if bits else torch.allclose(together, wanted, atol=1e-6)


def test_a_strip_names_the_windows_that_hold_letters():
    found = strip([[4], [7, 8]])
    assert found.letters.tolist() == [0, 0, 0, 5, 0, 0, 0, 8, 9, *[0] * 10]
    narrow, _, wide = found.words.tolist()
    assert wide == [0, 0, 0, 0, 1, 1, 1, 1, 1, *[2] * 7]
    assert narrow == [2, 2, 0, 0, 2, 2, 1, 1, 1, *[2] * 7]


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_is_the_same_whatever_stands_beside_and_behind_it(kind):
    model = made(kind)
    batch = [[3, 1], [4, 4, 2, 8, 7, 1], [5]]
    together = model(*padded(batch, extra=3, fill=6))
    alone = torch.cat([model(*padded([word])) for word in batch])
    assert together.shape == (3, OUT)
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_letters_and_their_order_matter(kind):
    model = made(kind)
    found = model(*padded([[1, 2, 3], [3, 2, 1], [1, 2, 4]]))
    assert not torch.allclose(found[0], found[1], atol=1e-3)
    assert not torch.allclose(found[0], found[2], atol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_any_size_is_shared_among_the_widths(size):
    model = build_characters("cnn", ROWS, SIZE, size, 0.0)
    assert model is not None
    assert model(*padded([[1, 2]])).shape == (1, size)


def test_an_odd_size_can_t_be_shared_by_two_directions():
    with pytest.raises(ConfigError, match="char_size: must be even for bigru, got 7"):
        build_characters("bigru", ROWS, SIZE, 7, 0.0)


def test_none_and_a_size_of_zero_leave_letters_out():
    assert build_characters("none", ROWS, SIZE, OUT, 0.0) is None
    assert build_characters("cnn", ROWS, SIZE, 0, 0.0) is None
