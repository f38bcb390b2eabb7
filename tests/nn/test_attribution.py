"""Integrated gradients against closed forms, dense quadrature and Captum."""

import pytest
import torch
from captum.attr import IntegratedGradients
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from birnn.nn import engines
from birnn.nn.attribution import MOST_POINTS, integrated_gradients
from birnn.nn.batch import Batch
from birnn.nn.encoders import BiGRU, BiLSTM, Encoder
from birnn.nn.model import Features, SequenceModel
from birnn.nn.pooling import Pooling

from strategies import quick, randomise

numbers = st.floats(-3, 3, width=32)
vectors = st.lists(numbers, min_size=4, max_size=4).map(torch.tensor)


class Head(nn.Module):
    """Pooled states, weighed."""

    def __init__(self, size: int, parts: tuple[str, ...]) -> None:
        super().__init__()
        self.pooling = Pooling(size, parts)
        self.linear = nn.Linear(self.pooling.output_size, 1)

    def forward(self, encoded: object, batch: Batch) -> Tensor:
        """``[B]``."""
        pooled = self.pooling(encoded, batch.lengths).vector
        return self.linear(torch.tanh(pooled)).squeeze(-1)


def model_of(encoder: type[Encoder], *parts: str) -> SequenceModel:
    torch.manual_seed(3)
    cells = encoder(5, hidden_size=6)
    model = SequenceModel(Features(5), cells, Head(12, parts))
    randomise(model)
    return model.requires_grad_(False).eval()


def score_of(model: SequenceModel, steps: int):
    def score(points: list[Tensor]) -> Tensor:
        lengths = torch.full((len(points[0]),), steps)
        return model.read(points[0], Batch({}, lengths))

    return score


@quick
@given(vectors, vectors, vectors)
def test_a_linear_score_is_shared_out_as_its_closed_form(x, base, weights):
    found = integrated_gradients(lambda at: at[0] @ weights + 2.0, [x], [base])
    wanted = (x - base).double() * weights.double()
    torch.testing.assert_close(found.parts[0], wanted, atol=1e-5, rtol=1e-5)
    assert found.gap == pytest.approx(0, abs=1e-4)


@quick
@given(vectors, vectors)
def test_a_product_is_shared_out_equally(x, y):
    """``f = Σ x y`` from 0: each factor gets half of each product."""
    found = integrated_gradients(
        lambda at: (at[0] * at[1]).sum(-1), [x, y], [torch.zeros(4), torch.zeros(4)]
    )
    half = (x.double() * y.double()) / 2
    for part in found.parts:
        torch.testing.assert_close(part, half, atol=1e-5, rtol=1e-4)


@quick
@given(vectors, vectors)
def test_kinks_are_found_and_the_sum_is_complete(x, base):
    weights = torch.tensor([[1.0, -2.0, 0.5, 1.0], [0.3, 1.0, -1.0, 2.0]])

    def score(at: list[Tensor]) -> Tensor:
        return (at[0] @ weights.T - 0.1).relu().sum(-1) + at[0].amax(-1)

    found = integrated_gradients(score, [x], [base])
    places = torch.linspace(0, 1, 1001, dtype=torch.float64)[:, None]
    line = base.double() + places * (x - base).double()
    heights = (line @ weights.double().T - 0.1).relu().sum(-1) + line.amax(-1)
    span = float((heights - heights[0]).abs().max())
    assert abs(found.gap) <= 0.0051 * span + 1e-4


@pytest.mark.parametrize("encoder", [BiGRU, BiLSTM])
@pytest.mark.parametrize("parts", [("last",), ("mean", "attention"), ("max",)])
@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_of_a_network_it_is_the_integral(encoder, parts, engine):
    model = model_of(encoder, *parts)
    x, base = torch.randn(7, 5), torch.randn(7, 5) * 0.3
    score = score_of(model, 7)
    with engines.forced(engine):
        found = integrated_gradients(score, [x], [base], tolerance=1e-4)
        with torch.no_grad():
            assert found.value == pytest.approx(float(score([x[None]])), abs=1e-5)
            assert found.baseline == pytest.approx(float(score([base[None]])), abs=1e-5)
        wanted = torch.zeros(7, 5, dtype=torch.float64)
        dense = 4000  # midpoints: nothing of Gauss and Legendre
        for part in ((torch.arange(dense) + 0.5) / dense).split(500):
            at = (base + part[:, None, None] * (x - base)).requires_grad_()
            (gradient,) = torch.autograd.grad(score([at]).sum(), at)
            wanted += gradient.double().sum(0) * (x - base).double() / dense
    torch.testing.assert_close(found.parts[0], wanted, atol=2e-4, rtol=2e-3)


@pytest.mark.parametrize("encoder", [BiGRU, BiLSTM])
def test_captum_says_the_same(encoder):
    model = model_of(encoder, "last", "attention")
    x, base = torch.randn(9, 5), torch.zeros(9, 5)
    score = score_of(model, 9)
    ours = integrated_gradients(score, [x], [base], tolerance=1e-5)
    theirs = IntegratedGradients(lambda points: score([points]))
    wanted, gap = theirs.attribute(x[None], base[None], n_steps=300, return_convergence_delta=True)
    torch.testing.assert_close(ours.parts[0], wanted[0].double(), atol=2e-5, rtol=1e-3)
    assert abs(ours.gap) <= abs(float(gap)) + 1e-5
    assert ours.points < 300


def test_an_input_that_does_not_count_gets_nothing():
    found = integrated_gradients(
        lambda at: at[0].sum(-1), [torch.ones(2), torch.ones(3)], [torch.zeros(2), torch.zeros(3)]
    )
    assert found.parts[1].tolist() == [0, 0, 0]


def test_a_score_that_jumps_ends_and_says_its_gap():
    def jump(at: list[Tensor]) -> Tensor:
        return (at[0] > 0.3).float().sum(-1) + 0.0 * at[0].sum(-1)

    found = integrated_gradients(jump, [torch.ones(1)], [torch.zeros(1)])
    assert found.gap == pytest.approx(1)
    assert found.points <= MOST_POINTS


def test_nothing_is_left_behind():
    """Neither gradients on the weights nor flags on the inputs."""
    model = model_of(BiGRU, "max")
    x = torch.randn(4, 5)
    integrated_gradients(score_of(model, 4), [x], [torch.zeros(4, 5)])
    assert not x.requires_grad
    assert all(weight.grad is None for weight in model.parameters())
