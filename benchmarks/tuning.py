r"""Does ``tune`` find better options than the defaults? Judged on validation, with fresh seeds.

    python benchmarks/tuning.py --sst2 PATH/sst2 --wnut PATH/wnut17 --ett PATH/ETTh1.csv

For each data set: a search of so many minutes, then the configuration that it names and the
default, each trained with the same fresh seeds and scored on validation alone; the test split is
never read. Where ``--runs`` holds a study already, its ``best.toml`` is taken as it is. Writes
``benchmarks/results/tuning.md`` and ``.json``.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as cli.py does
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from birnn.config import apply, flatten  # noqa: E402
from birnn.tasks import TASKS  # noqa: E402
from birnn.tasks.tuning.limits import Limits, Trainer  # noqa: E402
from birnn.tasks.tuning.messages import Failure, Job, Score  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
FIRST_SEED = 100  # no search comes near


def cases(options: argparse.Namespace) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, task and fixed options of each data set that is named."""
    if options.sst2:
        yield "SST-2", "sentiment", {"data": options.sst2}
    if options.wnut:
        yield "WNUT-17", "tagging", {"data": options.wnut}
    if options.ett:
        split = {"split": "8640,2880,2880", "horizon": 96}
        yield "ETTh1, 96 ahead", "forecast", {"data": options.ett, **split}


def search(task: str, fixed: dict[str, Any], folder: Path, minutes: float) -> dict[str, Any]:
    """Tune, unless the folder holds what was found; returns the options of ``best.toml``."""
    if not (folder / "best.toml").is_file():
        words = [part for name, value in fixed.items() for part in (f"--{name}", str(value))]
        command = [sys.executable, str(ROOT / "cli.py"), "tune", task, *words,
                   "--minutes", str(minutes), "--out", str(folder)]  # fmt: skip
        subprocess.run(command, check=True)
    return dict(flatten(tomllib.loads((folder / "best.toml").read_text(encoding="utf-8"))))


def scores(task: str, options: dict[str, Any], seeds: int) -> tuple[str, bool, list[float]]:
    """The validation metric that chooses the epoch, whether less is better, and its values."""
    config = apply(TASKS[task].part("options")(), options)
    trainer = Trainer(Limits())
    try:
        subject = trainer.look(Job(task, config))
        found = []
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            one = apply(config, {"seed": seed})
            training = trainer.train(Job(task, one, subject.monitor))
            result: Score | Failure | None = None
            try:
                next(training)
                while True:
                    training.send(True)
            except StopIteration as over:
                result = over.value
            if not isinstance(result, Score):
                raise SystemExit(f"{task}, seed {seed}: {result}")
            found.append(result.score)
    finally:
        trainer.stop()
    return subject.monitor, subject.lower, found


def row(part: dict[str, Any]) -> str:
    """One line of the table."""
    cells = [
        " ± ".join(f"{value:.4f}" for value in (statistics.mean(v), statistics.stdev(v)))
        for v in (part["default"], part["tuned"])
    ]
    gains = [
        (d - t) if part["lower"] else (t - d)
        for d, t in zip(part["default"], part["tuned"], strict=True)
    ]
    monitor = part["monitor"].replace("_", " ")
    told = ", ".join(f"{k} {v}" for k, v in part["changed"].items()) or "the default"
    return (
        f"| {part['data']} | {monitor} | {cells[0]} | {cells[1]} | {statistics.mean(gains):+.4f} |"
        f" {part['trials']} | {told} |"
    )


def main() -> None:
    """Search, train and compare what the options name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sst2", default="", help="folder of SST-2; empty: left out")
    parser.add_argument("--wnut", default="", help="folder of WNUT-17; empty: left out")
    parser.add_argument("--ett", default="", help="ETTh1.csv; empty: left out")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--runs", default="runs/tuning", help="folder of the studies")
    options = parser.parse_args()
    lines = [
        f"Validation scores, mean and deviation over {options.seeds} seeds that no trial had;"
        f" searches of {options.minutes:g} minutes.",
        "",
        "| data | score | default | found | gain | trials | what was found |",
        "|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    results = []
    for data, task, fixed in cases(options):
        machine = {"threads": options.threads} if options.threads else {}
        best = search(task, {**fixed, **machine}, Path(options.runs) / task, options.minutes)
        plain = dict(flatten(asdict(apply(TASKS[task].part("options")(), fixed))))
        apart = {k: v for k, v in best.items() if k in plain and plain[k] != v}
        changed = {k: v for k, v in apart.items() if k not in ("data", "search_trials", "threads")}
        monitor, lower, default = scores(task, {**fixed, **machine}, options.seeds)
        tuned = scores(task, best, options.seeds)[2] if changed else default
        part = {"data": data, "monitor": monitor, "lower": lower, "default": default,
                "tuned": tuned, "changed": changed, "trials": best["search_trials"]}  # fmt: skip
        results.append(part)
        lines.append(row(results[-1]))
        print(lines[-1], flush=True)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "tuning.md").write_text("\n".join(lines) + "\n")
        (RESULTS / "tuning.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
