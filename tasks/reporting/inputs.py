"""What a report is made from: the files of a finished run."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from birnn.errors import CheckpointError
from birnn.storage.files import read_json

EXTRAS = "report.json"  # what the report shows that no other file of a run holds
KEYS = {"command", "baselines", "warnings", "environment", "lengths"}  # that it has for every task


@dataclass(frozen=True)
class RunFiles:
    """A run's folder, read."""

    folder: Path
    name: str  # of the run, as its maker knows it
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    histories: Mapping[int, list[dict[str, float]]]  # of each seed, by epoch
    extras: Mapping[str, Any] = field(default_factory=dict)  # of ``report.json``; old runs: empty

    @property
    def unit(self) -> str:
        """What is counted in splits, in the plural; ``rows`` where that isn't known."""
        return str(self.metrics["data"].get("unit", self.extras.get("unit", "rows")))


def read_run_files(folder: Path, config: Mapping[str, Any], name: str = "") -> RunFiles:
    """Read what a report needs of a run whose configuration is known.

    Raises:
        CheckpointError: a file is missing or is not as a run's.
    """
    metrics = read_json(folder / "metrics.json")
    if not isinstance(metrics, dict) or not isinstance(metrics.get("train"), dict):
        raise CheckpointError(f"{folder / 'metrics.json'} holds no scores of a run")
    chosen = metrics["train"].get("chosen_seed", metrics["train"].get("seed", 0))
    folders = {seed: folder / f"seed-{seed}" for seed in metrics["train"].get("seeds", [])}
    there = {seed: place for seed, place in folders.items() if (place / "history.csv").is_file()}
    places = there or {chosen: folder}
    histories = {seed: read_history(place / "history.csv") for seed, place in places.items()}
    extras = read_json(folder / EXTRAS) if (folder / EXTRAS).is_file() else {}
    if not isinstance(extras, dict) or ((folder / EXTRAS).is_file() and not set(extras) >= KEYS):
        raise CheckpointError(f"{folder / EXTRAS} is not as a run's")
    return RunFiles(folder, name or folder.resolve().name, config, metrics, histories, extras)


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a ``history.csv``: column → number.

    Raises:
        CheckpointError: it is missing, or holds something else than numbers.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{path} is not a run's history: {why}") from None
    if not rows or "epoch" not in rows[0]:
        raise CheckpointError(f"{path} holds no epoch")
    return rows
