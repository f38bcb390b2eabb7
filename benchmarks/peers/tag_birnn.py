"""The tagger by this library: its task, its loop, its decoder."""

from pathlib import Path

from ewt import BATCH, CLIP, DROPOUT, FEWEST, HIDDEN, LEARNING_RATE, WORD_SIZE, measure
from measuring import Clock
from ours import VERSION, train

from birnn.config import from_dict
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.tagging.options import TaggingConfig
from birnn.tasks.tagging.serve import tag_sentences
from birnn.tasks.tagging.task import Tagging

EPOCHS = 60  # more than the time allows


def config(folder: Path, seed: int) -> TaggingConfig:
    """Words alone, one network, a constant rate."""
    values = {
        "data": {"data": str(folder), "vectors": "none", "min_frequency": FEWEST},
        "model": {
            "members": 1, "word_size": WORD_SIZE, "char_encoder": "none", "affix_size": 0,
            "case": False, "singleton_dropout": 0.0, "word_dropout": 0.0,
            "embedding_dropout": DROPOUT, "embedding_locked_dropout": 0.0, "head_dropout": DROPOUT,
        },
        "encoder": {
            "encoder": "bilstm", "hidden_size": HIDDEN, "layers": 1,
            "dropout": 0.0, "locked_dropout": 0.0,
        },
        "train": {
            "epochs": EPOCHS, "batch_size": BATCH, "batch_tokens": 1_000_000, "patience": 0,
            "learning_rate": LEARNING_RATE, "weight_decay": 0.0, "beta2": 0.999,
            "schedule": "constant", "warmup": 0.0, "clip_norm": CLIP, "ema": 0.0, "seed": seed,
        },
    }  # fmt: skip
    return from_dict(TaggingConfig, values)


class Ours:
    """The tagging task."""

    name = "birnn"
    version = VERSION

    def __init__(self, folder: Path, seed: int) -> None:
        self.task = Tagging(config(folder, seed))
        self.data = self.task.load()

    def train(self, clock: Clock) -> None:
        """The library's loop."""
        self.model = train(self.task, self.data, clock, lambda batch: int(batch.lengths.sum()))

    def tag(self, sentences: list[list[str]]) -> list[list[str]]:
        """As a loaded run answers."""
        run = LoadedRun(Path(), self.task, self.data.info, self.model)
        return tag_sentences(run, sentences)


if __name__ == "__main__":
    measure(Ours)
