"""What a recogniser keeps of the run that it begins from."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from birnn.data.audio.batches import SoundSplit
from birnn.errors import DataError
from birnn.tasks.core.beginning import Choice
from birnn.tasks.speech.info import SpeechInfo
from birnn.tasks.speech.options import SpeechConfig
from birnn.tasks.warm.carrying import Axes
from birnn.tasks.warm.start import ENCODER, WarmStart
from birnn.tasks.warm.words import grown


class SpeechStart(WarmStart[SpeechConfig, SpeechInfo, SoundSplit]):
    """Convolutions and encoder, and rows of symbols or labels by name.

    A run that reads texts can begin one of labels, and the other way: the head is new then.
    """

    fixed: ClassVar = (
        *ENCODER, "channels", "subsampling", "deltas", "front_size", "mels", "window", "hop",
    )  # fmt: skip

    def config(self, config: SpeechConfig, info: SpeechInfo) -> SpeechConfig:
        """With frames of the same rate."""
        config = super().config(config, info)
        return replace(config, data=replace(config.data, sample_rate=info.features.rate))

    def merged(self, old: SpeechInfo, fresh: SpeechInfo, choice: Choice) -> SpeechInfo:
        """Labels of the new data; symbols of both, or of one."""
        if fresh.single or old.single or fresh.spaced != old.spaced:
            return fresh
        return replace(fresh, labels=grown(old.labels, fresh.labels, choice.vocabulary))

    def axes(self, task: Any, info: SpeechInfo) -> Axes:
        """Symbols, or labels."""
        return {"head.linear.weight": (info.labels, None), "head.linear.bias": (info.labels,)}

    def names(self, info: SpeechInfo) -> Mapping[str, Sequence[str]]:
        """Symbols, or labels."""
        return {"labels" if info.single else "symbols": info.labels}

    def seen_by(
        self, task: Any, split: SoundSplit, own: SpeechInfo, info: SpeechInfo
    ) -> SoundSplit:
        """The same recordings, without what is said in them.

        Raises:
            DataError: frames are others, or one has labels and the other texts.
        """
        if own.features != info.features:
            raise DataError("the runs have other frames")
        if (own.single, own.spaced) != (info.single, info.spaced):
            raise DataError("one run gives labels, or symbols with spaces between, the other not")
        split = replace(split, targets=None, speakers=None)
        return split.by_speaker() if task.config.data.normalise == "speaker" else split

    def common(self, own: SpeechInfo, other: SpeechInfo) -> SpeechInfo:
        """The labels, or symbols, of both, its own first."""
        return replace(own, labels=list(dict.fromkeys([*own.labels, *other.labels])))

    def spoken(self, predictions: Any, other: SpeechInfo, common: SpeechInfo) -> Any:
        """By their numbers in ``common``; of a label that the model doesn't know, 0."""
        places = np.array([common.labels.index(label) for label in other.labels])
        if other.single:
            shares = np.zeros((len(predictions), len(common.labels)), dtype=np.float32)
            shares[:, places] = np.stack(list(predictions))
            return list(shares)
        return [
            np.column_stack([places[row[:, 0].astype(int)], row[:, 1:]]).astype(np.float32)
            for row in predictions
        ]

    def content(self, split: SoundSplit, info: SpeechInfo) -> Iterator[Any]:
        """Names, frames and what is said."""
        for row, length in zip(split.recordings, split.lengths.tolist(), strict=True):
            yield row.name, length, row.text

    def items(self, split: SoundSplit, info: SpeechInfo) -> Iterator[Hashable]:
        """Lengths and mean levels, whatever a file is called.

        Rounded, as processors differ in the last bits of a spectrum.
        """
        for item, length in enumerate(split.lengths.tolist()):
            levels = split.one(item).mean(0, dtype=np.float64)
            yield length, *np.round(levels, 2).tolist()
