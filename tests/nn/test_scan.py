"""The recurrences against numpy, one sequence at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from birnn.nn.scan import CellWeights, bidirectional_scan, final_states, gru_scan, lstm_scan

import reference
from strategies import Ragged, quick, ragged_batches

SCANS = {"bigru": (gru_scan, 3), "bilstm": (lstm_scan, 4)}


def draw_weights(gates: int, hidden: int, features: int, seed: int) -> CellWeights:
    generator = torch.Generator().manual_seed(seed)
    rows = gates * hidden
    shapes = ((rows, features), (rows, hidden), (rows,), (rows,))
    return CellWeights(
        *(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    )


def plain(weights: CellWeights) -> reference.Weights:
    return reference.Weights(*(part.numpy() for part in weights))


@pytest.mark.parametrize("cell", SCANS)
@quick
@given(ragged=ragged_batches([torch.float64]), hidden=st.integers(1, 7))
def test_both_directions_match_numpy(cell: str, ragged: Ragged, hidden: int) -> None:
    scan, gates = SCANS[cell]
    forward, backward = (draw_weights(gates, hidden, ragged.x.shape[-1], s) for s in (1, 2))
    states = bidirectional_scan(scan, ragged.x, ragged.lengths, forward, backward)
    finals = final_states(states, ragged.lengths, bidirectional=True)
    for item, n in enumerate(ragged.lengths.tolist()):
        sequence = ragged.x[item, :n].numpy()
        wanted, final = reference.encode(cell, sequence, [[plain(forward), plain(backward)]])
        np.testing.assert_allclose(states[item, :n], wanted, atol=1e-12)
        np.testing.assert_allclose(finals[item], final, atol=1e-12)


@pytest.mark.parametrize("cell", SCANS)
def test_torch_is_told_to_keep_what_gradients_need(cell: str, monkeypatch) -> None:
    """CuDNN refuses a backward pass through a call that was not flagged; a CPU does not."""
    scan, gates = SCANS[cell]
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


@pytest.mark.parametrize("cell", SCANS)
def test_one_way_reads_left_to_right(cell: str) -> None:
    scan, gates = SCANS[cell]
    weights = draw_weights(gates, 3, 2, 0)
    x = torch.randn(1, 4, 2, dtype=torch.float64)
    states = bidirectional_scan(scan, x, torch.tensor([4]), weights)
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
