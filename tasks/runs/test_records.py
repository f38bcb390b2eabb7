"""What a run keeps of its test split, read again without its data and without its model.

A task says in its specification what reads its own files into a :class:`TestRecord`. The scores
are those of ``metrics.json``: the same functions on the same numbers. Probabilities are read as
float32, which they were before they were written.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from birnn.errors import CheckpointError
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.core.run_rows import checked, number, read_rows
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.metrics import classification_replicates, classification_scores


@dataclass(frozen=True)
class TestRecord:
    """The scores of a run's test split, made anew from what it keeps."""

    __test__: ClassVar[bool] = False  # pytest: this is no test

    evaluation: Evaluation
    items: str  # digest of the test items and their gold, in their order
    count: int  # of the items
    unit: str  # what they are, in the plural
    monitors: tuple[str, ...]  # validation scores, the one that curves show first
    reading: Mapping[str, str] = field(default_factory=dict)  # two runs must share these settings
    # Of a score that also depends on the training split: a digest of what it takes from there.
    scopes: Mapping[str, str] = field(default_factory=dict)


def digest(parts: Iterable[object]) -> str:
    """A digest of a sequence of values by how they are written: borders count too."""
    total = hashlib.sha256()
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def read_labels(folder: Path, config: Mapping[str, Any]) -> TestRecord:
    """Rows of texts with their class: what a classifier's run keeps.

    Raises:
        CheckpointError: ``predictions.csv`` is missing or not what it should be.
    """
    path = folder / "predictions.csv"
    items: list[str] = []
    gold: list[int] = []
    rows: list[list[float]] = []
    shares: dict[str, int] = {}
    texts: list[str] = []
    for row in read_rows(path, ("gold", "label")):
        if not shares:
            names = list(row)
            if not (texts := names[: names.index("gold")]):
                raise CheckpointError(f"{path} has no column of texts: no scores without it")
            shares = {n: i for i, n in enumerate(n for n in names if n.startswith("p_"))}
        if f"p_{row['gold']}" not in shares:
            raise CheckpointError(f"{path}: no probability for the class {row['gold'][:40]!r}")
        items += [*(row[name] for name in texts), row["gold"]]
        gold.append(shares[f"p_{row['gold']}"])
        rows.append([number(path, row, name, share=True) for name in shares])
    checked(path, gold)
    targets, probabilities = np.array(gold), np.array(rows, dtype=np.float32)
    if not np.allclose(probabilities.sum(1), 1, atol=1e-3):
        raise CheckpointError(f"{path}: probabilities of a row don't sum to 1")
    resampled = classification_replicates(targets, probabilities, BOOTSTRAP_SEED)
    evaluation = Evaluation(classification_scores(targets, probabilities), resampled)
    monitors = ("log_loss", "accuracy", "macro_f1")
    return TestRecord(evaluation, digest(items), len(gold), "texts", monitors)
