r"""The accuracy tables of forecasting, beside all baselines.

    python benchmarks/forecasting.py --ett PATH/ETTh1.csv --m4 PATH/hourly.csv \
        --airline PATH/airline-passengers.csv --seeds 3

ETTh1 follows the protocol of long-horizon tables: rows 0 to 8639 train, the next 2,880 validate,
the next 2,880 test, every window counts, scores in the train scaler's units. Settings are the
defaults; whatever is chosen is chosen on validation, and the test figures are read once, at the
end of each run. Writes ``benchmarks/results/forecasting.md`` and ``.json``, and after each run what
there is so far.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as cli.py does
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from birnn.config import from_dict  # noqa: E402
from birnn.tasks.forecast.options import ForecastConfig  # noqa: E402
from birnn.tasks.forecast.task import Forecast  # noqa: E402
from birnn.tasks.runs.events import Finished  # noqa: E402
from birnn.tasks.runs.experiment import train  # noqa: E402
from birnn.tasks.runs.launch import Plan  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
HORIZONS = (96, 192, 336, 720)
SCORES = {"ETTh1": ("mse_scaled", "mae_scaled"), "M4 Hourly": ("smape", "mase")}
MAPE = ("mape", "mase")


@dataclass(frozen=True)
class Case:
    """One data set at one horizon."""

    data: str
    options: dict[str, Any]  # of the group ``data``


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """Those whose files are named."""
    for horizon in options.horizons if options.ett else ():
        split = {"split": "8640,2880,2880", "horizon": horizon}
        yield Case("ETTh1", {"data": options.ett, **split})
    if options.m4:
        yield Case("M4 Hourly", {"data": options.m4, "horizon": 48, "test_last": 48})
    if options.airline:
        yield Case("AirPassengers", {"data": options.airline, "horizon": 12, "test_last": 12})


def run(case: Case, encoder: str, seed: int, threads: int) -> dict[str, Any]:
    """Train one seed; returns its scores and those of the baselines."""
    settings = {
        "data": case.options,
        "encoder": {"encoder": encoder},
        "train": {"seed": seed, "threads": threads},
    }
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        task = Forecast(from_dict(ForecastConfig, settings))
        out = Path(folder) / "run"
        for event in train(task, Plan(out, command="benchmark")):
            if isinstance(event, Finished):
                metrics: dict[str, Any] = event.metrics
    seconds = time.perf_counter() - started
    test = metrics["test"]
    names = SCORES.get(case.data, MAPE)
    models = {"model": test["model"], **test["baselines"]}
    return {
        "data": case.data,
        "horizon": case.options["horizon"],
        "encoder": encoder,
        "seed": seed,
        "metrics": names,
        "scores": {
            label: [part[name]["value"] for name in names] for label, part in models.items()
        },
        "coverage": {k: v["value"] for k, v in test["model"].items() if k.startswith("coverage_")},
        "coverage_by_step": {
            k: [step[k] for step in metrics["details"]["per_step"]]
            for k in metrics["details"]["per_step"][0]
            if k.startswith("coverage_")
        },
        "linear_share": metrics["train"].get("linear_share"),
        "best_epoch": metrics["train"]["best_epoch"],
        "seconds": seconds,
    }


def table(results: Sequence[dict[str, Any]]) -> list[str]:
    """A row for each data set, horizon and encoder: means over the seeds."""
    lines = []
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for part in results:
        groups.setdefault((part["data"], part["horizon"], part["encoder"]), []).append(part)
    before = ""
    for (data, horizon, encoder), parts in groups.items():
        baselines = [name for name in parts[0]["scores"] if name != "model"]
        if data != before:
            names = " / ".join(name.replace("_", " ") for name in parts[0]["metrics"])
            heads = ["horizon", "encoder", "seeds", f"model: {names}"]
            heads += [name.replace("_", " ") for name in baselines]
            heads += ["coverage 80 / 90 / 95 %", "seconds a seed"]
            lines += ["", f"## {data}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
            before = data
        scores = [
            [statistics.mean(p["scores"][name][k] for p in parts) for k in range(2)]
            for name in ("model", *baselines)
        ]
        spread = [
            statistics.stdev([p["scores"]["model"][k] for p in parts]) if len(parts) > 1 else 0.0
            for k in range(2)
        ]
        cells = [str(horizon), encoder, str(len(parts))]
        cells.append(
            " / ".join(f"{v:.4f} ± {s:.4f}" for v, s in zip(scores[0], spread, strict=True))
        )
        cells += [" / ".join(f"{v:.4f}" for v in part) for part in scores[1:]]
        cells.append(
            " / ".join(
                f"{100 * statistics.mean(p['coverage'][k] for p in parts):.1f}"
                for k in parts[0]["coverage"]
            )
        )
        cells.append(f"{statistics.median(p['seconds'] for p in parts):.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Run what the options name and write the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ett", default="", help="ETTh1.csv; empty: leave it out")
    parser.add_argument("--m4", default="", help="M4 Hourly in long layout; empty: leave it out")
    parser.add_argument("--airline", default="", help="AirPassengers; empty: leave it out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--horizons", type=int, nargs="+", default=HORIZONS)
    parser.add_argument("--encoders", nargs="+", default=["bigru"])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--name", default="forecasting", help="of the files of results")
    options = parser.parse_args()
    results = []
    RESULTS.mkdir(exist_ok=True)
    for case in cases(options):
        for encoder in options.encoders:
            for seed in range(options.seeds):
                results.append(run(case, encoder, seed, options.threads))
                lines = table(results)
                print(lines[-1], flush=True)
                text = "\n".join(["Means over seeds; settings are the defaults.", *lines])
                (RESULTS / f"{options.name}.md").write_text(text + "\n")
                (RESULTS / f"{options.name}.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
