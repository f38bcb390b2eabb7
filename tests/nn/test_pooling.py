"""Pooled views against plain torch on each item alone."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from birnn.errors import ConfigError
from birnn.nn import engines
from birnn.nn.encoders import Encoded
from birnn.nn.pooling import POOLINGS, AdditiveAttention, Pooling, parse_pooling

from strategies import Ragged, quick, ragged_batches, randomise

PERMUTATIONS = [p for n in (1, 2, 3, 4) for p in itertools.permutations(POOLINGS, n)]


def encoded(ragged: Ragged, garbage: float = 0.0) -> Encoded:
    states = ragged.x.masked_fill(~ragged.mask.unsqueeze(-1), garbage)
    return Encoded(states, ragged.x.sum(1))


def pool_one(part: str, states: Tensor, summary: Tensor, attention: AdditiveAttention) -> Tensor:
    """``states [T_i, D]`` without any padding."""
    if part == "last":
        return summary
    if part == "mean":
        return states.mean(0)
    if part == "max":
        return states.max(0).values
    scores = attention.score(torch.tanh(attention.project(states)))
    return (scores.softmax(0) * states).sum(0)


@quick
@given(
    ragged=ragged_batches(),
    parts=st.sampled_from(PERMUTATIONS),
    garbage=st.sampled_from([0.0, 1e4, -1e4]),
)
def test_each_part_pools_real_positions_only_in_the_order_named(
    ragged: Ragged, parts: tuple[str, ...], garbage: float
) -> None:
    size = ragged.x.shape[-1]
    pooling = Pooling(size, parts)
    randomise(pooling)
    attention = pooling.attention or AdditiveAttention(size)
    batch = encoded(ragged, garbage)
    found = pooling(batch, ragged.lengths).vector
    assert found.shape == (len(ragged.lengths), pooling.output_size)
    for row, states, summary, n in zip(found, *batch, ragged.lengths, strict=True):
        wanted = [pool_one(part, states[:n], summary, attention) for part in parts]
        torch.testing.assert_close(row, torch.cat(wanted))


@quick
@given(ragged_batches())
def test_attention_weights_sum_to_one_and_are_zero_in_padding(ragged: Ragged) -> None:
    pooling = Pooling(ragged.x.shape[-1], ("attention",))
    randomise(pooling)
    weights = pooling(encoded(ragged), ragged.lengths).weights
    assert weights is not None
    assert torch.all(weights[~ragged.mask] == 0)
    assert torch.all(weights[ragged.mask] > 0)
    torch.testing.assert_close(weights.sum(1), torch.ones(len(weights)))


@quick
@given(ragged_batches())
def test_no_gradient_reaches_padding(ragged: Ragged) -> None:
    pooling = Pooling(ragged.x.shape[-1], ("mean", "max", "attention"))
    randomise(pooling)
    states = ragged.x.clone().requires_grad_()
    pooling(Encoded(states, ragged.x[:, 0]), ragged.lengths).vector.sum().backward()
    assert states.grad is not None
    assert torch.all(states.grad[~ragged.mask] == 0)
    assert torch.all(torch.isfinite(states.grad))


def test_there_are_no_weights_without_attention() -> None:
    pooled = Pooling(2, ("max", "mean"))(
        Encoded(torch.ones(1, 3, 2), torch.ones(1, 2)), torch.tensor([2])
    )
    assert pooled.weights is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [("max", ("max",)), ("max+mean", ("max", "mean")), (" mean + max ", ("mean", "max"))],
)
def test_a_pooling_is_read(text: str, parts: tuple[str, ...]) -> None:
    assert parse_pooling(text) == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("maxx", "did you mean 'max'"),
        ("", "'' is not one of last, mean, max, attention"),
        ("max+", "'' is not one of"),
        ("max+mean+max", "names a part twice"),
    ],
)
def test_a_pooling_that_is_none_is_a_config_error(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_pooling(text)


@quick
@given(
    ragged=ragged_batches(),
    parts=st.sampled_from(PERMUTATIONS),
    garbage=st.sampled_from([0.0, 1e4, -1e4]),
    seed=st.integers(0, 9),
)
def test_compiled_views_and_their_gradients_are_those_of_torch(
    ragged: Ragged, parts: tuple[str, ...], garbage: float, seed: int
) -> None:
    if not engines.compiled_serves():
        pytest.skip("no compiler here")
    pooling = Pooling(ragged.x.shape[-1], parts)
    randomise(pooling)
    leaves = [
        encoded(ragged, garbage).states.float().requires_grad_(),
        ragged.x.sum(1).float().requires_grad_(),
    ]
    torch.manual_seed(seed)
    share = torch.randn(len(ragged.lengths), pooling.output_size)
    found = {}
    for engine in ("torch", "native"):
        with engines.forced(engine):
            vector = pooling(Encoded(*leaves), ragged.lengths).vector
            wanted = [*leaves, *pooling.parameters()]
            gradients = torch.autograd.grad((vector * share).sum(), wanted, allow_unused=True)
            found[engine] = [vector, *gradients]
    for ours, theirs in zip(found["native"], found["torch"], strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_state_that_is_not_a_number_is_seen_in_each_view() -> None:
    states = torch.zeros(1, 3, 20)
    states[0, 1] = torch.nan
    for part in ("mean", "max", "attention"):
        vector = Pooling(20, (part,))(Encoded(states, states[:, 0]), torch.tensor([3])).vector
        assert vector.isnan().all()
    beyond = Pooling(20, ("mean", "max"))(Encoded(states, states[:, 0]), torch.tensor([1])).vector
    assert not beyond.isnan().any()


def test_an_item_gives_the_same_bits_in_any_batch() -> None:
    torch.manual_seed(0)
    states, lengths = torch.randn(9, 30, 50), torch.randint(1, 31, (9,))
    pooling = Pooling(50, ("mean", "max"))
    together = pooling(Encoded(states, states[:, 0]), lengths).vector
    for i, n in enumerate(lengths.tolist()):
        alone = Encoded(states[i : i + 1, :n], states[i : i + 1, 0])
        assert torch.equal(pooling(alone, lengths[i : i + 1]).vector[0], together[i])
