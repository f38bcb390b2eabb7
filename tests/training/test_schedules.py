"""The learning rate against torch's schedulers, the moving average against a plain loop."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, OneCycleLR

from birnn.training.schedules import WeightAverage, learning_rate_factor

from strategies import quick

SCHEDULES = ("constant", "cosine", "one-cycle")


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)


def rates(scheduler: LRScheduler, steps: int) -> list[float]:
    """The learning rate that each of ``steps`` optimizer steps uses."""
    found = []
    for _ in range(steps):
        found.append(float(scheduler.get_last_lr()[0]))
        scheduler.optimizer.step()
        scheduler.step()
    return found


def factors(total: int, warmup: float, schedule: str) -> list[float]:
    return [learning_rate_factor(step, total, warmup, schedule) for step in range(total)]


@pytest.mark.parametrize("total", [1, 2, 7, 40])
def test_cosine_is_torchs_annealing(total: int) -> None:
    wanted = rates(CosineAnnealingLR(sgd(), T_max=total), total)
    assert factors(total, 0.0, "cosine") == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("rise", [2, 5, 10])
def test_warm_up_is_torchs_linear_rise(rise: int) -> None:
    wanted = rates(LinearLR(sgd(), 1 / rise, 1.0, rise - 1), 20)
    assert factors(20, rise / 20, "constant") == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("total", "rise"), [(20, 6), (50, 5), (10, 9)])
def test_one_cycle_is_torchs(total: int, rise: int) -> None:
    # One step more: torch ends at the last step, ours just after it, as its cosine does too.
    scheduler = OneCycleLR(
        sgd(), 1.0, total_steps=total + 1, pct_start=(rise + 1) / (total + 1),
        cycle_momentum=False, div_factor=25, final_div_factor=400,
    )  # fmt: skip
    found = factors(total, rise / total, "one-cycle")
    assert found == pytest.approx(rates(scheduler, total), abs=1e-9)


@quick
@given(total=st.integers(1, 300), warmup=st.floats(0, 1), schedule=st.sampled_from(SCHEDULES))
def test_no_factor_is_zero_or_above_one(total: int, warmup: float, schedule: str) -> None:
    assert all(0 < factor <= 1 + 1e-12 for factor in factors(total, warmup, schedule))


@quick
@given(total=st.integers(1, 300), warmup=st.floats(0, 1))
def test_warm_up_rises_to_the_peak_and_stays_there(total: int, warmup: float) -> None:
    found = factors(total, warmup, "constant")
    assert found == sorted(found)
    assert found[-1] == 1.0


def test_cosine_peaks_after_warm_up_and_ends_near_zero() -> None:
    found = factors(1000, 0.1, "cosine")
    assert found[99] == pytest.approx(1.0)
    assert found[100] == 1.0
    assert found[:100] == sorted(found[:100])
    assert found[100:] == sorted(found[100:], reverse=True)
    assert 0 < found[-1] < 1e-5


def test_one_cycle_starts_at_a_twenty_fifth_peaks_and_ends_at_a_ten_thousandth() -> None:
    found = factors(1000, 0.3, "one-cycle")
    assert found[0] == pytest.approx(1 / 25)
    assert found[300] == pytest.approx(1.0)
    assert found[-1] == pytest.approx(1e-4, rel=0.1)
    assert learning_rate_factor(1000, 1000, 0.3, "one-cycle") == pytest.approx(1e-4)


def test_constant_stays() -> None:
    assert factors(9, 0.0, "constant") == [1.0] * 9


def moved(module: nn.Module, step: int) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(math.sin(step))


@pytest.mark.parametrize("decay", [0.3, 0.9, 0.999])
def test_the_average_is_that_of_a_plain_loop(decay: float) -> None:
    module = nn.Linear(3, 2).double()
    average = WeightAverage(module, decay)
    wanted = [p.detach().clone() for p in module.parameters()]
    for step in range(1, 30):
        moved(module, step)
        average.update()
        rate = min(decay, (1 + step) / (10 + step))
        wanted = [
            rate * old + (1 - rate) * p.detach()
            for old, p in zip(wanted, module.parameters(), strict=True)
        ]
    for found, plain in zip(average.average, wanted, strict=True):
        torch.testing.assert_close(found, plain)


def test_the_average_stands_within_the_block_and_own_weights_after_it() -> None:
    module = nn.Linear(3, 2)
    average = WeightAverage(module, 0.9)
    first = module.weight.detach().clone()
    moved(module, 1)
    own = module.weight.detach().clone()
    with average.applied():
        assert torch.equal(module.weight, first)
    assert torch.equal(module.weight, own)


def fail_within(average: WeightAverage) -> None:
    with average.applied():
        raise KeyboardInterrupt


def test_own_weights_come_back_after_an_interrupt() -> None:
    module = nn.Linear(3, 2)
    average = WeightAverage(module, 0.9)
    moved(module, 1)
    own = module.weight.detach().clone()
    with pytest.raises(KeyboardInterrupt):
        fail_within(average)
    assert torch.equal(module.weight, own)


def test_frozen_parameters_are_left_alone() -> None:
    module = nn.Linear(3, 2)
    module.bias.requires_grad_(False)
    average = WeightAverage(module, 0.9)
    assert len(average.average) == 1
