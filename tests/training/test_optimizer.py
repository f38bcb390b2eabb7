"""The compiled optimizer against torch's own, and the average against a sum."""

import pytest
import torch
from torch import Tensor, nn

from birnn.training.optimizer import CompiledAdamW
from birnn.training.schedules import WeightAverage

SHAPES = [(3, 5), (1,), (7, 11, 2), (20_000,)]
BETAS = (0.9, 0.98)


def parameters(dtype: torch.dtype = torch.float32) -> list[nn.Parameter]:
    torch.manual_seed(0)
    return [nn.Parameter(torch.randn(shape).to(dtype)) for shape in SHAPES]


def groups_of(weights: list[nn.Parameter]) -> list[dict[str, object]]:
    return [
        {"params": weights[:2], "weight_decay": 0.1},
        {"params": weights[2:], "weight_decay": 0.0},
    ]


@pytest.mark.parametrize("scale", [1.0, 0.25])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_weights_states_and_averages_are_those_of_torch(scale: float, ema: float) -> None:
    ours, theirs = parameters(), parameters(torch.float64)
    model = nn.ParameterList(theirs)
    average = WeightAverage(model, ema)
    averages = {id(p): p.detach().clone() for p in ours}
    one = CompiledAdamW(groups_of(ours), 0.1, BETAS, averages if ema else {})
    other = torch.optim.AdamW(groups_of(theirs), lr=0.1, betas=BETAS)
    for step in range(12):
        rate = 0.1 / (1 + step)
        for group in (*one.param_groups, *other.param_groups):
            group["lr"] = rate
        for number, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            if number == step % 3:  # none this time
                p.grad = q.grad = None
                continue
            gradient = torch.randn(p.shape)
            p.grad, q.grad = gradient, scale * gradient.double()
        one.step(scale, average.next_decay())
        other.step()
        average.update()
    for p, q, mean in zip(ours, theirs, average.average, strict=True):
        torch.testing.assert_close(p.double(), q, rtol=1e-4, atol=1e-5)
        for name in one.state[p]:
            found, wanted = one.state[p][name].double(), other.state[q][name].double()
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
        if ema:
            torch.testing.assert_close(averages[id(p)].double(), mean, rtol=1e-4, atol=1e-5)


def states(optimizer: CompiledAdamW) -> list[Tensor]:
    return [part for state in optimizer.state.values() for part in state.values()]


def test_a_state_that_was_saved_goes_on_with_the_same_bits() -> None:
    first, second = parameters(), parameters()
    optimizers = [CompiledAdamW(groups_of(ps), 0.1, BETAS, {}) for ps in (first, second)]
    torch.manual_seed(1)
    for step in range(6):
        if step == 3:
            saved = optimizers[1].state
            optimizers[1] = CompiledAdamW(groups_of(second), 0.1, BETAS, {})
            optimizers[1].state = saved
        gradients = [torch.randn(shape) for shape in SHAPES]
        for optimizer, ps in zip(optimizers, (first, second), strict=True):
            for p, gradient in zip(ps, gradients, strict=True):
                p.grad = gradient.clone()
            optimizer.step()
    pairs = zip(first + states(optimizers[0]), second + states(optimizers[1]), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_gradient_in_another_order_of_memory_is_read_right() -> None:
    weight, other = nn.Parameter(torch.randn(6, 4)), nn.Parameter(torch.empty(6, 4))
    other.data.copy_(weight.data)
    gradient = torch.randn(4, 6).T
    assert not gradient.is_contiguous()
    for p in (weight, other):
        optimizer = CompiledAdamW([{"params": [p], "weight_decay": 0.0}], 0.1, BETAS, {})
        p.grad = gradient if p is weight else gradient.contiguous()
        optimizer.step()
    assert torch.equal(weight, other)
