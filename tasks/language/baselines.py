"""Simple language models: frequencies, and n-grams of both directions."""

import numpy as np

from birnn.arrays import Array, Ints
from birnn.data.passages.split import PassageSplit
from birnn.tasks.language.ngrams import NGrams

LEAST_ORDER = 3


def frequencies(train: PassageSplit, test: PassageSplit, symbols: int) -> list[Array]:
    """Each symbol by how often train has it, one added to all counts."""
    counts = np.bincount(train.stream, minlength=symbols) + 1.0
    logs = np.log(counts / counts.sum())[test.stream]
    return test.rows(logs, logs)


def kneser_ney(
    train: PassageSplit, validation: PassageSplit, test: PassageSplit, symbols: int, most: int,
    *, both: bool,
) -> tuple[int, list[Array]]:  # fmt: skip
    """The order that is best on validation, of up to ``most``, and what its n-grams say of test.

    From the shortest on, an order is tried until one is no better.
    """
    best = (np.inf, 1)
    for order in range(min(LEAST_ORDER, most), most + 1):
        model = NGrams.fit(train.stream, symbols, order)
        loss = -float(np.sum(model.chances(validation.stream)[-1][1:]))
        if loss >= best[0]:
            break
        best = (loss, order)
    order = best[1]
    forward = said(train.stream, test.stream, symbols, order)
    backward = np.zeros_like(forward)
    if both:
        backward = said(train.stream[::-1], test.stream[::-1], symbols, order)[::-1]
    return order, test.rows(forward, backward)


def said(train: Ints, test: Ints, symbols: int, order: int) -> Array:
    """Log-probabilities ``[S]`` of the symbols of a stream, by n-grams of another."""
    return np.asarray(NGrams.fit(train, symbols, order).chances(test)[-1])
