"""Language modelling: two one-way models, trained together over a stream of symbols."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from birnn.arrays import Array, Ints
from birnn.config import TrainConfig
from birnn.data.passages.split import PassageSplit
from birnn.data.passages.symbols import UNKNOWN, Characters
from birnn.data.tables.dialect import ReadOptions
from birnn.errors import ConfigError, DataError
from birnn.nn.batch import Batch
from birnn.nn.one_way.model import LanguageModel, LanguageSizes, Predicted, asked_symbols
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.core.task import (
    Baseline,
    LoadedSplit,
    Predictions,
    Record,
    Task,
    TaskData,
)
from birnn.tasks.language.info import LanguageInfo, read_language_info
from birnn.tasks.language.options import LanguageConfig
from birnn.tasks.language.scores import PassageSums
from birnn.training.losses import LossSum

if TYPE_CHECKING:
    from torch import nn

    from birnn.data.passages.documents import Documents
    from birnn.training.loop import Batches

SHOWN = 300  # characters of a passage in a report


class Language(Task[LanguageConfig, LanguageInfo, PassageSplit]):
    """Each symbol from those before it and, by a second model, from those after it."""

    name = "language"
    unit, length_unit = "passages", "symbols"
    monitors = ("nats", "bits_per_character")
    headline = ("bits_per_character",)

    def load(self) -> TaskData[LanguageInfo, PassageSplit]:
        """Read the documents, split them, and learn the symbols of train."""
        from birnn.data.passages.documents import split_documents

        options = self.config.data
        read = self.read(options.data)
        shares = {"test": options.test_share, "validation": options.validation_share}
        texts, cuts = split_documents(read.splits, shares, options.split_seed, read.source)
        symbols = Characters.of(texts["train"], options.min_frequency)
        if not symbols.symbols:
            raise DataError(f"{read.source}: no symbol is frequent enough; lower --min-frequency")
        info = LanguageInfo(symbols)
        splits = {name: self.split(parts, info) for name, parts in texts.items()}
        rows = {name: len(split) for name, split in splits.items()}
        notes = [*read.notes, *cuts, *unknown_notes(splits)]
        provenance = {
            "source": read.source, "rows": rows, "unit": "passages",
            "splits": cuts or ["as the source gives them"], "notes": notes,
            "characters": {name: sum(map(len, parts)) for name, parts in texts.items()},
            "documents": {name: len(parts) for name, parts in texts.items()},
        }  # fmt: skip
        stream = partial(self.stream, splits["train"].stream)
        return TaskData(
            splits, info, provenance, notes, read.warnings, dict(read.reading), stream=stream
        )

    def read(self, source: str) -> "Documents":
        """The documents of a source, as the options say."""
        from birnn.data.passages.documents import read_documents

        data = self.config.data
        read = ReadOptions(data.encoding, data.skip_ragged, data.table, self.trained)
        return read_documents(source, read, data.documents, data.text_column, self.columns)

    def split(self, texts: Sequence[str], info: LanguageInfo) -> PassageSplit:
        """Passages of texts."""
        options = self.config.data
        documents = [info.symbols.encode(text) for text in texts]
        return PassageSplit.of(documents, None, options.passage, options.overlap)

    def stream(self, stream: Ints, config: TrainConfig) -> "Batches":
        """Train as windows, one after the other."""
        from birnn.data.passages.windows import StreamWindows

        return StreamWindows.of(stream, config.batch_size, self.config.model.window, config.seed)

    def load_split(self, info: LanguageInfo, source: str, name: str) -> LoadedSplit[PassageSplit]:
        """Passages to score; other data is taken whole, or the split that it holds."""
        if not source:
            own = self.load()
            texts = own.splits[name]
            if own.info.symbols.symbols != info.symbols.symbols:
                raise DataError("the data has changed since training: its symbols are others")
            return LoadedSplit(texts, f"{own.provenance['source']} ({name})", own.notes)
        read = self.read(source)
        if len(read.splits) > 1 and name not in read.splits:
            raise DataError(f"{source}: no {name} split; there are: {', '.join(read.splits)}")
        split = self.split(read.splits.get(name) or read.splits["train"], info)
        notes = [*read.notes, *read.warnings, *unknown_notes({name: split})]
        return LoadedSplit(split, read.source, notes)

    def read_info(self, folder: Path) -> LanguageInfo:
        """Restore the symbols."""
        return read_language_info(folder)

    def model(self, info: LanguageInfo) -> LanguageModel:
        """The network."""
        parts, encoder = self.config.model, self.config.encoder
        sizes = LanguageSizes(
            len(info.symbols), parts.symbol_size, parts.embedding_dropout, parts.output_dropout
        )
        return LanguageModel(sizes, encoder, both=encoder.bidirectional)

    def describe(self, info: LanguageInfo) -> list[tuple[str, str]]:
        """What is trained."""
        encoder = self.config.encoder
        ways = "left to right and right to left" if encoder.bidirectional else "left to right"
        return [
            ("encoder", f"{encoder.encoder}, {encoder.layers} × {encoder.hidden_size}, {ways}"),
            ("symbols", f"{len(info.symbols.symbols):,} characters"),
        ]

    def prepare(self, model: "nn.Module", data: TaskData[LanguageInfo, PassageSplit]) -> None:
        """Make room for the states that are carried."""
        assert isinstance(model, LanguageModel)
        if data.stream is not None:
            batches: Any = data.stream(self.config.train)
            model.keep_states(batches.rows)

    def finish(
        self, model: "nn.Module", data: TaskData[LanguageInfo, PassageSplit]
    ) -> dict[str, Any]:
        """Drop them."""
        assert isinstance(model, LanguageModel)
        model.drop_states()
        return {}

    def loss(self, outputs: Predicted, batch: Batch) -> LossSum:
        """Nats of all symbols that are predicted, by both models."""
        symbols = batch.inputs["symbols"]
        ways = 1 + self.config.encoder.bidirectional
        if "carry" in batch.inputs:
            count = symbols.new_tensor(ways * len(symbols) * (symbols.shape[1] - 1))
        else:
            first, asked = batch.inputs["first"], batch.inputs["count"]
            opens, closes = first == 0, first + asked == batch.lengths
            count = ways * asked.sum() - opens.sum() - (closes.sum() if ways > 1 else 0)
        return LossSum(-(outputs.forward.sum() + outputs.backward.sum()), count)

    def count(self, outputs: Predicted, batch: Batch, info: LanguageInfo) -> Mapping[str, Array]:
        """Summed nats of both models, and how many symbols each predicts."""
        first, asked = batch.inputs["first"], batch.inputs["count"]
        opens, closes = int((first == 0).sum()), int((first + asked == batch.lengths).sum())
        total, both = int(asked.sum()), self.config.encoder.bidirectional
        nats = [-float(part.double().sum()) for part in outputs]
        return {"sums": np.array([*nats, total - opens, (total - closes) * both])}

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``nats`` a symbol of both models, and bits of each."""
        forward, backward, ahead, behind = counts["sums"]
        found = {"nats": float((forward + backward) / (ahead + behind)),
                 "bits_per_character": float(forward / ahead / np.log(2))}  # fmt: skip
        if behind:
            found["backward_bits_per_character"] = float(backward / behind / np.log(2))
        return found

    def decode(self, outputs: Predicted, batch: Batch) -> list[Array]:
        """``[n, 2]`` for each passage: log-probabilities of its symbols, of both models."""
        return [row.float().cpu().numpy() for row in asked_symbols(outputs, batch)]

    def combined(
        self, parts: Sequence[tuple[PassageSplit, Any, LanguageInfo]], info: LanguageInfo
    ) -> Predictions:
        """The mean of the probabilities."""
        if any(own.symbols.symbols != info.symbols.symbols for _, _, own in parts):
            raise ConfigError("ensemble: the runs have other symbols")
        rows = zip(*(predictions for _, predictions, _ in parts), strict=True)
        size = np.log(len(parts))
        return [np.logaddexp.reduce(np.stack(row), axis=0) - size for row in rows]

    def sums(self, split: PassageSplit, predictions: Predictions) -> PassageSums:
        """Nats of each passage."""
        nats = -np.array([row.sum(0, dtype=np.float64) for row in predictions]).reshape(-1, 2)
        if not self.config.encoder.bidirectional:
            nats[:, 1] = np.nan
        symbols = np.asarray(split.predicted, dtype=np.float64)
        return PassageSums(nats[:, 0], nats[:, 1], symbols, split.characters.astype(np.float64))

    def evaluate(
        self, split: PassageSplit, predictions: Predictions, info: LanguageInfo, seed: int
    ) -> Evaluation:
        """Bits a character, resampled by passages."""
        return self.sums(split, predictions).evaluation(seed)

    def baselines(self, data: TaskData[LanguageInfo, PassageSplit]) -> list[Baseline]:
        """Each symbol's frequency; Kneser-Ney n-grams, whose order validation chooses."""
        from birnn.tasks.language.baselines import frequencies, kneser_ney

        train, validation, test = (data.splits[n] for n in ("train", "validation", "test"))
        symbols, both = len(data.info.symbols), self.config.encoder.bidirectional
        simple = frequencies(train, test, symbols)
        order, rows = kneser_ney(
            train, validation, test, symbols, self.config.model.ngram_order, both=both
        )
        return [
            Baseline("frequencies", "how frequent each symbol is", simple, {}),
            Baseline("kneser_ney", f"Kneser-Ney {order}-grams", rows, {"order": order}),
        ]

    def records(
        self, split: PassageSplit, predictions: Predictions, info: LanguageInfo
    ) -> list[Record]:
        """A row a passage."""
        sums = self.sums(split, predictions)
        both = self.config.encoder.bidirectional
        return [
            {"passage": i + 1, "symbols": int(sums.symbols[i]),
             "characters": int(sums.characters[i]), "nats": float(sums.forward[i]),
             "backward_nats": float(sums.backward[i]) if both else "",
             "text": info.symbols.decode(split.stream[split.begin[i] : split.end[i]])}
            for i in range(len(split))
        ]  # fmt: skip

    def details(
        self, split: PassageSplit, predictions: Predictions, info: LanguageInfo
    ) -> dict[str, Any]:
        """The most surprising stretches of the test split."""
        from birnn.tasks.language.surprises import surprises

        return {"surprises": surprises(split, predictions, info)}


def unknown_notes(splits: Mapping[str, PassageSplit]) -> list[str]:
    """What is to be said of symbols that train lacks."""
    notes = []
    for name, split in splits.items():
        if count := int((split.stream == UNKNOWN).sum()):
            share = count / len(split.stream)
            notes.append(f"{name}: {count:,} symbols ({share:.2%}) that the model doesn't know")
    return notes
