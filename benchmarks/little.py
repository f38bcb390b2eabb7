"""Learning from little: a few hundred sentences or texts, a few dozen steps, beside baselines.

    python benchmarks/little.py
    python benchmarks/little.py --tagging TRAIN.conll UNSEEN.conll --sizes 100 200 400 800
    python benchmarks/little.py --texts TRAIN.csv UNSEEN.csv --sizes 200 500
    python benchmarks/little.py --series SERIES.csv --sizes 30 50 100 --horizon 3

Seed S draws the S-th subset of the training file and trains on it with that seed; all scores are of
the unseen file. Of a series the first rows are trained on, from the S-th hundredth of it on, and
what follows is forecast. Without a file, the embedded data: its last quarter is unseen.
"""

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as cli.py does
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from birnn.config import with_flat  # noqa: E402
from birnn.data import samples  # noqa: E402
from birnn.nn.devices import use_threads  # noqa: E402
from birnn.tasks import TASKS  # noqa: E402
from birnn.tasks.runs.fitting import Trained, train_one  # noqa: E402
from birnn.tasks.runs.launch import make_task  # noqa: E402
from birnn.tasks.tagging.info import TagInfo  # noqa: E402

Cut = Callable[[int, int, Path], tuple[Path, Path]]  # size, seed, folder → files known and unseen
UNSEEN = 4  # one part of so many of the embedded data
AHEAD = 60  # rows of a series that follow those that are trained on


def sentences(files: list[str]) -> tuple[list[str], list[str]]:
    """The sentences of two column files, or of the embedded one, cut in two."""
    paths = files or [str(samples.tweet_entities())]
    parts = [re.split(r"\n\s*\n", Path(path).read_text(encoding="utf-8")) for path in paths]
    rows = [[part.strip("\n") for part in rows if part.strip()] for rows in parts]
    if len(rows) == 2:
        return rows[0], rows[1]
    random.Random(14).shuffle(rows[0])
    held = len(rows[0]) // UNSEEN
    return rows[0][:-held], rows[0][-held:]


def cut_sentences(files: list[str]) -> Cut:
    """Draws sentences."""
    pool, unseen = sentences(files)
    suffix = Path(files[0]).suffix if files else ".conll"

    def cut(size: int, seed: int, folder: Path) -> tuple[Path, Path]:
        paths = folder / f"known{suffix}", folder / f"unseen{suffix}"
        for path, rows in zip(paths, (random.Random(seed).sample(pool, size), unseen), strict=True):
            path.write_text("\n\n".join(rows) + "\n\n", encoding="utf-8")
        return paths

    return cut


def cut_texts(files: list[str]) -> Cut:
    """Draws labelled texts."""
    if files:
        pool, unseen = (pd.read_csv(file, keep_default_na=False) for file in files)
    else:
        table = samples.tweets()[0].to_pandas()[["text", "label"]].sample(frac=1, random_state=14)
        table["text"] = table["text"].str.replace("\r", " ")
        held = len(table) // UNSEEN
        pool, unseen = table[:-held], table[-held:]

    def cut(size: int, seed: int, folder: Path) -> tuple[Path, Path]:
        paths = folder / "known.csv", folder / "unseen.csv"
        pool.sample(size, random_state=seed).to_csv(paths[0], index=False)
        unseen.to_csv(paths[1], index=False)
        return paths

    return cut


def cut_series(files: list[str]) -> Cut:
    """Takes rows that follow each other; the longer file goes on where the shorter one ends."""
    table = pd.read_csv(files[0] if files else samples.temperatures())

    def cut(size: int, seed: int, folder: Path) -> tuple[Path, Path]:
        start = seed * (len(table) // 100)
        paths = folder / "known.csv", folder / "longer.csv"
        for path, rows in zip(paths, (size, size + AHEAD), strict=True):
            table[start : start + rows].to_csv(path, index=False)
        return paths

    return cut


def without_strangers(file: Path, info: Any) -> None:
    """Leave out the sentences with a tag that the run doesn't know: no model can be right there."""
    if not isinstance(info, TagInfo):
        return
    column, mark, between = (3, "#", "\t") if file.suffix == ".conllu" else (-1, "\0", None)
    raw = info.scheme == "raw"
    known = {label if raw else label[2:] for label in info.labels} | {"", "_"}

    def kinds(sentence: str) -> Iterator[str]:
        for line in sentence.splitlines():
            if line and not line.startswith(mark):
                tag = line.split(between)[column]
                yield tag if raw else tag[2:]

    rows = file.read_text(encoding="utf-8").strip("\n").split("\n\n")
    sound = [row for row in rows if known.issuperset(kinds(row))]
    file.write_text("\n\n".join(sound) + "\n\n", encoding="utf-8")
    print(f"unseen: {len(sound):,} of {len(rows):,} sentences have known tags alone", flush=True)


CUTS = {"tagging": cut_sentences, "sentiment": cut_texts, "forecast": cut_series}


def trained_by(training: Iterator[Any]) -> Trained:
    """What a training returns when all its events are past."""
    while True:
        try:
            next(training)
        except StopIteration as end:
            result: Trained = end.value
            return result


def run(
    name: str, files: tuple[Path, Path], options: dict[str, Any], size: int
) -> dict[str, float]:
    """Train on the first file; the headline score of model and baselines on the second."""
    config = with_flat(TASKS[name].part("options")(), {"data": str(files[0]), **options})
    task = make_task(name, config)
    data = task.load()
    without_strangers(files[1], data.info)
    unseen = task.load_split(data.info, str(files[1]), "test").split
    if name == "forecast":
        unseen = unseen.chosen(np.flatnonzero(unseen.origin >= size))
    data = replace(data, splits={**data.splits, "test": unseen})
    started = time.process_time()
    trained = trained_by(train_one(task, data, config.train))
    seconds = time.process_time() - started
    models = {"model": task.predictions(trained.model, unseen, data.info)}
    models |= {part.name: part.predictions for part in task.baselines(data)}
    scores = {k: task.evaluate(unseen, part, data.info, 0).scores for k, part in models.items()}
    headline = next(metric for metric in task.headline if metric in scores["model"])
    return {**{k: part[headline] for k, part in scores.items()}, "CPU seconds": seconds}


def main() -> None:
    """Print a row of the table for each size: means over the seeds, and the model's spread."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tagging", nargs=2, default=[], metavar=("TRAIN", "UNSEEN"))
    parser.add_argument("--texts", nargs=2, default=[], metavar=("TRAIN", "UNSEEN"))
    parser.add_argument("--series", nargs=1, default=[], metavar="FILE")
    parser.add_argument("--sizes", nargs="+", type=int, default=[200])
    parser.add_argument("--horizon", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()
    use_threads(asked.threads)
    given = {"tagging": asked.tagging, "sentiment": asked.texts, "forecast": asked.series}
    for name, files in given.items():
        if not files and any(given.values()):
            continue
        cut = CUTS[name](files)
        options = {"horizon": asked.horizon} if name == "forecast" else {}
        for size in asked.sizes:
            found = []
            for seed in range(asked.seeds):
                with tempfile.TemporaryDirectory() as folder:
                    paths = cut(size, seed, Path(folder))
                    found.append(run(name, paths, {**options, "seed": seed}, size))
            means = {key: statistics.mean(part[key] for part in found) for key in found[0]}
            each = ", ".join(f"{part['model']:.3f}" for part in found)
            row = "  ".join(f"{key} {value:.3f}" for key, value in means.items())
            print(f"{name} {size}: {row}  (model: {each})", flush=True)


if __name__ == "__main__":
    main()
