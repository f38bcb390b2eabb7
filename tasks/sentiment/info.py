"""What a sentence classifier knows of its training split, and how a run folder keeps it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birnn.data.text.ngrams import NgramTable
from birnn.data.text.word_rows import packed
from birnn.data.text.words import Lexicon
from birnn.storage.files import read_json
from birnn.tasks.core.context import Context, read_context
from birnn.tasks.core.options import MAX_MEMBERS
from birnn.tasks.core.stored import check_labels, check_strings, check_whole, stored
from birnn.tasks.core.task import Files
from birnn.tasks.sentiment.options import SentimentParts

if TYPE_CHECKING:
    from birnn.data.text.vectors import VectorTable


@dataclass(frozen=True)
class TextInfo:
    """Labels, words and n-grams of the training split."""

    labels: list[str]
    lexicon: Lexicon
    ngrams: NgramTable | None
    vectors: "VectorTable | None"  # the values, at hand only while a model is being made
    vector_name: str
    vector_size: int
    members: int  # networks that are averaged
    context: Context | None = None  # the run whose states are features

    def files(self) -> Files:
        """``labels.json``, ``vocabulary.json`` and, with a wide part, ``ngrams.json``."""
        vocabulary = {"words": self.lexicon.words, "vectors": self.vector_name,
                      "vector_size": self.vector_size, "members": self.members,
                      "vector_words": list(self.lexicon.vector_words)}  # fmt: skip
        files: Files = {
            **(self.context.files() if self.context else {}),
            "labels.json": self.labels,
            "vocabulary.json": vocabulary,
        }
        if self.ngrams:
            files["ngrams.json"] = ngram_counts(self.ngrams)
        return files


def ngram_counts(table: NgramTable) -> dict[str, Any]:
    """The table as JSON: how many texts there are, and how many hold each n-gram."""
    return {"texts": table.texts, "words": table.words, "chars": table.chars}


def read_text_info(folder: Path, model: SentimentParts) -> TextInfo:
    """Restore what :meth:`TextInfo.files` wrote.

    Raises:
        CheckpointError: a file is missing or is not what it should be.
    """
    labels, vocabulary = read_json(folder / "labels.json"), read_json(folder / "vocabulary.json")
    with stored(folder, "vocabulary or labels are"):
        check_labels(labels, least=2)
        check_strings("words", vocabulary["words"], least=2)
        check_strings("vector_words", vocabulary["vector_words"], least=0)
        size = check_whole("vector_size", vocabulary["vector_size"], 0, 10_000)
        members = check_whole("members", vocabulary["members"], 1, MAX_MEMBERS)
        name, ngrams = str(vocabulary["vectors"]), None
        if model.wide:
            table = read_json(folder / "ngrams.json")
            for kind in ("words", "chars"):
                _check_counts(table[kind], table["texts"])
            ngrams = NgramTable(table["texts"], table["words"], table["chars"])
    buckets = model.gram_buckets if model.gram_size else 0
    lexicon = Lexicon(vocabulary["words"], packed(vocabulary["vector_words"]), buckets)
    return TextInfo(labels, lexicon, ngrams, None, name, size, members,
                    read_context(folder))  # fmt: skip


def _check_counts(table: Any, texts: Any) -> None:
    check_whole("texts", texts, 1, 10**12)
    if not isinstance(table, dict):
        raise ValueError("ngrams.json does not hold counts")
    counts = table.values()
    whole = {*map(type, counts)} <= {int}
    if counts and not (whole and min(counts) >= 1 and max(counts) <= texts):
        raise ValueError("a count in ngrams.json is not a number of texts")
