"""The same work by this library, by Flair, by neuralforecast and by plain PyTorch loops.

    python benchmarks/peers --ewt PATH/TO/ewt --ett PATH/TO/ETTh1.csv

"On birnn.nn" is the peer as it is, with this library's ``GRU`` and ``LSTM`` in the place of
torch's. The peers live in an environment of their own, made by the first run. Every system is
measured in a process of its own, one at a time, in turns, with as many threads as torch chooses;
all must have the same torch. All use their libraries from Python, where threads wait as torch's
default says unless OMP_WAIT_POLICY is set: that is quickest on a quiet machine, and many times
slower on a busy one, so let nothing else run. Writes ``benchmarks/results/peers.md`` and ``.json``,
and after each process what there is so far.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tables import Report, lines, summary

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = ROOT / "benchmarks" / "results"
# Flair and neuralforecast allow any torch: it must be ours, as the timings are compared.
PEERS = ("torch>=2.13,<2.14", "flair==0.15.1", "neuralforecast==3.3.0", "pytorch-crf==0.7.2")


class Job(NamedTuple):
    """A system to measure."""

    part: str  # tagging or forecasting
    script: str
    theirs: bool  # runs in the peers' environment
    arguments: tuple[str, ...] = ()


TAGGING = (
    Job("tagging", "tag_birnn", False),
    Job("tagging", "tag_flair", True),
    Job("tagging", "tag_flair", True, ("--variant", "drop-in")),
    Job("tagging", "tag_torch", True),
    Job("tagging", "tag_torch", True, ("--variant", "drop-in")),
)
FORECASTING = tuple(
    Job("forecasting", script, theirs, ("--cell", cell, *more))
    for cell in ("gru", "lstm")
    for script, theirs, more in (
        ("series_birnn", False, ()),
        ("series_birnn", False, ("--variant", "steps")),
        ("series_neural", True, ()),
        ("series_neural", True, ("--variant", "drop-in")),
        ("series_torch", True, ()),
        ("series_torch", True, ("--variant", "drop-in")),
    )
)


def environment(folder: Path) -> Path:
    """The Python of the peers' environment, which is made if it isn't there or is another."""
    python, made = folder / "bin" / "python", folder / "peers.json"
    if made.is_file() and json.loads(made.read_text()) == list(PEERS):
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    (folder / ".gitignore").write_text("*\n")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    made.write_text(json.dumps(PEERS) + "\n")
    return python


def measure(job: Job, python: Path, data: Path, options: argparse.Namespace, seed: int) -> Report:
    """Run one system in a process of its own and read its line.

    It works in a folder that is thrown away, where no library leaves logs or caches behind.
    """
    command = [
        str(python), str(HERE / f"{job.script}.py"), "--data", str(data.resolve()),
        "--seconds", str(options.seconds), "--warm", str(options.warm),
        "--repeats", str(options.repeats), "--threads", str(options.threads),
        "--seed", str(seed), *job.arguments,
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        quiet = {"FLAIR_CACHE_ROOT": folder, "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **quiet},
            text=True,
            capture_output=True,
        )
    if done.returncode:
        raise SystemExit(f"{job.script} failed:\n{done.stderr[-4000:]}")
    found: Report = json.loads(done.stdout.splitlines()[-1])
    return {"part": job.part, **found}


def check_alike(reports: list[Report]) -> None:
    """Refuse to compare other builds of torch or other numbers of threads."""
    for name in ("torch", "threads"):
        there = {str(report[name]) for report in reports}
        if len(there) > 1:
            raise SystemExit(f"the systems differ in {name}: {', '.join(sorted(there))}")


def turns(options: argparse.Namespace) -> Iterator[tuple[int, Job, Path]]:
    """Every system once a round, its seed the round's number."""
    for number in range(options.rounds):
        for jobs, data in ((TAGGING, options.ewt), (FORECASTING, options.ett)):
            for job in jobs if data else ():
                if not options.only or job.script in options.only:
                    yield number, job, data


def parse() -> argparse.Namespace:
    """The options of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(prog="peers", description=__doc__.splitlines()[0])
    parser.add_argument("--ewt", type=Path, help="folder of UD English EWT; empty: left out")
    parser.add_argument("--ett", type=Path, help="ETTh1.csv; empty: left out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of training, each time")
    parser.add_argument("--warm", type=int, default=20, help="steps before throughput counts")
    parser.add_argument("--repeats", type=int, default=200, help="of a single answer")
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own choice")
    parser.add_argument("--only", nargs="+", default=[], help="scripts, such as tag_flair")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers", help="environment")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    return parser.parse_args()


def main() -> None:
    """Measure in turns and write the tables as they grow."""
    options = parse()
    # Absolute, but not resolved: an environment's python is a link to the one it was made from.
    theirs = environment(options.peers.absolute())
    options.out.mkdir(parents=True, exist_ok=True)
    reports: list[Report] = []
    for number, job, data in turns(options):
        python = theirs if job.theirs else Path(sys.executable)
        reports.append({"round": number, **measure(job, python, data, options, number)})
        print(json.dumps(reports[-1]), flush=True)
        check_alike(reports)
        settings: dict[str, Any] = {
            "seconds": options.seconds, "rounds": number + 1, "warm": options.warm,
            "repeats": options.repeats, "processors": os.cpu_count(),
        }  # fmt: skip
        found = {"settings": settings, "summary": summary(reports), "reports": reports}
        (options.out / "peers.json").write_text(json.dumps(found, indent=1) + "\n")
        (options.out / "peers.md").write_text("\n".join(lines(reports, settings)) + "\n")
    if not reports:
        raise SystemExit("nothing to measure: give --ewt FOLDER, --ett FILE or both")


if __name__ == "__main__":
    main()
