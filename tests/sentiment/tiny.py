"""Sentiment, small enough to check in a second."""

from dataclasses import replace
from pathlib import Path

from birnn.tasks.sentiment.options import SentimentConfig, SentimentData, SentimentParts

from tiny_parts import ENCODER, TRAIN, write_texts, write_vectors


def plain(folder: Path) -> SentimentConfig:
    """No vectors, a wide part, every pooling."""
    write_texts(folder / "texts.csv")
    return SentimentConfig(
        SentimentData(str(folder / "texts.csv"), vectors="none", min_frequency=1),
        SentimentParts(
            members=1, word_size=6, gram_size=3, gram_buckets=50, pooling="max+mean+last+attention",
            word_dropout=0.05, embedding_dropout=0.05, head_dropout=0.05, consistency=0.0,
        ),
        ENCODER,
        TRAIN,
    )  # fmt: skip


def vectors(folder: Path) -> SentimentConfig:
    """Two networks on pretrained vectors, two dropout views, no wide part."""
    write_vectors(folder / "vectors.txt")
    config = plain(folder)
    data = replace(config.data, vectors=str(folder / "vectors.txt"))
    model = replace(config.model, members=2, pooling="mean", wide=False, consistency=1.0)
    return replace(config, data=data, model=model)


TINY = {"plain": plain, "vectors": vectors}
