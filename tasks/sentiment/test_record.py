"""What a sentiment run keeps of its test split: texts with their class."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from birnn.tasks.runs.test_records import TestRecord, read_labels
from birnn.tasks.sentiment.task import Sentiment


def read_texts(folder: Path, config: Mapping[str, Any]) -> TestRecord:
    """Read ``predictions.csv`` of a run.

    Raises:
        CheckpointError: it is missing or not what it should be.
    """
    return read_labels(folder, Sentiment.text_columns, Sentiment.monitors)
