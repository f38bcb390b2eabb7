"""The recurrences against numpy, one sequence at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from birnn.nn.scan import (
    GRU,
    LSTM,
    SHUT,
    CellWeights,
    Recurrence,
    closed_scan,
    final_states,
    reversed_scan,
)  # fmt: skip

import reference
from strategies import Ragged, quick, ragged_batches

CELLS = {"bigru": GRU, "bilstm": LSTM}
WAYS = [reversed_scan, closed_scan]


def draw_weights(gates: int, hidden: int, features: int, seed: int) -> CellWeights:
    generator = torch.Generator().manual_seed(seed)
    rows = gates * hidden
    shapes = ((rows, features), (rows, hidden), (rows,), (rows,))
    return CellWeights(
        *(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    )


def plain(weights: CellWeights) -> reference.Weights:
    return reference.Weights(*(part.numpy() for part in weights))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cell", CELLS)
@quick
@given(ragged=ragged_batches([torch.float64]), hidden=st.integers(1, 7))
def test_both_directions_match_numpy(cell: str, way, ragged: Ragged, hidden: int) -> None:
    gates, x, lengths = CELLS[cell].gates, ragged.x, ragged.lengths
    forward, backward = (draw_weights(gates, hidden, x.shape[-1], s) for s in (1, 2))
    states = way(CELLS[cell], x, lengths, [forward, backward])
    finals = final_states(states, ragged.lengths, bidirectional=True)
    for item, n in enumerate(ragged.lengths.tolist()):
        sequence = ragged.x[item, :n].numpy()
        wanted, final = reference.encode(cell, sequence, [[plain(forward), plain(backward)]])
        np.testing.assert_allclose(states[item, :n], wanted, atol=1e-12)
        np.testing.assert_allclose(finals[item], final, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_torch_is_told_to_keep_what_gradients_need(cell: str, monkeypatch) -> None:
    """CuDNN refuses a backward pass through a call that was not flagged; a CPU does not."""
    scan, gates = CELLS[cell].scan, CELLS[cell].gates
    name = cell.removeprefix("bi")
    plain_call, flags = getattr(torch, name), []

    def watched(*arguments):
        flags.append(arguments[6])
        return plain_call(*arguments)

    monkeypatch.setattr(torch, name, watched)
    weights, x = draw_weights(gates, 3, 2, 0), torch.randn(1, 4, 2, dtype=torch.float64)
    scan(x, weights)
    with torch.no_grad():
        scan(x, weights)
    with torch.inference_mode():
        scan(x, weights)
    assert flags == [True, False, False]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cell", CELLS)
def test_one_way_reads_left_to_right(cell: str, way) -> None:
    weights = draw_weights(CELLS[cell].gates, 3, 2, 0)
    x = torch.randn(1, 4, 2, dtype=torch.float64)
    states = way(CELLS[cell], x, torch.tensor([4]), [weights])
    wanted, final = reference.encode(cell, x[0].numpy(), [[plain(weights)]])
    np.testing.assert_allclose(states[0], wanted, atol=1e-12)
    finals = final_states(states, torch.tensor([4]), bidirectional=False)
    np.testing.assert_allclose(finals[0], final, atol=1e-12)


def test_final_states_are_the_last_real_step_and_the_first() -> None:
    states = torch.arange(24.0).reshape(2, 3, 4)
    found = final_states(states, torch.tensor([2, 3]), bidirectional=True)
    assert found.tolist() == [[4.0, 5.0, 2.0, 3.0], [20.0, 21.0, 14.0, 15.0]]


def test_one_way_final_state_is_the_last_real_step() -> None:
    states = torch.arange(12.0).reshape(2, 3, 2)
    found = final_states(states, torch.tensor([1, 3]), bidirectional=False)
    assert found.tolist() == [[0.0, 1.0], [10.0, 11.0]]


def of_both(way, recurrence: Recurrence, x: torch.Tensor, lengths: torch.Tensor, weights):
    """States, and the gradients of a sum in which each of them counts differently."""
    leaves = [x, *(part for direction in weights for part in direction)]
    leaves = [leaf.detach().requires_grad_() for leaf in leaves]
    directions = [CellWeights(*leaves[1:5]), CellWeights(*leaves[5:])]
    states = way(recurrence, leaves[0], lengths, directions)
    probe = torch.randn(states.shape, generator=torch.Generator().manual_seed(3)).to(states)
    return [states.detach(), *torch.autograd.grad((states * probe).sum(), leaves)]


@pytest.mark.parametrize("precision", [torch.float64, torch.float32])
@pytest.mark.parametrize("cell", CELLS)
@quick
@given(ragged=ragged_batches([torch.float64]), hidden=st.integers(1, 7), size=st.floats(0.1, 30))
def test_a_shut_gate_is_as_exact_as_a_reversed_copy(
    cell: str, precision: torch.dtype, ragged: Ragged, hidden: int, size: float
) -> None:
    features = ragged.x.shape[-1]
    weights = [draw_weights(CELLS[cell].gates, hidden, features, seed) for seed in (1, 2)]
    weights = [CellWeights(*(part.to(precision) * size for part in w)) for w in weights]
    both = [of_both(way, CELLS[cell], ragged.x.to(precision), ragged.lengths, weights)
            for way in WAYS]  # fmt: skip
    bound = 1e-12 if precision == torch.float64 else 2e-5
    for wanted, got in zip(*both, strict=True):
        scale = float(wanted.abs().max()) or 1.0
        assert float((got - wanted).abs().max()) / scale < bound


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("precision", [torch.float64, torch.float32, torch.bfloat16])
def test_the_padding_gives_nothing_at_all_through_a_shut_gate(
    cell: str, precision: torch.dtype
) -> None:
    """Not little: nothing. States before a sequence, and the gradients of what stands there."""
    weights = [draw_weights(CELLS[cell].gates, 4, 3, seed) for seed in (1, 2)]
    weights = [CellWeights(*(part.to(precision) for part in w)) for w in weights]
    x, lengths = torch.randn(3, 6, 3).to(precision), torch.tensor([2, 6, 1])
    x[0, 2:], x[2, 1:] = torch.nan, 1e30
    states, of_x, *of_weights = of_both(closed_scan, CELLS[cell], x, lengths, weights)
    assert not states[0, 2:].any()
    assert not of_x[0, 2:].any()
    assert not of_x[2, 1:].any()
    assert all(part.isfinite().all() for part in (states, of_x, *of_weights))
    more = torch.cat([x, torch.full((3, 5, 3), torch.nan, dtype=precision)], 1)
    longer = closed_scan(CELLS[cell], more, lengths, weights)
    torch.testing.assert_close(longer[:, :6], states, rtol=1e-5, atol=1e-6)
    for half in (torch.float16, torch.bfloat16):
        assert torch.tensor(SHUT).to(half).isfinite()
        assert (torch.tensor([-SHUT, SHUT]).to(half).sigmoid() == torch.tensor([0, 1])).all()
