"""How far layers on the device are from float64 on the CPU, and what TF32 and bf16 cost."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from checks import Check, below
from torch import Tensor, nn

from birnn.config import EncoderConfig
from birnn.nn import engines
from birnn.nn.characters import CharacterCNN
from birnn.nn.encoders import build_encoder
from birnn.nn.precision import EXACT, TF32, products
from birnn.registry import ENCODERS

LIMIT = 1e-5  # of the scale of what is compared
SHAPES = ((16, 40, 100, 128), (8, 128, 300, 256), (64, 96, 8, 64), (32, 336, 1, 32))
Values = dict[str, Tensor]


def scaled(found: Tensor, wanted: Tensor) -> float:
    """The largest difference over the largest of what is wanted."""
    wanted = wanted.double().cpu()
    return float(
        (found.detach().double().cpu() - wanted).abs().max() / wanted.abs().max().clamp_min(1e-30)
    )


def worst(found: Values, wanted: Values) -> float:
    """The largest of the differences of several tensors."""
    return max(scaled(found[name], wanted[name]) for name in wanted)


def passes(module: nn.Module, inputs: Tensor, lengths: Tensor, probe: Tensor) -> Values:
    """States, and gradients of input and weights, where ``module`` is."""
    x = inputs.detach().clone().requires_grad_()
    module.zero_grad()
    states = module(x, lengths).states
    (states * probe.to(states)).sum().backward()
    assert x.grad is not None
    gradients = {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}
    return {"states": states.detach(), "input": x.grad, **gradients}


def arithmetics(device: torch.device) -> dict[str, Callable[[], AbstractContextManager[object]]]:
    """Name → what computes so within a block."""
    half = lambda kind: torch.autocast(device.type, kind)  # noqa: E731
    known: dict[str, Callable[[], AbstractContextManager[object]]] = {
        "bf16": lambda: half(torch.bfloat16)
    }
    if device.type == "cuda":
        known = {"TF32": lambda: products(TF32), **known, "fp16": lambda: half(torch.float16)}
    return known


def layer(encoder: str, shape: tuple[int, int, int, int], device: torch.device) -> Iterator[Check]:
    """One layer of one shape, both ways, ragged."""
    batch, steps, features, hidden = shape
    torch.manual_seed(0)
    module = build_encoder(features, EncoderConfig(encoder, hidden)).double()
    lengths = torch.randint(steps // 2, steps + 1, (batch,))
    lengths[0] = steps
    x = torch.randn(batch, steps, features, dtype=torch.float64)
    probe = torch.randn(batch, steps, 2 * hidden, dtype=torch.float64)
    wanted = passes(module, x, lengths, probe)
    module, there = module.float().to(device), (x.float().to(device), lengths.to(device))
    name = f"{encoder} {'×'.join(map(str, shape))}"
    with products(EXACT):
        found = passes(module, *there, probe)
        alone = [module(there[0][i : i + 1, :n], there[1][i : i + 1]).states[0]
                 for i, n in enumerate(lengths[:4].tolist())]  # fmt: skip
    yield below(f"{name}: states", scaled(found["states"], wanted["states"]), LIMIT)
    yield below(f"{name}: gradients", worst(found, wanted), LIMIT)
    gap = max(scaled(found["states"][i, : len(row)], row) for i, row in enumerate(alone))
    yield below(f"{name}: an item alone and in the batch", gap, LIMIT)
    for kind, block in arithmetics(device).items():
        with block(), engines.forced("torch") if device.type == "cpu" else nullcontext():
            rough = passes(module, *there, probe)
        states = scaled(rough["states"], wanted["states"])
        yield Check(
            f"{name}: with {kind}", f"{states:.0e} states, {worst(rough, wanted):.0e} gradients"
        )


def letters(device: torch.device) -> Iterator[Check]:
    """The convolutions over the letters of words."""
    torch.manual_seed(0)
    module = CharacterCNN(80, 24, 60, 0.0).double()
    ids, lengths = torch.randint(1, 80, (300, 14)), torch.randint(1, 15, (300,))

    def values(where: torch.device) -> Values:
        module.zero_grad()
        out = module.to(where)(ids.to(where), lengths.to(where))
        out.square().sum().backward()
        gradients = {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}
        return {"vectors": out.detach(), **gradients}

    wanted = values(torch.device("cpu"))
    module = module.float()
    with products(EXACT):
        found = values(device)
    yield below("character CNN: vectors", scaled(found["vectors"], wanted["vectors"]), LIMIT)
    yield below("character CNN: gradients", worst(found, wanted), LIMIT)
    if device.type == "cuda":
        with products(TF32):
            rough = values(device)
        yield Check("character CNN: with TF32", f"{worst(rough, wanted):.0e} at most")


def exactness(device: torch.device, small: bool) -> Iterator[Check]:
    """All layers."""
    for encoder in ENCODERS:
        for shape in SHAPES[:1] if small else SHAPES:
            yield from layer(encoder, shape, device)
    yield from letters(device)
