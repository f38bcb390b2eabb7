"""What a tagger knows of its training split, and how a run folder keeps it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birnn.data.tags.batches import TagLexicon
from birnn.data.tags.conll import is_invisible
from birnn.data.tags.schemes import SCHEMES, label_set, spans
from birnn.data.tags.spelling import affixes, frequent
from birnn.data.text.tokenizers import build_vocabulary
from birnn.data.text.word_rows import packed
from birnn.data.text.words import Lexicon
from birnn.errors import brief
from birnn.storage.files import read_json
from birnn.tasks.core.context import Context, read_context
from birnn.tasks.core.options import MAX_MEMBERS
from birnn.tasks.core.stored import check_labels, check_strings, check_whole, stored
from birnn.tasks.core.task import Files
from birnn.tasks.tagging.options import TaggingParts
from birnn.tasks.tagging.spans import Tags, surface

if TYPE_CHECKING:
    from datasets import Dataset

    from birnn.data.text.vectors import VectorTable

RARE_CHARACTER, RARE_AFFIX = 2, 5  # letters and affixes that train has less often are unknown


@dataclass(frozen=True)
class TagInfo:
    """Labels, words, letters and spans of the training split."""

    labels: list[str]  # of the network: IOBES, or raw tags as they are
    scheme: str  # the user's own
    lexicon: TagLexicon
    rare: frozenset[str]  # train's words, in lower case, that have no row of their own
    spans: frozenset[tuple[str, str]]  # train's, as lower-cased surface and type
    vectors: "VectorTable | None"  # the values, at hand only while a model is being made
    vector_name: str
    vector_size: int
    members: int  # networks that are averaged
    context: Context | None = None  # the run whose states are features

    def with_context(self, context: Context | None) -> "TagInfo":
        """The same with the states of another run as features, if there is one."""
        if context is None:
            return self
        lexicon = replace(self.lexicon, speller=context.speller)
        return replace(self, lexicon=lexicon, context=context)

    @property
    def inner(self) -> str:
        """The scheme of ``labels``."""
        return "raw" if self.scheme == "raw" else "iobes"

    def files(self) -> Files:
        """``labels.json`` and ``vocabulary.json``."""
        lexicon = self.lexicon
        return {
            **(self.context.files() if self.context else {}),
            "labels.json": {"labels": self.labels, "scheme": self.scheme},
            "vocabulary.json": {
                "words": lexicon.words.words, "singletons": sorted(lexicon.singletons),
                "characters": lexicon.characters, "affixes": lexicon.affixes,
                "rare": sorted(self.rare), "spans": sorted(self.spans),
                "vectors": self.vector_name, "vector_size": self.vector_size,
                "vector_words": list(lexicon.words.vector_words), "members": self.members,
            },
        }  # fmt: skip


def learn_info(
    train: "Dataset", scheme: str, vectors: "VectorTable | None", model: TaggingParts, least: int
) -> TagInfo:
    """What the training split says: columns ``tokens`` and ``tags`` of ``train``.

    Of a token the parts that ``model`` uses are learned; words that train has less often than
    ``least`` share the row of unknown ones.
    """
    tokens, tags = train["tokens"][:], train["tags"][:]
    # What can't be seen is no word to know.
    shown = [[token for token in row if not is_invisible(token)] for row in tokens]
    words = build_vocabulary(([t.lower() for t in row] for row in shown), least)
    flat = [token for row in shown for token in row]
    counts = Counter(token.lower() for token in flat)
    characters = frequent((c for token in flat for c in token), RARE_CHARACTER)
    common = frequent((a for token in flat for a in affixes(token)), RARE_AFFIX)
    lexicon = TagLexicon(
        Lexicon(words, vectors.words if vectors else [], 0),
        frozenset(word for word, count in counts.items() if count == 1),
        characters if model.char_encoder != "none" and model.char_size else [],
        common if model.affix_size else [],
    )
    return TagInfo(
        label_set(tags, "raw" if scheme == "raw" else "iobes"), scheme, lexicon,
        frozenset(word for word, count in counts.items() if count < least),
        surfaces(tokens, tags, scheme), vectors,
        vectors.name if vectors else "none",
        vectors.values.shape[1] if vectors else 0,
        model.members or auto_members(len(train)),
    )  # fmt: skip


def auto_members(sentences: int) -> int:
    """How many networks are averaged: the smaller the training split, the more it helps."""
    return 3 if sentences <= 5_000 else 2 if sentences <= 20_000 else 1


def surfaces(tokens: Tags, tags: Tags, scheme: str) -> frozenset[tuple[str, str]]:
    """The spans of sentences as lower-cased surface and type."""
    return frozenset(
        (surface(row, span), span.label)
        for row, own in zip(tokens, tags, strict=True)
        for span in spans(own, scheme)
    )


def read_tag_info(folder: Path) -> TagInfo:
    """Restore what :meth:`TagInfo.files` wrote.

    Raises:
        CheckpointError: a file is missing or is not what it should be.
    """
    tags, vocabulary = read_json(folder / "labels.json"), read_json(folder / "vocabulary.json")
    with stored(folder, "vocabulary or labels are"):
        info = _parse(tags, vocabulary)
    return info.with_context(read_context(folder))


def _parse(tags: Mapping[str, Any], kept: Mapping[str, Any]) -> TagInfo:
    if tags["scheme"] not in SCHEMES:
        raise ValueError(f"scheme {brief(tags['scheme'])}")
    check_labels(tags["labels"], least=1)
    check_strings("words", kept["words"], 2)
    for name in ("characters", "affixes", "singletons", "vector_words", "rare"):
        check_strings(name, kept[name], 0)
    size = check_whole("vector_size", kept["vector_size"], 0, 10_000)
    members = check_whole("members", kept["members"], 1, MAX_MEMBERS)
    words = Lexicon(kept["words"], packed(kept["vector_words"]), 0)
    singletons = frozenset(kept["singletons"])
    return TagInfo(
        tags["labels"], tags["scheme"],
        TagLexicon(words, singletons, kept["characters"], kept["affixes"]),
        frozenset(kept["rare"]),
        frozenset((str(surface), str(kind)) for surface, kind in kept["spans"]),
        None, str(kept["vectors"]), size, members,
    )  # fmt: skip
