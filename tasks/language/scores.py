"""Scores of passages: from sums over each passage to bits a character."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from birnn.arrays import Array
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.scoring.bootstrap import replicates


@dataclass(frozen=True)
class PassageSums:
    """Sums over each of ``N`` passages."""

    forward: Array  # nats of its symbols, left to right
    backward: Array  # and right to left; not a number without such a model
    symbols: Array  # that each direction predicts
    characters: Array

    def scores(self, counts: Array) -> dict[str, Array]:
        """Every score of ``[R, N]`` counts of passages, ``R`` values each."""
        characters = counts @ self.characters
        found = {"bits_per_character": counts @ self.forward / characters / np.log(2)}
        found["nats_per_symbol"] = counts @ self.forward / (counts @ self.symbols)
        if np.isfinite(self.backward).all():
            backward = counts @ self.backward / characters / np.log(2)
            found["backward_bits_per_character"] = backward
        return found

    def evaluation(self, seed: int) -> Evaluation:
        """Scores, and the same on resamples of passages."""
        whole = self.scores(np.ones((1, len(self.forward))))
        values = {name: float(value[0]) for name, value in whole.items()}
        return Evaluation(values, replicates(self.resampled, len(self.forward), seed))

    def resampled(self, counts: Array) -> Mapping[str, Array]:
        """As :meth:`scores`."""
        return self.scores(counts)
