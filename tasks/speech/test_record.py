"""What a speech run keeps of its test split: recordings with a text or a label each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from birnn.errors import CheckpointError
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.core.run_rows import checked, number, read_rows
from birnn.tasks.runs.test_records import TestRecord, digest
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.speech.scoring import (
    LABEL_MONITORS,
    TEXT_MONITORS,
    evaluate_labels,
    evaluate_texts,
)

NEEDED = ("path", "speaker", "gold")


def read_recordings(folder: Path, config: Mapping[str, Any]) -> TestRecord:
    """Recordings with what was said and what was read.

    Raises:
        CheckpointError: ``predictions.csv`` is missing or not what it should be.
    """
    path = folder / "predictions.csv"
    data = config.get("data", {})
    single = bool(data.get("labels", False))
    rows = list(read_rows(path, (*NEEDED, "label" if single else "text")))
    checked(path, rows)
    items = digest(row[name] for row in rows for name in NEEDED)
    if single:
        return TestRecord(_labels(path, rows), items, len(rows), "recordings", LABEL_MONITORS)
    for row in rows:
        if not row["gold"].strip():
            raise CheckpointError(f"{path}: a recording without a text; train again")
    gold, said, speakers = ([row[name] for row in rows] for name in ("gold", "text", "speaker"))
    spaced = data.get("units") == "symbols"
    found = evaluate_texts(gold, said, speakers, BOOTSTRAP_SEED, spaced=spaced)
    return TestRecord(found, items, len(rows), "recordings", TEXT_MONITORS)


def _labels(path: Path, rows: list[dict[str, str]]) -> Evaluation:
    names = [name for name in rows[0] if name.startswith("p_")]
    places = {name.removeprefix("p_"): i for i, name in enumerate(names)}
    for row in rows:
        if row["gold"] not in places:
            raise CheckpointError(f"{path}: no probability for the label {row['gold'][:40]!r}")
    gold = np.array([places[row["gold"]] for row in rows])
    shares = [[number(path, row, name, share=True) for name in names] for row in rows]
    probabilities = np.array(shares, dtype=np.float32)
    if not np.allclose(probabilities.sum(1), 1, atol=1e-3):
        raise CheckpointError(f"{path}: probabilities of a row don't sum to 1")
    return evaluate_labels(gold, probabilities, [row["speaker"] for row in rows], BOOTSTRAP_SEED)
