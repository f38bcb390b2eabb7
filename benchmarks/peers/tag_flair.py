"""The tagger by Flair: SequenceTagger over OneHotEmbeddings, trained by its ModelTrainer."""

import logging
import tempfile
from pathlib import Path
from typing import Any

import flair  # type: ignore[import-not-found]
import torch
from ewt import BATCH, CLIP, DROPOUT, FEWEST, HIDDEN, LEARNING_RATE, WORD_SIZE, measure, split
from flair.data import Corpus, Sentence  # type: ignore[import-not-found]
from flair.datasets import FlairDatapointDataset  # type: ignore[import-not-found]
from flair.embeddings import OneHotEmbeddings  # type: ignore[import-not-found]
from flair.models import SequenceTagger  # type: ignore[import-not-found]
from flair.trainers import ModelTrainer  # type: ignore[import-not-found]
from flair.trainers.plugins.base import TrainingInterrupt  # type: ignore[import-not-found]
from measuring import Clock

LABEL, FOUND = "upos", "found"  # gold tags, predicted tags


class Flair:
    """A SequenceTagger. No dev split: its trainer would score it between epochs."""

    name = "Flair"
    version = flair.__version__

    def __init__(self, folder: Path, seed: int) -> None:
        logging.getLogger("flair").setLevel(logging.ERROR)
        flair.set_seed(seed)
        sentences = []
        for words, tags in split(folder, "train"):
            sentence = Sentence(words)
            for token, tag in zip(sentence, tags, strict=True):
                token.add_label(LABEL, tag)
            sentences.append(sentence)
        self.corpus = Corpus(
            train=FlairDatapointDataset(sentences), dev=None, test=None, sample_missing_splits=False
        )
        self.tagger = SequenceTagger(
            OneHotEmbeddings.from_corpus(self.corpus, min_freq=FEWEST, embedding_length=WORD_SIZE),
            self.corpus.make_label_dictionary(LABEL),
            LABEL,
            hidden_size=HIDDEN,
            rnn_layers=1,
            use_crf=True,
            reproject_embeddings=False,
            dropout=DROPOUT,
            word_dropout=0.0,
            locked_dropout=0.0,
        )

    def train(self, clock: Clock) -> None:
        """ModelTrainer's own loop, nothing saved; a hook looks at the clock."""
        trainer = ModelTrainer(self.tagger, self.corpus)

        def begin(**_: Any) -> None:
            if not clock.steps:
                clock.start()

        def look(batch: list[Any], **_: Any) -> None:
            if clock.tick(sum(map(len, batch))):
                raise TrainingInterrupt("time is up")

        trainer.register_hook(begin, "before_training_epoch")
        trainer.register_hook(look, "after_training_batch")
        with tempfile.TemporaryDirectory() as folder:
            trainer.train_custom(
                Path(folder),
                learning_rate=LEARNING_RATE,
                mini_batch_size=BATCH,
                max_epochs=1000,
                optimizer=torch.optim.Adam,
                max_grad_norm=CLIP,
                use_final_model_for_eval=True,
                save_final_model=False,
                create_file_logs=False,
                create_loss_file=False,
                embeddings_storage_mode="none",
            )

    def tag(self, sentences: list[list[str]]) -> list[list[str]]:
        """Words in, tags out, through Flair's sentences; it sorts by length itself."""
        rows = [Sentence(words) for words in sentences]
        self.tagger.predict(rows, mini_batch_size=BATCH, label_name=FOUND)
        return [[token.get_label(FOUND).value for token in row] for row in rows]


if __name__ == "__main__":
    measure(Flair)
