"""What a translation run keeps of its test split: texts beside what was said of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from birnn.tasks.core.run_rows import checked, read_rows
from birnn.tasks.runs.test_records import TestRecord, digest
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.translate.metrics import evaluate_translations

USUAL = "13a"


def read_translations(folder: Path, config: Mapping[str, Any]) -> TestRecord:
    """Texts, their translations, and what was wanted.

    Raises:
        CheckpointError: ``predictions.csv`` is missing or not what it should be.
    """
    path = folder / "predictions.csv"
    rows = [
        (row["source"], row["target"], row["translation"])
        for row in read_rows(path, ("source", "target", "translation"))
    ]
    checked(path, rows)
    model = config.get("model")
    tokenizer = str(model.get("bleu_tokenizer", USUAL)) if isinstance(model, dict) else USUAL
    wanted, said = [row[1] for row in rows], [row[2] for row in rows]
    evaluation = evaluate_translations(said, wanted, tokenizer, BOOTSTRAP_SEED)
    items = digest(part for row in rows for part in row[:2])
    reading = {"bleu_tokenizer": tokenizer}
    return TestRecord(evaluation, items, len(rows), "pairs", ("bleu", "nll"), reading)
