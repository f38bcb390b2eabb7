"""What a translator keeps of the run that it begins from."""

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any

from birnn.data.pairs.batches import PairSplit
from birnn.data.splits.provenance import normalise
from birnn.tasks.core.beginning import Choice
from birnn.tasks.translate.info import TranslateInfo
from birnn.tasks.translate.options import TranslateConfig
from birnn.tasks.warm.carrying import Axes
from birnn.tasks.warm.start import ENCODER, WarmStart


class TranslateStart(WarmStart[TranslateConfig, TranslateInfo, PairSplit]):
    """Its pieces, with all that was learned of them: new texts are cut into the old pieces."""

    fixed = (
        *ENCODER, "decoder", "attention", "coverage", "word_size", "decoder_size", "tied", "units",
        "joint",
    )  # fmt: skip

    def merged(self, old: TranslateInfo, fresh: TranslateInfo, choice: Choice) -> TranslateInfo:
        """The old pieces."""
        return old

    def axes(self, task: Any, info: TranslateInfo) -> Axes:
        """No tensor's size depends on the new data."""
        return {}

    def seen_by(
        self, task: Any, split: PairSplit, own: TranslateInfo, info: TranslateInfo
    ) -> PairSplit:
        """The same texts, cut into the pieces of the other run."""
        return replace(split, source_pieces=info.source, target_pieces=info.target)

    def content(self, split: PairSplit, info: TranslateInfo) -> Iterator[Any]:
        """Sources with their targets."""
        return zip(split.sources, split.targets or (), strict=True)

    def items(self, split: PairSplit, info: TranslateInfo) -> Iterator[Hashable]:
        """Sources, without case and spacing."""
        return map(normalise, split.sources)
