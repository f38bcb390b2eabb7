"""Translators: what a training step takes, and whether a text alone and in a batch is said alike.

    python benchmarks/translation.py PAIRS
    python benchmarks/translation.py PAIRS --run RUN

PAIRS is what ``birnn translate --data`` takes; of RUN, a trained one, every text of its test split
is translated in a batch and alone, with a beam of 1 and with its own.
"""

import argparse
import os
import statistics
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as cli.py does
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from birnn.config import with_flat
from birnn.nn.devices import use_threads
from birnn.nn.model import count_parameters
from birnn.tasks.runs.fitting import training_batches
from birnn.tasks.runs.folder import load_run
from birnn.tasks.runs.launch import make_task
from birnn.tasks.translate.options import TranslateConfig
from birnn.tasks.translate.serve import translate


def step_times(pairs: str, steps: int) -> None:
    """Print the median step of each decoder with each cell, of the same batches."""
    data = make_task("translate", with_flat(TranslateConfig(), {"data": pairs})).load()
    for decoder in ("stacked", "feeding"):
        for encoder in ("bigru", "bilstm"):
            config = with_flat(TranslateConfig(), {"decoder": decoder, "encoder": encoder})
            task = make_task("translate", config)
            model = task.model(data.info).train()
            optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
            times = []
            for batch in islice(training_batches(task, data, config.train).epoch(0, 0), steps):
                began = time.perf_counter()
                total, count = task.loss(model(batch), batch)
                (total / count).backward()
                optimizer.step()
                optimizer.zero_grad()
                times.append(time.perf_counter() - began)
            size = count_parameters(model) / 1e6
            print(
                f"{decoder:8} {encoder:7} {size:5.1f} M  {1e3 * statistics.median(times):6.1f} ms"
            )


def compare_alone(run: Path) -> None:
    """Print how many translations of the test split differ alone, and by how much scores do."""
    loaded: Any = load_run(run)
    split = loaded.task.load_split(loaded.info, "", "test").split
    for beam in sorted({1, loaded.task.config.model.beam}):
        loaded.task.config = with_flat(loaded.task.config, {"beam": beam})
        began = time.perf_counter()
        together = translate(loaded, split.sources)
        seconds = time.perf_counter() - began
        alone = [translate(loaded, [text])[0] for text in split.sources]
        both = list(zip(together, alone, strict=True))
        others = sum(a["translation"] != b["translation"] for a, b in both)
        most = max(abs(a["score"] - b["score"]) for a, b in both)
        rate = len(split) / seconds
        print(
            f"beam {beam}: {others} of {len(split):,} differ, scores by {most:.1e}; {rate:,.0f}/s"
        )


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    use_threads(asked.threads)
    step_times(asked.pairs, asked.steps)
    if asked.run:
        compare_alone(asked.run)


if __name__ == "__main__":
    main()
