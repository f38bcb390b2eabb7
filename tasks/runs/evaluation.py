"""Score a trained run on labelled data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn.data.wording import plural
from birnn.errors import ConfigError
from birnn.storage.files import read_json
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED


@dataclass(frozen=True)
class Scored:
    """A loaded run's scores on a split."""

    title: str
    pairs: list[tuple[str, str]]
    metrics: dict[str, Any]


def evaluate(run: LoadedRun, data: str, split: str) -> Scored:
    """Score a loaded run.

    The ``data`` is labelled; empty: the run's own, split as it was for training. The ``split`` is
    train, validation or test; data in one piece is scored whole.

    Raises:
        BirnnError: unusable data, or labels that the run doesn't know.
    """
    if split not in ("train", "validation", "test"):
        raise ConfigError(f"split: {split!r} is not one of train, validation, test")
    task, loaded = run.task, run.task.load_split(run.info, data, split)
    rows = len(loaded.split)
    notes = [*loaded.notes, *([] if data else changed_since(run.folder, split, rows))]
    predictions = task.predictions(run.model, loaded.split, run.info)
    evaluation = task.evaluate(loaded.split, predictions, run.info, BOOTSTRAP_SEED)
    metrics = {"task": task.name, "encoder": task.config.encoder.encoder,
               "test": {"model": evaluation.to_json(), "baselines": {}},
               "data": {"source": loaded.source, "rows": rows, "notes": notes}, "train": {},
               "details": task.details(loaded.split, predictions, run.info)}  # fmt: skip
    pairs = [("run", str(run.folder)), ("data", loaded.source), ("rows", f"{rows:,}")]
    pairs += [("", note) for note in notes]
    return Scored(f"{task.name} with {metrics['encoder']}", pairs, metrics)


def changed_since(folder: Path, split: str, rows: int) -> list[str]:
    """A warning where the run's own data now gives ``split`` another number of rows.

    The cut then differs from that of training, and rows that were trained on can be scored.
    """
    path = folder / "metrics.json"
    metrics = read_json(path) if path.is_file() else {}
    try:
        then = metrics["data"]["rows"][split]
    except (KeyError, TypeError, IndexError):
        return []
    if type(then) is not int or then == rows:
        return []
    return [f"WARNING: the data has changed since training ({split} had {plural(then, 'row')}, now"
            f" {rows:,}): rows that were trained on may be scored here"]  # fmt: skip
