"""Speech, small enough to check in seconds: tones for letters."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch.nn import functional as F

from birnn.tasks.speech.options import SpeechConfig, SpeechData, SpeechParts

from tiny_parts import ENCODER, TRAIN

RATE = 4000
TONES = {"a": 400.0, "b": 900.0, "c": 1500.0}  # hertz
TEXTS = ("ab", "ba", "c a", "abc", "b", "cc")


def spoken(text: str, pitch: float, generator: np.random.Generator) -> np.ndarray:
    """A tone of 60 ms for each letter, silence for a space and between equal letters."""
    parts = [np.zeros(80)]
    for letter in text:
        length = int(240 * generator.uniform(0.9, 1.2))
        frequency = TONES.get(letter, 0.0) * pitch
        parts += [np.sin(2 * np.pi * frequency * np.arange(length) / RATE) * 0.3, np.zeros(60)]
    wave = np.concatenate(parts)
    return wave + 0.003 * generator.normal(size=len(wave))


def write_recordings(folder: Path, name: str = "index.csv") -> Path:
    """36 recordings by six speakers, and a table of them."""
    generator = np.random.default_rng(0)
    with (folder / name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "speaker"])
        for number in range(36):
            text, who = TEXTS[number % 6], number // 6
            wave = spoken(text, 0.9 + 0.05 * who, generator)
            soundfile.write(folder / f"{number}.wav", wave, RATE, subtype="PCM_16")
            writer.writerow([f"{number}.wav", text, f"s{who}"])
    return folder / name


def texts(folder: Path) -> SpeechConfig:
    """CTC over characters, deltas, levels of the recording."""
    data = SpeechData(
        str(write_recordings(folder)), mels=8, window=0.02, validation_share=0.2, test_share=0.2
    )
    return SpeechConfig(data, parts(deltas=True), ENCODER, TRAIN)


def labels(folder: Path) -> SpeechConfig:
    """A label a recording, levels of the speaker, steps of four frames."""
    data = replace(texts(folder).data, labels=True, normalise="speaker")
    return SpeechConfig(data, parts(subsampling=4), ENCODER, TRAIN)


def parts(**options: Any) -> SpeechParts:
    """A small front that changes nothing in training."""
    return SpeechParts(
        channels=3, front_size=6, front_dropout=0.0, head_dropout=0.0, speed=0.0, voice=0.0,
        noise=0.0, band_masks=0, time_masks=0, **options,
    )  # fmt: skip


def all_alike(data: Any) -> tuple[float, float]:
    """CTC where every symbol is equally likely in every step, by torch's loss; a symbol."""
    train = data.splits["train"]
    batch = train.batch(np.arange(len(train)))
    steps = -(-batch.lengths // 2)
    shares = torch.full((int(steps.max()), len(train), len(data.info.labels)), 0.0).log_softmax(-1)
    sizes = batch.inputs["target_lengths"]
    losses = F.ctc_loss(shares, batch.targets, steps, sizes, reduction="sum")
    return float(losses / sizes.sum()), 0.15


def ask(config: SpeechConfig) -> list[str]:
    """What Python asks a run: paths."""
    home = Path(config.data.data).parent
    return [str(home / f"{number}.wav") for number in range(4)]


TINY = {"texts": texts, "labels": labels}
START = {"texts": all_alike}
