"""Sentence classification: two or more classes, one label a text."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.arrays import Array
from birnn.data.streaming.options import check_unused
from birnn.data.tables.plain import PlainTable
from birnn.data.text.batches import TextSplit, tokenize
from birnn.data.text.ngrams import NgramTable
from birnn.data.text.tokenizers import build_vocabulary, get_tokenizer
from birnn.data.text.words import Lexicon
from birnn.data.wording import agree, plural
from birnn.errors import ConfigError
from birnn.nn.batch import Batch
from birnn.nn.model import Embedder
from birnn.nn.pooling import parse_pooling
from birnn.nn.word_embedder import PretrainedVectors, WordEmbedder, WordSizes, word_weights
from birnn.progress import tell
from birnn.tasks.core.classification import Classification, class_order
from birnn.tasks.core.context import with_states
from birnn.tasks.core.inference import run_split
from birnn.tasks.core.options import VECTORS
from birnn.tasks.core.task import Baseline, LoadedSplit, Predictions, TaskData
from birnn.tasks.sentiment import model as networks
from birnn.tasks.sentiment import streaming
from birnn.tasks.sentiment.info import TextInfo, read_text_info
from birnn.tasks.sentiment.model import SentimentModel, SentimentOutputs
from birnn.tasks.sentiment.options import SentimentConfig
from birnn.training.losses import LossSum

if TYPE_CHECKING:
    from datasets import Dataset

    from birnn.data.text.vectors import VectorTable
    from birnn.tasks.core.text_linear import Fitted


EXPLAINED, SHORT = (
    8,
    100,
)  # mistakes whose answers the report explains, and words that each may have


def auto_members(texts: int) -> int:
    """How many networks are averaged: the fewer texts, the more it helps; about the same time."""
    return 3 if texts <= 10_000 else 1


class Sentiment(Classification[SentimentConfig, TextInfo, TextSplit]):
    """Words → encoder → pooled states, beside a linear model of n-grams."""

    name = "sentiment"
    unit, length_unit = "texts", "words"

    def __init__(self, config: SentimentConfig) -> None:
        if config.data.stream.streaming:
            config = streaming.checked(config)
        super().__init__(config)
        self.pooling = parse_pooling(config.model.pooling)
        self._linear: tuple[TaskData[TextInfo, TextSplit], Fitted] | None = None

    def load(self) -> TaskData[TextInfo, TextSplit]:
        """Read, split and tokenise; words, n-grams and labels come from train."""
        from birnn.data.text.labelled import load_labelled  # brings what reads files
        from birnn.data.text.vectors import find_vectors

        data = self.config.data
        if data.context and data.stream.streaming:
            raise ConfigError("context: a stream has none: leave --streaming or --context out")
        if self.origin and data.stream.streaming:
            raise ConfigError("from: a stream begins from no run: leave --streaming or --from out")
        check_unused(data.stream)
        get_tokenizer(data.tokenizer)  # refuse a missing one before any work
        find = self.origin.vectors if self.origin else find_vectors
        vectors = find(data.vectors, data.vectors_limit)
        tell("reading texts")
        options = self.text_options(data.data)
        streamed = streaming.load(self, options) if data.stream.streaming else None
        texts = streamed or load_labelled(options)
        tell("splitting texts into words")
        tables = {name: self._tokenized(table) for name, table in texts.splits.items()}
        tell("counting words and n-grams")
        info = self._info(tables["train"], vectors)
        if data.context:
            from birnn.tasks.runs.beginning import load_context

            info = replace(info, context=load_context(data.context))
        if streamed:
            info = streaming.info_of(info, streamed)
        splits = {k: self.split(table, info, ngrams=k != "train") for k, table in tables.items()}
        if self.config.model.class_weights == "balanced":
            splits["train"] = splits["train"].balanced(len(info.labels))
        if info.context:
            splits = with_states(info.context, splits)
        if not info.vectors and not self.config.model.word_size + self.config.model.gram_size:
            raise ConfigError("a word has no features: raise --word-size, --gram-size or --vectors")
        notes = [*texts.notes, self._vector_note(info, splits["train"])]
        if cut := sum(count > 0 for table in tables.values() for count in table["cut"][:]):
            longer = f"longer than {data.max_length} words {agree(cut, 'is', 'are')} cut there"
            notes.append(f"{plural(cut, 'text')} {longer}")
        provenance = {**texts.provenance, "cut_texts": cut, "vectors": info.vector_name}
        loaded = TaskData(splits, info, provenance, notes, texts.warnings, texts.reading,
                          texts.fold)  # fmt: skip
        return streaming.streamed_data(self, loaded, streamed) if streamed else loaded

    def load_split(self, info: TextInfo, source: str, name: str) -> LoadedSplit[TextSplit]:
        """See :class:`Classification`; of a stream's own data what it held out."""
        if source or not self.config.data.stream.streaming:
            return super().load_split(info, source, name)
        options = self.text_options(self.config.data.data)
        table, notes = streaming.one_split(self, options, name, info.labels)
        where = f"{options.data} ({name})"
        return LoadedSplit(self.split_of(table, info), where, notes)

    def split_of(self, table: "Dataset | PlainTable", info: TextInfo) -> TextSplit:
        """A table of texts, tokenised, with the n-grams that predictions need."""
        return self.split(self._tokenized(table), info, ngrams=True)

    def _tokenized(self, table: "Dataset | PlainTable") -> "Dataset | PlainTable":
        return tokenize(table, self.config.data.tokenizer, self.config.data.max_length)

    def _info(self, train: "Dataset | PlainTable", vectors: "VectorTable | None") -> TextInfo:
        data, model = self.config.data, self.config.model
        labels = sorted(set(train["label"][:]), key=class_order)
        words = build_vocabulary(train["tokens"][:], data.min_frequency)
        buckets = model.gram_buckets if model.gram_size else 0
        lexicon = Lexicon(words, vectors.words if vectors else [], buckets)
        tokenizer = get_tokenizer(data.tokenizer)
        ngrams = NgramTable.fit(train["text"][:], tokenizer) if model.wide else None
        name, size = (vectors.name, vectors.values.shape[1]) if vectors else ("none", 0)
        members = model.members or auto_members(len(train))
        info = TextInfo(labels, lexicon, ngrams, vectors, name, size, members)
        return self.origin.merged(info) if self.origin else info

    def _vector_note(self, info: TextInfo, train: TextSplit) -> str:
        if not info.vectors:
            auto = self.config.data.vectors == "auto"
            hint = "; the samples extra brings glove.6B.50d" if auto else ""
            return f"no pretrained vectors{hint}"
        assert train.words.vectors is not None
        share = (train.words.vectors.sizes > 0)[train.tokens.types].mean()
        return f"vectors {info.vector_name} describe {share:.1%} of train's words"

    def split(self, table: "Dataset | PlainTable", info: TextInfo, *, ngrams: bool) -> TextSplit:
        """A tokenised table as a split; labels, where it has them, must be known ones."""
        targets = features = None
        if "label" in table.column_names:
            numbers = {label: i for i, label in enumerate(info.labels)}
            targets = [numbers[label] for label in table["label"][:]]
        if ngrams and info.ngrams is not None:
            tokenizer = get_tokenizer(self.config.data.tokenizer)
            plain = isinstance(table, PlainTable)  # to be predicted
            features = (info.ngrams.rows if plain else info.ngrams.transform)(
                table["text"][:], tokenizer
            )
        split = TextSplit.build(table, info.lexicon, targets, features)
        return replace(split, speller=info.context.speller) if info.context else split

    def read_info(self, folder: Path) -> TextInfo:
        """Restore labels, words and n-grams."""
        return read_text_info(folder, self.config.model)

    def embedder(self, info: TextInfo) -> Embedder:
        """Trained, pretrained and character vectors of words."""
        model = self.config.model
        words, grams = len(info.lexicon.words), (model.gram_buckets, model.gram_size)
        context = info.context.size if info.context else 0
        sizes = WordSizes(words, model.word_size, info.vector_size, *grams, context)
        return WordEmbedder(sizes, model.word_dropout, model.embedding_dropout)

    def head(self, input_size: int, info: TextInfo) -> nn.Module:
        """Pooling and a linear layer."""
        dropout = self.config.model.head_dropout
        return networks.SentimentHead(input_size, len(info.labels), self.pooling, dropout)

    def model(self, info: TextInfo) -> SentimentModel:
        """Networks from different weights, the vectors they share, and the linear part."""
        pretrained = None
        if info.vector_size:
            pretrained = PretrainedVectors(len(info.lexicon.vector_words), info.vector_size)
            if info.vectors is not None and pretrained.values.device.type != "meta":
                pretrained.values.copy_(torch.from_numpy(info.vectors.values))
        members = [self.network(info) for _ in range(info.members)]
        ngrams = len(info.ngrams) if info.ngrams is not None else 0
        context = info.context.network() if info.context else None
        return SentimentModel(members, pretrained, len(info.labels), ngrams, context)

    @property
    def views(self) -> int:
        """Two with the consistency loss."""
        return 2 if self.config.model.consistency else 1

    def describe(self, info: TextInfo) -> list[tuple[str, str]]:
        """What is trained."""
        linear = "n-grams, linear, added to the recurrent part"
        wide = f"{len(info.ngrams):,} {linear}" if info.ngrams else "none"
        return [*super().describe(info),
                ("networks", f"{info.members}, averaged" if info.members > 1 else "1"),
                ("pooling", self.config.model.pooling),
                ("words", f"{len(info.lexicon.words):,} trained, vectors {info.vector_name}"),
                ("wide part", wide)]  # fmt: skip

    def loss(self, outputs: SentimentOutputs, batch: Batch) -> LossSum:
        """Cross-entropy of each network, with R-Drop where a batch holds two views; their mean."""
        assert batch.targets is not None
        model = self.config.model
        logits = outputs.members.float()
        members = len(logits)
        losses = F.cross_entropy(logits.flatten(0, 1), batch.targets.repeat(members),
                                 label_smoothing=model.label_smoothing,
                                 reduction="none").unflatten(0, (members, -1))  # fmt: skip
        weights = batch.inputs.get("weights", torch.ones_like(losses[0]))
        total = (losses * weights).sum()
        if batch.views == 2:
            total = total + model.consistency * networks.consistency_loss(logits)
        return LossSum(total / members, weights.sum())

    def decode(self, outputs: SentimentOutputs, batch: Batch) -> list[Array]:
        """Class probabilities ``[C]`` of each item."""
        return list(outputs.mixed.float().softmax(-1).cpu().numpy())

    def logits(self, outputs: SentimentOutputs) -> Tensor:
        """Log-probabilities of the recurrent part: the linear part is fitted after training."""
        return outputs.recurrent

    def report_extras(self, model: nn.Module, data: TaskData[TextInfo, TextSplit],
                      predictions: Predictions,
                      baselines: Sequence[Baseline]) -> dict[str, Any]:  # fmt: skip
        """Also each item's words, and how many of them train lacks; attention to the mistakes."""
        from birnn.tasks.reporting.labels import MOST, mistaken

        extras = super().report_extras(model, data, predictions, baselines)
        train, test = data.splits["train"], data.splits["test"]
        assert test.targets is not None
        seen = np.isin(test.tokens.distinct, train.tokens.distinct)
        starts = np.repeat(np.arange(len(test)), test.lengths)
        unseen = np.bincount(starts, ~seen[test.tokens.types], minlength=len(test))
        extras["items"] |= {"words": test.lengths.tolist(), "unseen": unseen.astype(int).tolist()}
        wrong = mistaken(test.targets, np.stack(list(predictions)))[:MOST]
        if "attention" in self.pooling and len(wrong):
            looked = self.attention(model, test.table.select(wrong), data.info)
            pairs = [[[w, round(float(a), 4)] for w, a in words] for words in looked]
            extras["attention"] = dict(zip(map(str, wrong.tolist()), pairs, strict=True))
        return extras | {"moved": self._moved(model, data, wrong)}

    def _moved(self, model: nn.Module, data: TaskData[TextInfo, TextSplit],
               items: Array) -> dict[str, Any]:  # fmt: skip
        """Of the first few short ones of the test ``items``, which words moved their answers."""
        from birnn.tasks.core.explanation import Wish
        from birnn.tasks.runs.folder import LoadedRun
        from birnn.tasks.sentiment.explain import SentimentExplainer

        test = data.splits["test"]
        short = [int(item) for item in items if 0 < test.lengths[item] <= SHORT][:EXPLAINED]
        explainer = SentimentExplainer(LoadedRun(Path(), self, data.info, model))
        moved = {}
        for item in short:
            (one,) = explainer.of_text(test.table[item]["text"], Wish())
            words = [[cause.name, round(cause.weight, 4)] for cause in one.causes]
            moved[str(item)] = {"words": words, "completeness": one.completeness}
        return moved

    def attention(self, model: nn.Module, table: "Dataset | PlainTable",
                  info: TextInfo) -> list[list[tuple[str, float]]]:  # fmt: skip
        """Of each tokenised text its words, and each one's share of the pooling's attention."""
        split = self.split(table, info, ngrams=True)
        words: list[list[tuple[str, float]]] = [[] for _ in range(len(split))]
        for indices, batch, outputs in run_split(model, split, self.config.train):
            for item, row in zip(indices, word_weights(batch, outputs.attention), strict=True):
                words[item] = list(zip(split.table[int(item)]["tokens"], row, strict=True))
        return words

    def advice(self, data: TaskData[TextInfo, TextSplit], predictions: Predictions, *,
               behind: bool) -> list[str]:  # fmt: skip
        """More texts; vectors where there are none; weights where one class is all that comes."""
        words = super().advice(data, predictions, behind=behind)
        if behind and not data.info.vector_size:
            words.append(VECTORS)
        classes = {int(row.argmax()) for row in predictions}
        gold = data.splits["test"].targets
        if len(classes) == 1 and gold is not None and len(set(gold.tolist())) > 1:
            label = data.info.labels[classes.pop()]
            rare = f"rows of the other classes than {label!r}, which all test texts are given"
            weigh = self.config.model.class_weights == "none"
            words += [rare, *(["--class-weights balanced with --no-wide"] if weigh else [])]
        return words

    def finish(self, model: Any, data: TaskData[TextInfo, TextSplit]) -> dict[str, Any]:
        """Fit the linear part on train; its penalty and how the parts are mixed on validation."""
        validation = data.splits["validation"]
        held_out = validation.targets
        assert held_out is not None
        extra: dict[str, Any] = {"members": len(model.members)}
        if data.info.ngrams is not None and validation.ngrams is not None:
            fitted = self._fit_linear(data)
            model.set_wide(fitted.model.weight, fitted.model.bias)
            extra["wide"] = {**fitted.settings, "validation_accuracy": fitted.accuracy}
        parts = self._log_probabilities(model, validation)
        mix = networks.fit_mix(parts, held_out)
        model.set_mix(np.append(mix, 0.0)[:2])
        mixed = np.tensordot(mix, np.stack(parts), axes=1)
        extra["mix"] = dict(zip(("recurrent", "wide"), map(float, mix), strict=False))
        extra["mixed_validation_accuracy"] = float((mixed.argmax(1) == held_out).mean())
        return extra

    def _fit_linear(self, data: TaskData[TextInfo, TextSplit]) -> "Fitted":
        """The linear part, which no seed changes: fitted once for all of them."""
        from birnn.tasks.core.text_linear import fit_logistic

        if self._linear is None or self._linear[0] is not data:
            train, held_out, ngrams = (
                data.splits["train"],
                data.splits["validation"],
                data.info.ngrams,
            )
            assert ngrams is not None
            assert train.targets is not None
            assert held_out.targets is not None
            tokenizer = get_tokenizer(self.config.data.tokenizer)
            features = ngrams.transform_fitted(train.table["text"][:], tokenizer)
            fitted = fit_logistic(features, train.targets, held_out.ngrams, held_out.targets,
                                  by="log_loss")  # fmt: skip
            self._linear = data, fitted
        return self._linear[1]

    def _log_probabilities(self, model: SentimentModel, split: TextSplit) -> list[Array]:
        """Of the recurrent part and, where there is one, of the linear part: each ``[N, C]``."""
        shape = (2 if model.ngrams else 1, len(split), model.classes)
        parts = list(np.empty(shape))
        for indices, batch, outputs in run_split(model, split, self.config.train):
            parts[0][indices] = outputs.recurrent.float().numpy()
            if model.ngrams:
                parts[1][indices] = model.wide(batch).numpy()
        return parts
