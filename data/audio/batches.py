"""Recordings as batches of log-mel frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from birnn.arrays import Array, Ints
from birnn.data.audio.recordings import Recording
from birnn.nn.batch import Batch


@dataclass(frozen=True)
class SoundSplit:
    """``N`` recordings; to train and score, with numbers of what is said."""

    recordings: Sequence[Recording]  # without their samples
    frames: Array  # [sum T, M] float32 log-mel
    lengths: Ints  # [N] frames
    targets: Sequence[Array] | None = None  # of each, the numbers of its symbols, or of its label
    single: bool = False  # whether a target is one label
    speakers: tuple[Array, Array] | None = None  # [N, M] mean and deviation of each one's speaker

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def starts(self) -> Ints:
        """``[N]``: where a recording's frames begin."""
        return np.asarray(np.cumsum(self.lengths) - self.lengths)

    def one(self, item: int) -> Array:
        """The frames ``[T, M]`` of a recording."""
        start = int(self.starts[item])
        return self.frames[start : start + int(self.lengths[item])]

    def select(self, items: Ints) -> "SoundSplit":
        """Some of the recordings."""
        frames = [self.one(int(item)) for item in items]
        targets = None if self.targets is None else [self.targets[int(i)] for i in items]
        speakers = self.speakers and (self.speakers[0][items], self.speakers[1][items])
        return replace(
            self, recordings=[self.recordings[int(i)] for i in items],
            frames=np.concatenate(frames), lengths=self.lengths[items], targets=targets,
            speakers=speakers,
        )  # fmt: skip

    def by_speaker(self) -> "SoundSplit":
        """With the mean and deviation of all frames of each one's speaker in this split.

        A recording whose speaker is not known has its own.
        """
        bands = self.frames.shape[1]
        mean, deviation = (np.empty((len(self), bands), np.float32) for _ in range(2))
        groups: dict[object, list[int]] = {}
        for item, row in enumerate(self.recordings):
            groups.setdefault(row.speaker or item, []).append(item)
        for items in groups.values():
            count = int(self.lengths[items].sum())
            first = sum(self.one(i).sum(0, dtype=np.float64) for i in items) / count
            second = sum(np.square(self.one(i) - first).sum(0) for i in items) / count
            mean[items], deviation[items] = first, np.sqrt(second)
        return replace(self, speakers=(mean, deviation))

    def batch(self, indices: Ints) -> Batch:
        """The recordings, padded; ``target_lengths [B]`` where they are texts."""
        lengths = self.lengths[indices]
        features = np.zeros((len(indices), int(lengths.max()), self.frames.shape[1]), np.float32)
        for place, item in enumerate(indices):
            features[place, : lengths[place]] = self.one(int(item))
        inputs = {"features": torch.from_numpy(features)}
        if self.speakers is not None:
            for name, rows in zip(("shift", "scale"), self.speakers, strict=True):
                inputs[name] = torch.from_numpy(rows[indices])
        targets = None
        if self.targets is not None:
            own = [self.targets[int(item)] for item in indices]
            if self.single:
                targets = torch.from_numpy(np.array([row[0] for row in own], dtype=np.int64))
            else:
                sizes = np.array([len(row) for row in own], dtype=np.int64)
                padded = np.zeros((len(own), int(sizes.max(initial=1))), dtype=np.int64)
                for place, row in enumerate(own):
                    padded[place, : len(row)] = row
                inputs["target_lengths"] = torch.from_numpy(sizes)
                targets = torch.from_numpy(padded)
        return Batch(inputs, torch.from_numpy(lengths.astype(np.int64)), targets)
