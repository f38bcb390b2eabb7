"""Log-mel features of a wave (Davis & Mermelstein 1980), in numpy.

``S`` samples, ``T`` frames, ``M`` mel bands.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from birnn.arrays import Array

RANGE = 8.0  # powers of ten below a recording's loudest cell that are told apart: 80 dB
LOWEST = 20.0  # Hz
BLOCK = 4096  # frames that are transformed at once


@dataclass(frozen=True)
class FeatureOptions:
    """What a frame is."""

    rate: int  # samples a second
    mels: int = 40
    window: float = 0.025  # seconds
    hop: float = 0.010  # seconds

    @property
    def window_size(self) -> int:
        """Samples of a frame."""
        return max(2, round(self.window * self.rate))

    @property
    def hop_size(self) -> int:
        """Samples from a frame to the next."""
        return max(1, round(self.hop * self.rate))

    @property
    def transform_size(self) -> int:
        """Points of the Fourier transform: the next power of two."""
        return 1 << (self.window_size - 1).bit_length()

    def frames(self, samples: int) -> int:
        """How many frames a wave of so many samples has: one at least, the last one filled up."""
        return 1 + max(0, -(-(samples - self.window_size) // self.hop_size))


def mel(hertz: Array | float) -> Array:
    """Hertz → mel, ``2595 log10(1 + f / 700)`` (O'Shaughnessy 1987)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))


def hertz(mels: Array | float) -> Array:
    """The inverse of :func:`mel`."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mels) / 2595.0) - 1.0))


@lru_cache(maxsize=8)
def mel_filters(options: FeatureOptions) -> Array:
    """Triangles over the bins of a power spectrum: ``[M, 1 + size / 2]`` float32.

    Their feet and tips are evenly spaced in mel from 20 Hz to half the rate; a tip is 1.
    """
    bins = np.arange(options.transform_size // 2 + 1) * options.rate / options.transform_size
    edges = np.linspace(mel(LOWEST), mel(options.rate / 2), options.mels + 2)
    left, tip, right = (edges[i : i + options.mels, None] for i in range(3))
    at = mel(bins)[None]
    triangles = np.minimum((at - left) / (tip - left), (right - at) / (right - tip))
    filters = np.maximum(triangles, 0.0)
    # A band narrower than a bin holds none: it takes the nearest one.
    for band in np.flatnonzero(filters.sum(1) == 0):
        filters[band, np.abs(at[0] - tip[band]).argmin()] = 1.0
    return filters.astype(np.float32)


def log_mel(samples: Array, options: FeatureOptions) -> Array:
    """``[S] → [T, M]`` float32: the natural logarithm of the power in each mel band.

    Frames of a Hann window; what is more than 80 dB below the loudest cell is raised to that, so
    that the digital silence of one file is like the faint noise of another.
    """
    size, hop, count = options.window_size, options.hop_size, options.frames(len(samples))
    padded = np.zeros(size + (count - 1) * hop, dtype=np.float32)
    padded[: len(samples)] = samples[: len(padded)]
    frames = sliding_window_view(padded, size)[::hop]
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    filters = mel_filters(options).T
    power = np.empty((count, options.mels), dtype=np.float32)
    for start in range(0, count, BLOCK):
        spectrum = np.fft.rfft(frames[start : start + BLOCK] * window, options.transform_size)
        square = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        power[start : start + BLOCK] = square @ filters
    floor = max(float(power.max()) * 10.0**-RANGE, 1e-20)
    return np.asarray(np.log(np.maximum(power, floor)))
