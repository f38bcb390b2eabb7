"""A task with one label a row of texts: everything but how it is loaded, modelled and trained."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.arrays import Array, Ints
from birnn.data.splits.batching import Split
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.plain import PlainTable
from birnn.data.text.options import TextOptions
from birnn.data.text.tokenizers import get_tokenizer
from birnn.data.wording import number_list, plural
from birnn.errors import ConfigError, DataError
from birnn.nn.batch import Batch
from birnn.tasks.core import task as contract
from birnn.tasks.core.folding import fold_options
from birnn.tasks.core.options import TextData
from birnn.tasks.core.task import Baseline, Evaluation, Predictions, Record, Task, TaskData
from birnn.tasks.scoring import metrics
from birnn.tasks.scoring.reliability import reliability_bins

if TYPE_CHECKING:
    from datasets import Dataset

MISTAKES = 8  # shown in the report


class LabelInfo(contract.Info, Protocol):
    """What is known of the training split: its classes at least."""

    @property
    def labels(self) -> list[str]:
        """Distinct, in the order of the network's outputs."""


class LabelSplit(Split, Protocol):
    """Rows of texts, with their classes where these are known."""

    @property
    def table(self) -> "Dataset | PlainTable":
        """The texts, one column each; ``row`` is the number in the file."""

    @property
    def targets(self) -> Ints | None:
        """``[N]`` class numbers."""


class TextConfig(contract.TaskConfig, Protocol):
    """The groups of options of a classifier."""

    @property
    def data(self) -> TextData:
        """Where its texts come from."""


ConfigT = TypeVar("ConfigT", bound=TextConfig)
InfoT = TypeVar("InfoT", bound=LabelInfo)
SplitT = TypeVar("SplitT", bound=LabelSplit)


class Classification(Task[ConfigT, InfoT, SplitT]):
    """A classifier of rows with one text or several, which its tables call ``text``, ``text_2``, ….

    A task adds how its data is loaded (:meth:`load`), the split of a table (:meth:`split_of`), its
    info, its network and its loss.
    """

    monitors = ("log_loss", "accuracy", "macro_f1")
    headline = ("accuracy", "macro_f1")
    text_columns: ClassVar[tuple[str, ...]] = ("text",)

    @abstractmethod
    def split_of(self, table: "Dataset | PlainTable", info: InfoT) -> SplitT:
        """A table of texts as a split; with the column ``label``, its labels are known ones."""

    def logits(self, outputs: Any) -> Tensor:
        """``[B, C]``: what validation scores and, as it is here, what is predicted."""
        return cast(Tensor, outputs)

    def rows(self, columns: Mapping[str, Sequence[str]], info: InfoT) -> SplitT:
        """Raw texts, by :attr:`text_columns`, as a split to predict."""
        table = {text_column(i): list(texts) for i, texts in enumerate(columns.values())}
        return self.split_of(PlainTable(table), info)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns of texts in files: as ``--text-column`` names them, else the task's own.

        Raises:
            ConfigError: there are more or fewer names than texts.
        """
        given = self.config.data.text_column
        count = len(self.text_columns)
        if not given:
            usual = self.text_columns == ("text",)  # found by its usual names
            return ("",) if usual else self.text_columns
        names = (given,) if count == 1 else tuple(part.strip() for part in given.split(","))
        if len(names) != count:
            raise ConfigError(f"text_column: name {count} columns, with commas; got {given!r}")
        return names

    def texts(self, table: "Dataset | PlainTable") -> list[list[str]]:
        """The texts of a table, a list for each of :attr:`text_columns`."""
        return [table[text_column(i)][:] for i in range(len(self.text_columns))]

    def text_options(self, source: str) -> TextOptions:
        """How ``source`` is read: as the run's own data was, and from the same columns.

        In other data than its own, those that it remembers are taken if they are there.
        """
        data, texts, known = self.config.data, self.source_columns, self.columns
        other = source != data.data
        return TextOptions(source, data.validation_share, data.test_share, data.split_seed,
                           ReadOptions(data.encoding, data.skip_ragged, data.table, self.trained),
                           ("",) if other and "text" in known and len(texts) == 1 else texts,
                           "" if other and "label" in known else data.label_column,
                           data.split_column, known, fold=fold_options(data))  # fmt: skip

    def load_split(self, info: InfoT, source: str, name: str) -> contract.LoadedSplit[SplitT]:
        """Labelled texts to score; their labels must be the run's."""
        from birnn.data.text.labelled import load_labelled, load_one  # brings what reads files
        from birnn.data.text.rows import with_known_labels

        options = self.text_options(source or self.config.data.data)
        if source:
            table, notes = load_one(options, name)
        else:
            texts = load_labelled(options)
            table, notes = texts.splits[name], texts.notes
        table, changed = with_known_labels(table, info.labels)
        notes = [*notes, *changed]
        unknown = [label for label in table["label"][:] if label not in info.labels]
        if unknown:
            some = ", ".join(map(repr, list(dict.fromkeys(unknown))[:3]))
            rows = f"{plural(len(unknown), 'row')} with a label that the run doesn't know: {some}"
            raise DataError(f"{options.data}: {rows}; it knows {', '.join(info.labels[:10])}")
        where = source or f"{options.data} ({name})"
        return contract.LoadedSplit(self.split_of(table, info), where, notes)

    def name_items(self, split: SplitT, items: Array) -> str:
        """Rows of the data that were read, from 1."""
        rows = split.table.select(items)["row"][:]
        return f"rows {number_list(rows)} of {self.config.data.data}"

    def decode(self, outputs: Any, batch: Batch) -> list[Array]:
        """Class probabilities ``[C]`` of each item."""
        return list(self.logits(outputs).float().softmax(-1).cpu().numpy())

    def count(self, outputs: Any, batch: Batch, info: InfoT) -> Mapping[str, Array]:
        """Confusion counts and the summed log-loss."""
        assert batch.targets is not None
        logits = self.logits(outputs).float()
        classes = logits.shape[1]
        cells = batch.targets * classes + logits.argmax(-1)
        confusion = torch.bincount(cells, minlength=classes**2).reshape(classes, classes)
        loss = F.cross_entropy(logits, batch.targets, reduction="sum")
        return {"confusion": confusion.cpu().numpy(), "loss": np.array(loss.item())}

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``accuracy``, ``macro_f1`` and ``log_loss``."""
        confusion, total = counts["confusion"], counts["confusion"].sum()
        hits, both = np.diagonal(confusion), confusion.sum(0) + confusion.sum(1)
        present = both > 0
        return {"accuracy": float(hits.sum() / total),
                "macro_f1": float(np.mean(2 * hits[present] / both[present])),
                "log_loss": float(counts["loss"] / total)}  # fmt: skip

    def evaluate(self, split: SplitT, predictions: Predictions, info: InfoT,
                 seed: int) -> Evaluation:  # fmt: skip
        """scikit-learn's scores, resampled by rows."""
        assert split.targets is not None
        probabilities = np.stack(list(predictions))
        resampled = metrics.classification_replicates(split.targets, probabilities, seed)
        return Evaluation(metrics.classification_scores(split.targets, probabilities), resampled)

    def combined(self, parts: Sequence[tuple[SplitT, Any, InfoT]], info: InfoT) -> Predictions:
        """The mean of the probabilities; a class that a model doesn't know has none there."""
        places = {label: i for i, label in enumerate(info.labels)}
        total = np.zeros((len(parts[0][1]), len(places)))
        for _, shares, own in parts:
            total[:, [places[label] for label in own.labels]] += np.stack(list(shares))
        return list((total / len(parts)).astype(np.float32))

    def joined(self, table: "Dataset | PlainTable") -> list[str]:
        """The texts of each row as one."""
        return [" ".join(row) for row in zip(*self.texts(table), strict=True)]

    def baselines(self, data: TaskData[InfoT, SplitT]) -> list[Baseline]:
        """The majority class; TF-IDF and logistic regression, tuned on validation."""
        from birnn.tasks.core.text_linear import majority, tfidf_logistic

        splits = data.splits
        gold = {name: split.targets for name, split in splits.items() if split.targets is not None}
        texts = {name: self.joined(split.table) for name, split in splits.items()}
        tokenizer = get_tokenizer(self.config.data.tokenizer)
        linear, settings = tfidf_logistic(texts, gold, tokenizer)
        constant = majority(gold["train"], len(splits["test"]))
        simple = Baseline("majority", "the majority class", list(constant), {})
        label = "TF-IDF + logistic regression"
        return [simple, Baseline("tfidf_logistic", label, list(linear), settings)]

    def records(self, split: SplitT, predictions: Predictions, info: InfoT) -> list[Record]:
        """Texts, gold label, predicted label, and a probability for each class."""
        records = []
        rows = zip(*self.texts(split.table), strict=True)
        for i, (texts, shares) in enumerate(zip(rows, predictions, strict=True)):
            record: dict[str, Any] = dict(zip(self.text_columns, texts, strict=True))
            if split.targets is not None:
                record["gold"] = info.labels[split.targets[i]]
            record["label"] = info.labels[int(shares.argmax())]
            record |= {f"p_{n}": float(p) for n, p in zip(info.labels, shares, strict=True)}
            records.append(record)
        return records

    def report_extras(self, model: nn.Module, data: TaskData[InfoT, SplitT],
                      predictions: Predictions,
                      baselines: Sequence[Baseline]) -> dict[str, Any]:  # fmt: skip
        """Of each test item its row in the user's data."""
        table = data.splits["test"].table
        known = "row" in table.column_names
        return {"items": {"row": [int(row) for row in table["row"][:]]} if known else {}}

    def details(self, split: SplitT, predictions: Predictions, info: InfoT) -> dict[str, Any]:
        """Per-class scores, confusion counts, reliability and the most confident mistakes."""
        from sklearn.metrics import confusion_matrix

        assert split.targets is not None
        probabilities = np.stack(list(predictions))
        gold, guess = split.targets, probabilities.argmax(1)
        classes, confidence = np.arange(len(info.labels)), probabilities.max(1)
        wrong = np.flatnonzero(gold != guess)
        worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
        texts = self.joined(split.table.select(worst)) if len(worst) else []
        return {
            "labels": info.labels,
            "per_class": metrics.class_table(info.labels, gold, guess),
            "confusion": confusion_matrix(gold, guess, labels=classes).tolist(),
            "reliability": [asdict(b) for b in reliability_bins(confidence, gold == guess)],
            "mistakes": [
                {"text": text[:500], "gold": info.labels[gold[i]],
                 "predicted": info.labels[guess[i]], "confidence": float(confidence[i])}
                for i, text in zip(worst, texts, strict=True)]}  # fmt: skip


def text_column(number: int) -> str:
    """What tables of texts call a row's text of that number, from 0."""
    return f"text_{number + 1}" if number else "text"


def class_order(label: str) -> tuple[int, float, str]:
    """Numbers by value, before words by alphabet: a key to sort labels by."""
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)
