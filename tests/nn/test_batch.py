"""Masks, reversed copies, and the lengths that are refused."""

import doctest

import pytest
import torch
from hypothesis import given

from birnn.nn import batch as batch_module
from birnn.nn.batch import Batch, check_lengths, reverse_index, reverse_padded, sequence_mask

from strategies import Ragged, quick, ragged_batches


def test_worked_examples_hold() -> None:
    assert doctest.testmod(batch_module) == (0, 2)


@quick
@given(ragged_batches())
def test_mask_is_true_for_each_step_before_the_end(ragged: Ragged) -> None:
    steps = ragged.x.shape[1]
    plain = [[step < n for step in range(steps)] for n in ragged.lengths.tolist()]
    assert sequence_mask(ragged.lengths, steps).tolist() == plain


@quick
@given(ragged_batches())
def test_reversal_turns_each_sequence_and_leaves_its_padding(ragged: Ragged) -> None:
    turned = reverse_padded(ragged.x, reverse_index(ragged.lengths, ragged.x.shape[1]))
    for old, new, n in zip(ragged.x, turned, ragged.lengths, strict=True):
        assert torch.equal(new[:n], old[:n].flip(0))
        assert torch.equal(new[n:], old[n:])


@quick
@given(ragged_batches())
def test_reversing_twice_is_the_identity(ragged: Ragged) -> None:
    index = reverse_index(ragged.lengths, ragged.x.shape[1])
    assert torch.equal(reverse_padded(reverse_padded(ragged.x, index), index), ragged.x)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([0, 3], r"1\.\.3, got 0\.\.3"),
        ([-1, 3], r"1\.\.3, got -1\.\.3"),
        ([1, 4], r"1\.\.3, got 1\.\.4"),
        ([1], r"\(1,\).*\(2, 3, 5\)"),
        ([1, 2, 3], r"\(3,\).*\(2, 3, 5\)"),
        ([[1, 2]], r"\(1, 2\).*\(2, 3, 5\)"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_lengths(torch.zeros(2, 3, 5), torch.tensor(lengths))


def test_lengths_up_to_the_padded_size_are_taken() -> None:
    check_lengths(torch.zeros(2, 3, 5), torch.tensor([1, 3]))


def test_a_batch_moves_whole_and_keeps_its_views() -> None:
    inputs = {"a": torch.zeros(2, 3), "b": torch.zeros(7)}
    moved = Batch(inputs, torch.tensor([1, 3]), torch.zeros(2), views=2).to("meta")
    parts = [*moved.inputs.values(), moved.lengths, moved.targets]
    assert all(part is not None and part.device.type == "meta" for part in parts)
    assert moved.views == 2
    assert len(moved) == 2


def test_a_batch_to_predict_has_no_targets_anywhere() -> None:
    assert Batch({}, torch.tensor([1])).to("meta").targets is None
