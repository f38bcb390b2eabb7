"""Simple language models: frequencies, and n-grams of both directions."""

from collections.abc import Sequence

import numpy as np

from birnn.arrays import Array
from birnn.data.passages.split import PassageSplit
from birnn.tasks.language.ngrams import NGrams


def frequencies(train: PassageSplit, test: PassageSplit, symbols: int) -> list[Array]:
    """Each symbol by how often train has it, one added to all counts."""
    counts = np.bincount(train.stream, minlength=symbols) + 1.0
    logs = np.log(counts / counts.sum())[test.stream]
    return test.rows(logs, logs)


def kneser_ney(test: PassageSplit, models: Sequence[NGrams]) -> list[Array]:
    """What the n-grams of each direction say of test."""
    forward = models[0].read(test.stream)[0]
    backward = np.zeros_like(forward)
    if len(models) > 1:
        backward = models[1].read(test.stream[::-1])[0][::-1]
    return test.rows(forward, backward)
