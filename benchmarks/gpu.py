"""Everything that needs a GPU, checked and measured in one go: a table, and an exit code.

    make gpu WHEELS=folder
    python benchmarks/gpu.py --device cuda
    python benchmarks/gpu.py --device cpu --small

No network is used. It runs with the torch that is there; what else is missing is taken from the
folder of wheels (``make wheels``). Data are the embedded ones where their packages are, else of
our own making. The exit code is 1 if anything is wrong; times are never wrong.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks" / "device"))

import wheels  # noqa: E402


def sections(device: Any, home: Path, small: bool) -> dict[str, Callable[[], Any]]:
    """Name → what makes its rows, in order: what can be wrong first."""
    from every_task import every_task
    from exactness import exactness
    from interruptions import interruptions, marked_tests, memory
    from times import epochs, layers, machine, tf32_speed

    return {
        "machine": lambda: machine(device),
        "exactness": lambda: exactness(device, small),
        "every task": lambda: every_task(device, home / "tasks", small),
        "stops": lambda: interruptions(device, home / "stops", small),
        "memory": lambda: memory(device, home / "memory"),
        "tests": lambda: marked_tests(device),
        "epochs": lambda: epochs(device, home / "data", small),
        "layers": lambda: layers(device, small),
        "precisions": lambda: tf32_speed(device),
    }


def made(device: Any, home: Path, small: bool, only: list[str], minutes: float) -> Iterator[Any]:
    """Each section's rows as they come, each shown at once; times are left out when it is late."""
    from checks import Check, rows

    began = time.monotonic()
    for part, section in sections(device, home, small).items():
        if only and part not in only:
            continue
        started = time.monotonic()
        late = started - began > 60 * minutes and part in ("epochs", "layers", "precisions")
        found = [Check("left out", "no time left")] if late else rows(part, section)
        for check in found:
            mark = {True: "ok", False: "WRONG", None: "  "}[check.ok]
            print(f"{mark:5} {part}: {check.name}: {check.found}  {check.wanted}", flush=True)
            yield part, check
        print(f"      {part} took {time.monotonic() - started:.1f} s", flush=True)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or cpu")
    parser.add_argument("--small", action="store_true", help="fewer and smaller: a try on a CPU")
    parser.add_argument("--wheels", type=Path, help="folder of wheels of what is missing")
    parser.add_argument("--only", action="append", default=[], help="a section; may be repeated")
    parser.add_argument("--minutes", type=float, default=4.0, help="after these, no more times")
    parser.add_argument("--out", type=Path, help="folder for gpu.md and gpu.json")
    return parser.parse_args()


def main() -> int:
    """Run the sections; 1 if a row is wrong."""
    asked = arguments()
    wheels.complete(asked.wheels)
    sys.path.insert(0, str(ROOT))
    import torch
    from checks import table

    from birnn.errors import ConfigError
    from birnn.nn.devices import resolve_device, use_threads

    try:
        device = resolve_device(asked.device)
    except ConfigError as error:
        print(f"make gpu: {error}", file=sys.stderr)
        return 2
    use_threads(0)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="birnn-gpu-") as home:
        found = list(made(device, Path(home), asked.small, asked.only, asked.minutes))
    wrong = sum(check.ok is False for _, check in found)
    spent = time.monotonic() - began
    right = sum(check.ok is True for _, check in found)
    head = f"# {device}, torch {torch.__version__}: {right} right, {wrong} wrong, {spent:.0f} s"
    text = table(found, head)
    print(f"\n{text}")
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "gpu.md").write_text(text, encoding="utf-8")
        rows = [{"part": part, **check._asdict()} for part, check in found]
        (asked.out / "gpu.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
