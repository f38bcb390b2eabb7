"""The epochs of a run in a file of JSON lines, whole after each of them."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

from birnn import processes
from birnn.errors import DataError, reason
from birnn.storage.files import write_text
from birnn.tasks.runs.fitting import Trained, epoch_row
from birnn.training.events import EpochEvent, Event, ResumeEvent

HISTORY = "history.jsonl"


def kept_history(
    events: Generator[Event, None, Trained], path: Path
) -> Generator[Event, None, Trained]:
    """Hand on ``events``; after each epoch, ``path`` holds a line for each one so far.

    Of several processes, the main one writes it.

    Raises:
        DataError: it can't be written.
    """
    rows: list[dict[str, Any]] = []
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            trained: Trained = end.value
            return trained
        if isinstance(event, EpochEvent):
            rows.append(epoch_row(event))
        elif isinstance(event, ResumeEvent):
            rows = [epoch_row(epoch) for epoch in event.history]
        if isinstance(event, EpochEvent | ResumeEvent) and processes.is_main():
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            try:
                path.parent.mkdir(exist_ok=True)
                write_text(path, "".join(lines))
            except OSError as error:
                raise DataError(f"can't write {path}: {reason(error)}") from error
        yield event
