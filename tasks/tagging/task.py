"""Token tagging: named entities, parts of speech, any tag a token."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.arrays import Array
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tags.batches import TagSplit
from birnn.data.tags.options import TagOptions
from birnn.data.tags.schemes import convert, spans
from birnn.data.tags.spelling import AFFIX_SLOTS, CASE_SIZE
from birnn.data.tags.tag_forms import TagForm
from birnn.data.wording import number_list, plural
from birnn.errors import ConfigError, DataError
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.crf import CRF, negative_log_likelihood, path_confidence
from birnn.nn.model import Embedder
from birnn.nn.token_embedder import TokenDropout, TokenEmbedder, TokenSizes
from birnn.nn.word_embedder import PretrainedVectors
from birnn.progress import tell
from birnn.tasks.core.context import with_states
from birnn.tasks.core.folding import fold_options
from birnn.tasks.core.inference import run_split
from birnn.tasks.core.options import VECTORS
from birnn.tasks.core.stored import MAX_LABELS
from birnn.tasks.core.task import Baseline, Evaluation, LoadedSplit, Task, TaskData
from birnn.tasks.tagging import model as tagger
from birnn.tasks.tagging.decoding import (
    BONUSES,
    ENOUGH_SPANS,
    as_predictions,
    choose_bonus,
    count_right,
    predictable,
    predicted_tags,
    tag_number,
)  # fmt: skip
from birnn.tasks.tagging.info import TagInfo, learn_info, read_tag_info
from birnn.tasks.tagging.metrics import Seen, Tagged, evaluate_tags, span_confidence
from birnn.tasks.tagging.model import TaggingModel, TaggingOutputs
from birnn.tasks.tagging.options import TaggingConfig
from birnn.tasks.tagging.spans import precision_recall_f1, span_posterior
from birnn.training.losses import LossSum

if TYPE_CHECKING:
    from datasets import Dataset

    from birnn.tasks.tagging.baselines import Guesses

IGNORED = -100  # torch's mark of a target that no loss counts
MANY_LABELS = 512  # beyond these, fewer bonuses are tried
MAX_PICTURE = 60  # labels of a confusion matrix


class Tagging(Task[TaggingConfig, TagInfo, TagSplit]):
    """Tokens → encoder → a chain of tags."""

    name = "tagging"
    unit, length_unit = "sentences", "tokens"
    monitors = ("span_f1", "accuracy", "nll")
    headline = ("span_f1", "accuracy")
    item_column = "sentence"

    def load(self) -> TaskData[TagInfo, TagSplit]:
        """Read and split; words, letters, affixes and labels come from train."""
        from birnn.data.tags.loading import load_tagged  # brings what reads files
        from birnn.data.text.vectors import find_vectors

        data = self.config.data
        find = self.origin.vectors if self.origin else find_vectors
        vectors = find(data.vectors, data.vectors_limit)
        tell("reading sentences")
        loaded = load_tagged(self.tag_options(data.data))
        tell("counting words and letters")
        info = learn_info(
            loaded.splits["train"], loaded.scheme, vectors, self.config.model, data.min_frequency
        )
        if self.origin:
            info = self.origin.merged(info)
        if data.context:
            from birnn.tasks.runs.beginning import load_context

            info = info.with_context(load_context(data.context))
        if len(info.labels) > MAX_LABELS:
            raise DataError(
                f"{data.data}: {len(info.labels):,} different tags, more than {MAX_LABELS:,};"
                " name another column with --tag-column"
            )
        splits = {
            name: self.split(table, info).with_layout(loaded.layouts[name])
            for name, table in loaded.splits.items()
        }
        if info.context:
            splits = with_states(info.context, splits)
        if not self.embedder(info).output_size:
            raise ConfigError("a token has no features: raise --word-size, --char-size or another")
        provenance = {**loaded.provenance, "vectors": info.vector_name}
        notes = [*loaded.notes, vector_note(info, splits["train"], data.vectors)]
        reading = {"tags": loaded.reading}
        return TaskData(splits, info, provenance, notes, loaded.warnings, reading, loaded.fold)

    def tag_options(self, source: str, info: TagInfo | None = None) -> TagOptions:
        """How ``source`` is read: other data than the run's own as that was."""
        data = self.config.data
        own = source == data.data
        raw = info is not None and info.scheme == "raw"
        return TagOptions(
            source, data.validation_share, data.test_share, data.split_seed,
            ReadOptions(data.encoding, data.skip_ragged), data.tag_column, data.token_column,
            "raw" if raw else data.tag_scheme, {} if own else self.reading.get("tags", {}),
            fold=fold_options(data),
        )  # fmt: skip

    def load_split(self, info: TagInfo, source: str, name: str) -> LoadedSplit[TagSplit]:
        """Tagged sentences to score; tags that the run doesn't know are counted as missed."""
        from birnn.data.tags.loading import kinds, load_one_tagged, load_tagged, unseen_tags

        options = self.tag_options(source or self.config.data.data, info)
        if source:
            table, layout, notes = load_one_tagged(options, name, info.scheme)
        else:
            own = load_tagged(options)
            table, layout, notes = own.splits[name], own.layouts[name], own.notes
        where = source or f"{options.data} ({name})"
        known = {*kinds(info.labels, info.scheme)} - {""}
        if unseen := unseen_tags(table, known, info.scheme, "the run"):
            notes = [*notes, f"WARNING: {unseen}"]
        return LoadedSplit(self.split(table, info).with_layout(layout), where, notes)

    def name_items(self, split: TagSplit, items: Array) -> str:
        """Lines of the files at which the sentences begin."""
        if split.table is None:
            return super().name_items(split, items)
        places: dict[str, list[int]] = {}
        for row in split.table.select(items):
            places.setdefault(row["file"] or self.config.data.data, []).append(row["line"])
        parts = [f"{number_list(lines)} of {file}" for file, lines in places.items()]
        return "sentences at lines " + ", ".join(parts)

    def read_info(self, folder: Path) -> TagInfo:
        """Restore labels, words, letters and spans."""
        return read_tag_info(folder)

    def split(self, table: "Dataset", info: TagInfo) -> TagSplit:
        """A table with ``tokens`` and, to train and score, ``tags`` in the user's scheme."""
        split = TagSplit.build(table, info.lexicon)
        if "tags" not in table.column_names:
            return split
        numbers = {label: i for i, label in enumerate(info.labels)}
        rows = (convert(tags, info.scheme, info.inner) for tags in table["tags"][:])
        ids = np.fromiter(
            (tag_number(tag, numbers) for tag in chain.from_iterable(rows)), dtype=np.int64
        )
        return split.with_targets(ids)

    def embedder(self, info: TagInfo) -> Embedder:
        """Trained and pretrained vectors, letters, affixes and case of each token."""
        model, lexicon = self.config.model, info.lexicon
        sizes = TokenSizes(
            words=len(lexicon.words.words), word_size=model.word_size, vector_size=info.vector_size,
            characters=len(lexicon.characters), character_size=model.character_size,
            char_encoder=model.char_encoder, char_size=model.char_size,
            affixes=len(lexicon.affixes), affix_slots=AFFIX_SLOTS, affix_size=model.affix_size,
            case_size=CASE_SIZE if model.case else 0,
            context_size=info.context.size if info.context else 0,
        )  # fmt: skip
        dropout = TokenDropout(
            model.singleton_dropout, model.word_dropout, model.embedding_dropout,
            model.embedding_locked_dropout, model.character_dropout,
        )  # fmt: skip
        return TokenEmbedder(sizes, dropout)

    def head(self, input_size: int, info: TagInfo) -> nn.Module:
        """A linear layer and a chain that knows what is legal."""
        model, tags = self.config.model, len(info.labels)
        make = CRF if model.decoder == "crf" else tagger.LegalChain
        chain = make(tags, tagger.allowed_moves(info.labels, info.inner))
        return tagger.TaggingHead(input_size, chain, tags, model.head_dropout)

    def model(self, info: TagInfo) -> TaggingModel:
        """Networks from different weights, and the vectors they share."""
        pretrained = None
        if info.vector_size:
            pretrained = PretrainedVectors(len(info.lexicon.words.vector_words), info.vector_size)
            if info.vectors is not None and pretrained.values.device.type != "meta":
                pretrained.values.copy_(torch.from_numpy(info.vectors.values))
        spanned = info.scheme != "raw"
        openers = torch.tensor([spanned and label[:2] in ("B-", "S-") for label in info.labels])
        members = [self.network(info) for _ in range(info.members)]
        context = info.context.network() if info.context else None
        return TaggingModel(members, pretrained, openers, context)

    def monitors_for(self, info: TagInfo) -> tuple[str, ...]:
        """Raw tags spell no spans."""
        return tuple(m for m in self.monitors if m != "span_f1" or info.scheme != "raw")

    def describe(self, info: TagInfo) -> list[tuple[str, str]]:
        """What is trained."""
        model, lexicon = self.config.model, info.lexicon
        parts = [
            f"{len(lexicon.words.words):,} words trained" if model.word_size else "",
            f"vectors {info.vector_name}" if info.vector_size else "no pretrained vectors",
            f"states of {info.context.name}" if info.context else "",
            f"letters ({model.char_encoder})" if lexicon.characters else "",
            "affixes" if lexicon.affixes else "",
            "case" if model.case else "",
        ]
        tags = f"{len(info.labels)} raw tags"
        if info.scheme != "raw":
            types = len({label[2:] for label in info.labels} - {""})
            tags = f"{plural(types, 'span type')}, {info.scheme.upper()} in the data, IOBES inside"
        return [
            *super().describe(info),
            ("networks", f"{info.members}, averaged" if info.members > 1 else "1"),
            ("tokens", ", ".join(part for part in parts if part)),
            ("tags", tags),
            ("decoder", f"{model.decoder}, legal sequences only"),
        ]

    def margin(self, data: TaskData[TagInfo, TagSplit]) -> float:
        """Of span F1, two standard errors of a share at most, where validation has few spans."""
        count = validation_spans(data)
        if self.monitor(data.info) != "span_f1" or count >= ENOUGH_SPANS:
            return 0.0
        return 1 / math.sqrt(max(count, 1))

    def loss(self, outputs: TaggingOutputs, batch: Batch) -> LossSum:
        """Negative log-likelihood of the gold tags under each network's chain; their mean.

        With softmax, the cross-entropy of each token. Counted by tokens either way.
        """
        assert batch.targets is not None
        mask = sequence_mask(batch.lengths, outputs.scores.shape[1])
        wanted = batch.targets.masked_fill(~mask, IGNORED)
        total: Tensor = outputs.scores.new_zeros(())
        for scores, potentials in outputs.members:
            if self.config.model.decoder == "crf":
                losses = negative_log_likelihood(scores, batch.targets, batch.lengths, potentials)
                total = total + losses.sum()
            else:
                flat = scores.float().flatten(0, 1)
                total = total + F.cross_entropy(
                    flat, wanted.flatten(), ignore_index=IGNORED, reduction="sum"
                )
        return LossSum(total / len(outputs.members), batch.lengths.sum())

    def decode(self, outputs: TaggingOutputs, batch: Batch) -> list[Array]:
        """``[T_i, 3]`` for each item: tag, its probability, and that given the tag before it."""
        tags = tagger.best_tags(outputs)
        sure = path_confidence(outputs.scores, tags, batch.lengths, outputs.chain)
        columns = torch.stack([tags.float(), sure.marginal, sure.conditional], dim=-1)
        rows = columns.cpu().numpy()
        return [row[:n] for row, n in zip(rows, batch.lengths.tolist(), strict=True)]

    def count(self, outputs: TaggingOutputs, batch: Batch, info: TagInfo) -> Mapping[str, Array]:
        """Right tokens, spans for each bonus, and the summed loss of the committee's chain."""
        assert batch.targets is not None
        gold = batch.targets
        sayable = predictable(outputs, gold, info)
        losses = negative_log_likelihood(outputs.scores, sayable, batch.lengths, outputs.chain)
        counts = count_right(outputs, gold, info, self.bonuses(info))
        return {"loss": np.array(losses.double().sum().item()), **counts}

    def bonuses(self, info: TagInfo) -> tuple[float, ...]:
        """For each span, on top of what the model adds: tried on validation.

        Each takes a search for the best tags: of a thousand labels, fewer are tried.
        """
        if not self.config.model.span_bonus or info.scheme == "raw":
            return (0.0,)
        return BONUSES if len(info.labels) <= MANY_LABELS else BONUSES[::4]

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``span_f1`` with the best bonus, ``accuracy``, and ``nll``, the loss a token."""
        right, tokens = counts["tokens"]
        scores = {"accuracy": float(right / tokens), "nll": float(counts["loss"] / tokens)}
        if "spans" not in counts:
            return scores
        return {"span_f1": float(precision_recall_f1(counts["spans"])[2].max()), **scores}

    def finish(self, model: nn.Module, data: TaskData[TagInfo, TagSplit]) -> dict[str, Any]:
        """Fit on validation how sharp the chain is, and the bonus of each span."""
        assert isinstance(model, TaggingModel)
        validation, info = data.splits["validation"], data.info

        def judged() -> Iterator[tuple[TaggingOutputs, Tensor]]:
            for _, batch, outputs in run_split(model, validation, self.config.train):
                assert batch.targets is not None
                yield outputs, batch.targets

        sharpness = tagger.fit_sharpness(
            [(out, predictable(out, gold, info)) for out, gold in judged()]
        )
        model.log_sharpness.fill_(math.log(sharpness))
        fitted: dict[str, Any] = {"members": info.members, "sharpness": sharpness}
        bonuses = self.bonuses(info)
        if len(bonuses) == 1:
            return fitted
        counts = sum(count_right(*pair, info, bonuses)["spans"] for pair in judged())
        f1 = precision_recall_f1(np.asarray(counts))[2]
        best = choose_bonus(f1, bonuses, validation_spans(data))
        model.span_bonus.fill_(bonuses[best])
        return {**fitted, "span_bonus": bonuses[best], "validation_span_f1": float(f1[best])}

    def soft(self, model: nn.Module, split: TagSplit, info: TagInfo) -> list[Array]:
        """``[T_i, K]`` the probability of each tag at each token."""
        from birnn.tasks.tagging.ensemble import tag_marginals

        return tag_marginals(model, split, self.config.train)

    def joint_info(self, infos: Sequence[TagInfo]) -> TagInfo:
        """All tags that any of the models knows."""
        known = dict.fromkeys(label for info in infos for label in info.labels)
        return replace(infos[0], labels=list(known))

    def combined(
        self, parts: Sequence[tuple[TagSplit, Any, TagInfo]], info: TagInfo
    ) -> list[Array]:
        """The likeliest legal tags under the mean of the probabilities (Viterbi)."""
        from birnn.tasks.tagging.ensemble import likeliest

        return likeliest([(shares, own.labels) for _, shares, own in parts], info)

    def evaluate(
        self, split: TagSplit, predictions: Sequence[Array], info: TagInfo, seed: int
    ) -> Evaluation:
        """Scores of tokens and spans, resampled by sentences."""
        # Train's words, those without a row of their own too.
        seen = Seen(frozenset(info.lexicon.words.words) | info.rare, info.spans)
        return evaluate_tags(self.tagged(split, predictions, info), seen, seed)

    def tagged(self, split: TagSplit, predictions: Sequence[Array], info: TagInfo) -> Tagged:
        """Gold and predicted tags side by side, in the user's scheme."""
        known = not any(np.isnan(row).any() for row in predictions)
        return Tagged(
            split.column("tokens"), split.column("tags"), predicted_tags(predictions, info),
            info.scheme, self.config.data.span_mode,
            *([row[:, i] for row in predictions] if known else None for i in (1, 2)),
        )  # fmt: skip

    def details(
        self, split: TagSplit, predictions: Sequence[Array], info: TagInfo
    ) -> dict[str, Any]:
        """Scores by type, errors, frequent confusions, confident mistakes, reliability."""
        from birnn.tasks.tagging.report import reliability, tag_details

        tagged = self.tagged(split, predictions, info)
        how = {"scheme": info.scheme, "span_mode": self.config.data.span_mode}
        return {**how, **tag_details(tagged), "reliability": reliability(tagged)}

    def advice(
        self, data: TaskData[TagInfo, TagSplit], predictions: Sequence[Array], *, behind: bool
    ) -> list[str]:
        """More sentences; pretrained vectors where there are none."""
        words = super().advice(data, predictions, behind=behind)
        return [*words, VECTORS] if behind and not data.info.vector_size else words

    def baselines(self, data: TaskData[TagInfo, TagSplit]) -> list[Baseline]:
        """Each word's most frequent tag; a linear model of words and their neighbours."""
        from birnn.tasks.tagging.baselines import linear_tagger, most_frequent_tag

        info, splits = data.info, data.splits
        tokens = {name: split.column("tokens") for name, split in splits.items()}
        tags = {name: split.column("tags") for name, split in splits.items()}
        simple = most_frequent_tag(tokens["train"], tags["train"], tokens["test"], info.scheme)
        linear = linear_tagger(tokens, tags, info.scheme)

        def baseline(name: str, label: str, guesses: "Guesses") -> Baseline:
            return Baseline(name, label, as_predictions(guesses, info), guesses.settings)

        return [
            baseline("most_frequent", "each word's most frequent tag", simple),
            baseline("linear", "a linear model of words and neighbours", linear),
        ]

    def report_extras(
        self, model: nn.Module, data: TaskData[TagInfo, TagSplit], predictions: Sequence[Array],
        baselines: Sequence[Baseline],
    ) -> dict[str, Any]:  # fmt: skip
        """Where each sentence of test begins, and how sure the chain is of each predicted span."""
        split = data.splits["test"]
        assert split.table is not None
        assert split.layout is not None
        names = [str(name) for name in split.table["file"][:]]
        items = {
            "line": [int(line) for line in split.table["line"][:]],
            "file": names if len(set(names)) > 1 else [],
            "unit": "row" if split.layout.suffix == ".json" else "line",
        }
        tagged = self.tagged(split, predictions, data.info)
        if tagged.scheme == "raw" or tagged.confidence is None:
            return {"items": items}
        sure = [
            [round(span_confidence(tagged, i, span), 4) for span in row]
            for i, row in enumerate(tagged.spans[1])
        ]
        return {"items": items, "span_confidence": sure}

    def save_extras(
        self, folder: Path, model: nn.Module, data: TaskData[TagInfo, TagSplit],
        predictions: Sequence[Array], details: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """The test split in its own format with a column more, and a picture of confusions."""
        from birnn.data.tags.writing import prediction_lines, write_lines
        from birnn.tasks.core.plots import save_confusion
        from birnn.tasks.tagging.report import confusion

        split, info = data.splits["test"], data.info
        assert split.layout is not None
        assert split.table is not None
        tags = predicted_tags(predictions, info)
        sure = [
            [span_posterior(row[:, 1], row[:, 2], span) for span in spans(own, info.scheme)]
            for row, own in zip(predictions, tags, strict=True)
        ]
        parts = split.table, tags, split.layout, info.scheme
        form = TagForm.of(data.reading.get("tags", {}).get("form", {}))
        lines = prediction_lines(*parts, confidence=sure, keep_before=False, form=form)
        write_lines(folder / f"predictions{split.layout.suffix}", lines)
        labels, counts = confusion(self.tagged(split, predictions, info))
        if len(labels) <= MAX_PICTURE:
            save_confusion(folder / "confusion.png", counts, labels)

    def records(
        self, split: TagSplit, predictions: Sequence[Array], info: TagInfo
    ) -> list[dict[str, Any]]:
        """A row a token."""
        tagged = self.tagged(split, predictions, info)
        return [
            {"sentence": i + 1, "token": token, "gold": gold, "label": guess,
             "confidence": float(sure)}
            for i, (words, golds, guesses, row) in enumerate(
                zip(tagged.tokens, tagged.gold, tagged.predicted, predictions, strict=True)
            )
            for token, gold, guess, sure in zip(words, golds, guesses, row[:, 1], strict=True)
        ]  # fmt: skip


def validation_spans(data: TaskData[TagInfo, TagSplit]) -> int:
    """How many gold spans choose the epoch and the bonus."""
    tags = data.splits["validation"].column("tags")
    return sum(len(spans(row, data.info.scheme)) for row in tags)


def vector_note(info: TagInfo, train: TagSplit, asked: str) -> str:
    """How much of train the pretrained vectors describe."""
    if train.vectors is None:
        hint = "; the samples extra brings glove.6B.50d" if asked == "auto" else ""
        return f"no pretrained vectors{hint}"
    share = (train.vectors.sizes > 0)[train.types].mean()
    return f"vectors {info.vector_name} describe {share:.1%} of train's tokens"
