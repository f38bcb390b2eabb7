"""What to test with: ragged batches, encoder configurations, weights that are all in play."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor, nn

from birnn.config import EncoderConfig
from birnn.nn.batch import sequence_mask
from birnn.registry import ENCODERS

# Derandomised: the gate gives the same answer twice.
quick = settings(max_examples=50, deadline=None, derandomize=True)


class Ragged(NamedTuple):
    """A padded batch."""

    x: Tensor  # [B, T, F]; T can be beyond the longest
    lengths: Tensor  # [B]

    @property
    def mask(self) -> Tensor:
        """``[B, T]``, True at real positions."""
        return sequence_mask(self.lengths, self.x.shape[1])


@st.composite
def ragged_batches(
    draw: st.DrawFn, dtypes: Iterable[torch.dtype] = (torch.float32,), features: int = 0
) -> Ragged:
    lengths = draw(st.lists(st.integers(1, 7), min_size=1, max_size=5))
    steps = max(lengths) + draw(st.integers(0, 2))
    size = features or draw(st.integers(1, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    dtype = draw(st.sampled_from(list(dtypes)))
    x = torch.randn(len(lengths), steps, size, generator=generator, dtype=dtype)
    return Ragged(x, torch.tensor(lengths))


@st.composite
def encoder_configs(
    draw: st.DrawFn,
    encoders: Iterable[str] = tuple(ENCODERS),
    norms: Iterable[str] = ("none", "layer", "batch"),
    *,
    residual: bool = True,
) -> EncoderConfig:
    return EncoderConfig(
        encoder=draw(st.sampled_from(list(encoders))),
        hidden_size=draw(st.integers(1, 7)),
        layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        norm=draw(st.sampled_from(list(norms))),
        residual=residual and draw(st.booleans()),
    )


@torch.no_grad()
def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter and statistic a value that matters (biases start at 0 otherwise)."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    kept = module.state_dict()
    for name, buffer in module.named_buffers():
        if name in kept and buffer.is_floating_point():
            drawn = torch.randn(buffer.shape, generator=generator)
            buffer.copy_(drawn.abs() + 0.5 if "var" in name else drawn)
    return module
