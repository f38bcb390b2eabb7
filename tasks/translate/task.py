"""Translation: a text for a text, by an encoder, a decoder with attention, and beam search."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from torch.nn import functional as F

from birnn import processes
from birnn.arrays import Array
from birnn.data.pairs.batches import PairSplit
from birnn.data.pairs.options import PairOptions
from birnn.data.tables.dialect import ReadOptions
from birnn.data.wording import plural
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.seq2seq.translator import Translator, TranslatorOutputs, TranslatorSizes
from birnn.progress import tell
from birnn.tasks.core.folding import fold_options
from birnn.tasks.core.task import Baseline, Evaluation, LoadedSplit, Record, Task, TaskData
from birnn.tasks.translate.info import TranslateInfo, learn_info, read_info
from birnn.tasks.translate.options import TranslateConfig
from birnn.tasks.translate.translating import (
    Translations,
    aligned,
    likeliest,
    search_of,
    searched,
    translated,
)
from birnn.training.losses import LossSum

DRAWN, DRAWN_LENGTH = 6, 12  # how many alignments a report has, and about how many pieces each


class Translate(Task[TranslateConfig, TranslateInfo, PairSplit]):
    """Sources → encoder → decoder with attention → targets."""

    name = "translate"
    unit, length_unit = "pairs", "pieces"
    monitors = ("bleu", "nll")
    headline = ("bleu", "chrf")

    def load(self) -> TaskData[TranslateInfo, PairSplit]:
        """Read and split; pieces come from train."""
        from birnn.data.pairs.loading import load_pairs

        data = self.config.data
        tell("reading pairs")
        loaded = load_pairs(self.pair_options(data.data))
        train = loaded.splits["train"]
        tell("learning pieces")
        info = learn_info(train.sources, train.targets, data)
        if self.origin:
            info = self.origin.merged(info)
        splits = {n: self.split(p.sources, p.targets, info) for n, p in loaded.splits.items()}
        notes, most = list(loaded.notes), f"{data.max_length:,} pieces (--max-length)"
        cut = np.sum([split.too_long for split in splits.values()], axis=0)
        for side, total in zip(("source", "target"), cut.tolist(), strict=True):
            if total:
                notes.append(f"{plural(total, side)} not read to the end: more than {most}")
        return TaskData(
            splits, info, loaded.provenance, notes, loaded.warnings, loaded.reading, loaded.fold
        )

    def pair_options(self, source: str) -> PairOptions:
        """How ``source`` is read: other data than the run's own as that was."""
        data = self.config.data
        read = ReadOptions(data.encoding, data.skip_ragged, data.table, self.trained)
        own = source == data.data
        return PairOptions(
            source, data.validation_share, data.test_share, data.split_seed, read,
            data.source_column, data.target_column, data.target_data if own else "", self.columns,
            fold=fold_options(data),
        )  # fmt: skip

    def split(
        self, sources: Sequence[str], targets: Sequence[str] | None, info: TranslateInfo
    ) -> PairSplit:
        """Texts as a split."""
        wanted = None if targets is None else list(targets)
        most = self.config.data.max_length
        return PairSplit(list(sources), wanted, info.source, info.target, most)

    def load_split(self, info: TranslateInfo, source: str, name: str) -> LoadedSplit[PairSplit]:
        """Pairs to score."""
        from birnn.data.pairs.loading import load_one_pairs, load_pairs

        options = self.pair_options(source or self.config.data.data)
        if source:
            pairs, notes = load_one_pairs(options, name)
        else:
            own = load_pairs(options)
            pairs, notes = own.splits[name], own.notes
        where = source or f"{options.data} ({name})"
        return LoadedSplit(self.split(pairs.sources, pairs.targets, info), where, notes)

    def read_info(self, folder: Path) -> TranslateInfo:
        """Restore the pieces."""
        return read_info(folder)

    def model(self, info: TranslateInfo) -> Translator:
        """Tables of pieces, an encoder, a decoder."""
        parts, encoder = self.config.model, self.config.encoder
        sizes = TranslatorSizes(
            len(info.source), len(info.target), parts.word_size,
            parts.decoder_size or 2 * encoder.hidden_size, parts.decoder, parts.attention,
            parts.coverage, parts.diagonal, info.joint, parts.tied, parts.word_dropout,
            parts.embedding_dropout, parts.decoder_dropout,
        )  # fmt: skip
        return Translator(sizes, encoder)

    def describe(self, info: TranslateInfo) -> list[tuple[str, str]]:
        """What is trained."""
        parts = self.config.model
        size = parts.decoder_size or 2 * self.config.encoder.hidden_size
        sides = f"{len(info.source):,} for both sides"
        if not info.joint:
            sides = f"{len(info.source):,} of sources, {len(info.target):,} of targets"
        return [
            *super().describe(info),
            ("decoder", f"{parts.decoder}, {size}, {parts.attention} attention"),
            (self.config.data.units, sides),
            ("search", f"beam of {parts.beam}, length penalty {parts.length_penalty:g}"),
        ]

    def loss(self, outputs: TranslatorOutputs, batch: Batch) -> LossSum:
        """Cross-entropy of each piece of the targets, smoothed."""
        assert outputs.logits is not None
        wanted = _wanted(batch)
        smooth = self.config.model.label_smoothing
        total = F.cross_entropy(
            outputs.logits.float(), wanted, label_smoothing=smooth, reduction="sum"
        )
        return LossSum(total, len(wanted))

    def decode(self, outputs: TranslatorOutputs, batch: Batch) -> list[Array]:
        """``[n]`` numbers of pieces for each item: the best translation found."""
        found = searched(outputs, batch.lengths, search_of(self.config.model))
        return [np.array(best[0].numbers, dtype=np.int64) for best in found]

    def count(
        self, outputs: TranslatorOutputs, batch: Batch, info: TranslateInfo
    ) -> Mapping[str, Array]:
        """Loss and pieces; counts of BLEU of translations made with a beam of 1."""
        from birnn.tasks.translate.metrics import bleu_counts

        assert outputs.logits is not None
        wanted = _wanted(batch)
        loss = F.cross_entropy(outputs.logits.float(), wanted, reduction="sum")
        found = searched(outputs, batch.lengths, search_of(self.config.model, 1))
        texts = [info.target.spelled(best[0].numbers, missing="") for best in found]
        rows = zip(
            batch.inputs["target"].tolist(), batch.inputs["target_lengths"].tolist(), strict=True
        )
        gold = [info.target.spelled(row[:length]) for row, length in rows]
        tokenizer = self.config.model.bleu_tokenizer
        return {
            "loss": np.array([loss.double().item(), float(len(wanted))]),
            "bleu": bleu_counts(texts, gold, tokenizer).sum(0),
        }

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``bleu`` of the pieces' texts, and ``nll``, the loss a piece without smoothing."""
        from birnn.tasks.translate.metrics import bleu

        loss, pieces = counts["loss"]
        return {"bleu": float(bleu(counts["bleu"])), "nll": float(loss / pieces)}

    def predictions(self, model: nn.Module, split: PairSplit, info: TranslateInfo) -> Translations:
        """The best translation of each source."""
        how = search_of(self.config.model)
        found: dict[int, tuple[str, float]] = {}
        every = translated(
            model.eval(), split, self.config.train, how, self.config.model, shared=True
        )
        for item, candidates in every:
            best = likeliest(candidates)
            found[item] = best.text, best.score
            tell("translating", len(found) / len(split))
        whole = {k: v for part in processes.collected(found) for k, v in part.items()}
        rows = [whole[item] for item in range(len(split))] if whole else []
        return Translations([text for text, _ in rows], [score for _, score in rows])

    def combined(
        self, parts: Sequence[tuple[PairSplit, Any, TranslateInfo]], info: TranslateInfo
    ) -> Translations:
        """Of each text the translation that is most like those of the other models."""
        from birnn.tasks.translate.baselines import consensus

        return consensus([predictions for _, predictions, _ in parts])

    def evaluate(
        self, split: PairSplit, predictions: Translations, info: TranslateInfo, seed: int
    ) -> Evaluation:
        """BLEU and chrF by sacrebleu, on resamples of sentences too."""
        from birnn.tasks.translate.metrics import evaluate_translations

        assert split.targets is not None
        tokenizer = self.config.model.bleu_tokenizer
        return evaluate_translations(predictions.texts, split.targets, tokenizer, seed)

    def baselines(self, data: TaskData[TranslateInfo, PairSplit]) -> list[Baseline]:
        """The source itself, and a translation memory."""
        from birnn.tasks.translate.baselines import copied, remembered

        test = data.splits["test"]
        return [copied(test), remembered(data.splits["train"], test)]

    def records(
        self, split: PairSplit, predictions: Translations, info: TranslateInfo
    ) -> list[Record]:
        """A row a pair."""
        assert split.targets is not None
        scores: Sequence[float | str] = predictions.scores or [""] * len(split)
        rows = zip(split.sources, split.targets, predictions.texts, scores, strict=True)
        names = "source", "target", "translation", "score"
        return [dict(zip(names, row, strict=True)) for row in rows]

    def report_extras(
        self, model: nn.Module, data: TaskData[TranslateInfo, PairSplit], predictions: Any,
        baselines: Sequence[Baseline],
    ) -> dict[str, Any]:  # fmt: skip
        """Where was looked at each piece of a few translations."""
        test = data.splits["test"]
        order = np.argsort(np.abs(test.lengths - DRAWN_LENGTH), kind="stable")[:DRAWN]
        assert test.targets is not None
        wanted = [test.targets[i] for i in order]
        few = replace(test, sources=[test.sources[i] for i in order], targets=wanted)
        how = search_of(self.config.model)
        found = dict(translated(model, few, self.config.train, how, self.config.model))
        rows = enumerate(zip(few.cuts, wanted, strict=True))
        return {"alignments": [aligned(found[i][0], cut, gold) for i, (cut, gold) in rows]}

    def details(
        self, split: PairSplit, predictions: Translations, info: TranslateInfo
    ) -> dict[str, Any]:
        """How the scores are counted, in sacrebleu's words."""
        from birnn.tasks.translate.metrics import signatures

        return {"signatures": signatures(self.config.model.bleu_tokenizer)}


def _wanted(batch: Batch) -> Any:
    """``[M]`` the numbers of the targets' real steps, item by item."""
    target, lengths = batch.inputs["target"], batch.inputs["target_lengths"]
    return target[sequence_mask(lengths, target.shape[1])]
