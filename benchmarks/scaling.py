"""Cost grows linearly with rows, length and channels; memory is bounded by the batch.

    python benchmarks/scaling.py
    make bench-scaling

Rows and channels: one epoch of a forecaster over all windows of a made-up file, in a process of its
own, with the peak of its memory. Length: a training step of a BiGRU layer and of a BiLSTM layer,
batch 32.
Writes ``benchmarks/results/scaling.md``, ``.json`` and ``.png``; the last column is the cost of
one unit, which stays the same where cost is linear.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as cli.py does
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import matplotlib  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from birnn.config import EncoderConfig  # noqa: E402
from birnn.nn.devices import use_threads  # noqa: E402
from birnn.nn.encoders import build_encoder  # noqa: E402
from birnn.training.events import EpochEvent  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
ROWS = (32_000, 64_000, 128_000, 192_000, 256_000)
CHANNELS = (1, 2, 4, 8)
LENGTHS = (50, 100, 200, 400, 800, 1600)
LAST = 2_000  # rows of validation and of test: the same for all sizes, as is their cost


def write_series(path: Path, rows: int, channels: int) -> None:
    """An hourly file: daily and weekly waves with noise."""
    random = np.random.default_rng(0)
    hours = np.arange(rows)
    stamps = np.datetime64("2000-01-01T00") + hours.astype("timedelta64[h]")
    waves = np.sin(hours / 24 * 2 * np.pi)[:, None] + np.sin(hours / 168 * 2 * np.pi)[:, None]
    values = waves * np.arange(1, channels + 1) + random.normal(0, 0.3, (rows, channels))
    with path.open("w", encoding="utf-8") as file:
        file.write("time," + ",".join(f"c{c}" for c in range(channels)) + "\n")
        for stamp, row in zip(stamps, values, strict=True):
            file.write(f"{stamp}," + ",".join(f"{v:.4f}" for v in row) + "\n")


def train_once(rows: int, channels: int) -> dict[str, float]:
    """Seconds to read, seconds of one epoch, and the peak of this process's memory in MB."""
    from birnn.config import updated
    from birnn.tasks.forecast.options import ForecastConfig
    from birnn.tasks.forecast.task import Forecast
    from birnn.tasks.runs.events import Prepared
    from birnn.tasks.runs.experiment import train
    from birnn.tasks.runs.launch import Plan

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "series.csv"
        write_series(file, rows, channels)
        split = f"{rows - 2 * LAST},{LAST},{LAST}"
        changes = {
            "data": {"data": str(file), "lookback": 336, "horizon": 96, "split": split},
            "model": {"members": 1, "epoch_windows": 0},
            "train": {"epochs": 1, "device": "cpu"},
        }
        config = updated(ForecastConfig(), changes)
        started, read = time.perf_counter(), 0.0
        out = Path(folder) / "run"
        for event in train(Forecast(config), Plan(out)):
            if isinstance(event, Prepared):
                read = time.perf_counter() - started
            if isinstance(event, EpochEvent):
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                return {"read": read, "epoch": event.seconds, "peak": peak}
    raise RuntimeError("training ended before its first epoch did")


def in_a_process(rows: int, channels: int) -> dict[str, float]:
    """:func:`train_once` where nothing else has taken memory."""
    command = [sys.executable, __file__, "--child", str(rows), str(channels)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def step_seconds(encoder: str, steps: int, repeats: int = 7) -> float:
    """Median seconds of a training step of 32 sequences of ``steps`` steps."""
    torch.manual_seed(0)
    model = build_encoder(64, EncoderConfig(encoder=encoder, hidden_size=128))
    x, lengths = torch.randn(32, steps, 64), torch.full((32,), steps)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        model(x, lengths).states.sum().backward()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def table(title: str, unit: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """One Markdown table; the last column is what a unit costs."""
    names = [name for name in rows[0] if name != "size"]
    lines = [f"## {title}", "", f"| {unit} | " + " | ".join(names) + f" | µs a {unit} |"]
    lines.append("|" + "---|" * (len(names) + 2))
    for row in rows:
        cells = " | ".join(f"{row[name]:,.3g}" for name in names)
        cost = 1e6 * row[names[0]] / row["size"]
        lines.append(f"| {row['size']:,} | {cells} | {cost:,.3g} |")
    return [*lines, ""]


def draw(results: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Time against each size, with a straight line through the first and last; and memory."""
    figure, axes = plt.subplots(1, 4, figsize=(15, 3.8), layout="constrained")
    for axis, (title, rows) in zip(axes, results.items(), strict=False):
        sizes = [row["size"] for row in rows]
        for name in [n for n in rows[0] if n.endswith(" s")]:
            axis.plot(sizes, [row[name] for row in rows], marker="o", label=name)
        axis.set_xlabel(title)
        axis.set_ylabel("seconds")
        axis.set_ylim(bottom=0)
        axis.set_xlim(left=0)
        axis.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
        axis.legend(fontsize="small")
        axis.grid(alpha=0.3)
    for title in ("rows", "channels"):
        rows = results[title]
        cells = [row["size"] * (1 if title == "rows" else ROWS[0]) for row in rows]
        axes[3].plot(cells, [row["peak MB"] for row in rows], marker="o", label=f"more {title}")
    axes[3].ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
    axes[3].set_xlabel("values in the file")
    axes[3].set_ylabel("peak memory, MB")
    axes[3].set_ylim(0, 1.3 * max(row["peak MB"] for row in results["channels"]))
    axes[3].legend(fontsize="small")
    axes[3].grid(alpha=0.3)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--child", nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    use_threads(0)
    if options.child:
        print(json.dumps(train_once(*options.child)))
        return
    results: dict[str, list[dict[str, Any]]] = {"rows": [], "channels": [], "length": []}
    sizes = [("rows", rows, rows, 1) for rows in ROWS]
    sizes += [("channels", channels, ROWS[0], channels) for channels in CHANNELS]
    for title, size, rows, channels in sizes:
        found = in_a_process(rows, channels)
        results[title].append(
            {
                "size": size,
                "epoch s": found["epoch"],
                "reading s": found["read"],
                "peak MB": found["peak"],
            }
        )
    for steps in LENGTHS:
        gru, lstm = step_seconds("bigru", steps), step_seconds("bilstm", steps)
        results["length"].append({"size": steps, "BiGRU s": gru, "BiLSTM s": lstm})
    lines = ["# Cost against size", ""]
    lines += table("Rows (one series, lookback 336, horizon 96, one epoch)", "row", results["rows"])
    lines += table(f"Channels ({ROWS[0]:,} rows)", "channel", results["channels"])
    lines += table("Length (a training step, batch 32, hidden 128)", "step", results["length"])
    print("\n".join(lines))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "scaling.md").write_text("\n".join(lines), encoding="utf-8")
    (options.out / "scaling.json").write_text(
        json.dumps(results, indent=1) + "\n", encoding="utf-8"
    )
    draw(results, options.out / "scaling.png")


if __name__ == "__main__":
    main()
