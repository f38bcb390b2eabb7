"""Memory and throughput of work on files that do not fit in memory.

    python benchmarks/streaming.py texts FILE --lines 5000000       a .csv, .txt, .jsonl to predict
    python benchmarks/streaming.py shards FOLDER --gigabytes 5      Parquet shards to train on
    python benchmarks/streaming.py watch -- COMMAND …               the most memory of a command
    python benchmarks/streaming.py predict RUN FILE OUTPUT          memory and rate of each million
    python benchmarks/streaming.py kills RUN FILE OUTPUT --times 3  kill, go on: the same file?

Texts are seeded: words of a Zipf law over millions of made-up ones, beside words that tell a label.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
LETTERS = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
GOOD, BAD = ["lovely", "bright", "moving", "warm"], ["dull", "clumsy", "tired", "cold"]
BLOCK = 20_000  # rows


def made_words(count: int, seed: int = 0) -> list[str]:
    """``count`` words, the commonest the shortest; the number at the end makes each another."""
    generator = np.random.default_rng(seed)
    sizes = np.clip(np.log2(np.arange(count) + 4).astype(int), 2, 12)
    letters = LETTERS[generator.integers(0, len(LETTERS), (count, 12))]
    stems = ["".join(row[:size]) for row, size in zip(letters, sizes, strict=True)]
    return [stem if i < 50 else f"{stem}{i % 1000}" for i, stem in enumerate(stems)]


def rows(count: int, words: int, seed: int) -> Iterator[tuple[list[str], list[str]]]:
    """Blocks of texts and labels; a tenth of the labels is wrong."""
    vocabulary = np.array(made_words(words), dtype=object)
    generator = np.random.default_rng(seed)
    done = 0
    while done < count:
        size = min(BLOCK, count - done)
        lengths = np.clip(generator.lognormal(2.6, 0.6, size).astype(int), 3, 120)
        places = generator.zipf(1.15, int(lengths.sum())) - 1
        places = np.where(places < words, places, generator.integers(0, words, len(places)))
        said = vocabulary[places].tolist()
        moods = generator.integers(0, 2, size).tolist()
        ends = np.cumsum(lengths).tolist()
        texts, labels = [], []
        for start, end, mood in zip([0, *ends], ends, moods, strict=False):
            telling = (GOOD, BAD)[mood][end % 4]
            texts.append(" ".join([*said[start:end], telling]))
            labels.append(("good", "bad")[mood if generator.random() < 0.9 else 1 - mood])
        yield texts, labels
        done += size


def blocks(words: int, seed: int) -> Iterator[Any]:
    """The same as tables of Arrow's, which joins words faster."""
    import pyarrow as pa
    import pyarrow.compute as pc

    vocabulary = pa.array([*made_words(words), *GOOD, *BAD])
    generator = np.random.default_rng(seed)
    while True:
        lengths = np.clip(generator.lognormal(2.6, 0.6, BLOCK).astype(int), 3, 120)
        places = generator.zipf(1.15, int(lengths.sum())) - 1
        places = np.where(places < words, places, generator.integers(0, words, len(places)))
        moods = generator.integers(0, 2, BLOCK)
        ends = np.cumsum(lengths)
        places[ends - 1] = words + 4 * moods + ends % 4
        offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
        lists = pa.ListArray.from_arrays(offsets, vocabulary.take(pa.array(places)))
        wrong = generator.random(BLOCK) < 0.1
        labels = np.array(["good", "bad"])[np.where(wrong, 1 - moods, moods)]
        yield pa.table({"text": pc.binary_join(lists, " "), "label": pa.array(labels)})


def write_texts(path: Path, lines: int, words: int) -> None:
    """A file to predict."""
    with path.open("w", encoding="utf-8") as file:
        if path.suffix == ".csv":
            file.write("id,text\n")
        number = 0
        for texts, _ in rows(lines, words, seed=1):
            for text in texts:
                number += 1
                if path.suffix == ".csv":
                    file.write(f'{number + 10},"{text}, it is"\n')
                elif path.suffix == ".jsonl":
                    file.write(json.dumps({"id": number, "text": text}) + "\n")
                else:
                    file.write(f"{text}\n")


def write_shards(folder: Path, gigabytes: float, words: int, shard_rows: int) -> None:
    """Parquet shards of text and label, at least so many gigabytes of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    written, number, total = 0, 0, 0
    schema = pa.schema([("text", pa.string()), ("label", pa.string())])
    tables = blocks(words, seed=2)
    while written < gigabytes * 1e9:
        path = folder / f"train-{number:05d}.parquet"
        with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
            for _ in range(0, shard_rows, BLOCK):
                writer.write_table(next(tables).cast(schema))
                total += BLOCK
        written += path.stat().st_size
        number += 1
    print(f"{number} shards, {total:,} rows, {written / 1e9:.2f} GB")


def memory(process: int) -> tuple[float, float]:
    """Resident megabytes of a process and its children, and those of them that are no file's."""
    home = Path("/proc") / str(process)
    try:
        lines = (home / "status").read_text().splitlines()
        children = (home / "task" / str(process) / "children").read_text().split()
    except OSError:  # it has ended
        return 0.0, 0.0
    sizes = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
    parts = [memory(int(child)) for child in children]
    own = [int(sizes.get(name, 0)) / 1024 for name in ("VmRSS", "RssAnon")]
    return own[0] + sum(one for one, _ in parts), own[1] + sum(other for _, other in parts)


def watched(command: Sequence[str], log: list[dict[str, float]], output: Path | None) -> int:
    """Run a command and note its memory, and the rows of its growing output, each half second."""
    begin = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment)
    while process.poll() is None:
        whole, own = memory(process.pid)
        state = output and output.with_name(f"{output.name}.partial.json")
        done = 0.0
        if state and state.exists():
            try:
                done = json.loads(state.read_text())["rows"]
            except (OSError, ValueError):
                done = log[-1]["rows"] if log else 0.0
        seconds = time.monotonic() - begin
        log.append({"seconds": seconds, "rss": whole, "own": own, "rows": done})
        time.sleep(0.5)
    return process.wait()


def predict_command(run: str, file: str, output: str, more: Sequence[str] = ()) -> list[str]:
    """The command that is measured."""
    own = [sys.executable, str(ROOT / "cli.py"), "predict", run, "--input", file]
    return [*own, "--output", output, *more]


def predict(run: str, file: str, output: str) -> dict[str, Any]:
    """Memory and throughput of each million rows."""
    log: list[dict[str, float]] = []
    code = watched(predict_command(run, file, output), log, Path(output))
    parts = []
    growing = [one for one in log if one["rows"]]
    for million in range(int(growing[-1]["rows"] // 1_000_000) + 1):
        own = [one for one in growing if one["rows"] // 1_000_000 == million]
        if len(own) > 1:
            took = own[-1]["seconds"] - own[0]["seconds"]
            rate = (own[-1]["rows"] - own[0]["rows"]) / max(took, 1e-9)
            most = max(one["rss"] for one in own)
            parts.append({"million": million + 1, "rows_a_second": round(rate), "rss": round(most)})
    reading = [one for one in log if not one["rows"]]
    return {
        "code": code, "seconds": round(log[-1]["seconds"]), "parts": parts,
        "before_rss": round(max(one["rss"] for one in reading)),
        "before_seconds": round(reading[-1]["seconds"]) if reading else 0,
        "most_rss": round(max(one["rss"] for one in log)),
        "sha256": checksum(Path(output)) if Path(output).exists() else "",
    }  # fmt: skip


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kills(
    run: str, file: str, output: str, times: int, seconds: float, seed: int
) -> dict[str, Any]:
    """Kill a predict at random moments and go on each time; then let it end."""
    chance, stopped, more = random.Random(seed), list[int](), list[str]()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for _ in range(times):
        command = predict_command(run, file, output, more)
        process = subprocess.Popen(command, env=environment)
        time.sleep(seconds * (0.5 + chance.random()))
        process.send_signal(signal.SIGKILL)
        process.wait()
        state = Path(f"{output}.partial.json")
        stopped.append(json.loads(state.read_text())["rows"] if state.exists() else 0)
        more = ["--resume"]
    code = subprocess.call(predict_command(run, file, output, more), env=environment)
    return {"code": code, "stopped_after": stopped, "sha256": checksum(Path(output))}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parts = parser.add_subparsers(dest="what", required=True)
    texts = parts.add_parser("texts")
    texts.add_argument("file", type=Path)
    texts.add_argument("--lines", type=int, default=5_000_000)
    shards = parts.add_parser("shards")
    shards.add_argument("folder", type=Path)
    shards.add_argument("--gigabytes", type=float, default=5.0)
    shards.add_argument("--rows", type=int, default=2_000_000)
    for part in (texts, shards):
        part.add_argument("--words", type=int, default=3_000_000)
    watch = parts.add_parser("watch")
    watch.add_argument("command", nargs=argparse.REMAINDER)
    measured, killed = parts.add_parser("predict"), parts.add_parser("kills")
    for part in (measured, killed):
        for name in ("run", "file", "output"):
            part.add_argument(name)
    killed.add_argument("--times", type=int, default=3)
    killed.add_argument("--seconds", type=float, default=60.0)
    killed.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.what == "texts":
        write_texts(given.file, given.lines, given.words)
    elif given.what == "shards":
        write_shards(given.folder, given.gigabytes, given.words, given.rows)
    elif given.what == "watch":
        log: list[dict[str, float]] = []
        code = watched([word for word in given.command if word != "--"], log, None)
        most = {name: round(max(one[name] for one in log)) for name in ("rss", "own")}
        print(json.dumps({"code": code, "seconds": round(log[-1]["seconds"]), **most}))
    elif given.what == "predict":
        print(json.dumps(predict(given.run, given.file, given.output), indent=1))
    else:
        made = kills(given.run, given.file, given.output, given.times, given.seconds, given.seed)
        print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
