"""Per-step regression, small enough to check in a second."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from birnn.nn.batch import sequence_mask
from birnn.tasks.regression.options import RegressionConfig, RegressionData

from tiny_parts import ENCODER, TRAIN


def write_sequences(path: Path) -> None:
    """24 sequences of 1 to 7 steps, two features and a target that follows them."""
    generator = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["who", "a", "b", "target"])
        for who in range(24):
            x = generator.normal(size=(1 + who % 7, 2))
            y = 5 + 3 * np.tanh(x @ [1.0, -0.5]) + 0.1 * generator.normal(size=len(x))
            writer.writerows([f"s{who}", a, b, c] for (a, b), c in zip(x, y, strict=True))


def table(folder: Path) -> RegressionConfig:
    """Ragged sequences from a table."""
    write_sequences(folder / "steps.csv")
    data = RegressionData(str(folder / "steps.csv"), sequence_column="who", validation_share=0.2)
    return RegressionConfig(data, ENCODER, TRAIN)


def spread_of_targets(data: Any) -> tuple[float, float]:
    """The targets' mean square, as if 0 were predicted.

    The states of an untrained cell and the weights of its head are small: predictions have a
    root mean square ``r`` of at most 0.3, and ``|√loss − √wanted| ≤ r``.
    """
    train = data.splits["train"]
    batch = train.batch(np.arange(len(train)))
    assert batch.targets is not None
    real = batch.targets[sequence_mask(batch.lengths, batch.targets.shape[1])]
    root, most = float(real.square().mean()) ** 0.5, 0.3
    return root**2, 2 * most * root + most**2


TINY = {"table": table}
START = {"table": spread_of_targets}
