"""What a sentence classifier keeps of the run that it begins from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from birnn.data.splits.provenance import normalise
from birnn.data.text.batches import TextSplit
from birnn.data.text.words import Lexicon
from birnn.tasks.core.beginning import Choice
from birnn.tasks.sentiment.info import TextInfo
from birnn.tasks.sentiment.options import SentimentConfig
from birnn.tasks.warm.carrying import Axes
from birnn.tasks.warm.start import ENCODER, WarmStart
from birnn.tasks.warm.words import grown


class SentimentStart(WarmStart[SentimentConfig, TextInfo, TextSplit]):
    """Rows of words and of classes, by name; the linear part has no weights to begin from."""

    fixed: ClassVar = (*ENCODER, "word_size", "gram_size", "gram_buckets", "pooling", "members")
    refitted: ClassVar = "linear part and mix"

    def config(self, config: SentimentConfig, info: TextInfo) -> SentimentConfig:
        """With as many networks."""
        config = super().config(config, info)
        return replace(config, model=replace(config.model, members=info.members))

    def merged(self, old: TextInfo, fresh: TextInfo, choice: Choice) -> TextInfo:
        """Classes and n-grams of the new data, words of both."""
        words = grown(old.lexicon.words, fresh.lexicon.words, choice.vocabulary)
        lexicon = Lexicon(words, fresh.lexicon.vector_words, fresh.lexicon.buckets)
        return replace(fresh, lexicon=lexicon, members=old.members)

    def axes(self, task: Any, info: TextInfo) -> Axes:
        """Words and classes."""
        words, labels = info.lexicon.words, info.labels
        return {
            "embedder.words.weight": (words, None),
            "embedder.correction.weight": (words, None),
            "head.linear.weight": (labels, None),
            "head.linear.bias": (labels,),
        }

    def names(self, info: TextInfo) -> Mapping[str, Sequence[str]]:
        """Classes and words."""
        return {"classes": info.labels, "words": info.lexicon.words}

    def lexicon(self, info: TextInfo) -> Lexicon:
        """Its words."""
        return info.lexicon

    def seen_by(self, task: Any, split: TextSplit, own: TextInfo, info: TextInfo) -> TextSplit:
        """The texts again, without their labels."""
        made: TextSplit = task.rows({"text": split.table["text"][:]}, info)
        return made

    def common(self, own: TextInfo, other: TextInfo) -> TextInfo:
        """The classes of both, its own first."""
        return replace(own, labels=list(dict.fromkeys([*own.labels, *other.labels])))

    def spoken(self, predictions: Any, other: TextInfo, common: TextInfo) -> Any:
        """Probabilities of all classes; of one that the model doesn't know, 0."""
        places = [common.labels.index(label) for label in other.labels]
        shares = np.zeros((len(predictions), len(common.labels)), dtype=np.float32)
        shares[:, places] = np.stack(list(predictions))
        return list(shares)

    def content(self, split: TextSplit, info: TextInfo) -> Iterable[Any]:
        """Texts and labels."""
        assert split.targets is not None
        labels = [info.labels[number] for number in split.targets]
        return zip(split.table["text"][:], labels, strict=True)

    def items(self, split: TextSplit, info: TextInfo) -> Iterable[str]:
        """Texts, without case and spacing."""
        return map(normalise, split.table["text"][:])
