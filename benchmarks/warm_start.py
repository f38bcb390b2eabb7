"""What a run gains that begins from another, and what it forgets.

    python benchmarks/warm_start.py ewt DATA OUT [--epochs 4] [--from-epochs 2] [--seed 0]
    python benchmarks/warm_start.py tweets OUT [--epochs 4] [--from-epochs 2] [--seed 0]

``ewt``: UD English EWT in DATA (``*-ud-train.conllu``, …), cut by genre, the first part of
``sent_id``: weblogs, newsgroups and e-mails, then reviews and answers. A run on the first half, one
on the second, and one on the second that begins from the first: UPOS accuracy on both test splits.

``tweets``: the embedded tweets; a run on the positive and negative ones, then 3,000 others of
all three classes, with and without it.
"""

import argparse
import csv
import json
import random
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import birnn  # noqa: E402

FIRST, SECOND = ("weblog", "newsgroup", "email"), ("reviews", "answers")
SPLITS = {"train": "train", "dev": "validation", "test": "test"}
NEW, HELD_OUT = 3_000, 3_000  # tweets of three classes: to learn from, to test on
GENRE = re.compile(r"^# sent_id = ([a-z]+)", re.MULTILINE)


def write_halves(data: Path, out: Path) -> None:
    """EWT's splits by genre, into ``out/first`` and ``out/second``."""
    for theirs, ours in SPLITS.items():
        (source,) = data.glob(f"*-ud-{theirs}.conllu")
        blocks = [part.strip("\n") for part in source.read_text(encoding="utf-8").split("\n\n")]
        for half, genres in (("first", FIRST), ("second", SECOND)):
            folder = out / half
            folder.mkdir(parents=True, exist_ok=True)
            kept = [b for b in blocks if (found := GENRE.search(b)) and found[1] in genres]
            (folder / f"{ours}.conllu").write_text("\n\n".join(kept) + "\n\n", encoding="utf-8")


def write_tweets(out: Path) -> None:
    """Tweets of two classes, and apart from them few of three, into the same folders."""
    from birnn.data.samples import tweets

    table, _ = tweets()
    rows = list(dict.fromkeys(zip(table["text"][:], map(str, table["label"][:]), strict=True)))
    random.Random(0).shuffle(rows)
    few, rest = rows[: NEW + 2 * HELD_OUT], rows[NEW + 2 * HELD_OUT :]
    labels = sorted({label for _, label in rows})
    two = [row for row in rest if row[1] != labels[len(labels) // 2]]
    cut = len(two) // 10
    parts = {
        "first": {"train": two[2 * cut :], "validation": two[:cut], "test": two[cut : 2 * cut]},
        "second": {"train": few[:NEW], "validation": few[NEW : NEW + HELD_OUT],
                   "test": few[NEW + HELD_OUT :]},
    }  # fmt: skip
    for half, splits in parts.items():
        (out / half).mkdir(parents=True, exist_ok=True)
        for name, part in splits.items():
            _write(out / half / f"{name}.csv", part)


def _write(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def measure(task: str, out: Path, metric: str, options: argparse.Namespace) -> None:
    """Train the three runs that are not there yet, and print a line of JSON for each."""
    common: dict[str, Any] = {"seed": options.seed, "threads": options.threads}
    first = {"epochs": options.epochs, **common}
    plans: dict[str, tuple[str, dict[str, Any]]] = {
        "first": ("first", first),
        "second": ("second", first),
        "from": ("second", {"epochs": options.from_epochs, **common,
                            "from_run": out / f"run-first-{options.seed}"}),
    }  # fmt: skip
    for name, (half, given) in plans.items():
        folder = out / f"run-{name}-{options.seed}"
        if not (folder / "metrics.json").is_file():
            birnn.train(task, str(out / half), folder, overwrite=True, **given)
        found = json.loads((folder / "metrics.json").read_text())
        score = found["test"]["model"][metric]
        line = {"run": name, "data": half, "epochs": given["epochs"], "seed": options.seed,
                "validation": round(found["validation"][metric], 4),
                metric: [round(score[k], 4) for k in ("value", "low", "high")]}  # fmt: skip
        if "forgetting" in found:
            line["before"] = round(found["test"]["baselines"]["before"][metric]["value"], 4)
            forgotten = found["forgetting"]
            line["first's test"] = [round(forgotten[k][metric]["value"], 4)
                                    for k in ("before", "after")]  # fmt: skip
            gap = forgotten["differences"][metric]
            line["better by"] = [round(gap[k], 4) for k in ("value", "low", "high")]
        print(json.dumps(line), flush=True)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("ewt", "tweets"))
    parser.add_argument("places", nargs="+", type=Path, help="[DATA] OUT")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--from-epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    out: Path = options.places[-1]
    if options.what == "ewt":
        write_halves(options.places[0], out)
        measure("tagging", out, "accuracy", options)
    else:
        write_tweets(out)
        measure("sentiment", out, "accuracy", options)


if __name__ == "__main__":
    main()
