"""Scores of a model, as a report has them."""

from dataclasses import dataclass

from birnn.arrays import Array
from birnn.tasks.scoring.bootstrap import with_intervals


@dataclass(frozen=True)
class Evaluation:
    """Scores of one model on one split, with the same scores on each bootstrap resample."""

    scores: dict[str, float]
    replicates: dict[str, Array]

    def to_json(self) -> dict[str, dict[str, float | None]]:
        """Each score with its interval, as ``metrics.json`` has it."""
        intervals = with_intervals(self.scores, self.replicates)
        return {name: score.to_json() for name, score in intervals.items()}
