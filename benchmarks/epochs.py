"""Where the time of training goes: the recurrences, the rest of the model, and everything else.

    python benchmarks/epochs.py
    make bench-epochs

Each task trains with its default settings on its embedded data for ``--steps`` steps. The profiler
of torch gives the share of the recurrences (``native_scan`` and its backward pass), their floating
point operations a second against the machine's float32 matrix peak in the same minute, and the
operations that cost most beside them; what no operation of torch accounts for is Python: batches,
collation, metrics. Writes ``benchmarks/results/epochs.md`` and ``.json``.
"""

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as cli.py does
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from encoders import peak  # noqa: E402
from torch.profiler import ProfilerActivity, profile  # noqa: E402

from birnn.data.splits.batching import BucketSampler  # noqa: E402
from birnn.nn.devices import use_threads  # noqa: E402
from birnn.nn.encoders import Encoder  # noqa: E402
from birnn.registry import resolve  # noqa: E402
from birnn.tasks import TASKS  # noqa: E402
from birnn.training.events import StepEvent  # noqa: E402
from birnn.training.loop import fit  # noqa: E402
from birnn.training.state import Validation  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
SCANS = ("_Differentiable", "_DifferentiableBackward")
WARM = 10  # steps before anything is measured


class Flops:
    """Floating point operations of the recurrent layers' products, forward."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.total = 0.0
        for module in model.modules():
            if isinstance(module, Encoder):
                module.register_forward_hook(self._count)

    def _count(self, encoder: Any, inputs: tuple[Any, ...], _: Any) -> None:
        steps = int(inputs[1].sum())
        sizes = [cell.weight_ih.numel() + cell.weight_hh.numel() for cell in encoder.forward_cells]
        self.total += 2.0 * steps * sum(sizes) * (2 if encoder.config.bidirectional else 1)


def training(name: str) -> tuple[Iterator[Any], torch.nn.Module]:
    """The training loop of a task's default settings, as the command line runs it."""
    entry = TASKS[name]
    config = resolve({name: entry.options}, name, "task")()
    task = resolve({name: entry.task}, name, "task")(config)
    data = task.load()
    torch.manual_seed(0)
    model = task.model(data.info)
    train = dataclasses.replace(config.train, epochs=1000)  # more than are taken
    sampler = BucketSampler(
        data.splits["train"], train.batch_size, train.batch_tokens, train.seed,
        views=task.views, limit=task.epoch_items, least=train.epoch_steps,
        least_batch=task.least_batch,
    )  # fmt: skip
    never = Validation(lambda: {"none": 0.0}, "none", True)
    return fit(model, task.loss, sampler, train, never), model


def steps_of(events: Iterator[Any], count: int) -> None:
    """Take ``count`` optimizer steps."""
    while count:
        count -= isinstance(next(events), StepEvent)


def measure(name: str, steps: int) -> dict[str, Any]:
    """The shares of one task."""
    events, model = training(name)
    flops = Flops(model)
    steps_of(events, WARM)
    flops.total = 0.0
    started = time.perf_counter()
    steps_of(events, steps)
    plain = time.perf_counter() - started
    work = 3 * flops.total
    started = time.perf_counter()
    with profile(activities=[ProfilerActivity.CPU]) as found:
        steps_of(events, steps)
    profiled = time.perf_counter() - started
    times = {event.key: event.self_cpu_time_total / 1e6 for event in found.key_averages()}
    scans = sum(times.get(key, 0.0) for key in SCANS)
    others = sorted((t, key) for key, t in times.items() if key not in SCANS)[::-1]
    return {
        "task": name,
        "step_ms": 1e3 * plain / steps,
        "recurrences": scans / profiled,
        "other operations": sum(t for t, _ in others) / profiled,
        "Python": 1 - sum(times.values()) / profiled,
        "gflops": 1e-9 * work / scans,
        "peak_gflops": peak(),
        "costliest": {key: t / profiled for t, key in others[:6]},
    }


def table(rows: list[dict[str, Any]], threads: int) -> str:
    """The results as Markdown."""
    lines = [
        "# Where the time of training goes",
        "",
        f"Default settings on the embedded data, torch {torch.__version__}, {threads} threads.",
        "",
        "| task | ms a step | recurrences | GFLOP/s in them (share of peak) | other operations"
        " | Python | costliest others |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        others = ", ".join(f"{key} {share:.0%}" for key, share in row["costliest"].items())
        lines.append(
            f"| {row['task']} | {row['step_ms']:.1f} | {row['recurrences']:.0%}"
            f" | {row['gflops']:.0f} ({row['gflops'] / row['peak_gflops']:.0%})"
            f" | {row['other operations']:.0%} | {row['Python']:.0%} | {others} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    use_threads(0)
    rows = [measure(name, options.steps) for name in options.tasks]
    text = table(rows, torch.get_num_threads())
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "epochs.md").write_text(text, encoding="utf-8")
    (options.out / "epochs.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
