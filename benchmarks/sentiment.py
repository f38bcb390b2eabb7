"""The accuracy table of sentence sentiment: encoders × vectors × data, beside baselines.

    python benchmarks/sentiment.py --sst2 PATH/TO/sst2 --seeds 3

Writes ``benchmarks/results/sentiment.md`` and ``.json``. Everything is chosen on validation; the
test figures are read once, at the end of each run.
"""

import argparse
import dataclasses
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

from birnn.tasks.runs.events import Finished  # noqa: E402
from birnn.tasks.runs.experiment import train  # noqa: E402
from birnn.tasks.runs.launch import Plan  # noqa: E402
from birnn.tasks.sentiment.options import SentimentConfig  # noqa: E402
from birnn.tasks.sentiment.task import Sentiment  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"


def run(data: str, vectors: str, encoder: str, seeds: int) -> dict[str, Any]:
    """Train one configuration over ``seeds`` seeds; returns what its metrics.json files say."""
    config = SentimentConfig()
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, data=data, vectors=vectors),
        encoder=dataclasses.replace(config.encoder, encoder=encoder),
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        for event in train(Sentiment(config), Plan(out, seeds, command="benchmark")):
            if isinstance(event, Finished):
                metrics: dict[str, Any] = event.metrics
        each = [json.loads(path.read_text()) for path in sorted(out.glob("seed-*/metrics.json"))]
    model, base = metrics["test"]["model"], metrics["test"]["baselines"]["tfidf_logistic"]
    values = {
        name: [m["test"]["model"][name]["value"] for m in each or [metrics]] for name in model
    }
    return {
        "data": "tweets" if data == "tweets" else "SST-2",
        "vectors": vectors,
        "encoder": encoder,
        "seeds": seeds,
        "accuracy": values["accuracy"],
        "macro_f1": values["macro_f1"],
        "validation_accuracy": [m["train"]["mixed_validation_accuracy"] for m in each or [metrics]],
        "baseline_accuracy": base["accuracy"]["value"],
        "baseline_macro_f1": base["macro_f1"]["value"],
        "seconds": [m["train"]["seconds"] for m in each or [metrics]],
    }


def row(found: dict[str, Any]) -> str:
    """One line of the table."""
    accuracy, f1 = (statistics.mean(found[name]) for name in ("accuracy", "macro_f1"))
    spread = statistics.stdev(found["accuracy"]) if len(found["accuracy"]) > 1 else 0.0
    return (
        f"| {found['data']} | {found['vectors']} | {found['encoder']} |"
        f" {accuracy * 100:.2f} ± {spread * 100:.2f} | {f1 * 100:.2f} |"
        f" {found['baseline_accuracy'] * 100:.2f} / {found['baseline_macro_f1'] * 100:.2f} |"
        f" {statistics.mean(found['validation_accuracy']) * 100:.2f} |"
        f" {statistics.median(found['seconds']):.0f} |"
    )


def main() -> None:
    """Run the grid that the options name and write the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sst2", default="", help="folder of SST-2; empty: leave it out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--encoders", nargs="+", default=["bigru", "bilstm"])
    parser.add_argument("--vectors", nargs="+", default=["glove.6B.50d", "none"])
    parser.add_argument("--no-tweets", action="store_true")
    options = parser.parse_args()
    sources = ([options.sst2] if options.sst2 else []) + ([] if options.no_tweets else ["tweets"])
    lines = [
        f"Means over {options.seeds} seeds.",
        "",
        "| data | vectors | encoder | accuracy | macro F1 | TF-IDF + logistic regression"
        " | validation accuracy | seconds a seed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    results = []
    for data in sources:
        for encoder in options.encoders:
            for vectors in options.vectors if data != "tweets" else options.vectors[:1]:
                results.append(run(data, vectors, encoder, options.seeds))
                lines.append(row(results[-1]))
                print(lines[-1], flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sentiment.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "sentiment.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
