"""Tagging, small enough to check in a second."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from birnn.data.tags.schemes import legal
from birnn.tasks.tagging.options import TaggingConfig, TaggingData, TaggingParts

from tiny_parts import ENCODER, FILLERS, TRAIN, write_vectors


def write_tagged(path: Path) -> None:
    """36 distinct sentences of 1 to 8 tokens with persons of one to three tokens, in IOB2."""
    names = ("Ada", "Bo", "Cy")
    blocks = []
    for i in range(36):
        rows = [f"{word}\tO" for word in FILLERS[: i % 6]]
        rows.insert(i % (len(rows) + 1), f"{names[i % 3]}\tB-per")
        rows[rows.index(f"{names[i % 3]}\tB-per") + 1 :] = [
            *(f"{names[(i + k) % 3]}\tI-per" for k in range(1, 1 + i % 2)),
            *rows[rows.index(f"{names[i % 3]}\tB-per") + 1 :],
        ]
        blocks.append("\n".join([*rows, f"n{i}\tO"]))
    path.write_text("\n\n".join(blocks) + "\n")


def write_parts_of_speech(path: Path) -> None:
    """30 distinct sentences of raw tags."""
    tags = ("DET", "NOUN", "VERB", "ADV", "DET", "NOUN", "ADP")
    blocks = (
        "\n".join([*(f"{w} {t}" for w, t in zip(FILLERS[: i % 7], tags, strict=False)), f"{i} NUM"])
        for i in range(30)
    )
    path.write_text("\n\n".join(blocks) + "\n")


def spans(folder: Path) -> TaggingConfig:
    """A learned chain over IOBES tags; letters by convolution, every part of a token."""
    write_tagged(folder / "people.conll")
    return TaggingConfig(
        TaggingData(str(folder / "people.conll"), vectors="none"),
        TaggingParts(
            members=1, word_size=6, char_size=6, character_size=4, affix_size=2,
            singleton_dropout=0.05, word_dropout=0.05, embedding_dropout=0.05,
            embedding_locked_dropout=0.0, character_dropout=0.0, head_dropout=0.0,
        ),
        ENCODER,
        TRAIN,
    )  # fmt: skip


def raw(folder: Path) -> TaggingConfig:
    """Two networks with softmax on raw tags, pretrained vectors, letters by a recurrent encoder."""
    write_vectors(folder / "vectors.txt")
    write_parts_of_speech(folder / "words.txt")
    config = spans(folder)
    model = replace(config.model, members=2, decoder="softmax", char_encoder="bigru", affix_size=0)
    data = replace(config.data, data=str(folder / "words.txt"), vectors=str(folder / "vectors.txt"))
    return replace(config, data=data, model=model)


def log_of_legal_sequences(data: Any) -> tuple[float, float]:
    """All legal sequences alike: the log of their number, a token."""
    rules = legal(data.info.labels, data.info.inner)
    total = 0.0
    for length in data.splits["train"].lengths:
        paths = rules.start.astype(float)
        for _ in range(length - 1):
            paths = paths @ rules.transitions
        total += np.log(paths[rules.end].sum())
    return total / float(data.splits["train"].lengths.sum()), 0.12


def ask(config: TaggingConfig) -> list[list[str]]:
    """What Python asks a run: lists of tokens."""
    return [["the", "film", "Ada"], ["a", "bit"]]


TINY = {"spans": spans, "raw": raw}
START = {"spans": log_of_legal_sequences}
