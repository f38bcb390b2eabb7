"""The chain against the enumeration of all its sequences, and against pytorch-crf."""

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torchcrf import CRF as Peer  # noqa: N811

from birnn.nn import chain as chain_module
from birnn.nn import crf, decoding
from birnn.nn.batch import sequence_mask
from birnn.nn.chain import Allowed, Potentials, constrain, neutral
from birnn.nn.crf import CRF
from birnn.nn.engines import forced

from strategies import quick


@pytest.fixture(params=["auto", "torch"], scope="module", autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """What computes in float32: C where it can be had, and torch."""
    with forced(request.param):
        yield


class Chain(NamedTuple):
    """A ragged batch and the chain it is under; each item has a legal sequence."""

    emissions: Tensor  # [B, T, K]
    lengths: Tensor  # [B]
    potentials: Potentials


class Listed(NamedTuple):
    """All legal sequences of an item, best first."""

    paths: NDArray[np.int64]  # [N, T]
    scores: NDArray[np.float64]  # [N]

    @property
    def log_partition(self) -> float:
        """Log of the summed weights."""
        return float(np.logaddexp.reduce(self.scores))

    def probability(self, fits: NDArray[np.bool_]) -> float:
        """That of the paths that fit."""
        return float(np.exp(self.scores - self.log_partition)[fits].sum())


@st.composite
def chains(
    draw: st.DrawFn,
    scales: tuple[float, ...] = (0.1, 3.0),
    dtype: torch.dtype = torch.float64,
) -> Chain:
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    tags = draw(st.integers(1, 4))
    steps = max(lengths) + draw(st.integers(0, 2))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    allowed = Allowed(
        *(
            torch.rand(shape, generator=generator) < draw(st.sampled_from([0.3, 0.7, 1.0]))
            for shape in ((tags, tags), (tags,), (tags,))
        )
    )
    path = torch.randint(tags, (max(lengths),), generator=generator)
    allowed.start[path[0]] = True
    allowed.transitions[path[:-1], path[1:]] = True
    allowed.end[path[torch.tensor(lengths) - 1]] = True
    shapes = ((len(lengths), steps, tags), (tags, tags), (tags,), (tags,))
    drawn = [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]
    emissions = drawn[0] * draw(st.sampled_from(scales))
    return Chain(emissions, torch.tensor(lengths), constrain(Potentials(*drawn[1:]), allowed))


def listed(chain: Chain, item: int) -> Listed:
    steps = int(chain.lengths[item])
    emissions = chain.emissions[item, :steps].double().numpy()
    transitions, start, end = (scores.detach().double().numpy() for scores in chain.potentials)
    paths = np.array(list(itertools.product(range(len(start)), repeat=steps)))
    scores = start[paths[:, 0]] + end[paths[:, -1]] + emissions[range(steps), paths].sum(1)
    scores = scores + transitions[paths[:, :-1], paths[:, 1:]].sum(1)
    order = np.argsort(-scores, kind="stable")
    order = order[np.isfinite(scores[order])]
    return Listed(paths[order], scores[order])


def legal(tags: Tensor, lengths: Tensor, potentials: Potentials) -> bool:
    """Whether no path ``[B, T]`` makes a forbidden move and all padding is 0."""
    for path, n in zip(tags.tolist(), lengths.tolist(), strict=True):
        moves = [potentials.transitions[i, j] for i, j in itertools.pairwise(path[:n])]
        moves += [potentials.start[path[0]], potentials.end[path[n - 1]]]
        if any(move == -torch.inf for move in moves) or any(path[n:]):
            return False
    return True


def space(name: str) -> AbstractContextManager[object]:
    """Run in log space throughout, or as the data ask."""
    if name == "scaled":
        return nullcontext()
    if name == "together":  # as the moves of many tags are added up
        return mock.patch.object(crf, "MANY", 1)
    return mock.patch.object(chain_module, "_scaled_messages", return_value=None)


def spoilt(chain: Chain, garbage: float) -> Chain:
    mask = sequence_mask(chain.lengths, chain.emissions.shape[1]).unsqueeze(-1)
    return chain._replace(emissions=chain.emissions.masked_fill(~mask, garbage))


def unreachable() -> Chain:
    """Tag 0 can't end and can't be left; no item longer than 1 that starts with it is legal."""
    allowed = Allowed(
        torch.tensor([[True, False], [False, True]]),
        torch.tensor([True, False]),
        torch.tensor([False, True]),
    )
    return Chain(torch.zeros(1, 3, 2), torch.tensor([3]), constrain(neutral(2), allowed))


@pytest.mark.parametrize("name", ["scaled", "logs"])
@quick
@given(chain=chains())
def test_posteriors_match_enumeration(name: str, chain: Chain) -> None:
    with space(name):
        found = crf.marginals(*chain)
    torch.testing.assert_close(found.log_partition, crf.log_partition(*chain))
    for item, n in enumerate(chain.lengths.tolist()):
        paths, scores = wanted = listed(chain, item)
        assert found.log_partition[item].item() == pytest.approx(wanted.log_partition, abs=1e-9)
        weights = np.exp(scores - wanted.log_partition)
        unary = np.zeros(found.unary.shape[1:])
        moves = np.zeros(found.moves.shape[1:])
        for t in range(n):
            np.add.at(unary[t], paths[:, t], weights)
        for t in range(1, n):
            np.add.at(moves, (paths[:, t - 1], paths[:, t]), weights)
        np.testing.assert_allclose(found.unary[item], unary, atol=1e-9)
        np.testing.assert_allclose(found.moves[item], moves, atol=1e-9)


@quick
@given(chains())
def test_the_losses_of_all_sequences_are_a_distribution(chain: Chain) -> None:
    for item, n in enumerate(chain.lengths.tolist()):
        paths, scores = wanted = listed(chain, item)
        alone = chain.emissions[item, :n].expand(len(paths), -1, -1)
        lengths = torch.full((len(paths),), n)
        loss = crf.negative_log_likelihood(
            alone, torch.from_numpy(paths), lengths, chain.potentials
        )
        np.testing.assert_allclose(loss, wanted.log_partition - scores, atol=1e-9)


@pytest.mark.parametrize("name", ["scaled", "logs", "together"])
@quick
@given(chain=chains(), pick=st.integers(0, 2**16))
def test_gradients_match_autograd_through_enumeration(name: str, chain: Chain, pick: int) -> None:
    leaves = [x.clone().requires_grad_() for x in (chain.emissions, *chain.potentials)]
    twins = [x.clone().requires_grad_() for x in (chain.emissions, *chain.potentials)]
    emissions, transitions, start, end = twins
    tags = torch.full(chain.emissions.shape[:2], -100)
    wanted = chain.emissions.new_zeros(())
    for item, n in enumerate(chain.lengths.tolist()):
        paths = torch.from_numpy(listed(chain, item).paths)
        gold = paths[pick % len(paths)]
        tags[item, :n] = gold
        scores = start[paths[:, 0]] + end[paths[:, -1]]
        scores = scores + emissions[item, torch.arange(n), paths].sum(1)
        scores = scores + transitions[paths[:, :-1], paths[:, 1:]].sum(1)
        wanted = wanted + (item + 1) * (scores.logsumexp(0) - scores[pick % len(paths)])
    with space(name):
        loss = crf.negative_log_likelihood(leaves[0], tags, chain.lengths, Potentials(*leaves[1:]))
    (loss * torch.arange(1, len(loss) + 1)).sum().backward()
    wanted.backward()
    for leaf, twin in zip(leaves, twins, strict=True):
        assert leaf.grad is not None
        torch.testing.assert_close(leaf.grad, twin.grad, atol=1e-9, rtol=1e-7)


@pytest.mark.parametrize("name", ["scaled", "logs", "together"])
def test_gradients_pass_gradcheck(name: str) -> None:
    torch.manual_seed(0)
    leaves = [torch.randn(s, dtype=torch.float64) for s in ((3, 4, 3), (3, 3), (3,), (3,))]
    tags, lengths = torch.tensor([[0, 1, 2, 0]] * 3), torch.tensor([4, 1, 2])
    allowed = Allowed(torch.ones(3, 3).bool(), torch.ones(3).bool(), torch.ones(3).bool())
    allowed.transitions[2, 1] = False
    allowed.start[2] = False

    def loss(emissions: Tensor, *free: Tensor) -> Tensor:
        potentials = constrain(Potentials(*free), allowed)
        return crf.negative_log_likelihood(emissions, tags, lengths, potentials)

    with space(name):
        assert torch.autograd.gradcheck(loss, [leaf.requires_grad_() for leaf in leaves])


@quick
@given(chains())
def test_viterbi_finds_the_best_sequence(chain: Chain) -> None:
    tags, scores = decoding.viterbi(*chain)
    assert legal(tags, chain.lengths, chain.potentials)
    for item, n in enumerate(chain.lengths.tolist()):
        wanted = listed(chain, item)
        assert tags[item, :n].tolist() == wanted.paths[0].tolist()
        assert scores[item].item() == pytest.approx(wanted.scores[0], abs=1e-9)


@quick
@given(chain=chains(), n=st.integers(1, 9))
def test_n_best_are_the_first_of_all_sequences(chain: Chain, n: int) -> None:
    tags, found = decoding.n_best(*chain, n)
    assert tags.shape == (len(chain.lengths), n, chain.emissions.shape[1])
    assert torch.equal(tags[:, 0], decoding.viterbi(*chain)[0])
    for item, steps in enumerate(chain.lengths.tolist()):
        wanted = listed(chain, item)
        count = min(n, len(wanted.paths))
        assert tags[item, :count, :steps].tolist() == wanted.paths[:n].tolist()
        np.testing.assert_allclose(
            found[item, :count], wanted.scores[:n] - wanted.log_partition, atol=1e-9
        )
        assert torch.all(found[item, count:] == -torch.inf)
        assert not tags[item, count:].any()
        assert not tags[item, :, steps:].any()


@pytest.mark.parametrize("name", ["scaled", "logs"])
@quick
@given(chain=chains(), pick=st.integers(0, 2**16))
def test_path_confidence_gives_the_posterior_of_every_span(
    name: str, chain: Chain, pick: int
) -> None:
    lists = [listed(chain, item) for item in range(len(chain.lengths))]
    tags = torch.full(chain.emissions.shape[:2], -100)
    for item, each in enumerate(lists):
        tags[item, : chain.lengths[item]] = torch.from_numpy(each.paths[pick % len(each.paths)])
    with space(name):
        found = crf.path_confidence(chain.emissions, tags, chain.lengths, chain.potentials)
    for item, each in enumerate(lists):
        n = int(chain.lengths[item])
        same = each.paths == tags[item, :n].numpy()
        for first, last in itertools.combinations_with_replacement(range(n), 2):
            wanted = each.probability(same[:, first : last + 1].all(1))
            span = (
                found.marginal[item, first] * found.conditional[item, first + 1 : last + 1].prod()
            )
            assert span.item() == pytest.approx(wanted, abs=1e-9)
        whole = found.conditional[item].prod().item()
        assert whole == pytest.approx(each.probability(same.all(1)), abs=1e-9)
        assert torch.all(found.marginal[item, n:] == 1)


@pytest.mark.parametrize("name", ["scaled", "together"])
@quick
@given(chain=chains())
def test_the_gradients_of_the_log_partition_are_the_posteriors(name: str, chain: Chain) -> None:
    leaves = [x.clone().requires_grad_() for x in (chain.emissions, *chain.potentials)]
    with space(name):
        value = crf.log_partition(leaves[0], chain.lengths, Potentials(*leaves[1:])).sum()
        value.backward()
    found = crf.marginals(*chain)
    torch.testing.assert_close(leaves[0].grad, found.unary)
    torch.testing.assert_close(leaves[1].grad, found.moves.sum(0))
    torch.testing.assert_close(leaves[2].grad, found.unary[:, 0].sum(0))


def test_a_shift_of_all_emissions_changes_no_loss() -> None:
    torch.manual_seed(0)
    emissions, tags = torch.randint(-3, 4, (2, 50, 3)).float(), torch.randint(3, (2, 50))
    given = tags, torch.tensor([50, 31]), Potentials(*(torch.randn(s) for s in ((3, 3), 3, 3)))
    loss = crf.negative_log_likelihood(emissions, *given)
    torch.testing.assert_close(crf.negative_log_likelihood(emissions + 2.0**20, *given), loss)


def test_an_illegal_path_has_no_confidence() -> None:
    chain = unreachable()
    free = chain._replace(potentials=chain.potentials._replace(start=torch.zeros(2)))
    tags = torch.tensor([[1, 0, 1]])
    found = crf.path_confidence(free.emissions, tags, free.lengths, free.potentials)
    torch.testing.assert_close(found.marginal, torch.tensor([[1.0, 0.0, 1.0]]))
    assert found.conditional[0, 1:].tolist() == [0.0, 0.0]


@quick
@given(chains(scales=(3.0, 30.0, 200.0, 3e3), dtype=torch.float32))
def test_confident_models_that_contradict_the_rules_are_right_too(chain: Chain) -> None:
    tags, scores = decoding.viterbi(*chain)
    found = crf.marginals(*chain)
    path = crf.path_confidence(chain.emissions, tags, chain.lengths, chain.potentials)
    tolerance = 1e-5 * float(chain.emissions.abs().max())
    for item, n in enumerate(chain.lengths.tolist()):
        wanted = listed(chain, item)
        assert scores[item].item() == pytest.approx(wanted.scores[0], abs=tolerance)
        assert found.log_partition[item].item() == pytest.approx(
            wanted.log_partition, abs=tolerance
        )
        for t, tag in enumerate(tags[item, :n].tolist()):
            unary = wanted.probability(wanted.paths[:, t] == tag)
            assert found.unary[item, t, tag].item() == pytest.approx(unary, abs=tolerance)
            assert path.marginal[item, t].item() == pytest.approx(unary, abs=tolerance)
        whole = wanted.probability((wanted.paths == tags[item, :n].numpy()).all(1))
        assert path.conditional[item].prod().item() == pytest.approx(whole, abs=tolerance)


def test_what_underflows_is_not_overrated() -> None:
    """No step looks odd by itself, yet tag 1 would live on what keeps it from underflowing."""
    chain = Chain(
        torch.tensor([[[0.0, -200.0, -200.0], [-35.0, -35.0, 0.0]]]),
        torch.tensor([2]),
        Potentials(
            torch.eye(3).log(),  # each tag follows itself alone
            torch.zeros(3),
            torch.tensor([-34.0, 0.0, -200.0]),
        ),
    )
    found = crf.marginals(*chain)
    assert found.log_partition[0].item() == pytest.approx(listed(chain, 0).log_partition)
    torch.testing.assert_close(found.unary[0], torch.tensor([[1.0, 0.0, 0.0]] * 2))


@quick
@given(
    chain=chains(scales=(1.0, 200.0, 1e10, 1e30, 2e38, float("inf")), dtype=torch.float32),
    n=st.integers(1, 4),
)
def test_no_illegal_sequence_ever_comes_out(chain: Chain, n: int) -> None:
    tags, _ = decoding.viterbi(*chain)
    assert legal(tags, chain.lengths, chain.potentials)
    lists, scores = decoding.n_best(*chain, n)
    assert torch.all(scores[:, :-1] >= scores[:, 1:])
    for item, length in enumerate(chain.lengths):
        kept = lists[item, scores[item] > -torch.inf]
        assert 1 <= len(kept) == len({tuple(path) for path in kept.tolist()})
        assert legal(kept, length.expand(len(kept)), chain.potentials)


@pytest.mark.parametrize("step", [[torch.nan, torch.nan], [torch.inf, 0.0], [3e38, -3e38]])
def test_emissions_beyond_numbers_still_decode_legally(step: list[float]) -> None:
    chain = unreachable()
    potentials = chain.potentials._replace(start=torch.tensor([-torch.inf, 0.0]))
    emissions = torch.tensor([[step] * 3])
    assert decoding.viterbi(emissions, chain.lengths, potentials)[0].tolist() == [[1, 1, 1]]
    tags, scores = decoding.n_best(emissions, chain.lengths, potentials, 2)
    assert tags[0, 0].tolist() == [1, 1, 1]
    assert scores[0].tolist() == [0.0, -torch.inf]


@pytest.mark.parametrize("garbage", [torch.nan, 1e30, -torch.inf])
@quick
@given(chain=chains(dtype=torch.float32))
def test_padding_never_matters(garbage: float, chain: Chain) -> None:
    clean, dirty = spoilt(chain, 0.0), spoilt(chain, garbage)
    tags, scores = decoding.viterbi(*clean)
    again, same = decoding.viterbi(*dirty)
    assert torch.equal(tags, again)
    assert torch.equal(scores, same)
    for one, other in zip(decoding.n_best(*clean, 3), decoding.n_best(*dirty, 3), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(crf.marginals(*clean), crf.marginals(*dirty), strict=True):
        assert torch.equal(one, other)
    grads = []
    for each, gold in ((clean, tags), (dirty, tags - 100 * (tags == 0).int())):
        real = torch.where(sequence_mask(chain.lengths, tags.shape[1]), tags, gold)
        emissions = each.emissions.clone().requires_grad_()
        crf.negative_log_likelihood(emissions, real, each.lengths, each.potentials).sum().backward()
        assert emissions.grad is not None
        assert torch.all(emissions.grad[~sequence_mask(chain.lengths, tags.shape[1])] == 0)
        grads.append(emissions.grad)
    assert torch.equal(*grads)


@quick
@given(chains(scales=(3.0, 200.0), dtype=torch.float32))
def test_an_item_alone_and_in_a_batch_are_the_same(chain: Chain) -> None:
    tags, scores = decoding.viterbi(*chain)
    path = crf.path_confidence(chain.emissions, tags, chain.lengths, chain.potentials)
    for item, n in enumerate(chain.lengths.tolist()):
        alone = chain.emissions[item : item + 1, :n], torch.tensor([n]), chain.potentials
        found, score = decoding.viterbi(*alone)
        assert torch.equal(found[0], tags[item, :n])
        torch.testing.assert_close(score[0], scores[item])
        single = crf.path_confidence(alone[0], found, *alone[1:])
        for one, many in zip(single, path, strict=True):
            torch.testing.assert_close(one[0], many[item, :n], atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("tags", [2, 7, 41, 300])
def test_loss_gradients_and_tags_match_pytorch_crf(tags: int) -> None:
    torch.manual_seed(tags)
    ours, peer = CRF(tags), Peer(tags, batch_first=True)
    with torch.no_grad():
        peer.transitions.copy_(ours.transitions.normal_())
        peer.start_transitions.copy_(ours.start.normal_())
        peer.end_transitions.copy_(ours.end.normal_())
    lengths = torch.tensor([9, 1, 4, 12])
    mask = sequence_mask(lengths, 12)
    gold = torch.randint(tags, (4, 12))
    x, y = (torch.randn(4, 12, tags).mul(2).requires_grad_() for _ in range(2))
    y.data.copy_(x.data)
    loss, wanted = ours(x, gold, lengths), -peer(y, gold, mask, reduction="none")
    torch.testing.assert_close(loss, wanted)
    loss.sum().backward()
    wanted.sum().backward()
    torch.testing.assert_close(x.grad, y.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(ours.transitions.grad, peer.transitions.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(ours.start.grad, peer.start_transitions.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(ours.end.grad, peer.end_transitions.grad, atol=1e-5, rtol=1e-4)
    found, _ = decoding.viterbi(x, lengths, ours.potentials())
    pairs = zip(found, lengths.tolist(), strict=True)
    assert [path[:n].tolist() for path, n in pairs] == peer.decode(y, mask)


def test_a_sequence_of_20000_steps_keeps_its_posteriors() -> None:
    """Moves of ``u_i + v_j`` make the steps independent: each posterior is a softmax."""
    torch.manual_seed(0)
    steps, tags = 20_000, 4
    emissions, lengths = torch.randn(1, steps, tags) * 2, torch.tensor([steps])
    leave, enter = torch.randn(2, tags) + 5  # scores that grow with the length
    potentials = Potentials(leave.unsqueeze(1) + enter, torch.zeros(tags), torch.zeros(tags))
    alone = emissions[0].double()
    alone[:-1] += leave
    alone[1:] += enter
    found = crf.marginals(emissions, lengths, potentials)
    torch.testing.assert_close(found.unary[0].double(), alone.softmax(-1), atol=1e-5, rtol=0.0)
    wanted = alone.logsumexp(-1).sum()
    assert found.log_partition.item() == pytest.approx(wanted.item(), rel=1e-6)
    best, _ = decoding.viterbi(emissions, lengths, potentials)
    assert torch.equal(best[0], alone.argmax(-1))


def test_half_precision_and_autocast_give_float32() -> None:
    torch.manual_seed(0)
    module = CRF(5)
    x, lengths = torch.randn(3, 6, 5), torch.tensor([6, 2, 4])
    tags = torch.randint(5, (3, 6))
    half = x.bfloat16().requires_grad_()
    twin = x.bfloat16().float().requires_grad_()
    wanted = module(twin, tags, lengths)
    wanted.sum().backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = module(half, tags, lengths)
        loss.sum().backward()
        found = crf.marginals(half, lengths, module.potentials())
    assert loss.dtype == found.unary.dtype == torch.float32
    torch.testing.assert_close(loss, wanted, atol=0.0, rtol=0.0)
    exact = crf.marginals(twin, lengths, module.potentials())
    torch.testing.assert_close(found.moves, exact.moves, atol=0.0, rtol=0.0)
    assert half.grad is not None
    assert twin.grad is not None
    torch.testing.assert_close(half.grad.float(), twin.grad, atol=0.0, rtol=1e-2)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ([0, 0, 0], "item 1, step 0: no sequence may start with tag 0"),
        ([1, 0, 1], "item 1, step 1: tag 0 may not follow 1"),
        ([1, 1, 2], "item 1, step 2: no sequence may end with tag 2"),
    ],
)
def test_illegal_gold_tags_are_refused_by_name(path: list[int], message: str) -> None:
    potentials = neutral(3)
    potentials.start[0] = potentials.transitions[1, 0] = potentials.end[2] = -torch.inf
    tags = torch.tensor([[1, 2, 0], path])
    with pytest.raises(ValueError, match=message):
        crf.negative_log_likelihood(torch.zeros(2, 3, 3), tags, torch.tensor([3, 3]), potentials)


def test_an_item_without_a_legal_sequence_is_refused_by_name() -> None:
    chain = unreachable()
    message = "item 0: no legal sequence has length 3"
    for function in (decoding.viterbi, crf.marginals, crf.log_partition):
        with pytest.raises(ValueError, match=message):
            function(*chain)
    with pytest.raises(ValueError, match=message):
        decoding.n_best(*chain, 2)


@pytest.mark.parametrize("lengths", [[0, 2], [3, 4], [2]])
def test_lengths_that_do_not_fit_are_refused(lengths: list[int]) -> None:
    chain = torch.zeros(2, 3, 2), torch.tensor(lengths), neutral(2)
    for function in (decoding.viterbi, crf.marginals, crf.log_partition):
        with pytest.raises(ValueError, match="lengths"):
            function(*chain)


def test_a_module_starts_even_and_learns_legal_moves_only() -> None:
    torch.manual_seed(0)
    allowed = Allowed(torch.ones(4, 4).bool(), torch.ones(4).bool(), torch.ones(4).bool())
    allowed.transitions[0, 1] = allowed.start[2] = allowed.end[3] = False
    module = CRF(4, allowed)
    x, lengths = torch.zeros(2, 9, 4), torch.tensor([9, 5])
    tags = torch.tensor([[1, 1, 2, 2, 3, 3, 0, 0, 2]] * 2)
    tags[1, 4] = 2
    loss = module(x, tags, lengths)
    torch.testing.assert_close(loss, lengths * np.log(4).astype("float32"), atol=2.0, rtol=0.0)
    loss.sum().backward()
    for name, parameter in module.named_parameters():
        legal_moves = module.get_buffer(f"allowed_{name}")
        assert parameter.grad is not None
        assert torch.all(parameter.grad[~legal_moves] == 0)
        assert torch.all(parameter.grad[legal_moves] != 0)
    assert legal(decoding.viterbi(x, lengths, module.potentials())[0], lengths, module.potentials())
    assert set(module.state_dict()) == {"transitions", "start", "end"}
    other = CRF(4, allowed)
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(x, tags, lengths), loss)


@quick
@given(chains(), st.integers(0, 2**16))
def test_log_odds_are_those_of_all_sequences(chain: Chain, seed: int) -> None:
    """Of random sets of tags in a row, against all sequences one by one."""
    generator = np.random.default_rng(seed)
    tags = chain.emissions.shape[2]
    for item, length in enumerate(chain.lengths.tolist()):
        start = int(generator.integers(length))
        wanted = generator.random((int(generator.integers(1, length - start + 1)), tags)) < 0.6
        known = listed(chain, item)
        rows = known.paths[:, start : start + len(wanted)]
        fits = wanted[np.arange(len(wanted)), rows].all(1)
        share = known.probability(fits)
        if not 1e-9 < share < 1 - 1e-9:
            continue
        row = chain.emissions[item : item + 1]
        found = crf.log_odds(
            row, chain.lengths[item : item + 1], chain.potentials, start, torch.from_numpy(wanted)
        )
        other = known.probability(~fits)
        assert float(found) == pytest.approx(np.log(share) - np.log(other), abs=1e-5)


def test_log_odds_near_certainty_keep_their_digits() -> None:
    """``p = 1 − 1e-20`` has no digits left as a number; its odds have."""
    emissions = torch.tensor([[[46.0, 0.0], [0.0, 0.0]]], dtype=torch.float64, requires_grad=True)
    certain = torch.tensor([[True, False]])
    found = crf.log_odds(emissions, torch.tensor([2]), neutral(2), 0, certain)
    assert float(found.detach()) == pytest.approx(46)
    (gradient,) = torch.autograd.grad(found.sum(), emissions)
    torch.testing.assert_close(gradient[0, 0], torch.tensor([1.0, -1.0], dtype=torch.float64))
