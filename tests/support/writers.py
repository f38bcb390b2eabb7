"""Small learnable data, options for short runs, and what a command or a picture was like."""

import csv
import json
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

Rows = Sequence[tuple[str, ...]]

# Options that make a run take half a second.
TINY = [
    *("--hidden-size", "8", "--word-size", "8", "--gram-size", "4", "--gram-buckets", "50"),
    *("--epochs", "2", "--batch-size", "32", "--learning-rate", "0.01", "--vectors", "none"),
    *("--members", "1"),
]

WORDS = {
    "good": ("lovely", "bright", "moving", "warm"),
    "bad": ("dull", "clumsy", "tired", "cold"),
    "mixed": ("uneven", "odd", "middling", "passable"),
}
FILLER = ("film", "scene", "actor", "story", "plot", "music", "the", "a", "and", "with")


def sentences(count: int = 200, labels: Sequence[str] = ("good", "bad")) -> list[tuple[str, str]]:
    """Distinct seeded texts, their classes in turn; a tenth say the words of another class."""
    generator = random.Random(count)
    moods = dict(zip(labels, WORDS.values(), strict=False))
    rows = []
    for number in range(count):
        label = labels[number % len(labels)]
        told = label if generator.random() < 0.9 else generator.choice(labels)
        words = generator.choices(FILLER, k=generator.randint(2, 9))
        words.insert(generator.randrange(len(words)), generator.choice(moods[told]))
        rows.append((" ".join([*words, f"no{number}"]), label))
    return rows


def write_table(path: Path, rows: Rows, header: Sequence[str] = ("text", "label")) -> Path:
    """Write a CSV file; returns its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    def refusal(self) -> str:
        """The one line of a refusal: exit code 2, one line on standard error, no traceback."""
        lines = self.err.splitlines()
        assert self.code == 2, self
        assert len(lines) == 1, self.err
        assert lines[0].startswith("birnn: error: "), self.err
        assert "Traceback" not in self.out + self.err
        return lines[0]


def pixels(path: Path) -> tuple[int, int]:
    """Width and height as a PNG's header says them."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:])
    return width, height


SHARD_ROWS = [(f"{text} {'and so on ' * (i % 9)}".strip(), label)
        for i, (text, label) in enumerate(sentences(400))]  # fmt: skip


def write_shards(folder: Path, kind: str, count: int = 3, rows: Rows = SHARD_ROWS) -> Path:
    """Shards of the rows, in one format."""
    import pyarrow as pa  # here: few tests need it
    import pyarrow.parquet as pq

    folder.mkdir(exist_ok=True)
    for number in range(count):
        texts, labels = zip(*rows[number::count], strict=True)
        path = folder / f"part-{number}.{kind}"
        if kind == "parquet":
            pq.write_table(pa.table({"text": texts, "label": labels}), path, row_group_size=40)
        elif kind == "jsonl":
            own = [json.dumps({"text": t, "label": y}) for t, y in zip(texts, labels, strict=True)]
            path.write_text("\n".join(own) + "\n")
        else:
            own = [f'"{t}";{y}' for t, y in zip(texts, labels, strict=True)]
            path.write_text("\n".join(["text;label", *own]) + "\n")
    return folder
