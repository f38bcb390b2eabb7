"""What the tiny configurations of several tasks share: words, vectors, an encoder, a training."""

import csv
from pathlib import Path

import numpy as np

from birnn.config import EncoderConfig, TrainConfig

TRAIN = TrainConfig(batch_size=5, device="cpu", schedule="constant", warmup=0.0, patience=0)
ENCODER = EncoderConfig(hidden_size=5, layers=2, norm="layer", residual=True)
WORDS = {
    "bad": ("awful", "dull", "bad"),
    "good": ("great", "fine", "good"),
    "so-so": ("fair", "okay", "middling"),
}
FILLERS = ("the", "film", "was", "really", "a", "bit", "of")


def write_texts(path: Path) -> None:
    """54 distinct texts of 1 to 8 words in three classes."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for label, words in WORDS.items():
            for i in range(18):
                text = [*FILLERS[: i % 7], words[i % 3], str(i)]
                writer.writerow([" ".join(text), label])


def write_vectors(path: Path) -> None:
    """Vectors of four numbers for some of the words."""
    known = [*FILLERS[:4], *(words[0] for words in WORDS.values())]
    numbers = np.random.default_rng(0).normal(size=(len(known), 4))
    rows = (f"{word} {' '.join(map(str, row))}" for word, row in zip(known, numbers, strict=True))
    path.write_text("\n".join(rows) + "\n")
