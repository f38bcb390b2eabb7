"""What a run keeps of its test split: passages, and what each cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from birnn.errors import CheckpointError
from birnn.tasks.core.run_rows import checked, number, read_rows
from birnn.tasks.language.scores import PassageSums
from birnn.tasks.runs.test_records import TestRecord, digest
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED

COLUMNS = ("nats", "backward_nats", "symbols", "characters")


def read_passages(folder: Path, config: Mapping[str, Any]) -> TestRecord:
    """Passages with the nats of their symbols.

    Raises:
        CheckpointError: ``predictions.csv`` is missing or not what it should be.
    """
    path = folder / "predictions.csv"
    texts: list[str] = []
    rows: list[list[float]] = []
    both = True
    for row in read_rows(path, ("text", *COLUMNS)):
        both = both and row["backward_nats"] != ""
        cells = row if both else {**row, "backward_nats": "0"}
        rows.append([number(path, cells, name) for name in COLUMNS])
        texts.append(row["text"])
    checked(path, rows)
    columns = np.array(rows).T
    if columns[2:].min() <= 0:
        raise CheckpointError(f"{path}: a passage without symbols; not as the run wrote it")
    backward = columns[1] if both else np.full(len(rows), np.nan)
    sums = PassageSums(columns[0], backward, columns[2], columns[3])
    monitors = ("nats", "bits_per_character")
    evaluation = sums.evaluation(BOOTSTRAP_SEED)
    return TestRecord(evaluation, digest(texts), len(rows), "passages", monitors)
