"""How often intervals hold what they promise, on simulated exchangeable series.

    python benchmarks/coverage.py --repetitions 200

Each repetition draws new series, reads them from a file, trains a small forecaster on them through
the task's own path, and counts the test targets inside each interval. Writes
``benchmarks/results/coverage.md`` and ``.json``.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as cli.py does
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from birnn.config import from_dict  # noqa: E402
from birnn.tasks.forecast.options import ForecastConfig  # noqa: E402
from birnn.tasks.forecast.task import Forecast  # noqa: E402
from birnn.tasks.runs.events import Finished  # noqa: E402
from birnn.tasks.runs.experiment import train  # noqa: E402
from birnn.tasks.runs.launch import Plan  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
LEVELS = ("80", "95")
ROWS, HORIZON = 600, 4


def noise(generator: np.random.Generator) -> pd.DataFrame:
    """One series of independent heavy-tailed values: every window's errors are exchangeable."""
    return pd.DataFrame({"y": 10 + generator.standard_t(4, size=ROWS)})


def panel(generator: np.random.Generator) -> pd.DataFrame:
    """Thirty series that are drawn alike: a level, a season, and noise of their own."""
    steps = np.arange(90)
    columns = {}
    for number in range(30):
        season = generator.normal() * np.sin(2 * np.pi * (steps / 7 + generator.random()))
        columns[f"s{number}"] = 5 * generator.normal() + season + generator.normal(size=len(steps))
    return pd.DataFrame(columns)


SIMULATIONS = {"independent values": noise, "exchangeable panel": panel}


def covered(table: pd.DataFrame, seed: int, loss: str) -> dict[str, float]:
    """The share of test targets inside each interval of one small forecaster."""
    table.insert(0, "date", pd.date_range("2024-01-01", periods=len(table), freq="D"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.csv"
        table.to_csv(path, index=False)
        settings = {
            "data": {"data": str(path), "horizon": HORIZON, "lookback": 14, "season": 7},
            "model": {"members": 1, "segment_size": 8, "loss": loss, "levels": ",".join(LEVELS)},
            "encoder": {"hidden_size": 8},
            "train": {"epochs": 2, "seed": seed, "threads": 1},
        }
        task = Forecast(from_dict(ForecastConfig, settings))
        for event in train(task, Plan(Path(folder) / "run")):
            if isinstance(event, Finished):
                metrics: dict[str, Any] = event.metrics
    return {level: metrics["test"]["model"][f"coverage_{level}"]["value"] for level in LEVELS}


def main() -> None:
    """Simulate, and write the mean coverage over repetitions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--losses", nargs="+", default=["mae", "quantile"])
    options = parser.parse_args()
    lines = [
        f"Means over {options.repetitions} repetitions, in per cent, with their standard errors.",
        "",
        "| series | loss | " + " | ".join(f"inside {level} %" for level in LEVELS) + " |",
        "|---|---|" + "---|" * len(LEVELS),
    ]
    results = []
    for name, draw in SIMULATIONS.items():
        for loss in options.losses:
            found = [
                covered(draw(np.random.default_rng([7, seed])), seed, loss)
                for seed in range(options.repetitions)
            ]
            cells = []
            for level in LEVELS:
                values = [100 * part[level] for part in found]
                error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
                cells.append(f"{statistics.mean(values):.1f} ± {error:.1f}")
            lines.append(f"| {name} | {loss} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
            results.append({"series": name, "loss": loss, "coverage": found})
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "coverage.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "coverage.json").write_text(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
