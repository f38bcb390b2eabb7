"""Feed every reader with bent inputs: none may end in a traceback, a hang, or much memory.

    python benchmarks/fuzz.py                      # 120,000 inputs, a quarter of an hour
    python benchmarks/fuzz.py --inputs 5000 --target conll --seed 7
    python benchmarks/fuzz.py --engine atheris --target json   # guided by coverage

An input that ends in anything but one of birnn's own errors, takes more than five seconds, or lets
the process grow by more than a gigabyte is kept in ``--findings``, and the exit code is 1.
"""

import argparse
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from fuzz_mutate import mutate  # noqa: E402
from fuzz_targets import Desk, Target, targets  # noqa: E402

from birnn.errors import BirnnError  # noqa: E402

SECONDS, GROWTH = 5.0, 1 << 30


class HangError(BaseException):
    """An input took too long; no reader's own ``except Exception`` catches it."""


def stop(signal_number: int, frame: FrameType | None) -> None:
    """End an input that hangs."""
    raise HangError(f"more than {SECONDS:.0f} seconds")


def peak() -> int:
    """Bytes that this process has had at most."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def attempt(target: Target, data: bytes) -> str:
    """What is wrong with how ``target`` takes ``data``; empty if nothing is."""
    before = peak()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        target.read(data)
    except BirnnError as error:
        if "\n" in str(error).strip():
            return f"a message of several lines: {str(error)[:200]!r}"
    except (Exception, HangError) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f[0]]
        last = ours[-1] if ours else where
        name = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        return f"{name}: {str(error)[:160]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return f"{(peak() - before) >> 20} MiB of memory" if peak() - before > GROWTH else ""


def keep(folder: Path, name: str, number: int, data: bytes, said: str) -> None:
    """Write a finding, so that it can be tried again."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-{number}.bin").write_bytes(data)
    (folder / f"{name}-{number}.txt").write_text(said + "\n", errors="replace")


def fuzz(name: str, target: Target, inputs: int, seed: int, findings: Path) -> Counter[str]:
    """Try ``inputs`` bent inputs; returns what was found, once for each kind, and how often."""
    found: Counter[str] = Counter()
    generator = random.Random(f"{seed} {name}")
    for number in range(inputs):
        start = target.seeds[number % len(target.seeds)]
        data = start if number < len(target.seeds) else mutate(start, generator)
        said = attempt(target, data)
        if said:
            kind = said.split(":")[0] + ":" + said.split(":")[1][:8] if ":" in said else said
            if not found[kind]:
                keep(findings, name, number, data, said)
                print(f"  {name} input {number}: {said}", flush=True)
            found[kind] += 1
    return found


def guided(name: str, target: Target, inputs: int, seed: int, findings: Path) -> None:
    """The same under atheris, which keeps what reaches new code; ends the process."""
    import atheris

    def one(data: bytes) -> None:
        said = attempt(target, data)
        if said:
            keep(findings, name, seed, data, said)
            raise RuntimeError(said)

    def custom(data: bytes, most: int, number: int) -> bytes:
        return mutate(data or target.seeds[0], random.Random(number))[:most]

    corpus = findings / f"corpus-{name}"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(data)
    flags = [sys.argv[0], str(corpus), f"-runs={inputs}", f"-seed={seed + 1}", "-max_len=65536"]
    flags.append(f"-artifact_prefix={findings}/")
    flags += ["-timeout=20", "-rss_limit_mb=3000", "-verbosity=0", "-print_final_stats=1"]
    atheris.Setup(flags, one, custom_mutator=custom)
    atheris.Fuzz()


def main() -> int:
    """Fuzz; 1 if anything was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--inputs", type=int, default=120_000, help="of all targets together")
    parser.add_argument("--target", action="append", help="one alone; all inputs are for it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=("own", "atheris"), default="own")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    options = parser.parse_args()
    # Readers may warn of odd cells; a warning is no finding here, and would flood the terminal.
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, stop)
    known: dict[str, Any] = {}
    if options.engine == "atheris":
        import atheris

        with atheris.instrument_imports(include=["birnn", "data", "tasks", "terminal"]):
            known = targets(Desk())
    else:
        known = targets(Desk())
    names = options.target or list(known)
    whole = sum(known[name].share for name in names)
    print(f"seed {options.seed}, engine {options.engine}, {len(names)} targets", flush=True)
    if options.engine == "atheris":
        guided(names[0], known[names[0]], options.inputs, options.seed, options.findings)
    total, bad = 0, 0
    for name in names:
        inputs = max(10, round(options.inputs * known[name].share / whole))
        begin = time.monotonic()
        found = fuzz(name, known[name], inputs, options.seed, options.findings)
        seconds = time.monotonic() - begin
        total, bad = total + inputs, bad + len(found)
        print(
            f"{name:14}{inputs:9,} inputs {seconds:7.1f} s {inputs / seconds:9,.0f} a second "
            f"{len(found):4} kinds of findings  peak {peak() >> 20:,} MiB",
            flush=True,
        )
    print(f"{total:,} inputs, {bad} kinds of findings" + (f" in {options.findings}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
