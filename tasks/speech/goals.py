"""The two things that a recording is asked for: its text, or its label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from birnn.arrays import Array
from birnn.data.audio.batches import SoundSplit
from birnn.nn.audio.ctc import Outputs, ctc_losses, greedy
from birnn.nn.batch import Batch
from birnn.tasks.core.task import Evaluation, Record
from birnn.tasks.scoring import metrics
from birnn.tasks.speech.info import SpeechInfo
from birnn.tasks.speech.scoring import (
    LABEL_MONITORS,
    TEXT_MONITORS,
    edits,
    evaluate_labels,
    evaluate_texts,
    rates,
)
from birnn.tasks.speech.search import Search, said_text
from birnn.training.losses import LossSum

MISTAKES = 8  # shown in the report


def known_targets(split: SoundSplit) -> Sequence[Array]:
    """The numbers of what is said, which a split to train and score has."""
    assert split.targets is not None
    return split.targets


@dataclass(frozen=True)
class Texts:
    """What is said: symbols by CTC."""

    monitors = TEXT_MONITORS
    spaced: bool
    search: Search

    def loss(self, outputs: Outputs, batch: Batch) -> LossSum:
        """CTC, counted by symbols."""
        assert batch.targets is not None
        sizes = batch.inputs["target_lengths"]
        return LossSum(ctc_losses(outputs, batch.targets, sizes).sum(), sizes.sum())

    def decode(self, outputs: Outputs, batch: Batch) -> list[Array]:
        """``[L, 4]`` symbols of each item; see :class:`birnn.nn.audio.ctc.Symbol`."""
        return [greedy(row) for row in self.soft(outputs, batch)]

    def soft(self, outputs: Outputs, batch: Batch) -> list[Array]:
        """``[T, K]`` logarithms of shares, of each item."""
        scores, lengths = outputs.scores.float().cpu().numpy(), outputs.lengths.tolist()
        return [row[:length] for row, length in zip(scores, lengths, strict=True)]

    def read(self, scores: Array, info: SpeechInfo) -> Array:
        """``[L, 4]`` symbols of ``scores [T, K]``, by the search that the options name."""
        return self.search.read(scores, info)

    def count(self, outputs: Outputs, batch: Batch, info: SpeechInfo) -> Mapping[str, Array]:
        """Errors and their totals, the summed loss, and its symbols."""
        assert batch.targets is not None
        sizes = batch.inputs["target_lengths"]
        loss, symbols = self.loss(outputs, batch)
        rows = zip(batch.targets.tolist(), sizes.tolist(), strict=True)
        gold = [info.text(row[:size]) for row, size in rows]
        said = [said_text(row, info) for row in self.decode(outputs, batch)]
        return {
            "edits": edits(gold, said).sum(0),
            "loss": np.array([float(loss), float(symbols)]),
        }

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``wer``, ``cer`` and ``nll``, the loss a symbol."""
        loss, symbols = counts["loss"]
        found = rates(counts["edits"], spaced=self.spaced)
        found.pop("exact")
        return {**{name: float(rate) for name, rate in found.items()}, "nll": float(loss / symbols)}

    def evaluate(
        self, split: SoundSplit, predictions: Sequence[Array], info: SpeechInfo, seed: int
    ) -> Evaluation:
        """Error rates, resampled by speakers where these are known."""
        gold = [row.text for row in split.recordings]
        said = [said_text(row, info) for row in predictions]
        speakers = [row.speaker for row in split.recordings]
        return evaluate_texts(gold, said, speakers, seed, spaced=self.spaced)

    def record(self, predicted: Array, info: SpeechInfo) -> Record:
        """``text`` and ``confidence``, that of its least sure symbol."""
        return {"text": said_text(predicted, info), "confidence": text_confidence(predicted)}

    def details(
        self, split: SoundSplit, predictions: Sequence[Array], info: SpeechInfo
    ) -> dict[str, Any]:
        """The most confident mistakes."""
        said = [said_text(row, info) for row in predictions]
        sure = [text_confidence(row) for row in predictions]
        wrong = [i for i, row in enumerate(split.recordings) if row.text != said[i]]
        worst = sorted(wrong, key=lambda i: -sure[i])[:MISTAKES]
        return {
            "mistakes": [
                {"text": split.recordings[i].name, "gold": split.recordings[i].text,
                 "predicted": said[i], "confidence": sure[i]}
                for i in worst
            ]
        }  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """One label a recording."""

    monitors = LABEL_MONITORS

    def loss(self, outputs: Tensor, batch: Batch) -> LossSum:
        """Cross-entropy."""
        assert batch.targets is not None
        total = F.cross_entropy(outputs.float(), batch.targets, reduction="sum")
        return LossSum(total, len(batch))

    def decode(self, outputs: Tensor, batch: Batch) -> list[Array]:
        """``[C]`` probabilities of each item."""
        return list(outputs.float().softmax(-1).cpu().numpy())

    soft = decode

    def read(self, scores: Array, info: SpeechInfo) -> Array:
        """The probabilities as they are."""
        return scores

    def count(self, outputs: Tensor, batch: Batch, info: SpeechInfo) -> Mapping[str, Array]:
        """Confusion counts and the summed loss."""
        assert batch.targets is not None
        classes = outputs.shape[1]
        cells = batch.targets * classes + outputs.argmax(-1)
        confusion = torch.bincount(cells, minlength=classes**2).reshape(classes, classes)
        return {"confusion": confusion.cpu().numpy(),
                "loss": np.array(float(self.loss(outputs, batch).total))}  # fmt: skip

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``accuracy``, ``macro_f1`` and ``log_loss``."""
        confusion = counts["confusion"]
        total, both = confusion.sum(), confusion.sum(0) + confusion.sum(1)
        hits, present = np.diagonal(confusion), both > 0
        f1 = 2 * hits[present] / both[present]
        return {"accuracy": float(hits.sum() / total), "macro_f1": float(np.mean(f1)),
                "log_loss": float(counts["loss"] / total)}  # fmt: skip

    def evaluate(
        self, split: SoundSplit, predictions: Sequence[Array], info: SpeechInfo, seed: int
    ) -> Evaluation:
        """scikit-learn's scores, resampled by speakers where these are known."""
        gold = np.array([row[0] for row in known_targets(split)])
        return evaluate_labels(
            gold, np.stack(predictions), [r.speaker for r in split.recordings], seed
        )

    def record(self, predicted: Array, info: SpeechInfo) -> Record:
        """The likeliest label, and a probability for each."""
        shares = {f"p_{n}": float(p) for n, p in zip(info.labels, predicted, strict=True)}
        return {"label": info.labels[int(predicted.argmax())], **shares}

    def details(
        self, split: SoundSplit, predictions: Sequence[Array], info: SpeechInfo
    ) -> dict[str, Any]:
        """Per-class scores, confusion counts and the most confident mistakes."""
        from sklearn.metrics import confusion_matrix

        gold = np.array([row[0] for row in known_targets(split)])
        probabilities = np.stack(predictions)
        guess, sure = probabilities.argmax(1), probabilities.max(1)
        wrong = np.flatnonzero(gold != guess)
        worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]
        classes = np.arange(len(info.labels))
        return {
            "labels": info.labels,
            "per_class": metrics.class_table(info.labels, gold, guess),
            "confusion": confusion_matrix(gold, guess, labels=classes).tolist(),
            "mistakes": [
                {"text": split.recordings[i].name, "gold": info.labels[gold[i]],
                 "predicted": info.labels[guess[i]], "confidence": float(sure[i])}
                for i in worst
            ],
        }  # fmt: skip


def text_confidence(predicted: Array) -> float:
    """The confidence of the least sure symbol; 0 where nothing was read."""
    return float(predicted[:, 3].min()) if len(predicted) else 0.0


Goal = Texts | Labels
