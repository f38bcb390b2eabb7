"""What a tagger keeps of the run that it begins from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from birnn.data.splits.provenance import normalise
from birnn.data.tags.batches import TagLexicon, TagSplit
from birnn.data.text.words import Lexicon
from birnn.errors import DataError
from birnn.tasks.core.beginning import Choice
from birnn.tasks.tagging.info import TagInfo
from birnn.tasks.tagging.options import TaggingConfig
from birnn.tasks.warm.carrying import Axes
from birnn.tasks.warm.start import ENCODER, WarmStart
from birnn.tasks.warm.words import grown


class TaggingStart(WarmStart[TaggingConfig, TagInfo, TagSplit]):
    """Rows of words, letters and affixes, and of tags with the moves between them, by name."""

    fixed: ClassVar = (
        *ENCODER, "word_size", "char_encoder", "char_size", "character_size", "affix_size", "case",
        "members",
    )  # fmt: skip
    refitted: ClassVar = "sharpness and span bonus"

    def config(self, config: TaggingConfig, info: TagInfo) -> TaggingConfig:
        """With as many networks."""
        config = super().config(config, info)
        return replace(config, model=replace(config.model, members=info.members))

    def merged(self, old: TagInfo, fresh: TagInfo, choice: Choice) -> TagInfo:
        """Tags of the new data, all else of both; what was once learned counts as seen."""
        how, before, after = choice.vocabulary, old.lexicon, fresh.lexicon
        words = grown(before.words.words, after.words.words, how)
        known = set(before.words.words) - before.singletons if how != "refit" else set()
        lexicon = TagLexicon(
            Lexicon(words, after.words.vector_words, 0), after.singletons - known,
            grown(before.characters, after.characters, how),
            grown(before.affixes, after.affixes, how),
        )  # fmt: skip
        merged = replace(fresh, lexicon=lexicon, members=old.members)
        if how == "refit":
            return merged
        rare = (old.rare | fresh.rare | set(after.words.words)) - set(words)
        spans = old.spans | fresh.spans if old.scheme != "raw" != fresh.scheme else fresh.spans
        return replace(merged, rare=rare, spans=spans)

    def axes(self, task: Any, info: TagInfo) -> Axes:
        """Words, letters, affixes, tags."""
        words, labels, lexicon = info.lexicon.words.words, info.labels, info.lexicon
        return {
            "embedder.words.weight": (words, None),
            "embedder.correction.weight": (words, None),
            "embedder.characters.table.weight": (lexicon.characters, None),
            "embedder.affixes.weight": (lexicon.affixes, None),
            "head.linear.weight": (labels, None),
            "head.linear.bias": (labels,),
            "head.chain.transitions": (labels, labels),
            "head.chain.start": (labels,),
            "head.chain.end": (labels,),
        }

    def names(self, info: TagInfo) -> Mapping[str, Sequence[str]]:
        """Tags and words."""
        return {"tags": info.labels, "words": info.lexicon.words.words}

    def lexicon(self, info: TagInfo) -> Lexicon:
        """Its words."""
        return info.lexicon.words

    def seen_by(self, task: Any, split: TagSplit, own: TagInfo, info: TagInfo) -> TagSplit:
        """The sentences again.

        Raises:
            DataError: one of the runs has spans, the other tags that each stand alone.
        """
        if (own.scheme == "raw") != (info.scheme == "raw"):
            raise DataError("one run predicts spans, the other tags that each stand alone")
        assert split.table is not None
        columns = [name for name in split.table.column_names if name != "tags"]
        made: TagSplit = task.split(split.table.select_columns(columns), info)
        return made

    def common(self, own: TagInfo, other: TagInfo) -> TagInfo:
        """The tags of both, its own first, in its own scheme."""
        return replace(own, labels=list(dict.fromkeys([*own.labels, *other.labels])))

    def spoken(self, predictions: Any, other: TagInfo, common: TagInfo) -> Any:
        """The same tags by their numbers there."""
        places = {label: i for i, label in enumerate(common.labels)}
        rows = [row.copy() for row in predictions]
        for row in rows:
            row[:, 0] = [places[other.labels[int(tag)]] for tag in row[:, 0]]
        return rows

    def content(self, split: TagSplit, info: TagInfo) -> Iterable[Any]:
        """Tokens and tags."""
        pairs = zip(split.column("tokens"), split.column("tags"), strict=True)
        return ((list(tokens), list(tags)) for tokens, tags in pairs)

    def items(self, split: TagSplit, info: TagInfo) -> Iterable[str]:
        """Sentences, without case."""
        return (normalise(" ".join(row)) for row in split.column("tokens"))
