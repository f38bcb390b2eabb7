"""Log-mel frames → the steps that an encoder reads: normalised, with deltas, subsampled.

``B`` items, ``T`` frames, ``M`` mel bands, ``C`` channels; ``T'`` steps after subsampling. What
stands beyond a length is zeroed before each convolution, where its own padding is zero too: an item
gives the same alone and in a batch.
"""

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from birnn.nn.audio.augment import Augmentation, Changed, augmented, masked
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.dropout import Dropout
from birnn.nn.model import Embedder
from birnn.nn.shared_norm import is_shared, shared_batch_norm

SMALL = 1e-3  # added to deviations: of a log power, far below what can be heard
DELTA_WINDOW = 2  # frames on each side


class Steps(NamedTuple):
    """What an encoder reads."""

    features: Tensor  # [B, T', F]
    lengths: Tensor  # [B]


@dataclass(frozen=True)
class FrontSizes:
    """How the front is built."""

    mels: int
    channels: int = 32
    subsampling: int = 2  # frames a step: 1, 2 or 4
    deltas: bool = False
    output_size: int = 128
    dropout: float = 0.0


def normalised(x: Tensor, lengths: Tensor) -> Tensor:
    """Each band of each item to mean 0 and deviation 1 over its real frames, ``[B, T, M]``.

    Zero beyond each length.
    """
    mask = sequence_mask(lengths, x.shape[1]).unsqueeze(-1)
    x = x.masked_fill(~mask, 0.0)
    counts = lengths.view(-1, 1, 1).to(x.dtype)
    mean = x.sum(1, keepdim=True) / counts
    centred = (x - mean).masked_fill(~mask, 0.0)
    deviation = (centred.square().sum(1, keepdim=True) / counts).sqrt()
    return centred / (deviation + SMALL)


def with_deltas(x: Tensor, lengths: Tensor) -> Tensor:
    """Slopes beside the values, twice: ``[B, T, M] → [B, 3, T, M]``.

    A slope is the least-squares one over two frames on each side (Furui 1986); beyond the ends, the
    first and the last real frame stand on.
    """
    slopes = _slopes(x, lengths)
    return torch.stack([x, slopes, _slopes(slopes, lengths)], dim=1)


def _slopes(x: Tensor, lengths: Tensor) -> Tensor:
    steps = torch.arange(x.shape[1], device=x.device)
    last = (lengths - 1).unsqueeze(1)
    total = torch.zeros_like(x)
    for shift in range(1, DELTA_WINDOW + 1):
        ahead = torch.minimum(steps + shift, last)
        behind = torch.minimum((steps - shift).clamp_min(0), last)
        ahead, behind = (at.unsqueeze(-1).expand_as(x) for at in (ahead, behind))
        total = total + shift * (x.gather(1, ahead) - x.gather(1, behind))
    mask = sequence_mask(lengths, x.shape[1]).unsqueeze(-1)
    slopes = total / (2 * sum(s * s for s in range(1, DELTA_WINDOW + 1)))
    return slopes.masked_fill(~mask, 0.0)


class Block(nn.Module):
    """A convolution over time and frequency, ReLU, and half the bands: ``[B, C, T, M] → …``.

    ``stride`` frames become one step: ``T' = ⌈T / stride⌉``.
    """

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.convolution = nn.Conv2d(inputs, channels, 3, (stride, 1), 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.pool = nn.MaxPool2d((1, 2), ceil_mode=True)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """``x [B, C, T, M]``, zero beyond each length; the same of what comes out."""
        x = self.convolution(x)
        lengths = torch.div(lengths + self.stride - 1, self.stride, rounding_mode="floor")
        mask = sequence_mask(lengths, x.shape[2])
        x = self.pool(self._normed(x, mask).relu())
        return x.masked_fill(~mask[:, None, :, None], 0.0), lengths

    def _normed(self, x: Tensor, mask: Tensor) -> Tensor:
        """Batch norm of each channel over real steps (Ioffe & Szegedy 2015), in float32."""
        norm = self.norm
        if not self.training:
            return cast(Tensor, norm(x))
        x = x.float()
        if is_shared():
            last = x.permute(0, 2, 3, 1)
            normed = shared_batch_norm(norm, last[mask].flatten(0, 1))
            whole = torch.zeros_like(last)
            whole[mask] = normed.view(-1, *last.shape[2:])
            return whole.permute(0, 3, 1, 2)
        real = mask[:, None, :, None].to(x.dtype)
        count = real.sum() * x.shape[3]
        mean = (x * real).sum((0, 2, 3)) / count
        centred = x - mean[None, :, None, None]
        variance = (centred.square() * real).sum((0, 2, 3)) / count
        with torch.no_grad():
            assert norm.running_mean is not None
            assert norm.running_var is not None
            rate = norm.momentum or 0.1
            norm.running_mean.lerp_(mean.detach(), rate)
            norm.running_var.lerp_(variance.detach() * count / (count - 1).clamp_min(1), rate)
        scale = norm.weight * (variance + norm.eps).rsqrt()
        return centred * scale[None, :, None, None] + norm.bias[None, :, None, None]


class Front(Embedder):
    """Frames ``batch.inputs["features"] [B, T, M]`` → :class:`Steps`.

    With ``batch.inputs["shift"]`` and ``["scale"] [B, M]`` an item is normalised by these (of its
    speaker, say), else by its own mean and deviation. In training, each item is changed first.
    """

    def __init__(self, sizes: FrontSizes, augmentation: Augmentation) -> None:
        super().__init__()
        self.sizes, self.augmentation = sizes, augmentation
        strides = {1: (1, 1), 2: (1, 2), 4: (2, 2)}[sizes.subsampling]
        inputs, bands, blocks = 3 if sizes.deltas else 1, sizes.mels, list[nn.Module]()
        for stride in strides:
            blocks.append(Block(inputs, sizes.channels, stride))
            inputs, bands = sizes.channels, -(-bands // 2)
        self.blocks = nn.ModuleList(blocks)
        self.project = nn.Linear(inputs * bands, sizes.output_size)
        self.norm = nn.LayerNorm(sizes.output_size)
        self.dropout = Dropout(sizes.dropout)
        self.output_size = sizes.output_size

    def forward(self, batch: Batch) -> Steps:
        """The steps of a batch and how many each item has."""
        x, lengths = batch.inputs["features"], batch.lengths
        mask = sequence_mask(lengths, x.shape[1]).unsqueeze(-1)
        changed = Changed(x.masked_fill(~mask, 0.0), lengths)
        if self.training:
            changed = augmented(changed, self.augmentation)
        x, lengths = changed
        x = self._normalised(x, lengths, batch)
        if self.training:
            x = masked(x, lengths, self.augmentation)
        planes = with_deltas(x, lengths) if self.sizes.deltas else x.unsqueeze(1)
        for block in self.blocks:
            planes, lengths = block(planes, lengths)
        flat = planes.transpose(1, 2).flatten(2)
        steps = self.dropout(self.norm(self.project(flat).float()))
        real = sequence_mask(lengths, steps.shape[1]).unsqueeze(-1)
        return Steps(steps.masked_fill(~real, 0.0), lengths)

    def _normalised(self, x: Tensor, lengths: Tensor, batch: Batch) -> Tensor:
        if "shift" not in batch.inputs:
            return normalised(x, lengths)
        shift, scale = (batch.inputs[name].unsqueeze(1) for name in ("shift", "scale"))
        mask = sequence_mask(lengths, x.shape[1]).unsqueeze(-1)
        return ((x - shift) / (scale + SMALL)).masked_fill(~mask, 0.0)
