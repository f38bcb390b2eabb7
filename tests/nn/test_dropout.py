"""Dropout with shared masks."""

import pytest
import torch

from birnn.nn import engines
from birnn.nn.dropout import Dropout, LockedDropout, dropped_places, keep_mask


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_one_mask_serves_all_steps() -> None:
    dropped = LockedDropout(0.4).train()(torch.ones(8, 5, 16))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))


def test_items_and_features_have_masks_of_their_own() -> None:
    dropped = LockedDropout(0.5).train()(torch.ones(64, 2, 32))[:, 0]
    assert len(dropped.unique(dim=0)) == 64
    assert len(dropped.unique(dim=1).T) == 32


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_mask_holds_zero_or_the_inverse_share_and_keeps_the_mean(rate: float) -> None:
    mask = keep_mask((400, 1, 400), rate, torch.zeros(0))
    kept = torch.tensor(1 / (1 - rate))
    assert torch.all((mask == 0) | torch.isclose(mask, kept, rtol=2e-4))
    deviation = (rate / (1 - rate) / mask.numel()) ** 0.5
    assert abs(float(mask.mean()) - 1) < 5 * deviation


def test_a_mask_is_of_its_models_type() -> None:
    assert keep_mask((2,), 0.5, torch.zeros(0, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.0, True)])
def test_locked_dropout_is_the_identity_in_evaluation_and_at_rate_zero(
    rate: float, training: bool
) -> None:
    x = torch.randn(3, 4, 5)
    assert LockedDropout(rate).train(training)(x) is x


def test_gradients_pass_through_the_same_mask() -> None:
    x = torch.ones(4, 3, 8, requires_grad=True)
    dropped = LockedDropout(0.5).train()(x)
    dropped.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, dropped)


def test_places_are_dropped_at_their_rate_one_for_all_or_one_for_each() -> None:
    types = torch.randint(2, 90, (300, 300))
    dropped = dropped_places(types, 0.3)
    assert abs(float(dropped.float().mean()) - 0.3) < 5 * (0.21 / types.numel()) ** 0.5
    rates = torch.where(types > 40, 1.0, 0.0)
    assert torch.equal(dropped_places(types, rates), types > 40)


def test_each_number_is_dropped_by_itself_in_training_alone() -> None:
    x = torch.ones(3, 1000, requires_grad=True)
    layer = Dropout(0.25)
    assert layer.eval()(x) is x
    dropped = layer.train()(x)
    assert torch.equal(dropped != 0, dropped > 1.3)
    assert 0.2 < float((dropped == 0).float().mean()) < 0.3
    assert len((dropped != 0).unique(dim=0)) == 3
    dropped.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, dropped.detach())


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 1001])
def test_masks_of_any_size_hold_both_and_follow_the_seed(size: int) -> None:
    masks = []
    for _ in range(2):
        torch.manual_seed(3)
        masks.append(torch.cat([keep_mask((size,), 0.5, torch.zeros(0)) for _ in range(40)]))
    assert torch.equal(*masks)
    assert set(masks[0].tolist()) == {0.0, 2.0}
    assert abs(float(masks[0].mean()) - 1) < 5 / masks[0].numel() ** 0.5


def test_neighbours_are_dropped_independently() -> None:
    kept = (keep_mask((200_000,), 0.5, torch.zeros(0)) > 0).double()
    for shift in (1, 2, 3, 4, 5):
        both = float((kept[shift:] * kept[:-shift]).mean())
        assert abs(both - 0.25) < 5 * (0.1875 / 200_000) ** 0.5


compiled = pytest.mark.skipif(not engines.compiled_serves(), reason="no compiler here")


def kept(size: int, rate: float) -> torch.Tensor:
    """What the compiled dropout leaves of ones."""
    return Dropout(rate).train()(torch.ones(size))


@compiled
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_compiled_dropout_holds_zero_or_the_inverse_share_and_keeps_the_mean(rate: float) -> None:
    found = kept(160_001, rate)
    share = torch.tensor(1 / (1 - rate))
    assert torch.all((found == 0) | torch.isclose(found, share, rtol=2e-4))
    assert abs(float(found.mean()) - 1) < 5 * (rate / (1 - rate) / len(found)) ** 0.5


@compiled
def test_compiled_dropout_drops_near_and_far_places_independently() -> None:
    found = (kept(300_000, 0.5) > 0).double()
    for shift in (1, 2, 3, 4, 5, 8, 16, 64, 4095, 4096, 4097, 16384):
        both = float((found[shift:] * found[:-shift]).mean())
        assert abs(both - 0.25) < 5 * (0.1875 / 280_000) ** 0.5, shift
    again = (kept(300_000, 0.5) > 0).double()
    assert abs(float((found * again).mean()) - 0.25) < 5 * (0.1875 / 300_000) ** 0.5


@compiled
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 4096, 4097, 20_000])
def test_compiled_dropout_follows_the_seed_on_any_number_of_threads(size: int) -> None:
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            torch.manual_seed(7)
            found.append(torch.stack([kept(size, 0.3) for _ in range(3)]))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@compiled
def test_compiled_dropout_takes_what_is_not_contiguous_and_twice_its_gradient() -> None:
    x = torch.randn(40, 30, requires_grad=True)
    dropped = Dropout(0.4).train()(x.T)
    (first,) = torch.autograd.grad((dropped * dropped).sum(), x, create_graph=True)
    scale = (dropped / x.T).detach()
    torch.testing.assert_close(first, 2 * x * scale.T**2)
    (second,) = torch.autograd.grad(first.sum(), x)
    torch.testing.assert_close(second, 2 * scale.T**2)
