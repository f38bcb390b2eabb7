"""Options that several tasks have; light to import, so that help shows at once."""

from typing import Any

from birnn.config import LARGEST_SEED, option

MAX_MEMBERS = 16


def cut_share(split: str, unit: str, low: float) -> Any:
    """How much of train is cut for a split that the data lacks."""
    text = f"Share of {unit} cut for {split} where no split holds them."
    return option(0.1, text, low=low, high=0.5, group="Data")


def cut_seed() -> Any:
    """How a missing split is cut."""
    text = "Seed of the cut; it stays the same for every --seed."
    return option(0, text, low=0, high=LARGEST_SEED, group="Data")


def file_encoding() -> Any:
    """How the bytes of a file become text."""
    return option("utf-8-sig", "Encoding of CSV and JSON files.", group="Data")


def without_ragged() -> Any:
    """Whether rows that don't fit the header are left out."""
    return option(False, "Leave out CSV rows with too many or too few fields.", group="Data")


def vectors_name() -> Any:
    """Which pretrained vectors are used."""
    return option(
        "auto",
        "Pretrained word vectors: a GloVe or fastText text file, glove.6B.50d (samples extra),"
        " another torchtext name, none, or auto (glove.6B.50d where installed).",
        group="Data",
    )
