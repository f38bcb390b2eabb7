"""Our BiGRU and BiLSTM layers beside torch's nn.GRU and nn.LSTM, dense and packed.

    python benchmarks/encoders.py
    make bench-encoders

Five shapes (batch, T, in, hidden), lengths uniform in [T/2, T] (and one of T), float32, both
directions, the same weights. In one process, turn by turn: a forward pass without gradients, and
a training step (forward, then backward to the weights and the input). Writes
``benchmarks/results/encoders.md``, ``.json`` and ``.png``: medians, ratios, the largest error
against torch relative to the scale of what is compared, and the share of the float32 matrix peak
that this machine showed in the same minute. Where the processor multiplies bfloat16, a second table
holds what that gains.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import matplotlib  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: E402

from birnn.native import library as native  # noqa: E402
from birnn.nn import engines  # noqa: E402
from birnn.nn.devices import use_threads  # noqa: E402
from birnn.nn.scan import GRU, LSTM, CellWeights  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
SHAPES = (
    *((32, 40, 100, 128), (64, 40, 300, 256), (32, 128, 300, 256)),
    *((32, 96, 8, 64), (256, 336, 1, 32)),
)
CELLS = {"GRU": (GRU, nn.GRU), "LSTM": (LSTM, nn.LSTM)}
SYSTEMS = ("torch packed", "ours ragged", "torch dense", "ours full")


class Work(NamedTuple):
    """One shape of one cell."""

    cell: str
    shape: tuple[int, int, int, int]
    x: Tensor  # [B, T, F]
    lengths: Tensor  # [B]
    module: Any  # torch's
    probe: Tensor  # [B, T, 2H], the gradient of the states

    @property
    def gigaflop(self) -> float:
        """Multiplications and additions of the forward pass's products, ragged, in 1e9."""
        _, _, features, hidden = self.shape
        gates = CELLS[self.cell][0].gates
        return 2e-9 * int(self.lengths.sum()) * (features + hidden) * gates * hidden * 2


def make(cell: str, shape: tuple[int, int, int, int]) -> Work:
    """Draw a batch and torch's module."""
    batch, steps, features, hidden = shape
    torch.manual_seed(0)
    lengths = torch.randint(steps // 2, steps + 1, (batch,))
    lengths[0] = steps
    module = CELLS[cell][1](features, hidden, bidirectional=True, batch_first=True)
    x = torch.randn(batch, steps, features, requires_grad=True)
    return Work(cell, shape, x, lengths, module, torch.randn(batch, steps, 2 * hidden))


def passes(work: Work) -> dict[str, Callable[[], Tensor]]:
    """The four systems, each giving states ``[B, T, 2H]``."""
    weights = list(work.module.parameters())
    directions = [CellWeights(*weights[:4]), CellWeights(*weights[4:])]
    recurrence = CELLS[work.cell][0]
    steps = work.shape[1]
    full = torch.full_like(work.lengths, steps)

    def packed() -> Tensor:
        rows = pack_padded_sequence(work.x, work.lengths, batch_first=True, enforce_sorted=False)
        out, _ = work.module(rows)
        return pad_packed_sequence(out, batch_first=True, total_length=steps)[0]

    def dense() -> Tensor:
        states: Tensor = work.module(work.x)[0]
        return states

    return {
        "torch packed": packed,
        "ours ragged": lambda: engines.run(recurrence, work.x, work.lengths, directions),
        "torch dense": dense,
        "ours full": lambda: engines.run(recurrence, work.x, full, directions),
    }


def half_passes(work: Work) -> dict[str, Callable[[], Tensor]]:
    """Ours in float32, ours and torch's with factors in bfloat16; none where there are none."""
    if not engines.describe(engines.Work(CELLS[work.cell][0], work.x.device, torch.bfloat16)).half:
        return {}
    exact = passes(work)

    def rounded(run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        def once() -> Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                return run().float()

        return once

    return {
        "float32": exact["ours ragged"],
        "bf16": rounded(exact["ours ragged"]),
        "torch packed, bf16": rounded(exact["torch packed"]),
    }


def training(work: Work, run: Callable[[], Tensor]) -> Callable[[], list[Tensor]]:
    """A step: forward, and backward to the weights and the input."""
    leaves = [work.x, *work.module.parameters()]
    return lambda: list(torch.autograd.grad(run(), leaves, work.probe))


def forward_alone(run: Callable[[], Tensor]) -> Callable[[], list[Tensor]]:
    """A forward pass without gradients."""

    def once() -> list[Tensor]:
        with torch.no_grad():
            return [run()]

    return once


def medians(runs: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """Milliseconds of each run, turn by turn until the time is up, at least five turns."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds or len(next(iter(taken.values()))) < 5:
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            taken[name].append(1e3 * (time.perf_counter() - started))
    return {name: statistics.median(times) for name, times in taken.items()}


def error(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """The largest difference relative to the scale of what differs."""
    return max(
        float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs, strict=True)
    )


def peak(seconds: float = 0.5) -> float:
    """The fastest float32 matrix product that torch offers here, in GFLOP/s."""
    size = 1536
    a, b = torch.randn(size, size), torch.randn(size, size)
    ways: list[Callable[[], Tensor]] = [lambda: a @ b]
    if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        ways.append(lambda: torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], ""))
    best = min(min(medians({"": way}, seconds).values()) for way in ways)
    return float(2e-6 * size**3 / best)


def measure(work: Work, seconds: float) -> dict[str, Any]:
    """Times, ratios and errors of one shape of one cell."""
    runs = passes(work)
    steps = {name: training(work, run) for name, run in runs.items()}
    forwards = {name: forward_alone(run) for name, run in runs.items()}
    errors = {
        "forward": error(forwards["ours ragged"](), forwards["torch packed"]()),
        "gradients": error(steps["ours ragged"](), steps["torch packed"]()),
    }
    top, half = peak(), measure_half(work, seconds)
    trained, passed = medians(steps, seconds), medians(forwards, seconds)
    return {
        "cell": work.cell,
        "shape": work.shape,
        "engine": engines.describe(
            engines.Work(CELLS[work.cell][0], work.x.device, work.x.dtype)
        ).name,
        "training_ms": trained,
        "forward_ms": passed,
        "errors": errors,
        "ratios": {
            "training, packed": trained["torch packed"] / trained["ours ragged"],
            "training, dense": trained["torch dense"] / trained["ours full"],
            "forward, packed": passed["torch packed"] / passed["ours ragged"],
            "forward, dense": passed["torch dense"] / passed["ours full"],
        },
        "gflops": 3e3 * work.gigaflop / trained["ours ragged"],
        "peak_gflops": top,
        "half": half,
    }


def measure_half(work: Work, seconds: float) -> dict[str, Any]:
    """Times and errors with factors in bfloat16, turn by turn with ours in float32."""
    runs = half_passes(work)
    if not runs:
        return {}
    steps = {name: training(work, run) for name, run in runs.items()}
    forwards = {name: forward_alone(run) for name, run in runs.items()}
    return {
        "training_ms": medians(steps, seconds),
        "forward_ms": medians(forwards, seconds),
        "errors": {
            "forward": error(forwards["bf16"](), forwards["float32"]()),
            "gradients": error(steps["bf16"](), steps["float32"]()),
        },
    }


def half_table(rows: Sequence[dict[str, Any]]) -> str:
    """What bfloat16 gains, as Markdown; nothing where the processor multiplies none."""
    rows = [row for row in rows if row["half"]]
    if not rows:
        return ""
    lines = [
        "",
        "Factors in bfloat16 (`--mixed-precision bf16`), sums in float32; × is the time over that"
        " of ours in bf16. Error: the largest against float32, relative to scale, of states /"
        " gradients.",
        "",
        "| cell | batch, T, in, hidden | training, float32 | training, torch packed in bf16"
        " | forward, float32 | forward, torch packed in bf16 | error |",
        "|" + "---|" * 7,
    ]
    for row in rows:
        half = row["half"]
        ratios = [
            times[name] / times["bf16"]
            for times in (half["training_ms"], half["forward_ms"])
            for name in ("float32", "torch packed, bf16")
        ]
        errors = half["errors"]
        lines.append(
            f"| {row['cell']} | {', '.join(map(str, row['shape']))} | "
            + " | ".join(f"×{ratio:.2f}" for ratio in ratios)
            + f" | {errors['forward']:.0e} / {errors['gradients']:.0e} |"
        )
    return "\n".join(lines) + "\n"


def slices() -> str:
    """What was measured for this machine (``birnn/native/tuning.py``), if it was asked for."""
    terms = None if native.missing() else native.library().slice
    return "" if terms is None else f" Slices of the scan's sums: {terms or 'none'}."


def table(rows: Sequence[dict[str, Any]], threads: int) -> str:
    """The results as Markdown."""
    ratios = list(rows[0]["ratios"])
    lines = [
        "# Encoders beside torch",
        "",
        f"torch {torch.__version__}, {threads} threads, float32, both directions;"
        " medians, turn by turn in one process. × is torch's time over ours; packed: lengths"
        " uniform in [T/2, T], dense: all of length T. A training step goes to the weights"
        " and the input."
        " Error: the largest against packed torch, relative to scale, of states / gradients."
        + slices(),
        "",
        "| cell | batch, T, in, hidden | engine | "
        + " | ".join(ratios)
        + " | training ms, torch packed / ours | error | GFLOP/s (share of peak) |",
        "|" + "---|" * (len(ratios) + 6),
    ]
    for row in rows:
        times, errors = row["training_ms"], row["errors"]
        share = row["gflops"] / row["peak_gflops"]
        lines.append(
            f"| {row['cell']} | {', '.join(map(str, row['shape']))} | {row['engine']} | "
            + " | ".join(f"×{row['ratios'][name]:.2f}" for name in ratios)
            + f" | {times['torch packed']:.1f} / {times['ours ragged']:.1f}"
            f" | {errors['forward']:.0e} / {errors['gradients']:.0e}"
            f" | {row['gflops']:.0f} ({share:.0%}) |"
        )
    for cell in dict.fromkeys(row["cell"] for row in rows):
        own = [row for row in rows if row["cell"] == cell]
        means = [statistics.geometric_mean(row["ratios"][name] for row in own) for name in ratios]
        cells = " | ".join(f"**×{mean:.2f}**" for mean in means)
        lines.append(f"| {cell} | geometric mean | | {cells} | | | |")
    return "\n".join(lines) + "\n"


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Bars of the ratios."""
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    size = (5.5 * len(cells), 4.2)
    figure, axes = plt.subplots(
        1, len(cells), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    names = list(rows[0]["ratios"])
    for axis, cell in zip(axes[0], cells, strict=True):
        own = [row for row in rows if row["cell"] == cell]
        for place, name in enumerate(names):
            offsets = [i + (place - 1.5) * 0.2 for i in range(len(own))]
            axis.bar(offsets, [row["ratios"][name] for row in own], 0.18, label=name)
        axis.set_xticks(range(len(own)), [", ".join(map(str, row["shape"])) for row in own])
        axis.tick_params(axis="x", labelrotation=20)
        axis.axhline(1, color="black", linewidth=0.8)
        axis.set_yscale("log", base=2)
        axis.set_yticks([1, 2, 4, 8, 16, 32, 64], [f"×{n}" for n in (1, 2, 4, 8, 16, 32, 64)])
        axis.set_title(f"Bi{cell}: torch's time over ours")
        axis.set_xlabel("batch, T, in, hidden")
        axis.grid(axis="y", alpha=0.3)
    axes[0][0].legend(fontsize="small")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each of 20 measurements")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), default=list(CELLS))
    parser.add_argument("--engine", default=engines.AUTO)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    use_threads(options.threads)
    engines.force(options.engine)
    rows = []
    for cell in options.cells:
        for shape in SHAPES:
            rows.append(measure(make(cell, shape), options.seconds))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    text = table(rows, torch.get_num_threads()) + half_table(rows)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "encoders.md").write_text(text, encoding="utf-8")
    (options.out / "encoders.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    draw(rows, options.out / "encoders.png")


if __name__ == "__main__":
    main()
