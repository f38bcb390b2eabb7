"""Stopped and gone on with, the same seed twice, from one device to the other, out of memory."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path

import inputs
import torch
from checks import Check, equal
from every_task import command
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 100  # seconds that a process may take
SMALL = (
    *("--hidden-size", "32", "--word-size", "16", "--gram-size", "8", "--members", "1"),
    *("--patience", "0", "--vectors", "none", "--no-wide", "--seed", "5"),
)


def distance(one: Path, other: Path) -> float:
    """The largest difference of two runs' weights; 0 where every bit is the same."""
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (one, other))
    return max(float((part.float() - theirs[name].float()).abs().max())
               for name, part in ours.items())  # fmt: skip


def losses(run: Path) -> list[str]:
    """The training loss of each epoch, as ``history.csv`` has it."""
    lines = (run / "history.csv").read_text(encoding="utf-8").splitlines()
    return [line.split(",")[1] for line in lines[1:]]


def told(found: float) -> str:
    """A difference in words."""
    return "every bit the same" if found == 0 else f"weights differ by {found:.1e}"


def stopped(words: list[str], work: Path, sign: signal.Signals) -> tuple[int, str]:
    """Start a command, send ``sign`` after its first checkpoint; its exit code and last line."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), *words], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < PATIENCE:
        if any(work.rglob("*.sha256")):
            process.send_signal(sign)
            break
        time.sleep(0.02)
    try:
        _, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return -9, "it hangs"
    return process.returncode, (errors.strip().splitlines() or [""])[-1]


def interruptions(device: torch.device, home: Path, small: bool) -> Iterator[Check]:
    """One run whole, twice; and stopped by signals, gone on with here and on the CPU."""
    home.mkdir(parents=True, exist_ok=True)
    data = inputs.write_texts(home / "texts.csv", 400 if small else 2000)
    epochs = "3" if small else "12"
    words = ["sentiment", "--data", str(data), *SMALL, "--epochs", epochs]

    def whole(name: str, *more: str) -> Path:
        command(*words, "--device", device, "--out", home / name, *more)
        return home / name

    first = whole("whole")
    twice = distance(first, whole("again"))
    yield Check("the same seed twice", told(twice))
    for sign, place in ((signal.SIGTERM, str(device)), (signal.SIGINT, "cpu")):
        out = home / f"stopped-{sign.name}"
        given = [*words, "--device", str(device), "--out", str(out)]
        code, line = stopped(given, home, sign)
        yield equal(f"{sign.name} after a checkpoint", f"exit {code}", "exit 130")
        if code != 130:
            yield Check(f"{sign.name}: its last line", line[:120])
            continue
        code, _ = command("sentiment", "--resume", out, "--device", place)
        yield equal(f"{sign.name}: gone on with on {place}", f"exit {code}", "exit 0")
        apart = distance(out, first)
        here = place == str(device)
        yield Check(
            f"{sign.name}: beside the run that never stopped", told(apart),
            "as the same seed twice" if here else "", apart == 0 if here and twice == 0 else None,
        )  # fmt: skip
        epochs_there = len(losses(out))
        yield equal(f"{sign.name}: epochs", str(epochs_there), epochs)
    yield from precisions(device, words, home)


def precisions(device: torch.device, words: list[str], home: Path) -> Iterator[Check]:
    """The same training in the other precisions."""
    scores = {}
    kinds = ("no", "tf32", "bf16", "fp16") if device.type == "cuda" else ("no", "bf16")
    for kind in kinds:
        out = home / f"precision-{kind}"
        given = ("--mixed-precision", kind, "--epochs", "2", "--device", device, "--out", out)
        code, _ = command(*words[:-2], *given)
        if code == 0:
            metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
            scores[kind] = metrics["test"]["model"]["log_loss"]["value"]
        yield equal(f"training with --mixed-precision {kind}", f"exit {code}", "exit 0")
    found = ", ".join(f"{kind} {score:.4f}" for kind, score in scores.items())
    yield Check("log loss of the test split, by precision", found)


@contextmanager
def little_memory() -> Iterator[None]:
    """Leave this process hardly more of the GPU's memory than it has taken already."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 2**24) / total)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()


def memory(device: torch.device, home: Path) -> Iterator[Check]:
    """A batch that the GPU has no room for."""
    if device.type != "cuda":
        return
    home.mkdir(parents=True, exist_ok=True)
    data, errors = inputs.write_texts(home / "texts.csv", 4000), StringIO()
    words = ("--batch-size", "2000", "--batch-tokens", "1000000", "--hidden-size", "512")
    with little_memory(), redirect_stderr(errors):
        code, _ = command("sentiment", "--data", data, "--device", device, "--out", home / "run",
                          *SMALL[6:], *words)  # fmt: skip
    lines = [line for line in errors.getvalue().splitlines() if "error" in line]
    yield equal("too large a batch", f"exit {code}", "exit 2")
    named = "--batch-size" in "".join(lines) and "out of memory" in "".join(lines)
    yield Check("its line", (lines or ["none"])[-1][:160], "names --batch-size", named)
    alive = bool(torch.ones(8, device=device).sum() == 8)
    yield Check("the GPU afterwards", "computes" if alive else "is lost", "computes", alive)


def marked_tests(device: torch.device) -> Iterator[Check]:
    """The tests that are marked ``gpu``."""
    given = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-m", "gpu"]
    given += ["tests/nn/test_gpu.py", "tests/runs/test_gpu.py"]
    done = subprocess.run(given, cwd=ROOT, text=True, capture_output=True, timeout=PATIENCE)
    last = (done.stdout.strip().splitlines() or [done.stderr.strip()[-200:]])[-1]
    print(done.stdout[-3000:] if done.returncode not in (0, 5) else "", file=sys.stderr)
    yield Check("pytest -m gpu", f"exit {done.returncode}: {last}", "exit 0", done.returncode == 0)
