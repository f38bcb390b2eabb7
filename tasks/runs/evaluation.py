"""Score a trained run on labelled data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn.data.wording import plural
from birnn.errors import ConfigError
from birnn.storage.files import read_json
from birnn.tasks.runs.folder import LoadedRun, load_run
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.metrics import with_intervals


@dataclass(frozen=True)
class Scored:
    """A loaded run's scores on a split."""

    title: str
    pairs: list[tuple[str, str]]
    metrics: dict[str, Any]


def evaluate(folder: Path, data: str, split: str) -> Scored:
    """Score the run in ``folder``.

    Args:
        data: labelled data; empty: the run's own, split as it was for training.
        split: train, validation or test; data in one piece is scored whole.

    Raises:
        BirnnError: an unusable run or data, or labels that the run doesn't know.
    """
    return evaluate_run(load_run(folder), data, split)


def evaluate_run(run: LoadedRun, data: str, split: str) -> Scored:
    """Score a loaded run; see :func:`evaluate`."""
    if split not in ("train", "validation", "test"):
        raise ConfigError(f"split: {split!r} is not one of train, validation, test")
    folder = run.folder
    part = run.task.load_split(run.info, data, split)
    notes = part.notes if data else [*part.notes, *changed_since(folder, split, len(part.split))]
    predictions = run.task.predictions(run.model, part.split, run.info)
    found = run.task.evaluate(part.split, predictions, run.info, BOOTSTRAP_SEED)
    scores = with_intervals(found.scores, found.replicates)
    metrics = {
        "task": run.task.name,
        "encoder": run.task.config.encoder.encoder,
        "test": {"model": {k: v.to_json() for k, v in scores.items()}, "baselines": {}},
        "data": {"source": part.source, "rows": len(part.split), "notes": notes},
        "train": {},
        "details": run.task.details(part.split, predictions, run.info),
    }
    pairs = [("run", str(folder)), ("data", part.source), ("rows", f"{len(part.split):,}")]
    pairs += [("", note) for note in notes]
    return Scored(f"{run.task.name} with {metrics['encoder']}", pairs, metrics)


def changed_since(folder: Path, split: str, rows: int) -> list[str]:
    """A warning where the run's own data now gives ``split`` another number of rows.

    The cut then differs from that of training, and rows that were trained on can be scored.
    """
    path = folder / "metrics.json"
    found = read_json(path) if path.is_file() else {}
    try:
        then = found["data"]["rows"][split]
    except (KeyError, TypeError, IndexError):
        return []
    if type(then) is not int or then == rows:
        return []
    return [
        f"WARNING: the data has changed since training ({split} had {plural(then, 'row')}, now"
        f" {rows:,}): rows that were trained on may be scored here"
    ]
