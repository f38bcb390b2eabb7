"""What is cached of frozen weights, and what makes it anew."""

import copy
import gc

import pytest
import torch
from torch import nn

from birnn.nn.cached import Cached, standing
from birnn.nn.crf import CRF


def test_frozen_weights_stand_until_they_change() -> None:
    weights = [nn.Parameter(torch.ones(3), requires_grad=False) for _ in range(2)]
    before = standing(weights)
    assert before is not None
    assert standing(weights) == before
    weights[1].add_(1)
    assert standing(weights) != before
    weights[0].requires_grad_()
    assert standing(weights) is None


def test_a_value_is_made_once_in_inference_mode_alone() -> None:
    weights, made = [torch.ones(2)], []

    def make() -> float:
        made.append(0)
        return float(weights[0].sum())

    cached: Cached[float] = Cached()
    assert [cached.get(weights, make) for _ in range(2)] == [2.0, 2.0]
    assert len(made) == 2
    with torch.inference_mode():
        assert [cached.get(weights, make) for _ in range(3)] == [2.0] * 3
    assert len(made) == 3
    weights[0].mul_(2)
    with torch.inference_mode():
        assert cached.get(weights, make) == 4.0
        assert copy.deepcopy(cached).get([torch.ones(1)], lambda: 7.0) == 7.0


@pytest.mark.parametrize("frozen", [True, False])
def test_a_crf_that_changes_between_predictions_is_noticed(frozen: bool) -> None:
    crf = CRF(3).requires_grad_(not frozen)
    with torch.inference_mode():
        before = crf.potentials().transitions.clone()
    with torch.no_grad():
        crf.transitions.add_(1)
    with torch.inference_mode():
        assert torch.equal(crf.potentials().transitions, before + 1)
    crf.requires_grad_()
    crf.potentials().transitions.sum().backward()  # nothing of inference is in the graph
    gc.collect()
    assert crf.transitions.grad is not None
