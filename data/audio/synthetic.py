"""Synthetic voices that say what people say in train, so that a recogniser knows more voices."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

import numpy as np

from birnn.arrays import Array
from birnn.data.audio.recordings import Recording
from birnn.data.audio.spoken import LANGUAGES, VARIANTS, VERSION, Voice, cache_file, keep, kept
from birnn.progress import tell

EACH = 20  # texts of a voice, at most
QUIET = 328  # of 32,768: what is fainter at the ends is cut
EDGE = 0.01  # seconds of it that stay


def synthetic_recordings(
    texts: Sequence[str], voices: int, language: str, rate: int
) -> list[Recording]:
    """The ``texts``, or some of them for each voice, spoken by ``voices`` voices of espeak-ng.

    Who speaks how depends on the numbers of the voices alone. They are made once, then kept.

    Args:
        texts: what is said.
        voices: how many.
        language: as espeak-ng names it; ``en`` has several accents.
        rate: samples a second.

    Raises:
        DataError: espeakng-loader is not installed, or can't say it here.
    """
    every = sorted(set(texts))
    plan = [(number, text) for number in range(voices) for text in _texts(every, number)]
    digest = sha256(repr((VERSION, plan, language, rate)).encode()).hexdigest()[:16]
    path = cache_file(f"synthetic-{digest}")
    if (waves := kept(path, len(plan))) is None:
        waves = list(_spoken(plan, language, rate))
        keep(path, waves)
    rows = zip(plan, waves, strict=True)
    return [
        Recording(f"synthetic {n + 1}: {text}", None, text, f"synthetic {n + 1}", 0,
                  wave.astype(np.float32) / 32768, rate)
        for (n, text), wave in rows
    ]  # fmt: skip


def _texts(every: Sequence[str], number: int) -> list[str]:
    """What the voice of that number says."""
    some = np.random.default_rng([0, number]).permutation(len(every))[:EACH]
    return [every[int(i)] for i in np.sort(some)]


def _spoken(plan: Sequence[tuple[int, str]], language: str, rate: int) -> Iterator[Array]:
    """``[S]`` int16 of each voice and text."""
    voice, last = Voice(rate), -1
    accents = LANGUAGES if language == "en" else (language,)
    for place, (number, text) in enumerate(plan):
        if number != last:
            tell("speaking", place / len(plan))
            generator = np.random.default_rng([1, number])
            pitch, speed = int(generator.integers(20, 80)), int(generator.integers(110, 210))
            accent = accents[(7 * number + number // len(VARIANTS)) % len(accents)]
            voice.choose(f"{accent}+{VARIANTS[number % len(VARIANTS)]}", pitch, speed)
            last = number
        yield trimmed(voice.say(text), rate)


def trimmed(samples: Array, rate: int) -> Array:
    """``[S]`` without the silence at both ends, but for a little."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET)
    if not len(loud):
        return samples
    edge = round(EDGE * rate)
    return samples[max(0, loud[0] - edge) : loud[-1] + 1 + edge]
