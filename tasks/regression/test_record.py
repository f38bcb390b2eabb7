"""What a regression run keeps of its test split: sequences with a number a step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.core.run_rows import checked, number, read_rows, whole
from birnn.tasks.runs.test_records import TestRecord, digest
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.metrics import regression_replicates, regression_scores


def read_steps(folder: Path, config: Mapping[str, Any]) -> TestRecord:
    """Sequences with a number a step: what a regression run keeps.

    Raises:
        CheckpointError: ``predictions.csv`` is missing or not what it should be.
    """
    path = folder / "predictions.csv"
    gold: list[float] = []
    predicted: list[float] = []
    sequence: list[int] = []
    for row in read_rows(path, ("sequence", "target", "predicted")):
        last = sequence[-1] if sequence else -1
        sequence.append(whole(path, row, "sequence", (max(last, 0), last + 1)))
        gold.append(number(path, row, "target"))
        predicted.append(number(path, row, "predicted"))
    checked(path, gold)
    targets, values, numbers = np.array(gold), np.array(predicted), np.array(sequence)
    with np.errstate(over="ignore", invalid="ignore"):
        resampled = regression_replicates(targets, values, numbers, BOOTSTRAP_SEED)
        evaluation = Evaluation(regression_scores(targets, values), resampled)
    items = digest(part for pair in zip(sequence, gold, strict=True) for part in pair)
    return TestRecord(evaluation, items, sequence[-1] + 1, "sequences", ("mse", "mae"))
