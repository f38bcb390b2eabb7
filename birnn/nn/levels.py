"""Where a window of a time series stands: what is subtracted before a network reads it.

Windows come as segments ``[B, T, w]``, each window's real segments first, with a mask of the same
shape that is 1 where a value was observed. What stands elsewhere never matters.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from birnn.nn.batch import is_traced, sequence_mask

NORMALISE = ("last", "scale", "season", "season_scale", "mean", "none")
SMALLEST_SPREAD = 1e-2  # of the series' standard deviation; flat windows are not blown up


def observed_values(segments: Tensor, observed: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The values of a window, 0 where nothing was observed, and the mask, 0 in the padding.

    ``segments [B, T, w]``, ``observed [B, T, w]`` (1 or 0), ``lengths [B]`` of real segments → two
    tensors ``[B, T, w]``.
    """
    real = sequence_mask(lengths, segments.shape[1]).unsqueeze(-1)
    mask = observed.masked_fill(~real, 0.0)
    return segments.masked_fill(mask == 0, 0.0), mask


def level_and_spread(
    values: Tensor, observed: Tensor, normalise: str, season: int = 1
) -> tuple[Tensor, Tensor]:
    """What to subtract from a window and what to divide it by.

    ``last`` subtracts the last observed value (NLinear, Zeng et al. 2023), ``season`` the mean of
    the last season; ``scale`` and ``season_scale`` also divide by the window's standard deviation;
    ``mean`` subtracts the mean and divides by the standard deviation (reversible instance
    normalisation, Kim et al. 2022); ``none`` does neither.

    ``values [B, T, w]`` and ``observed [B, T, w]`` of :func:`observed_values` → ``[B]`` each. A
    window without any observed value has level 0 and spread 1. The last ``season`` is in steps.
    """
    flat, mask = values.flatten(1), observed.flatten(1)
    zeros = flat.new_zeros(flat.shape[0])
    if normalise == "none":
        return zeros, zeros + 1
    count = mask.sum(1).clamp(min=1)
    mean = flat.sum(1) / count
    if normalise in ("season", "season_scale"):
        level = recent_mean(flat, mask, season)
    else:
        level = mean if normalise == "mean" else recent_mean(flat, mask, 1)
    if normalise in ("last", "season"):
        return level, zeros + 1
    variance = ((flat - mean.unsqueeze(1)) * mask).square().sum(1) / count
    spread = (variance + SMALLEST_SPREAD**2).sqrt()
    return level, torch.where(mask.any(1), spread, zeros + 1)


def recent_mean(flat: Tensor, mask: Tensor, count: int) -> Tensor:
    """The mean ``[B]`` of what was observed in the ``count`` steps up to the last observed one.

    ``flat [B, S]``, and ``mask [B, S]`` that is 1 where a value was observed; 0 where none was.
    """
    steps = torch.arange(1, flat.shape[1] + 1, device=flat.device)
    last = (steps * (mask > 0)).amax(1, keepdim=True)
    recent = mask * (steps > last - count)
    total: Tensor = (flat * recent).sum(1) / recent.sum(1).clamp(min=1)
    return total


def filled_lookback(values: Tensor, observed: Tensor, lengths: Tensor, lookback: int) -> Tensor:
    """The last ``lookback`` steps before the origin, gaps filled by the value before them.

    What comes before the first observed value takes that value.

    ``values [B, T, w]`` and ``observed [B, T, w]`` of :func:`observed_values`, ``lengths [B]`` →
    ``[B, L]``, the step before the origin last; ``L = lookback`` is at most a whole window.
    """
    flat, mask = values.flatten(1), observed.flatten(1) > 0
    ends = (lengths * values.shape[-1]).unsqueeze(1)
    place = ends - lookback + torch.arange(lookback, device=flat.device)
    steps = torch.arange(flat.shape[1], device=flat.device)
    # The place of the last observed value up to each step; before the first, that one's.
    before = running_max(torch.where(mask, steps, -1))
    first = mask.float().argmax(1, keepdim=True)
    source = torch.where(before < 0, first, before)
    return flat.gather(1, source.gather(1, place.clamp(min=0)))


def running_max(x: Tensor) -> Tensor:
    """The largest of whole numbers ``x [B, S]``, each at least -1, up to each place."""
    if not is_traced():
        return x.cummax(1).values
    # ONNX has no such operator: windows that double (Hillis & Steele 1986).
    reach = 1
    while reach < int(x.shape[1]):
        x = torch.maximum(x, F.pad(x, (reach, 0), value=-1)[:, : x.shape[1]])
        reach *= 2
    return x
