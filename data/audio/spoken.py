"""The embedded recordings: digits and short commands, spoken by a program and not by people.

espeak-ng (GPL-3.0) comes as a shared library in the package espeakng-loader. It is loaded with
ctypes, when these recordings are asked for and not before, and speaks into memory.
"""

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.data.audio.recordings import Recording
from birnn.data.samples import INSTALL
from birnn.errors import DataError
from birnn.progress import tell

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COMMANDS = ("yes", "no", "stop", "go", "turn left", "turn right", "lights on", "lights off",
            "volume up", "volume down")  # fmt: skip
# A speaker: language, variant of the voice, pitch (0 to 99), words a minute.
LANGUAGES = ("en", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-us-nyc")
VARIANTS = ("m1", "f1", "m3", "f2", "m5", "f4", "Andy", "f3", "m7", "f5", "m2", "Alicia", "m4",
            "linda", "m6", "steph", "m8", "Andrea", "Michael", "anika")  # fmt: skip
CALLS = 20  # phrases with several digits, of each speaker
RATE = 8000  # samples a second that are kept
VERSION = 1  # of what is said, and by whom
NAME = "spoken digits and commands: synthetic, by voices of espeak-ng"
SOURCE = f"{NAME} ({len(VARIANTS)} voices)"
RETRIEVE, CHARS_UTF8, RATE_PARAMETER, PITCH_PARAMETER = 1, 1, 1, 3  # of speak_lib.h


def phrases(speaker: int) -> list[str]:
    """What the speaker of that number says, always the same."""
    generator = np.random.default_rng([VERSION, speaker])
    calls = [
        "call " + " ".join(generator.choice(DIGITS, int(generator.integers(2, 5))))
        for _ in range(CALLS)
    ]
    return [*DIGITS, *COMMANDS, *calls]


def spoken_recordings() -> list[Recording]:
    """All of them, in the order of their speakers; made in seconds once, then kept in the cache.

    Raises:
        DataError: espeakng-loader is not installed, or can't speak here.
    """
    path = cache_file(f"spoken-{VERSION}")
    waves = kept(path, sum(len(phrases(i)) for i in range(len(VARIANTS)))) or _made()
    recordings = list[Recording]()
    for speaker, variant in enumerate(VARIANTS):
        for text in phrases(speaker):
            name = f"{variant.lower()}_{len(recordings):04d}"
            samples = waves[len(recordings)].astype(np.float32) / 32768
            row = len(recordings) + 1
            recordings.append(Recording(name, None, text, variant.lower(), row, samples, RATE))
    return recordings


def cache_file(name: str) -> Path:
    """Where recordings are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return cache / "birnn" / "audio" / f"{name}.npz"


def kept(path: Path, count: int) -> list[Array] | None:
    """``count`` waves that :func:`keep` wrote; None where there are none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            ends, samples = file["ends"], file["samples"]
    except (OSError, ValueError, KeyError, EOFError):
        return None
    sound = samples.dtype == np.int16 and ends.shape == (count,) and ends[-1] == len(samples)
    return np.split(samples, ends[:-1]) if sound and (np.diff(ends) > 0).all() else None


@cache
def _made() -> list[Array]:
    voice, waves = Voice(), list[Array]()
    for speaker, variant in enumerate(VARIANTS):
        tell("speaking", speaker / len(VARIANTS))
        language = LANGUAGES[speaker % len(LANGUAGES)]
        pitch, speed = 30 + 13 * speaker % 45, 130 + 29 * speaker % 70
        voice.choose(f"{language}+{variant}", pitch, speed)
        waves += [voice.say(text) for text in phrases(speaker)]
    keep(cache_file(f"spoken-{VERSION}"), waves)
    return waves


def keep(path: Path, waves: Sequence[Array]) -> None:
    """Write waves to the cache: the voices never say the same twice to the last bit.

    Where that can't be, they are made again next time.
    """
    from birnn.storage.files import atomic_path

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as part, part.open("wb") as file:
            ends = np.cumsum([len(wave) for wave in waves])
            np.savez_compressed(file, ends=ends, samples=np.concatenate(waves))
    except OSError:
        return


class Engine:
    """The library, begun once for a process: begun twice, it can stand still.

    Raises:
        DataError: it is not installed, or can't be started here.
    """

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError:
            what = "synthetic voices need espeakng-loader, which is not installed"
            mend = "or give --data of your own, without --synthetic-voices"
            raise DataError(f"{what}; run: {INSTALL}, {mend}") from None
        self.parts: list[Array] = []
        try:
            self.library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path().encode()
            self.rate = int(self.library.espeak_Initialize(RETRIEVE, 0, data, 0))
        except (OSError, RuntimeError, AttributeError) as error:
            raise _unable(str(error)) from None
        if self.rate <= 0:
            raise _unable("it does not start")
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
        )
        self.callback = kind(self._take)  # held: the library calls it
        self.library.espeak_SetSynthCallback(self.callback)

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self.parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


engine = cache(Engine)


class Voice:
    """espeak-ng as a function from text to samples.

    Raises:
        DataError: as :class:`Engine`.
    """

    def __init__(self, rate: int = RATE) -> None:
        self.rate, self.engine = rate, engine()

    def choose(self, name: str, pitch: int, speed: int) -> None:
        """Speak as the voice ``name`` from now on.

        Raises:
            DataError: there is no such voice.
        """
        if self.engine.library.espeak_SetVoiceByName(name.encode()):
            raise _unable(f"it has no voice {name}")
        self.engine.library.espeak_SetParameter(PITCH_PARAMETER, pitch, 0)
        self.engine.library.espeak_SetParameter(RATE_PARAMETER, speed, 0)

    def say(self, text: str) -> Array:
        """``[S]`` int16 samples of the wanted rate.

        Raises:
            DataError: it says nothing.
        """
        from birnn.data.audio.waves import resampled

        library, parts = self.engine.library, self.engine.parts
        parts.clear()
        spoken = text.encode() + b"\0"
        library.espeak_Synth(spoken, len(spoken), 0, 1, 0, CHARS_UTF8, None, None)
        library.espeak_Synchronize()
        if not parts:
            raise _unable(f"it says nothing for {text!r}")
        wave = np.concatenate(parts).astype(np.float32) / 32768
        samples = resampled(wave, self.engine.rate, self.rate)
        return np.asarray(np.clip(np.round(samples * 32767), -32768, 32767), dtype=np.int16)


def _unable(why: str) -> DataError:
    mend = "choose another --synthetic-language, or give --data without --synthetic-voices"
    return DataError(f"espeak-ng can't speak here: {why}; {mend}")
