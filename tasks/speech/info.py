"""What a speech run knows of its training split, and how its folder keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from birnn.arrays import Array
from birnn.data.audio.features import FeatureOptions
from birnn.storage.files import read_json
from birnn.tasks.core.stored import MAX_LABELS, check_strings, check_whole, stored
from birnn.tasks.core.task import Files

BLANK = ""  # symbol number 0 of texts: nothing is said
UNKNOWN = -1  # the number of a symbol that train has not


@dataclass(frozen=True)
class SpeechInfo:
    """Labels, or symbols of texts, and how a sound becomes frames."""

    labels: list[str]  # of the network's outputs; of texts the blank first
    features: FeatureOptions
    spaced: bool  # whether the symbols of a text have spaces between them
    single: bool  # whether a recording has one label
    words: list[str]  # of train's texts

    def files(self) -> Files:
        """``sound.json``."""
        own = self.features
        return {
            "sound.json": {
                "labels": self.labels, "rate": own.rate, "mels": own.mels, "window": own.window,
                "hop": own.hop, "spaced": self.spaced, "single": self.single,
                "words": self.words,
            }
        }  # fmt: skip

    def symbols(self, text: str) -> list[str]:
        """What the network reads of a text."""
        if self.single:
            return [text]
        return text.split() if self.spaced else list(text)

    def text(self, numbers: Sequence[int]) -> str:
        """The text of symbols by their numbers."""
        return (" " if self.spaced else "").join(self.labels[number] for number in numbers)

    def targets(self, texts: Sequence[str]) -> list[Array]:
        """The numbers of each text's symbols, without those that train has not.

        A label that train has not is :data:`UNKNOWN`.
        """
        places = {symbol: i for i, symbol in enumerate(self.labels)}
        rows = ([places.get(symbol, UNKNOWN) for symbol in self.symbols(text)] for text in texts)
        kept = (row if self.single else [n for n in row if n != UNKNOWN] for row in rows)
        return [np.array(row, dtype=np.int64) for row in kept]


def learned(
    texts: Sequence[str], features: FeatureOptions, *, spaced: bool, single: bool
) -> SpeechInfo:
    """What the texts of train hold: their labels, or their symbols, in alphabetical order."""
    bare = SpeechInfo([], features, spaced, single, [])
    found = sorted({symbol for text in texts for symbol in bare.symbols(text)})
    words = [] if single else sorted({word for text in texts for word in text.split()})
    return SpeechInfo(found if single else [BLANK, *found], features, spaced, single, words)


def read_info(folder: Path) -> SpeechInfo:
    """Restore what :meth:`SpeechInfo.files` wrote.

    Raises:
        CheckpointError: a file is missing or is not what it should be.
    """
    kept = read_json(folder / "sound.json")
    with stored(folder, "symbols or features are"):
        check_strings("labels", kept["labels"], 1)
        if len(kept["labels"]) > MAX_LABELS or any(type(kept[n]) is not bool for n in FLAGS):
            raise ValueError("too many labels, or a flag that is none")
        rate = check_whole("rate", kept["rate"], 100, 192_000)
        mels = check_whole("mels", kept["mels"], 4, 256)
        window, hop = float(kept["window"]), float(kept["hop"])
        if not (0.002 <= window <= 1 and 0.001 <= hop <= 1):
            raise ValueError("window or hop is out of bounds")
        features = FeatureOptions(rate, mels, window, hop)
        check_strings("words", kept["words"], 0)
        spaced, single = (kept[name] for name in FLAGS)
        return SpeechInfo(kept["labels"], features, spaced, single, kept["words"])


FLAGS = ("spaced", "single")
