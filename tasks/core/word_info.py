"""What a simple task of texts knows of its training split: its labels and its words."""

from dataclasses import dataclass
from pathlib import Path

from birnn.storage.files import read_json
from birnn.tasks.core.stored import check_labels, check_strings, stored
from birnn.tasks.core.task import Files


@dataclass(frozen=True)
class WordInfo:
    """Labels, and words with ``<pad>`` and ``<unk>`` first."""

    labels: list[str]
    words: list[str]

    def files(self) -> Files:
        """``labels.json`` and ``vocabulary.json``."""
        return {"labels.json": self.labels, "vocabulary.json": {"words": self.words}}


def read_word_info(folder: Path) -> WordInfo:
    """Restore what :meth:`WordInfo.files` wrote.

    Raises:
        CheckpointError: a file is missing or is not what it should be.
    """
    labels, vocabulary = read_json(folder / "labels.json"), read_json(folder / "vocabulary.json")
    with stored(folder, "vocabulary or labels are"):
        check_labels(labels, least=2)
        check_strings("words", vocabulary["words"], least=2)
        return WordInfo(labels, vocabulary["words"])
