"""Layers on an NVIDIA GPU: exact beside the CPU, whatever a stranger has set; bf16 if asked."""

import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from birnn.config import EncoderConfig
from birnn.nn import engines, scan
from birnn.nn.encoders import build_encoder
from birnn.nn.precision import TF32, products
from birnn.registry import ENCODERS

from strategies import randomise

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]


@pytest.fixture(autouse=True)
def strangers_flags() -> Iterator[None]:
    """Somebody wants TF32 everywhere."""
    with products(TF32):
        yield


def passes(encoder: str, device: str) -> dict[str, Tensor]:
    """States and gradients of a ragged batch, in evaluation mode."""
    torch.manual_seed(0)
    model = randomise(build_encoder(24, EncoderConfig(encoder, 48, layers=2))).eval().to(device)
    x, lengths = torch.randn(9, 21, 24), torch.tensor([21, 1, 4, 20, 6, 9, 21, 2, 13])
    x = x.to(device).requires_grad_()
    with products():
        encoded = model(x, lengths.to(device))
        encoded.states.square().sum().backward()
    grads = {name: part.grad.cpu() for name, part in model.named_parameters()}
    return {"states": encoded.states.detach().cpu(), "x": x.grad.cpu(), **grads}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_states_and_gradients_are_those_of_the_cpu(encoder: str) -> None:
    there, here = passes(encoder, "cuda"), passes(encoder, "cpu")
    for name, wanted in here.items():
        assert float((there[name] - wanted).abs().max() / wanted.abs().max()) < 1e-5, name


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_autocast_runs_the_recurrence_in_what_was_asked_for(
    encoder: str, half: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    for name in ("gru", "lstm"):
        own = getattr(torch, name)
        monkeypatch.setattr(
            scan.torch, name, lambda x, *rest, own=own: (seen.add(x.dtype), own(x, *rest))[1]
        )
    model = build_encoder(8, EncoderConfig(encoder, 16)).to("cuda")
    x, lengths = torch.randn(3, 5, 8, device="cuda"), torch.tensor([5, 2, 4], device="cuda")
    with torch.autocast("cuda", half):
        states = model(x, lengths).states
    states.sum().backward()
    assert seen == {half}
    assert states.dtype == torch.float32
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in model.parameters())


def test_cudnn_runs_without_a_warning() -> None:
    assert engines.describe(engines.Work(scan.GRU, torch.device("cuda"), torch.float32)).name == (
        "cudnn"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        passes("bigru", "cuda")
