"""The compiled scans against torch in float64, and what batches and threads can't do to them."""

import gc
import itertools
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from layer_cases import CELLS, Case, draw, leaves, threads
from torch import Tensor

import birnn.nn
from birnn.native.library import library
from birnn.native.memory import PackedWeights, Workspace
from birnn.native.paths import best_paths
from birnn.native.scan import native_scan
from birnn.nn.chain import Potentials
from birnn.nn.crf import sequence_score
from birnn.nn.decoding import best_path, viterbi
from birnn.nn.devices import give_back_memory
from birnn.nn.engines import NATIVE, Work
from birnn.nn.scan import GRU, LSTM, CellWeights, Recurrence, reversed_scan

from strategies import quick

pytestmark = pytest.mark.skipif(
    NATIVE.missing(Work(GRU, torch.device("cpu"), torch.float32)) is not None,
    reason="no C compiler",
)
# Of the widths of registers (4, 8, 16), near them, and of nothing.
SIZES = st.sampled_from([1, 2, 3, 5, 8, 13, 15, 16, 17, 31, 33, 48, 64, 65, 100])


def native(case: Case) -> Tensor:
    return native_scan(case.recurrence, case.x, case.lengths, case.directions)


def doubled(case: Case) -> Case:
    """The same in float64, with gradients of its own."""
    weights = [CellWeights(*(p.detach().double() for p in d)) for d in case.directions]
    return Case(case.recurrence, case.x.detach().double(), case.lengths, weights)


def gradients(case: Case, *, reference: bool) -> tuple[Tensor, list[Tensor]]:
    """States and the gradients of a sum in which each counts differently."""
    for leaf in leaves(case):
        leaf.requires_grad_()
    if reference:
        states = reversed_scan(case.recurrence, case.x, case.lengths, case.directions)
    else:
        states = native(case)
    generator = torch.Generator().manual_seed(1)
    probe = torch.randn(states.shape, generator=generator).to(states.dtype)
    return states.detach(), list(torch.autograd.grad((states * probe).sum(), leaves(case)))


def near(ours: Tensor, exact: Tensor) -> None:
    """Within 1e-5 of the scale of ``exact``."""
    scale = max(float(exact.abs().max()), 1e-3)
    assert float((ours.double() - exact).abs().max()) <= 1e-5 * scale


def check_exact(case: Case) -> None:
    """States and all gradients are those of torch in float64."""
    states, ours = gradients(case, reference=False)
    wanted, theirs = gradients(doubled(case), reference=True)
    near(states, wanted)
    for own, other in zip(ours, theirs, strict=True):
        near(own, other)


@pytest.mark.parametrize("cell", CELLS)
@quick
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    features=SIZES,
    hidden=SIZES,
    ways=st.integers(1, 2),
    extra=st.integers(0, 3),
    count=st.integers(1, 5),
)
def test_states_and_all_gradients_are_those_of_float64(
    cell: str, lengths: list[int], features: int, hidden: int, ways: int, extra: int, count: int
) -> None:
    with threads(count):
        check_exact(draw(cell, lengths, features, hidden, ways=ways, extra=extra))


@pytest.mark.parametrize("cell", CELLS)
def test_long_sums_of_a_large_batch_stay_exact(cell: str) -> None:
    check_exact(draw(cell, [300, 299, *range(1, 255)], 1, 32))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden", [5, 48, 130])
def test_an_item_alone_gives_the_same_bits_as_in_a_batch_on_any_threads(
    cell: str, hidden: int
) -> None:
    case = draw(cell, [9, 1, 30, 30, 2, 17, 5, 5, 30, 12, 8, 3, 21], 20, hidden)
    results = []
    for count in (1, 2, 3, 8):
        with threads(count):
            results.append(native(case))
    for other in results[1:]:
        assert torch.equal(results[0], other)
    for item, n in enumerate(case.lengths.tolist()):
        alone = native(
            case._replace(x=case.x[item : item + 1, :n], lengths=case.lengths[item : item + 1])
        )
        assert torch.equal(alone[0], results[0][item, :n])
        assert not results[0][item, n:].any()


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_the_same_bits_on_any_threads_with_and_without_openmp(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = draw(cell, [9, 1, 30, 30, 2, 17, 5, 5, 30, 12], 7, 40)
    results = []
    for count, fork in ((1, True), (4, True), (4, False)):
        with threads(count), monkeypatch.context() as patched:
            if not fork:
                patched.setattr(library(), "_fork", None)
            results.append(gradients(case, reference=False))
    for states, others in results[1:]:
        assert torch.equal(states, results[0][0])
        assert all(torch.equal(a, b) for a, b in zip(others, results[0][1], strict=True))


@given(lengths=st.lists(st.integers(0, 30), min_size=1, max_size=40), extra=st.integers(0, 3))
def test_places_are_those_of_a_stable_sort(lengths: list[int], extra: int) -> None:
    sizes, steps = torch.tensor(lengths), max(lengths) + extra
    (length, packed, dense), total = library().places(sizes, steps)
    ordered, order = sizes.sort(descending=True, stable=True)
    assert torch.equal(length, ordered)
    assert torch.equal(packed, (sizes.cumsum(0) - sizes)[order])
    assert torch.equal(dense, order * steps)
    assert total == sum(lengths)


@pytest.mark.parametrize("length", [-1, 7, 2**40])
def test_a_length_that_the_batch_does_not_have_is_refused(length: int) -> None:
    case = draw("gru", [4, 6, 2], 3, 5)
    with pytest.raises(ValueError, match=f"lengths: not all are in 0 … 6: .*{length}"):
        native(case._replace(lengths=torch.tensor([4, length, 2])))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("features", "hidden"), [(1, 1), (7, 7), (33, 17), (70, 200), (300, 256)])
def test_slices_of_the_sums_change_no_bit(
    cell: str, features: int, hidden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = draw(cell, [5, 4, 4, *[3] * 37], features, hidden)
    wanted = gradients(case, reference=False)
    for most in (1, 20, 64, 128):
        monkeypatch.setattr(library(), "slice", most)
        states, found = gradients(case, reference=False)
        assert torch.equal(states, wanted[0])
        assert all(torch.equal(a, b) for a, b in zip(found, wanted[1], strict=True))


def test_curves_are_within_a_millionth() -> None:
    x = torch.cat([torch.linspace(-100, 100, 200_001), torch.linspace(-1, 1, 20_003)])
    tanh, sigmoid = library().curves(x)
    assert float((tanh - x.double().tanh()).abs().max()) < 2e-7
    assert float((sigmoid - x.double().sigmoid()).abs().max()) < 2e-7
    small = torch.logspace(-30, -1, 1000)
    relative = library().curves(small)[0].double() / small.double().tanh() - 1
    assert float(relative.abs().max()) < 5e-7
    odd = torch.tensor([float("inf"), -float("inf"), float("nan"), 0.0])
    tanh, sigmoid = library().curves(odd)
    assert tanh[[0, 1, 3]].tolist() == [1.0, -1.0, 0.0]
    assert sigmoid[0] == 1.0
    assert 0 <= sigmoid[1] < 1e-30
    assert tanh[2].isnan()
    assert sigmoid[2].isnan()


@pytest.mark.parametrize("cell", CELLS)
def test_a_nan_spoils_its_own_sequence_alone(cell: str) -> None:
    case = draw(cell, [4, 6, 3], 2, 5)
    clean = native(case)
    case.x[1, 2, 0] = float("nan")
    spoilt = native(case)
    assert torch.equal(spoilt[[0, 2]], clean[[0, 2]])
    assert spoilt[1, 2:, :5].isnan().all()
    assert torch.equal(spoilt[1, :2, :5], clean[1, :2, :5])


@pytest.mark.parametrize("change", ["in place", "optimizer", "loaded"])
def test_a_change_of_the_weights_between_predictions_is_noticed(change: str) -> None:
    case = draw("gru", [4, 6], 2, 5)
    with torch.no_grad():
        before = native(case)
        assert torch.equal(native(case), before)  # the second time from what was packed
    recurrent = case.directions[0].recurrent
    if change == "in place":
        recurrent.mul_(2)
    elif change == "loaded":
        layer = torch.nn.ParameterDict({"w": torch.nn.Parameter(recurrent, requires_grad=False)})
        case.directions[0] = case.directions[0]._replace(recurrent=layer["w"])
        native(case)
        layer.load_state_dict({"w": torch.ones_like(recurrent)})
    else:
        recurrent.requires_grad_()
        recurrent.grad = torch.ones_like(recurrent)
        torch.optim.AdamW([recurrent], lr=0.1, fused=True).step()
    with torch.no_grad():
        after = native(case)
        fresh = native(doubled(case))  # copies, which nothing was packed for
    assert not torch.allclose(before, after)
    assert torch.equal(after, fresh)


def test_packed_weights_are_kept_for_frozen_weights_as_long_as_they_live() -> None:
    weights = [torch.nn.Parameter(torch.ones(3), requires_grad=False) for _ in range(4)]
    cache, panels = PackedWeights(), torch.zeros(1)
    assert cache.find(weights) is None
    assert cache.keep(weights, panels)
    assert cache.find(weights) is panels
    weights[3].add_(1)
    assert cache.find(weights) is None
    assert cache.keep(weights, panels)
    weights[2].requires_grad_()
    assert cache.find(weights) is None
    assert not cache.keep(weights, panels)
    del weights
    gc.collect()
    assert not len(cache._packed)


def test_views_and_halves_are_taken_as_they_stand() -> None:
    case = draw("lstm", [4, 6, 2], 6, 5)
    apart = case.x.transpose(0, 1).contiguous().transpose(0, 1)
    assert torch.equal(native(case._replace(x=apart)), native(case))
    part = torch.randn(3, 6, 9)[:, :, 2:8]
    assert torch.equal(
        native(case._replace(x=part)), native(case._replace(x=part.clone().contiguous()))
    )


def test_a_retained_graph_gives_the_same_gradients_again() -> None:
    case = draw("lstm", [4, 6, 2], 3, 5)
    for leaf in leaves(case):
        leaf.requires_grad_()
    total = native(case).sin().sum()
    first = torch.autograd.grad(total, leaves(case), retain_graph=True)
    second = torch.autograd.grad(total, leaves(case))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_two_graphs_live_side_by_side() -> None:
    cases = [draw("gru", [4, 6, 2], 3, hidden) for hidden in (5, 20)]
    apart = [gradients(case, reference=False)[1] for case in cases]
    totals = []
    for case in cases:
        states = native(case)
        probe = torch.randn(states.shape, generator=torch.Generator().manual_seed(1))
        totals.append((states * probe).sum())
    for case, total, wanted in zip(cases, totals, apart, strict=True):
        found = torch.autograd.grad(total, leaves(case))
        assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_a_change_in_place_before_the_backward_pass_is_refused() -> None:
    case = draw("gru", [4, 6, 2], 3, 5)
    case.directions[0].recurrent.requires_grad_()
    states = native(case)
    with torch.no_grad():
        case.directions[0].recurrent.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        states.sum().backward()


def test_second_derivatives_are_refused() -> None:
    case = draw("gru", [4, 6, 2], 3, 5)
    case.x.requires_grad_()
    (first,) = torch.autograd.grad(native(case).sin().sum(), case.x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiat"):
        first.sum().backward()


def test_a_workspace_gives_back_what_is_large_enough_and_keeps_the_largest() -> None:
    workspace = Workspace(most=2)
    small, middle, large = (torch.empty(n) for n in (10, 20, 30))
    for buffer in (large, small, middle):
        workspace.give(buffer)
    assert workspace.take(15) is middle
    assert workspace.take(15) is large
    assert workspace.take(15).numel() == 15
    workspace.give(large)
    give_back_memory()
    assert workspace.take(15) is not large


def test_scans_run_side_by_side_in_threads_of_python() -> None:
    from concurrent.futures import ThreadPoolExecutor

    cases = [draw("lstm", [30, 4, 6, 2, 9], 3, hidden) for hidden in (5, 20, 33, 64)]
    wanted = [gradients(case, reference=False)[1] for case in cases]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            found = pool.map(lambda case: gradients(case, reference=False)[1], cases)
            for ours, apart in zip(found, wanted, strict=True):
                assert all(torch.equal(a, b) for a, b in zip(ours, apart, strict=True))


def test_a_process_that_forked_can_scan() -> None:
    code = (
        "import os, torch\n"
        "from birnn.native.scan import native_scan\n"
        "from birnn.nn.scan import GRU, CellWeights\n"
        "w = CellWeights(torch.ones(9, 2), torch.ones(9, 3), torch.ones(9), torch.ones(9))\n"
        "go = lambda: native_scan(GRU, torch.ones(8, 5, 2), torch.full((8,), 5), [w, w])\n"
        "go()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    torch.set_num_threads(1)\n"
        "    go()\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@quick
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    tags=st.integers(1, 20),
    seed=st.integers(0, 2**16),
    forbidden=st.floats(0, 0.3),
)
def test_best_paths_score_as_well_as_those_of_torch(
    lengths: list[int], tags: int, seed: int, forbidden: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    steps = max(lengths) + 1
    emissions = torch.randn(len(lengths), steps, tags, generator=generator)
    moves = torch.randn(tags, tags, generator=generator)
    shut = torch.rand(tags, tags, generator=generator) < forbidden
    moves = moves.masked_fill(shut & ~torch.eye(tags, dtype=torch.bool), -torch.inf)
    ends = torch.randn(2, tags, generator=generator)
    potentials, sizes = Potentials(moves, *ends), torch.tensor(lengths)
    wanted, best = viterbi(emissions, sizes, potentials)
    found = best_paths(emissions, sizes, potentials)
    scores = sequence_score(emissions, found, sizes, potentials)
    torch.testing.assert_close(scores, best, rtol=1e-5, atol=1e-5)
    padding = torch.arange(steps) >= sizes.unsqueeze(1)
    assert not found[padding].any()
    assert float((found == wanted).float().mean()) > 0.9  # ties alone differ


def test_wild_emissions_lead_to_no_illegal_path() -> None:
    moves = torch.tensor([[0.0, -torch.inf], [0.0, 0.0]])
    potentials = Potentials(moves, torch.zeros(2), torch.zeros(2))
    for wild in (float("inf"), float("-inf"), float("nan"), 1e38, -1e38):
        emissions = torch.zeros(1, 4, 2)
        emissions[0, ::2, 0], emissions[0, 1::2, 1] = wild, wild
        path = best_paths(emissions, torch.tensor([4]), potentials)[0].tolist()
        assert (0, 1) not in list(itertools.pairwise(path))


def test_a_chain_without_a_legal_path_is_refused_by_its_item() -> None:
    shut = Potentials(torch.full((2, 2), -torch.inf), torch.zeros(2), torch.zeros(2))
    with pytest.raises(ValueError, match="item 1: no legal sequence has length 3"):
        best_path(torch.zeros(2, 3, 2), torch.tensor([1, 3]), shut)


def test_long_chains_keep_their_digits() -> None:
    generator = torch.Generator().manual_seed(0)
    emissions = torch.randn(1, 20_000, 3, generator=generator)
    rise = torch.full((3, 3), 1000.0)  # sums reach 2e7, where float32 has no digits after the point
    potentials = Potentials(rise, torch.zeros(3), torch.zeros(3))
    path = best_paths(emissions, torch.tensor([20_000]), potentials)
    assert torch.equal(path, emissions.argmax(-1))


@pytest.mark.parametrize("recurrence", [GRU, LSTM])
def test_first_states_and_last_memory_count_in_every_backward_pass(recurrence: Recurrence) -> None:
    """A second pass computes the first one's states anew, from the same states to begin with."""
    torch.manual_seed(0)
    module = (birnn.nn.GRU if recurrence is GRU else birnn.nn.LSTM)(5, 19, batch_first=True)
    first = [torch.randn(1, 3, 19, requires_grad=True) for _ in range(1 + (recurrence is LSTM))]
    hx = first[0] if recurrence is GRU else tuple(first)
    x, lengths = torch.randn(3, 6, 5), torch.tensor([6, 2, 4])
    states, last = module(x, hx, lengths=lengths)
    ends = [last] if recurrence is GRU else list(last)
    total = states.square().sum() + sum(end.square().sum() for end in ends)
    total.backward(retain_graph=True)
    once = [part.grad.clone() for part in (*first, *module.parameters())]
    total.backward()
    for part, before in zip((*first, *module.parameters()), once, strict=True):
        torch.testing.assert_close(part.grad, 2 * before)
