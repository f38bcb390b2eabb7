"""Which precision each layer runs in where half precision is asked for: what torch is given."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pretend import GPU, pretended_gpu
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from birnn.config import EncoderConfig
from birnn.nn import engines
from birnn.nn.encoders import build_encoder
from birnn.registry import ENCODERS
from birnn.tasks import TASKS
from birnn.training.loop import fit
from birnn.training.state import Validation

import contract
from tiny_parts import TRAIN

CASES = [(task, variant) for task in TASKS for variant in contract.variants(task)]
# Operations whose result half precision would spoil: norms, softmaxes, sums over a chain or series.
FULL = ("native_layer_norm", "native_batch_norm", "_softmax", "_log_softmax", "logsumexp", "cumsum",
        "bmm.out", "nll_loss_forward", "softplus", "huber_loss")  # fmt: skip
PRODUCTS = ("mm", "addmm", "convolution")


class Seen(TorchDispatchMode):
    """Operation → the floating types that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.types: dict[str, set[torch.dtype]] = defaultdict(set)

    def __torch_dispatch__(self, function: Any, types: Any, args: Any, kwargs: Any = None) -> Any:
        """Note it, and go on; called by torch."""
        name = str(function).removeprefix("aten.").removesuffix(".default")
        given = [part for part in tree_leaves((args, kwargs)) if isinstance(part, Tensor)]
        self.types[name] |= {part.dtype for part in given if part.is_floating_point()}
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_on_a_gpu_recurrences_run_in_what_is_asked_for(encoder, half, monkeypatch) -> None:
    with pretended_gpu(monkeypatch) as recorder:
        model = build_encoder(4, EncoderConfig(encoder, 3, layers=2, norm="layer")).to(GPU)
        x, lengths = torch.randn(2, 5, 4, device=GPU), torch.tensor([5, 2], device=GPU)
        with torch.autocast(GPU.type, half):
            states = model(x, lengths).states
        states.sum().backward()
        assert recorder.types == {half}
        assert states.dtype == torch.float32
        assert {p.grad.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_training_in_bf16_keeps_norms_softmaxes_and_losses_in_float32(
    case: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = contract.prepare(*case, tmp_path)
    config = replace(TRAIN, epochs=1, mixed_precision="bf16", ema=0.9)
    never = Validation(lambda: {"score": 0.0}, "score", True)
    model, batch = made.model(), contract.first_batch(made, made.task.views)
    with pretended_gpu(monkeypatch) as recorder, Seen() as seen, engines.forced("torch"):
        for _ in fit(model, made.task.loss, contract.Once(batch), config, never):
            pass
    assert recorder.types == {torch.bfloat16}
    for name in FULL:
        assert seen.types[name] <= {torch.float32}, name
    found = {kind for name in PRODUCTS for kind in seen.types[name]}
    assert torch.bfloat16 in found
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert seen.types["_fused_adamw_"] == {torch.float32}
