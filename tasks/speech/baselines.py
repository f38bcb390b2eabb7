"""Simple models beside the network: the most frequent text, and the nearest recording of train."""

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np

from birnn.arrays import Array, Ints
from birnn.data.audio.batches import SoundSplit
from birnn.progress import tell
from birnn.tasks.core.task import Baseline
from birnn.tasks.speech.goals import known_targets
from birnn.tasks.speech.info import SpeechInfo

SEGMENTS = 12  # of which frames are averaged
TEMPLATES = 3000  # recordings of train that are compared with, at most
COEFFICIENTS = 13  # of a cosine transform of the bands, without the first, loudness


def most_frequent(data: Any) -> Baseline:
    """What train says most often, whatever is heard."""
    info, train, test = data.info, data.splits["train"], data.splits["test"]
    text, _ = Counter(row.text for row in train.recordings).most_common(1)[0]
    answer = as_prediction(info.targets([text])[0], info)
    label = f"the most frequent {'label' if info.single else 'text'}"
    return Baseline("most_frequent", label, [answer] * len(test), {"text": text})


def nearest(data: Any) -> Baseline:
    """The text or label of the nearest recording of train, by dynamic time warping."""
    info, train, test = data.info, data.splits["train"], data.splits["test"]
    chosen = np.arange(len(train))
    if len(train) > TEMPLATES:
        chosen = np.sort(np.random.default_rng(0).permutation(len(train))[:TEMPLATES])
    templates = segment_means(train, chosen)
    targets, answers = known_targets(train), []
    for item, own in enumerate(segment_means(test, np.arange(len(test)))):
        if not item % 20:
            tell("nearest recordings", item / len(test))
        best = int(chosen[warped_distances(own, templates).argmin()])
        answers.append(as_prediction(targets[best], info))
    settings = {"segments": SEGMENTS, "templates": len(chosen)}
    return Baseline("nearest", "nearest recording (time warping)", answers, settings)


def as_prediction(target: Array, info: SpeechInfo) -> Array:
    """Numbers of symbols, or of a label, as the network predicts them."""
    if info.single:
        shares = np.zeros(len(info.labels), dtype=np.float32)
        shares[int(target[0])] = 1.0
        return shares
    rows = np.zeros((len(target), 4), dtype=np.float32)
    rows[:, 0] = target
    return rows


def segment_means(split: SoundSplit, items: Ints) -> Array:
    """``[N, S, C]``: cepstra of the means of ``S`` stretches of equal length of each recording."""
    from scipy.fft import dct

    means = np.empty((len(items), SEGMENTS, split.frames.shape[1]), dtype=np.float32)
    for place, item in enumerate(items):
        frames = split.one(int(item))
        borders = np.linspace(0, len(frames), SEGMENTS + 1)
        for segment, (start, end) in enumerate(pairwise(borders)):
            first = min(int(start), len(frames) - 1)
            means[place, segment] = frames[first : max(first + 1, int(np.ceil(end)))].mean(0)
    cepstra = dct(means, norm="ortho", axis=-1)[..., 1 : 1 + COEFFICIENTS]
    return np.asarray(cepstra - cepstra.mean(1, keepdims=True))


def warped_distances(one: Array, many: Array) -> Array:
    """``[N]`` distances of ``one [S, C]`` to each of ``many [N, S, C]`` by dynamic time warping.

    The least sum of Euclidean distances along a path that moves on in one, the other, or both
    (Sakoe & Chiba 1978).
    """
    squares = np.square(one).sum(-1)[None, :, None] + np.square(many).sum(-1)[:, None]
    costs = np.sqrt(np.maximum(squares - 2 * np.einsum("ic,njc->nij", one, many), 0.0))
    count, rows, columns = costs.shape
    best = np.full((rows + 1, columns + 1, count), np.inf)
    best[0, 0] = 0.0
    for i in range(rows):
        for j in range(columns):
            before = np.minimum(np.minimum(best[i, j + 1], best[i + 1, j]), best[i, j])
            best[i + 1, j + 1] = costs[:, i, j] + before
    return np.asarray(best[rows, columns])
