"""Connected digits: recordings of single digits by one speaker, joined by a seed.

    python benchmarks/digits.py DATA OUT [--most 7] [--each 200] [--seed 0]

``DATA`` is a folder with ``index.csv`` (path, text, speaker), as the Free Spoken Digit Dataset in
one: ``OUT`` gets sequences of three to seven digits as FLAC and an ``index.csv`` of its own. Those
of one speaker are joined from that speaker's recordings alone, each used about equally often, with
up to 150 ms of a recording's faintest stretch between them. Then

    birnn speech OUT/index.csv --folds 6 --fold-group speaker

tests each speaker by a model that has not heard them.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from birnn.arrays import Array

LONGEST_GAP = 0.15  # seconds


def joined(waves: list[Array], rate: int, generator: np.random.Generator) -> Array:
    """Waves one after the other, between them the faintest 10 ms of one of them, repeated."""
    parts: list[Array] = []
    for wave in waves:
        size = max(1, rate // 100)
        pieces = wave[: len(wave) // size * size].reshape(-1, size)
        quiet = pieces[np.square(pieces).sum(1).argmin()] if len(pieces) else wave[:1]
        gap = int(generator.uniform(0, LONGEST_GAP) * rate)
        parts += [wave, np.resize(np.concatenate([quiet, quiet[::-1]]), gap)]
    return np.concatenate(parts[:-1])


def sequences(
    rows: list[dict[str, str]], each: int, least: int, most: int, seed: int
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The speaker and the recordings of each sequence, ``each`` of them a speaker."""
    for number, speaker in enumerate(sorted({row["speaker"] for row in rows})):
        generator = np.random.default_rng([seed, number])
        own = [row for row in rows if row["speaker"] == speaker]
        order: list[int] = []
        for _ in range(each):
            size = int(generator.integers(least, most + 1))
            while len(order) < size:
                order += generator.permutation(len(own)).tolist()
            yield speaker, [own[order.pop()] for _ in range(size)]


def main() -> None:
    """Write the sequences."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--least", type=int, default=3, help="digits of a sequence, at least")
    parser.add_argument("--most", type=int, default=7, help="and at most")
    parser.add_argument("--each", type=int, default=200, help="sequences of a speaker")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows = list(csv.DictReader((given.data / "index.csv").open(encoding="utf-8")))
    given.out.mkdir(parents=True)
    generator = np.random.default_rng([given.seed, len(rows)])
    with (given.out / "index.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "speaker"])
        made = sequences(rows, given.each, given.least, given.most, given.seed)
        for number, (speaker, parts) in enumerate(made):
            read = [soundfile.read(given.data / part["path"], dtype="float32") for part in parts]
            rate = read[0][1]
            path = f"{speaker}_{number:05d}.flac"
            soundfile.write(given.out / path, joined([w for w, _ in read], rate, generator), rate)
            writer.writerow([path, " ".join(part["text"] for part in parts), speaker])
    print(
        f"{number + 1:,} sequences of {len({row['speaker'] for row in rows})} speakers: {given.out}"
    )


if __name__ == "__main__":
    main()
