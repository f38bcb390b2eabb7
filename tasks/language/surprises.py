"""Where a model was most surprised."""

from typing import Any

import numpy as np

from birnn.data.passages.split import PassageSplit
from birnn.data.passages.symbols import BORDER
from birnn.tasks.core.task import Predictions
from birnn.tasks.language.info import LanguageInfo

STRETCH, AROUND, MOST = 40, 30, 10  # symbols of a stretch, of what is shown beside it; stretches


def surprises(
    split: PassageSplit, predictions: Predictions, info: LanguageInfo
) -> list[dict[str, Any]]:
    """The stretches of :data:`STRETCH` symbols that cost most bits, one a passage, worst first."""
    found = []
    for i, row in enumerate(predictions):
        bits = -row[:, 0].astype(np.float64) / np.log(2)
        size = min(STRETCH, len(bits))
        sums = np.convolve(bits, np.ones(size), mode="valid")
        at = int(sums.argmax())
        found.append((float(sums[at]) / size, i, int(split.begin[i]) + at, size))
    worst = sorted(found, reverse=True)[:MOST]
    return [
        {"bits": bits, "passage": i + 1, "before": text_of(split, info, at - AROUND, at),
         "text": text_of(split, info, at, at + size),
         "after": text_of(split, info, at + size, at + size + AROUND)}
        for bits, i, at, size in worst
    ]  # fmt: skip


def text_of(split: PassageSplit, info: LanguageInfo, begin: int, end: int) -> str:
    """The text of a part of the stream; a border between documents is a new line."""
    parts = split.stream[max(begin, 0) : max(end, 0)]
    return "".join("\n" if n == BORDER else info.symbols.shown(int(n)) for n in parts)
