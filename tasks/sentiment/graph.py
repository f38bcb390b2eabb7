"""The sentence classifier as an ONNX graph."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from birnn.data.text.social_tokens import TOKEN
from birnn.errors import ConfigError
from birnn.nn.batch import Batch
from birnn.tasks.export import graph
from birnn.tasks.export.check_script import LENGTHS, sample_texts
from birnn.tasks.export.graph import Arrays, Axes, Graph, check_no_context
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.sentiment.info import ngram_counts
from birnn.tasks.sentiment.model import SentimentModel, SentimentOutputs
from birnn.tasks.sentiment.serve import SentimentPredictor

TOKENIZERS = ("social", "basic_english", "whitespace")  # those that predict.py brings along


class SentimentGraph(Graph):
    """Words and n-grams → class probabilities, and what attention looked at."""

    axes: ClassVar[Axes] = {
        "types": {0: "batch", 1: "time"}, "word_ids": {0: "words"},
        "vector_rows": {0: "words", 1: "rows"}, "vector_counts": {0: "words"},
        "gram_ids": {0: "words", 1: "grams"}, "gram_counts": {0: "words"},
        "ngram_ids": {0: "batch", 1: "ngrams"}, "ngram_values": {0: "batch", 1: "ngrams"},
        "lengths": {0: "batch"}, "probabilities": {0: "batch"},
        "attention": {0: "batch", 1: "time"}}  # fmt: skip

    def __init__(self, run: Any) -> None:
        tokenizer = run.task.config.data.tokenizer
        if tokenizer not in TOKENIZERS:
            needs = "needs packages that the exported predict.py can't count on"
            advice = f"train with one of {', '.join(TOKENIZERS)}"
            raise ConfigError(f"{run.folder}: its tokenizer {tokenizer} {needs}; {advice}")
        super().__init__(run)
        check_no_context(run)
        model = run.model
        assert isinstance(model, SentimentModel)
        self.ngrams, self.vectors = model.ngrams, model.pretrained is not None
        self.buckets = run.info.lexicon.buckets

    @property
    def inputs(self) -> tuple[str, ...]:
        """See :class:`Graph`."""
        return ("types", "word_ids", *(("vector_rows", "vector_counts") if self.vectors else ()),
                *(("gram_ids", "gram_counts") if self.buckets else ()),
                *(("ngram_ids", "ngram_values") if self.ngrams else ()), "lengths")  # fmt: skip

    @property
    def outputs(self) -> tuple[str, ...]:
        """See :class:`Graph`."""
        looked = "attention" in self.task.pooling
        return ("probabilities", "attention") if looked else ("probabilities",)

    def feeds(self, batch: Batch) -> Arrays:
        """Bags as padded rows."""
        inputs = batch.inputs
        feeds = {name: inputs[name].numpy() for name in ("types", "word_ids")}
        for name in ("vector_rows", "gram_ids"):
            if name in self.inputs:
                kind = name.split("_")[0]
                padded = graph.padded_rows(inputs[name], inputs[f"{kind}_offsets"])
                feeds[name], feeds[f"{kind}_counts"] = padded
        if self.ngrams:
            padded = graph.padded_rows(inputs["ngram_ids"], inputs["ngram_offsets"])
            feeds["ngram_ids"], counts = padded
            feeds["ngram_values"] = graph.spread(inputs["ngram_values"].numpy(), counts)
        return {**feeds, "lengths": batch.lengths.numpy()}

    def answer(self, inputs: Mapping[str, Tensor], lengths: Tensor) -> tuple[Tensor, ...]:
        """``[B, C]`` and, with attention, ``[B, T]``."""
        model = self.plain
        assert isinstance(model, SentimentModel)
        recurrent = {k: v for k, v in inputs.items() if not k.startswith("ngram")}
        outputs: SentimentOutputs = model(Batch(recurrent, lengths))
        mixed = outputs.mixed
        if self.ngrams:
            rows = model.wide_weight[inputs["ngram_ids"]]
            logits = (rows * inputs["ngram_values"].unsqueeze(-1)).sum(1) + model.wide_bias
            mixed = mixed + model.mix[1] * logits.log_softmax(-1)
        shares = mixed.softmax(-1)
        return (shares,) if outputs.attention is None else (shares, outputs.attention)

    def wanted(self, outputs: SentimentOutputs) -> Mapping[str, Tensor]:
        """See :class:`Graph`."""
        wanted = {"probabilities": outputs.mixed.float().softmax(-1)}
        return wanted if outputs.attention is None else {**wanted, "attention": outputs.attention}

    def read(self, answers: Mapping[str, Tensor], batch: Batch) -> SentimentOutputs:
        """See :class:`Graph`; of the members nothing is known."""
        logs = answers["probabilities"].clamp_min(1e-30).log()
        return SentimentOutputs(logs.unsqueeze(0), logs, logs, answers.get("attention"))

    def sample(self, lengths: Sequence[int], generator: np.random.Generator) -> Batch:
        """Random words, of no n-gram or many."""
        words, lexicon = min(sum(lengths), 500), self.info.lexicon
        ids = generator.integers(0, len(lexicon.words), words)
        types = graph.types_sample(lengths, words, generator)
        inputs = {"types": types, "word_ids": torch.from_numpy(ids)}
        if self.vectors:
            bags = graph.ragged_sample(len(lexicon.vector_words), words, 3, generator)
            inputs["vector_rows"], inputs["vector_offsets"] = bags
        if self.buckets:
            bags = graph.ragged_sample(self.buckets, words, 20, generator)
            inputs["gram_ids"], inputs["gram_offsets"] = bags
        if self.ngrams:
            bags = graph.ragged_sample(self.ngrams, len(lengths), 300, generator)
            inputs["ngram_ids"], inputs["ngram_offsets"] = bags
            values = 0.1 * generator.random(len(bags[0]), dtype=np.float32)
            inputs["ngram_values"] = torch.from_numpy(values)
        return Batch(inputs, torch.tensor(lengths))

    def card(self) -> dict[str, Any]:
        """Labels, words, n-grams, and how texts become words."""
        info, data = self.info, self.task.config.data
        return {"task": "sentiment", "labels": info.labels, "tokenizer": data.tokenizer,
                "token_pattern": TOKEN.pattern, "max_length": data.max_length,
                "words": info.lexicon.words, "vector_words": list(info.lexicon.vector_words),
                "buckets": info.lexicon.buckets,
                "ngrams": None if info.ngrams is None else ngram_counts(info.ngrams)}  # fmt: skip

    def compare_script(self, run: LoadedRun, made: Path,
                       predictor: Callable[[Path], Any]) -> tuple[float | None, str]:  # fmt: skip
        """Odd texts, and texts of many lengths."""
        texts = sample_texts(run)
        wanted = SentimentPredictor(run).label({"text": texts}).records
        pairs = zip(predictor(made).predict(texts), wanted, strict=True)
        worst = max(labels_apart(*pair) for pair in pairs)
        return worst, f"{len(texts)} texts of up to {max(LENGTHS)} words"


def labels_apart(answer: dict[str, Any], wanted: dict[str, Any]) -> float:
    """The largest difference of two records' probabilities; another label must be a tie."""
    one, other = answer["probabilities"], wanted["probabilities"]
    if list(one) != list(other) or answer["text"] != wanted["text"]:
        return float("inf")
    return float(max(abs(one[label] - other[label]) for label in one))
