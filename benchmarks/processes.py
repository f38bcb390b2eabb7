"""Several processes under torchrun: what a kill costs, and how quick two are beside one.

    python benchmarks/processes.py kills FOLDER --kills 20
    python benchmarks/processes.py speed FOLDER sentiment --data sst2 --epochs 2

``kills`` kills one of two processes at random, again and again, and goes on with what is left: all
processes must end, and the weights must be those of a run that nobody disturbed. ``speed`` trains
by one process with two threads and by two with one each, in turn; the options are those of the
task. Both run here, on CPUs, by gloo.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node"]
SMALL = ["regression", "--epochs", "60", "--patience", "0", "--dropout", "0.2", "--layers", "2",
         "--checkpoint-epochs", "2"]  # fmt: skip
PATIENCE = 90  # seconds in which all processes must have ended


def start(words: list[str], count: int, threads: int, home: Path) -> subprocess.Popen[bytes]:
    """Begin a command of so many processes with so many threads each."""
    python = [*TORCHRUN, str(count)] if count > 1 else [sys.executable]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*python, str(ROOT / "cli.py"), *words], cwd=home, env=environment,
        stdout=subprocess.DEVNULL, stderr=(home / "log").open("ab"), start_new_session=True,
    )  # fmt: skip


def children(parent: int) -> list[int]:
    """The processes that ``parent`` has started and that still run."""
    with suppress(OSError):
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        return [int(number) for number in text.split()]
    return []


def alive(process: int) -> bool:
    """Whether a process runs."""
    with suppress(OSError):
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2]
        return state.split()[0] != "Z"
    return False


def has_begun(home: Path) -> bool:
    """Whether there is anything to go on from."""
    state = home / ".run.partial" / "checkpoints"
    return any(state.glob("seed-*/*.sha256")) or any(state.glob("done-*.json"))


def disturbed(home: Path, chance: random.Random, longest: float) -> bool:
    """Start or go on with the run, and kill one process; whether it came to its end before."""
    words = ["regression", "--resume", "run"] if has_begun(home) else [*SMALL, "--out", "run"]
    command = start(words, 2, 1, home)
    deadline = time.monotonic() + chance.uniform(0.3, 1.0) * longest
    workers: list[int] = []
    while time.monotonic() < deadline and command.poll() is None:
        workers = children(command.pid) or workers
        time.sleep(0.05)
    if command.poll() is not None:
        if command.returncode:
            sys.exit(f"a run failed by itself: see {home / 'log'}")
        return True
    victim = chance.choice(workers)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    began = time.monotonic()
    command.wait(PATIENCE)
    while left := [number for number in workers if alive(number)]:
        if time.monotonic() - began > PATIENCE:
            sys.exit(f"killed {victim}; {left} did not end")
        time.sleep(0.05)
    took = time.monotonic() - began
    print(f"killed rank {workers.index(victim)}: all ended after {took:.1f} s", flush=True)
    return False


def kills(home: Path, count: int, seed: int) -> None:
    """Kill ``count`` times, and compare each run that ends with one that was left alone."""
    chance = random.Random(seed)
    home.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    if start([*SMALL, "--out", "whole", "--overwrite"], 2, 1, home).wait():
        sys.exit(f"the undisturbed run failed: see {home / 'log'}")
    longest = time.monotonic() - began
    wanted = (home / "whole" / "model.safetensors").read_bytes()
    done = same = runs = 0
    while done < count or has_begun(home):
        if done < count:
            done += not disturbed(home, chance, longest)
        elif start(["regression", "--resume", "run"], 2, 1, home).wait():
            sys.exit(f"a run can't be gone on with: see {home / 'log'}")
        if not (home / "run").exists():  # it is there, too, if the kill came after all was done
            continue
        runs += 1
        same += (home / "run" / "model.safetensors").read_bytes() == wanted
        shutil.rmtree(home / "run")
    print(json.dumps({"kills": done, "runs": runs, "same weights": same, "seed": seed}))
    if same != runs:
        sys.exit("the weights differ")


def speed(home: Path, words: list[str], rounds: int) -> None:
    """Tokens a second while it trains, of one process and of two, in turn."""
    home.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[float]] = {"1 x 2 threads": [], "2 x 1 thread": []}
    for turn in range(rounds):
        for name, (count, threads) in zip(found, ((1, 2), (2, 1)), strict=True):
            out = home / f"speed-{count}-{turn}"
            given = [*words, "--threads", str(threads), "--out", str(out), "--overwrite"]
            if start(given, count, threads, home).wait():
                sys.exit(f"{name} failed: see {home / 'log'}")
            history = (out / "history.jsonl").read_text(encoding="utf-8").splitlines()
            epochs = [json.loads(line)["seconds"] for line in history]
            found[name].append(min(epochs))
            print(f"{name}: {min(epochs):.2f} s, the quickest epoch", flush=True)
    alone, both = (min(seconds) for seconds in found.values())
    print(json.dumps({"one process": alone, "two": both, "throughput": round(alone / both, 3)}))


def main() -> None:
    """Read what is asked for, and do it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", choices=("kills", "speed"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given, words = parser.parse_known_args()
    if given.what == "kills":
        kills(given.folder.resolve(), given.kills, given.seed)
    else:
        speed(given.folder.resolve(), words, given.rounds)


if __name__ == "__main__":
    main()
