"""Files with known content in random dialects and formats, read: what the readers make of them.

    python benchmarks/generated.py tables --count 20000 --seed 0
    python benchmarks/generated.py times --count 20000 --seed 0 --show 5
    python benchmarks/generated.py times --only 4711 --keep some/folder   # one again, its file kept

A file that can be read in one sensible way is read as it was meant, or refused; of these at least
95 % are read. One that can be read in two is read with a warning that names the option which
decides, or refused. The exit code is 1 where one was altered, or an ambiguous one read, without a
word, or where fewer are read. With ``--told`` the options that decide are given: nothing is
ambiguous. ``tests/support`` holds the rules by which a file is ambiguous.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

import dialects  # noqa: E402
import written_times  # noqa: E402
from judging import NEVER, READ, REFUSED, Judged  # noqa: E402

KINDS: dict[str, ModuleType] = {"tables": dialects, "times": written_times}
LEAST = 0.95  # of the unambiguous ones are read
SHOWN = 40  # kinds of refusals and differences


def quiet() -> None:
    """Libraries say nothing while files are read."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import datasets

    datasets.disable_progress_bars()


class Result(NamedTuple):
    """Of one sample."""

    seed: int
    judged: Judged
    tags: list[str]


def chunk(kind: str, told: bool, seeds: range) -> list[Result]:
    """Judge the samples of some seeds."""
    quiet()
    module: Any = KINDS[kind]
    results = []
    with tempfile.TemporaryDirectory(prefix="birnn-generated-") as folder:
        for sample in map(module.make, seeds):
            options = module.told(sample) if told else None
            if options is not None or not told:
                judged = module.judge(sample, Path(folder), options)
                results.append(Result(sample.seed, judged, sample.tags))
    return results


def judged(kind: str, told: bool, seeds: range, processes: int) -> Iterator[Result]:
    """Judge the samples of all seeds, in several processes."""
    size = min(100, max(1, len(seeds) // processes))
    parts = [seeds[at : at + size] for at in range(0, len(seeds), size)]
    if processes == 1 or len(parts) == 1:
        for part in parts:
            yield from chunk(kind, told, part)
        return
    with ProcessPoolExecutor(processes) as pool:
        for result in pool.map(partial(chunk, kind, told), parts):
            yield from result


def tell_tags(results: list[Result]) -> None:
    """What is special about the files, and what becomes of these, the worst first."""
    right, refused, never = Counter[str](), Counter[str](), Counter[str]()
    for result in results:
        outcome = result.judged.outcome
        into = never if outcome in NEVER else refused if outcome == REFUSED else right
        into.update(set(result.tags))
    rows = [(never[t], refused[t], right[t], t) for t in right | refused | never]
    print(f"\n{'files with':40} {'right':>7} {'refused':>8} {'wrong':>7}")
    for bad, back, good, tag in sorted(rows, reverse=True):
        print(f"{tag!r:40.40} {good:7,} {back:8,} {bad:7,}")


def tell_kinds(results: list[Result], show: int) -> None:
    """Refusals and differences by kind: what should never be first, the most frequent first."""
    kinds: defaultdict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        if result.judged.kind:
            kinds[result.judged.outcome, result.judged.kind].append(result)
    ranked = sorted(kinds.items(), key=lambda item: (item[0][0] not in NEVER, -len(item[1])))
    for (outcome, kind), examples in ranked[:SHOWN]:
        seeds = " ".join(str(example.seed) for example in examples[:4])
        print(f"\n{len(examples):6,} {outcome}: {kind}\n       seeds {seeds}")
        for example in examples[:show]:
            print(f"       {example.seed}: {example.judged.detail[:400]}")


def report(results: list[Result], show: int) -> int:
    """Print the counts; 1 if a promise is broken."""
    counts = Counter((r.judged.verdict, r.judged.outcome) for r in results)
    for verdict, outcome in sorted(counts):
        of = sum(n for (v, _), n in counts.items() if v == verdict)
        number = counts[verdict, outcome]
        print(f"{verdict:10} {outcome:24} {number:7,} {number / of:8.2%}")
    tell_tags(results)
    tell_kinds(results, show)
    clear = [r.judged.outcome for r in results if r.judged.verdict != "ambiguous"]
    share = clear.count(READ) / max(1, len(clear))
    never = sum(number for (_, outcome), number in counts.items() if outcome in NEVER)
    refused = sum(number for (_, outcome), number in counts.items() if outcome == REFUSED)
    print(f"\nunambiguous read {share:.2%} (at least {LEAST:.0%}); refused {refused:,}", end="; ")
    print(f"altered, silent or crashed {never:,} (must be 0)")
    return 1 if never or share < LEAST else 0


def replay(kind: str, told: bool, seed: int, folder: str) -> int:
    """Show one sample, and what is made of it."""
    quiet()
    module: Any = KINDS[kind]
    sample = module.make(seed)
    print(module.described(sample))
    text = sample.data[:1500].decode(sample.encoding, "replace")
    print(text if kind == "times" else "\n".join(map(repr, text.splitlines(keepends=True))))
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / sample.name).write_bytes(sample.data)
    with tempfile.TemporaryDirectory(prefix="birnn-generated-") as place:
        result = module.judge(sample, Path(place), module.told(sample) if told else None)
    print(f"\n{result.verdict} {sample.why}: {result.outcome}: {result.detail}")
    return 1 if result.outcome in NEVER else 0


def main() -> int:
    """Judge what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first")
    parser.add_argument("--show", type=int, default=0, help="examples of each kind")
    parser.add_argument("--only", type=int, help="one seed, shown")
    parser.add_argument("--told", action="store_true", help="with the options that decide")
    parser.add_argument("--keep", default="", help="folder for its file")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.only is not None:
        return replay(options.kind, options.told, options.only, options.keep)
    begun = time.perf_counter()
    seeds = range(options.seed, options.seed + options.count)
    results = list(judged(options.kind, options.told, seeds, options.processes))
    print(f"{len(results):,} {options.kind}, seeds {options.seed} to {seeds[-1]}", end=", ")
    print(f"{time.perf_counter() - begun:.0f} s\n")
    return report(results, options.show)


if __name__ == "__main__":
    raise SystemExit(main())
