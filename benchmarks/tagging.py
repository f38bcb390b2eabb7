"""The accuracy table of token tagging: corpora × vectors × encoders, beside baselines.

    python benchmarks/tagging.py --ewt PATH/TO/ewt --wnut PATH/TO/wnut17

Writes ``benchmarks/results/tagging.md`` and ``.json``. Everything is chosen on validation; the
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
from birnn.tasks.tagging.options import TaggingConfig  # noqa: E402
from birnn.tasks.tagging.task import Tagging  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"


def run(name: str, data: str, vectors: str, encoder: str, seeds: int) -> dict[str, Any]:
    """Train one configuration over ``seeds`` seeds; returns what its metrics.json files say."""
    config = TaggingConfig()
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, data=data, vectors=vectors),
        encoder=dataclasses.replace(config.encoder, encoder=encoder),
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        for event in train(Tagging(config), Plan(out, seeds, command="benchmark")):
            if isinstance(event, Finished):
                metrics: dict[str, Any] = event.metrics
        each = [json.loads(path.read_text()) for path in sorted(out.glob("seed-*/metrics.json"))]
    each = each or [metrics]
    metric = "span_f1" if "span_f1" in metrics["test"]["model"] else "accuracy"
    baselines = metrics["test"]["baselines"]
    return {
        "data": name,
        "vectors": vectors,
        "encoder": encoder,
        "seeds": seeds,
        "metric": metric,
        "test": [m["test"]["model"][metric]["value"] for m in each],
        "validation": [m["validation"][metric] for m in each],
        "calibration_error": [m["test"]["model"]["calibration_error"]["value"] for m in each],
        "baselines": {key: scores[metric]["value"] for key, scores in baselines.items()},
        "seconds": [m["train"]["seconds"] for m in each],
        "tokens_per_second": [m["train"]["tokens_per_second"] for m in each],
    }


def row(found: dict[str, Any]) -> str:
    """One line of the table."""
    spread = statistics.stdev(found["test"]) if len(found["test"]) > 1 else 0.0
    frequent, linear = found["baselines"]["most_frequent"], found["baselines"]["linear"]
    return (
        f"| {found['data']} | {found['vectors']} | {found['encoder']} |"
        f" {found['metric'].replace('_', ' ').replace('f1', 'F1')} |"
        f" {statistics.mean(found['test']) * 100:.2f} ± {spread * 100:.2f} |"
        f" {linear * 100:.2f} / {frequent * 100:.2f} |"
        f" {statistics.mean(found['validation']) * 100:.2f} |"
        f" {statistics.median(found['seconds']):.0f} |"
    )


def main() -> None:
    """Run what the options name and write the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ewt", default="", help="folder of UD English EWT; empty: left out")
    parser.add_argument("--wnut", default="", help="folder of WNUT-17; empty: left out")
    parser.add_argument("--tweets", action="store_true", help="the embedded default too")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--encoders", nargs="+", default=["bilstm"])
    parser.add_argument("--vectors", nargs="+", default=["glove.6B.50d", "none"])
    options = parser.parse_args()
    sources = {"WNUT-17": options.wnut, "UD English EWT, UPOS": options.ewt}
    sources["embedded tweets"] = "tweet_entities" if options.tweets else ""
    lines = [
        f"Test scores, mean and deviation over {options.seeds} seeds.",
        "",
        "| data | vectors | encoder | score | model | linear / most frequent tag"
        " | model on validation | seconds a seed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    results = []
    for name, data in sources.items():
        for vectors in options.vectors if data else []:
            for encoder in options.encoders:
                results.append(run(name, data, vectors, encoder, options.seeds))
                lines.append(row(results[-1]))
                print(lines[-1], flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "tagging.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "tagging.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
