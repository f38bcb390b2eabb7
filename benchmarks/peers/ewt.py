"""The tagger that every system trains, on EWT's parts of speech, and how it is measured.

One bidirectional LSTM layer of 256 units a direction over trained word vectors of 300, a linear
layer and a CRF. Words in lower case; those that train has fewer than three times share a vector.
Dropout of vectors and states, Adam at a constant rate, gradients clipped, 32 sentences a batch.
"""

from pathlib import Path
from typing import NamedTuple, Protocol

from measuring import PASSES, Clock, milliseconds, options, say, seconds_of

WORD_SIZE, HIDDEN, BATCH = 300, 256, 32
FEWEST = 3
DROPOUT = 0.3
LEARNING_RATE, CLIP = 2e-3, 5.0
SINGLE = 20  # tokens of the sentence that is tagged alone
PART = 256  # sentences that are tagged before the clock runs


class Sentence(NamedTuple):
    """Words, in lower case, and their parts of speech."""

    words: list[str]
    tags: list[str]


class Tagger(Protocol):
    """A system under measurement, its data read and its model made."""

    name: str
    version: str

    def train(self, clock: Clock) -> None:
        """Train until the clock says that it is enough."""

    def tag(self, sentences: list[list[str]]) -> list[list[str]]:
        """The tags of sentences of words, 32 of them in a batch."""


def read(path: Path) -> list[Sentence]:
    """The sentences of a CoNLL-U file; words alone, neither ranges (3-4) nor empty nodes (3.1)."""
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if not line.startswith("#")]
        rows = [row for row in rows if row[0].isdigit()]
        if rows:
            found.append(Sentence([row[1].lower() for row in rows], [row[3] for row in rows]))
    return found


def split(folder: Path, name: str) -> list[Sentence]:
    """The sentences of train, dev or test of a treebank's folder."""
    [path] = folder.glob(f"*-{name}.conllu")
    return read(path)


def accuracy(test: list[Sentence], found: list[list[str]]) -> float:
    """The share of tokens with the right tag."""
    pairs = zip(test, found, strict=True)
    right = sum(a == b for s, tags in pairs for a, b in zip(s.tags, tags, strict=True))
    return right / sum(len(sentence.tags) for sentence in test)


def measure(make: type[Tagger]) -> None:
    """Train a system, tag the test split and a single sentence, and print what was found.

    Args:
        make: called with the treebank's folder and the seed.
    """
    given = options()
    test = split(given.data, "test")
    words = [sentence.words for sentence in test]
    single = next(row for row in words if len(row) == SINGLE)
    system = make(given.data, given.seed)  # type: ignore[call-arg]
    clock = Clock(given.seconds, given.warm)
    system.train(clock)
    system.tag(words[:PART])
    tags: list[list[str]] = []

    def tag_all() -> None:
        tags[:] = system.tag(words)

    seconds = seconds_of(tag_all, PASSES)
    found = {
        **clock.report(),
        "predict_per_second": sum(map(len, words)) / seconds,
        "latency_ms": milliseconds(lambda: system.tag([single]), given.repeats),
        "accuracy": accuracy(test, tags),
    }
    say(system.name, system.version, found)
