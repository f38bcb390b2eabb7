"""Runs that are killed at random, taken up again, and compared with one that nothing happened to.

Each trial is killed one to three times (SIGKILL after a random time or at a random call that
changes the disk, also within the writing of a checkpoint; SIGTERM; an fsync that fails) and taken
up until it is complete. Its weights, predictions and curve must be those of the undisturbed run,
bit for bit. The seeds of the faults are the trials' numbers.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from birnn.tasks import TASKS  # noqa: E402

import contract  # noqa: E402
import lives  # noqa: E402
from faults import Fault, Trial, faults, fingerprint  # noqa: E402
from writers import sentences, write_table  # noqa: E402

# Small enough that a run takes seconds, with everything that has a state of its own. A task that is
# not here runs as its tiny configuration.
OPTIONS = {
    "sentiment": [
        "--epochs", "6", "--members", "2", "--hidden-size", "16", "--word-size", "16",
        "--gram-size", "8", "--dropout", "0.2", "--ema", "0.99", "--patience", "0",
        "--batch-size", "16", "--vectors", "none", "--checkpoint-minutes", "0.005",
    ],
    "tagging": [
        "--epochs", "3", "--members", "1", "--hidden-size", "16", "--layers", "1",
        "--word-size", "16", "--char-size", "12", "--vectors", "none", "--patience", "0",
        "--checkpoint-minutes", "0.01",
    ],
    "forecast": [
        "--epochs", "4", "--hidden-size", "16", "--horizon", "12", "--lookback", "36",
        "--checkpoint-minutes", "0.005",
    ],
    "regression": ["--epochs", "50", "--sequences", "64"],
}  # fmt: skip


def main() -> int:
    """Run the trials; 1 if any ends otherwise than the undisturbed run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=50, help="of each task")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=["sentiment"])
    parser.add_argument("--data", default="", help="of the task; empty: a small one")
    parser.add_argument("--first", type=int, default=0, help="seed of the first trial")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="birnn-faults-") as folder:
        for task in options.tasks:
            failed += trials(task, options, Path(folder) / task)
    return 1 if failed else 0


def tiny(task: str, folder: Path) -> list[str]:
    """The options of a task's first tiny configuration, its data written into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    return list(lives.words(contract.tiny(task).TINY[contract.variants(task)[0]](folder)))


def trials(task: str, options: argparse.Namespace, folder: Path) -> int:
    """The trials of one task; returns how many differ."""
    data = options.data
    if task == "sentiment" and not data:
        folder.mkdir(parents=True)
        data = str(write_table(folder / "reviews.csv", sentences(600)))
    arguments = [*([data] if data else []), *(OPTIONS.get(task) or tiny(task, folder))]
    whole = Trial(task, arguments, folder / "whole")
    started = time.perf_counter()
    assert whole.start(Fault("none")).code == 0, whole.history
    seconds = time.perf_counter() - started
    wanted = fingerprint(whole.out)
    print(f"{task}: undisturbed {seconds:.1f} s, weights {wanted['model.safetensors'][:16]}")
    seen: Counter[str] = Counter()
    failed = 0
    for number in range(options.first, options.first + options.trials):
        trial = Trial(task, arguments, folder / str(number))
        trial.until_complete(faults(number, seconds))
        found = fingerprint(trial.out)
        same = found == wanted
        failed += not same
        codes = [line.split(" → ")[1].split()[0] for line in trial.history]
        seen.update(codes)
        print(f"  {number:>3}  {'same' if same else 'DIFFERS'}  exit codes {' '.join(codes)}")
        if not same:
            print(*(name for name in wanted if found.get(name) != wanted[name]), "differ")
            print("\n".join(trial.history))
    words = ", ".join(f"{count} × {code}" for code, count in sorted(seen.items()))
    print(f"{task}: {options.trials - failed} of {options.trials} the same; exit codes {words}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
