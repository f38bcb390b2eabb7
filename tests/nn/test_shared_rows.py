"""Rows that several processes carry: each makes its own, and all have those of all."""

import pytest
import torch

from birnn.nn import shared_norm


@pytest.mark.parametrize("counts", [True, False])
def test_rows_of_all_processes_are_joined(counts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, own = torch.full((2, 5, 3), 9.0), torch.randn(2, 2, 3)
    theirs, sent = torch.zeros(2, 5, 3), []
    theirs[:, [0, 2, 4]] = torch.randn(2, 3, 3)

    def summed(part: torch.Tensor) -> torch.Tensor:
        sent.append(part)
        return part + theirs

    monkeypatch.setattr(shared_norm, "is_shared", lambda: True)
    monkeypatch.setattr(shared_norm, "_counts", counts)
    monkeypatch.setattr(shared_norm, "_summed", summed)
    found = shared_norm.joined(own, torch.tensor([1, 3]), whole)
    assert torch.equal(found[:, [0, 2, 4]], theirs[:, [0, 2, 4]])
    # Who has no row of a batch adds nothing to those of others.
    assert torch.equal(found[:, [1, 3]], own if counts else torch.zeros_like(own))
    assert len(sent) == 1


def test_alone_the_rows_of_a_batch_replace_their_own() -> None:
    whole, own = torch.full((2, 5, 3), 9.0), torch.randn(2, 2, 3)
    found = shared_norm.joined(own, torch.tensor([1, 3]), whole)
    assert torch.equal(found[:, [1, 3]], own)
    assert (found[:, [0, 2, 4]] == 9).all()
