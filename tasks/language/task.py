"""Language modelling: two one-way models, trained together over a stream of symbols."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from birnn.arrays import Array, Ints
from birnn.config import TrainConfig
from birnn.data.passages.split import PassageSplit
from birnn.data.passages.symbols import UNITS, UNKNOWN
from birnn.data.tables.dialect import ReadOptions
from birnn.errors import ConfigError, DataError
from birnn.nn.batch import Batch
from birnn.nn.one_way.model import LanguageModel, LanguageSizes, Predicted, asked_symbols
from birnn.nn.one_way.ngrams import NGramTables
from birnn.progress import tell
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
from birnn.tasks.language.ngrams import NGrams
from birnn.tasks.language.options import LanguageConfig
from birnn.tasks.language.scores import PassageSums
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
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
        """Read the documents, split them, and learn symbols and n-grams of train."""
        read, texts, cuts = self._texts()
        plain = self._symbols(read, texts)
        if self.origin:
            plain = self.origin.merged(plain)
        splits = {name: self.split(parts, plain) for name, parts in texts.items()}
        info = self._with_ngrams(plain, splits["train"], splits["validation"])
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

    def _texts(self) -> "tuple[Documents, dict[str, list[str]], list[str]]":
        """The run's own data, split, and how."""
        from birnn.data.passages.documents import split_documents

        options = self.config.data
        read = self.read(options.data)
        shares = {"test": options.test_share, "validation": options.validation_share}
        return read, *split_documents(read.splits, shares, options.split_seed, read.source)

    def _symbols(self, read: "Documents", texts: Mapping[str, Sequence[str]]) -> LanguageInfo:
        options = self.config.data
        least = options.min_frequency or (1 if options.unit == "characters" else 2)
        symbols = UNITS[options.unit].of(texts["train"], least, options.vocabulary_limit)
        if not symbols.symbols:
            raise DataError(f"{read.source}: no symbol is frequent enough; lower --min-frequency")
        return LanguageInfo(symbols, [])

    def _with_ngrams(
        self, info: LanguageInfo, train: PassageSplit, validation: PassageSplit
    ) -> LanguageInfo:
        """The same with n-grams of both directions, whose order is best on validation."""
        tell("counting n-grams")
        symbols, models = len(info.symbols), list[NGrams]()
        streams = [(train.stream, validation.stream)]
        if self.config.encoder.bidirectional:
            streams.append((train.stream[::-1], validation.stream[::-1]))
        for stream, other in streams:
            models.append(NGrams.choose(stream, symbols, self.config.model.ngram_order, other))
        sizes = [model.sizes for model in models] if self.config.model.mix else []
        return replace(info, sizes=sizes, ngrams=models)

    def read(self, source: str) -> "Documents":
        """The documents of a source, as the options say."""
        from birnn.data.passages.documents import read_documents

        data = self.config.data
        read = ReadOptions(data.encoding, data.skip_ragged, data.table, self.trained)
        return read_documents(source, read, data.documents, data.text_column, self.columns)

    def split(self, texts: Sequence[str], info: LanguageInfo) -> PassageSplit:
        """Passages of texts."""
        options = self.config.data
        symbols = info.symbols
        documents = [symbols.encode(text) for text in texts]
        sizes = None
        if options.unit != "characters":
            sizes = [np.array([len(p) for p in symbols.pieces(text)], int) for text in texts]
        return PassageSplit.of(documents, sizes, options.passage, options.overlap)

    def stream(self, stream: Ints, config: TrainConfig) -> "Batches":
        """Train as windows, one after the other."""
        from birnn.data.passages.windows import StreamWindows

        return StreamWindows.of(stream, config.batch_size, self.config.model.window, config.seed)

    def load_split(self, info: LanguageInfo, source: str, name: str) -> LoadedSplit[PassageSplit]:
        """Passages to score; other data is taken whole, or the split that it holds."""
        if not source:
            own, texts, cuts = self._texts()
            known = self._symbols(own, texts).symbols.symbols
            if known != info.symbols.symbols and not self.began:  # else those of another run too
                raise DataError("the data has changed since training: its symbols are others")
            split = self.split(texts[name], info)
            notes = [*own.notes, *cuts, *unknown_notes({name: split})]
            return LoadedSplit(split, f"{own.source} ({name})", notes)
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
            len(info.symbols),
            parts.symbol_size,
            parts.embedding_dropout,
            parts.output_dropout,
            parts.weight_drop,
            parts.tied,
        )
        tables = NGramTables(len(info.symbols), info.sizes) if info.sizes else None
        return LanguageModel(sizes, encoder, both=encoder.bidirectional, ngrams=tables)

    def describe(self, info: LanguageInfo) -> list[tuple[str, str]]:
        """What is trained."""
        encoder = self.config.encoder
        ways = "left to right and right to left" if encoder.bidirectional else "left to right"
        return [
            ("encoder", f"{encoder.encoder}, {encoder.layers} × {encoder.hidden_size}, {ways}"),
            ("symbols", f"{len(info.symbols.symbols):,} {info.unit}"),
        ]

    def make_room(self, model: "nn.Module", data: TaskData[LanguageInfo, PassageSplit]) -> None:
        """For the states that are carried."""
        assert isinstance(model, LanguageModel)
        if data.stream is not None:
            batches: Any = data.stream(self.config.train)
            model.keep_states(batches.rows)

    def finish(
        self, model: "nn.Module", data: TaskData[LanguageInfo, PassageSplit]
    ) -> dict[str, Any]:
        """Drop them, and mix n-grams in."""
        assert isinstance(model, LanguageModel)
        model.drop_states()
        if model.ngrams is None:
            return {}
        from birnn.tasks.language.mixing import fill_tables, fit_weights

        fill_tables(model, data.info.ngrams)
        return {"mixture": fit_weights(self, model, data.info.ngrams, data.splits["validation"])}

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
        nats = [-float(p.double().sum()) for p in (outputs.forward, outputs.backward)]
        characters = float(batch.inputs["characters"].sum())
        return {"sums": np.array([*nats, total - opens, (total - closes) * both, characters])}

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``nats`` a symbol of both models, and bits of each."""
        forward, backward, ahead, behind, characters = counts["sums"]
        found = {"nats": float((forward + backward) / (ahead + behind)),
                 "bits_per_character": float(forward / characters / np.log(2))}  # fmt: skip
        if behind:
            found["backward_bits_per_character"] = float(backward / characters / np.log(2))
        return found

    def decode(self, outputs: Predicted, batch: Batch) -> list[Array]:
        """``[n, 4]`` for each passage: log-probabilities of its symbols, of both models.

        With n-grams mixed in, then without.
        """
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
        sums = [row[:, :2].sum(0, dtype=np.float64) for row in predictions]
        nats = -np.array(sums).reshape(-1, 2)
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

        test, models = data.splits["test"], data.info.ngrams
        simple = frequencies(data.splits["train"], test, len(data.info.symbols))
        rows, order = kneser_ney(test, models), len(models[0].levels)
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

        found: dict[str, Any] = {"surprises": surprises(split, predictions, info)}
        if info.sizes and all(row.shape[1] > 2 for row in predictions):
            alone = self.sums(split, [row[:, 2:] for row in predictions])
            found["network_alone"] = alone.evaluation(BOOTSTRAP_SEED).to_json()
        return found

    def advice(
        self, data: TaskData[LanguageInfo, PassageSplit], predictions: Predictions, *, behind: bool
    ) -> list[str]:
        """More text; longer training where the network alone is behind its n-grams."""
        words = super().advice(data, predictions, behind=behind)
        if not data.info.sizes:
            return words
        split, order = data.splits["test"], len(data.info.ngrams[0].levels)
        logs = data.info.ngrams[0].read(split.stream)[0]
        grams = self.sums(split, split.rows(logs, np.zeros_like(logs))).forward.sum()
        alone = self.sums(split, [row[:, 2:] for row in predictions]).forward.sum()
        if alone > grams:
            total = float(split.characters.sum()) * np.log(2)
            said = f"{order}-grams alone beat the network alone ({grams / total:.3f} to"
            words.append(
                f"longer training: {said} {alone / total:.3f} bits a character), and what is"
                " reported is the two mixed"
            )
        return words


def unknown_notes(splits: Mapping[str, PassageSplit]) -> list[str]:
    """What is to be said of symbols that train lacks."""
    notes = []
    for name, split in splits.items():
        if count := int((split.stream == UNKNOWN).sum()):
            share = count / len(split.stream)
            notes.append(f"{name}: {count:,} symbols ({share:.2%}) that the model doesn't know")
    return notes
