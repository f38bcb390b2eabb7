"""Changes of log-mel frames in training: speed, voice, noise, masks; drawn from torch's generator.

All are made on the frames, where they cost little and are taken up again with training's state:
a faster tape is fewer frames of higher bands, noise is added as power.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from birnn.nn.batch import sequence_mask

TILT = 2.0  # deviation of the slope of a noise's spectrum, natural log units from end to end


class Changed(NamedTuple):
    """Frames after a change."""

    features: Tensor  # [B, T, M], zero beyond each length
    lengths: Tensor  # [B]


@dataclass(frozen=True)
class Augmentation:
    """How much is changed; 0 leaves that change out."""

    speed: float = 0.0  # a recording is up to so much faster or slower
    voice: float = 0.0  # bands are stretched up or down by up to so much, as another vocal tract
    noise: float = 0.0  # how often noise is added
    loudest: float = 5.0  # signal to noise, in decibels: least
    faintest: float = 40.0  # and most
    bands: int = 0  # masks of frequency
    band_width: int = 8  # bands of one, at most
    spans: int = 0  # masks of time
    span_share: float = 0.15  # of a recording's frames in one, at most


def augmented(given: Changed, options: Augmentation) -> Changed:
    """Another speed, another voice, noise: each item by its own draw."""
    if options.speed or options.voice:
        given = stretched(given, options.speed, options.voice)
    if options.noise:
        given = Changed(noisy(*given, options), given.lengths)
    return given


def uniform(like: Tensor, low: float, high: float) -> Tensor:
    """``[B]`` numbers between ``low`` and ``high``."""
    return torch.rand(like.shape[0], device=like.device) * (high - low) + low


def stretched(given: Changed, speed: float, voice: float) -> Changed:
    """Frames and bands at other places, between which values are interpolated.

    Speed (Ko et al. 2015) moves both, as a tape that runs faster does; the voice (vocal tract
    length perturbation, Jaitly & Hinton 2013) moves bands alone.
    """
    x, lengths = given
    count, bands = x.shape[1], x.shape[2]
    tempo = uniform(x, 1 - speed, 1 + speed)
    warp = uniform(x, 1 - voice, 1 + voice) * (1 + (tempo - 1) / 2)
    new = (lengths / tempo).round().long().clamp_min(1)
    steps = torch.arange(int(new.max()), device=x.device)
    # A place beyond the last real frame is that frame: none is blended with the padding.
    time = torch.minimum(steps * tempo.unsqueeze(1), (lengths - 1).unsqueeze(1))
    place = torch.arange(bands, device=x.device) / warp.unsqueeze(1)
    grid = torch.stack(
        torch.broadcast_tensors(
            (2 * place / max(bands - 1, 1) - 1).unsqueeze(1),
            (2 * time / max(count - 1, 1) - 1).unsqueeze(2),
        ), dim=-1,
    )  # fmt: skip
    moved = F.grid_sample(x.unsqueeze(1), grid, padding_mode="border", align_corners=True)
    mask = sequence_mask(new, len(steps)).unsqueeze(-1)
    return Changed(moved.squeeze(1).masked_fill(~mask, 0.0), new)


def noisy(x: Tensor, lengths: Tensor, options: Augmentation) -> Tensor:
    """Noise of a random colour and strength, added as power to some items, ``[B, T, M]``.

    The power of a band of noise in one frame is exponentially distributed.
    """
    mask = sequence_mask(lengths, x.shape[1]).unsqueeze(-1)
    power = x.exp().masked_fill(~mask, 0.0).sum((1, 2)) / (lengths * x.shape[2])
    ratio = uniform(x, options.loudest, options.faintest)
    level = power.clamp_min(1e-20).log() - ratio * (torch.log(torch.tensor(10.0)) / 10).to(x)
    slope = torch.randn(len(x), 1, device=x.device) * TILT
    colour = slope * torch.linspace(-0.5, 0.5, x.shape[2], device=x.device)
    grain = torch.rand_like(x).clamp_(1e-6, 1 - 1e-6).log_().neg_().log_()
    noise = level.view(-1, 1, 1) + colour.unsqueeze(1) + grain
    chosen = (torch.rand(len(x), device=x.device) < options.noise).view(-1, 1, 1)
    return torch.where(chosen & mask, torch.logaddexp(x, noise), x)


def masked(x: Tensor, lengths: Tensor, options: Augmentation) -> Tensor:
    """Some bands, and some spans of time, at 0 (SpecAugment, Park et al. 2019), ``[B, T, M]``.

    ``x`` is normalised, so that 0 is the mean.
    """
    for _ in range(options.bands):
        width = uniform(x, 0, min(options.band_width, x.shape[2]) + 1).floor()
        start = uniform(x, 0, 1) * (x.shape[2] - width)
        x = x.masked_fill(_within(start.floor(), width, x.shape[2]).unsqueeze(1), 0.0)
    for _ in range(options.spans):
        width = (uniform(x, 0, options.span_share) * lengths).floor()
        start = uniform(x, 0, 1) * (lengths - width)
        x = x.masked_fill(_within(start.floor(), width, x.shape[1]).unsqueeze(2), 0.0)
    return x


def _within(start: Tensor, width: Tensor, count: int) -> Tensor:
    """``[B, count]``: the places from ``start [B]``, so many."""
    places = torch.arange(count, device=start.device)
    return (places >= start.unsqueeze(1)) & (places < (start + width).unsqueeze(1))
