"""One sound file → mono samples at the rate that is asked for, or why it can't be used."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.errors import DataError

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au", ".mp3")
QUIETEST = 10 ** (-80 / 20)  # a peak below it, of full scale, is silence
MOST_CHANNELS = 64
FULL = 0.999  # of full scale: what stands there is cut off
CLIPPED = 0.01  # of all samples at full scale: the recording was too loud


@dataclass(frozen=True)
class Wave:
    """A recording in one channel."""

    samples: Array  # [S] float32, full scale is 1
    rate: int  # samples a second
    clipped: float = 0.0  # share of its samples at full scale, before anything was changed

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


def rate_of(path: Path) -> int:
    """Samples a second of a file.

    Raises:
        DataError: it is no sound file.
    """
    with opened(path) as file:
        return int(file.samplerate)


def read_wave(path: Path, rate: int, longest: float) -> Wave:
    """Read a file, mix its channels, and resample it to ``rate``.

    Args:
        path: of a format that libsndfile reads.
        rate: samples a second; 0 leaves the file's own.
        longest: seconds; a longer file is refused before it is read.

    Raises:
        DataError: no such file, no sound, empty, silent, too long, or not finite; says which.
    """
    with opened(path) as file:
        own, seconds = int(file.samplerate), len(file) / max(file.samplerate, 1)
        if seconds > longest:
            long = f"{seconds:.1f} seconds, longer than {longest:g} (--max-seconds)"
            raise DataError(f"{path}: {long}")
        if file.channels > MOST_CHANNELS:
            raise DataError(f"{path}: {file.channels} channels, more than {MOST_CHANNELS}")
        samples = file.read(dtype="float32", always_2d=True)
    return sound(samples, own, rate, str(path))


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A file as libsndfile reads it; a pipe or a device is none.

    Raises:
        DataError: there is no such file, or it is not readable, here or within the block.
    """
    import soundfile

    try:
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        with soundfile.SoundFile(str(path)) as file:
            yield file
    except (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError) as error:
        why = str(error).rstrip(".")[-60:]
        raise DataError(f"{path}: not a readable sound file ({why})") from None


def sound(samples: Array, own: int, rate: int, where: str) -> Wave:
    """Samples ``[S]`` or ``[S, channels]`` of the rate ``own`` as a :class:`Wave` of ``rate``.

    Raises:
        DataError: nothing in it, a number that is not finite, or silence.
    """
    if not samples.size:
        raise DataError(f"{where}: empty")
    if not np.isfinite(samples).all():
        raise DataError(f"{where}: holds NaN or infinity")
    clipped = float((np.abs(samples) >= FULL).mean())
    mono = np.ascontiguousarray(samples.mean(1) if samples.ndim > 1 else samples, dtype=np.float32)
    if float(np.abs(mono).max()) < QUIETEST:
        raise DataError(f"{where}: silent")
    return Wave(resampled(mono, own, rate), rate or own, clipped)


def resampled(samples: Array, own: int, rate: int) -> Array:
    """``[S]`` samples of the rate ``own`` at ``rate``; the same where that is 0 or the same.

    Raises:
        DataError: the two are too far from each other.
    """
    if not rate or own == rate:
        return samples
    import soxr

    try:
        changed: Array = soxr.resample(samples, own, rate).astype(np.float32, copy=False)
    except (ValueError, RuntimeError) as error:
        raise DataError(f"{own:,} samples a second can't become {rate:,} ({error})") from None
    return changed if len(changed) else samples[:1]
