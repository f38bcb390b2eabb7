"""The chain's loss in C, beside torch's operations in double precision."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from birnn.nn.chain import Potentials
from birnn.nn.crf import log_partition, negative_log_likelihood
from birnn.nn.engines import compiled_serves, forced
from birnn.registry import load

from strategies import quick

pytestmark = pytest.mark.skipif(not compiled_serves(), reason="nothing compiles here")


def drawn(seed: int, batch: int, steps: int, tags: int, scale: float) -> tuple[Tensor, ...]:
    """Emissions, lengths, gold tags and potentials; about a third of the moves are forbidden."""
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, steps + 1, (batch,), generator=draw)
    gold = torch.randint(tags, (batch, steps), generator=draw)
    free = [torch.randn(shape, generator=draw) for shape in ((tags, tags), (tags,), (tags,))]
    potentials = [
        part.masked_fill(torch.rand(part.shape, generator=draw) < 0.3, -torch.inf) for part in free
    ]
    potentials[0][gold[:, :-1], gold[:, 1:]] = 0.5
    potentials[1][gold[:, 0]] = 0.25
    potentials[2][gold.flatten()] = -0.25
    emissions = scale * torch.randn(batch, steps, tags, generator=draw)
    return emissions, lengths, gold, *potentials


def learned(
    emissions: Tensor, lengths: Tensor, gold: Tensor | None, *chain: Tensor
) -> list[Tensor]:
    """Losses or log-partitions, and their gradients, each item with a weight of its own."""
    parts = [part.clone().requires_grad_() for part in (emissions, *chain)]
    potentials = Potentials(*parts[1:])
    if gold is None:
        values = log_partition(parts[0], lengths, potentials)
    else:
        values = negative_log_likelihood(parts[0], gold, lengths, potentials)
    (values * torch.arange(1.0, 1 + len(values))).sum().backward()
    return [values.detach(), *(part.grad for part in parts)]


def doubled(parts: tuple[Tensor, ...]) -> list[Tensor]:
    return [part.double() if part.is_floating_point() else part for part in parts]


@pytest.mark.parametrize("of_gold", [True, False])
@quick
@given(
    seed=st.integers(0, 2**16), batch=st.integers(1, 5), steps=st.integers(1, 9),
    tags=st.integers(1, 40), scale=st.sampled_from([0.1, 3.0, 40.0, 1e3]),
)  # fmt: skip
def test_losses_and_gradients_are_those_of_double_precision(
    of_gold: bool, seed: int, batch: int, steps: int, tags: int, scale: float
) -> None:
    emissions, lengths, gold, *chain = drawn(seed, batch, steps, tags, scale)
    given = emissions, lengths, gold if of_gold else None, *chain
    with forced("native"):
        found = learned(*given)
    wanted = learned(*[part if part is None else doubled((part,))[0] for part in given])
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=2e-5 * max(1.0, scale / 40))


@quick
@given(seed=st.integers(0, 2**16), tags=st.integers(1, 20))
def test_an_item_alone_has_the_bits_it_has_in_a_batch(seed: int, tags: int) -> None:
    emissions, lengths, gold, *chain = drawn(seed, 6, 7, tags, 3.0)
    potentials = Potentials(*chain)
    with forced("native"):
        together = negative_log_likelihood(emissions, gold, lengths, potentials)
        for item, steps in enumerate(lengths.tolist()):
            own = slice(item, item + 1)
            parts = emissions[own, :steps], gold[own, :steps], lengths[own], potentials
            assert torch.equal(negative_log_likelihood(*parts), together[own])


def test_the_threads_change_no_bit() -> None:
    given = drawn(3, 40, 30, 17, 3.0)
    before, answers = torch.get_num_threads(), []
    for threads in (1, 4):
        torch.set_num_threads(threads)
        answers.append(learned(*given))
    torch.set_num_threads(before)
    for one, other in zip(*answers, strict=True):
        assert torch.equal(one, other)


def test_what_underflows_or_is_no_number_is_given_up() -> None:
    posteriors = load("birnn.native.posteriors:posteriors")
    emissions, lengths, gold, *chain = drawn(0, 3, 5, 4, 1.0)
    potentials = Potentials(*chain)
    assert posteriors(emissions, gold, lengths, potentials) is not None
    for value in (torch.nan, torch.inf):
        odd = emissions.clone()
        odd[0, 0, 0] = value
        assert posteriors(odd, gold, lengths, potentials) is None
    assert posteriors(emissions, gold.clone().fill_(4), lengths, potentials) is None
    nowhere = potentials._replace(end=potentials.end.clone().fill_(-torch.inf))
    assert posteriors(emissions, None, lengths, nowhere) is None


def test_a_loss_that_is_no_number_stays_none() -> None:
    emissions, lengths, gold, *chain = drawn(0, 3, 5, 4, 1.0)
    emissions[1, 0, 0] = torch.nan
    losses = negative_log_likelihood(emissions, gold, lengths, Potentials(*chain))
    assert losses.isnan().tolist() == [False, True, False]
