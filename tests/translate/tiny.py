"""Translation, small enough to check in a second."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from birnn.tasks.translate.options import TranslateConfig, TranslateData, TranslateParts

from tiny_parts import ENCODER, FILLERS, TRAIN

NUMBERS = {
    "the": "die",
    "film": "Film",
    "was": "war",
    "really": "wirklich",
    "a": "ein",
    "bit": "Bit",
}


def write_pairs(path: Path) -> None:
    """36 distinct pairs of 1 to 7 words, word by word; some words are told to nobody."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["source", "target"])
        for i in range(36):
            words = [*FILLERS[i % 3 : i % 3 + 1 + i % 5], f"n{i}"]
            writer.writerow([" ".join(words), " ".join(NUMBERS.get(w, w) for w in words)])


def words(folder: Path) -> TranslateConfig:
    """Whole words with tables of their own; input feeding, additive attention, coverage."""
    config = pieces(folder)
    data = replace(config.data, units="words", joint=False)
    model = replace(
        config.model, decoder="feeding", attention="additive", coverage=True, tied=False, beam=2,
        coverage_penalty=0.2,
    )  # fmt: skip
    return replace(config, data=data, model=model)


def pieces(folder: Path) -> TranslateConfig:
    """Pieces of both sides together; all steps at once, one table for everything."""
    write_pairs(folder / "pairs.tsv")
    data = TranslateData(
        str(folder / "pairs.tsv"), vocabulary_limit=60, validation_share=0.2, test_share=0.2
    )
    model = TranslateParts(
        beam=3, word_size=16, decoder_size=16, word_dropout=0.05, embedding_dropout=0.05,
        decoder_dropout=0.05, label_smoothing=0.0,
    )  # fmt: skip
    return TranslateConfig(data, model, ENCODER, TRAIN)


def log_of_pieces(data: Any) -> tuple[float, float]:
    """All pieces alike, but for the small numbers by which they are read off."""
    return float(np.log(len(data.info.target))), 0.25


def ask(config: TranslateConfig) -> list[str]:
    """What Python asks a run: texts."""
    return ["the film was", "a n3"]


TINY = {"pieces": pieces, "words": words}
START = {"pieces": log_of_pieces, "words": log_of_pieces}
