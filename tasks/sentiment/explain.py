"""Which words moved the label of a text."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from birnn.arrays import Array, Floats
from birnn.data.text.ngram_places import NgramShares, share_out
from birnn.data.text.places import Placed, placed_tokens
from birnn.data.text.tokenizers import UNKNOWN
from birnn.nn.attribution import Attributions, embedded, integrated_gradients
from birnn.nn.batch import Batch
from birnn.nn.model import SequenceModel, device_of
from birnn.nn.precision import products
from birnn.tasks.core.explanation import Cause, Explanation, Wish, chosen
from birnn.tasks.sentiment.model import HeadOutputs, SentimentModel, SentimentOutputs
from birnn.tasks.sentiment.task import Sentiment
from birnn.tasks.serving.explaining import TextExplainer

NOTHING = "as many unknown words and no n-gram"


class SentimentExplainer(TextExplainer):
    """Integrated gradients of the networks, and the linear part shared out exactly.

    The score is how far a class's log-probability lies above the mean of the others'; of two
    classes these are its log-odds. In it the normalisers of both parts' softmax cancel out, so that
    the linear part is a sum over n-grams, and the networks' part one over words.
    """

    wishes: ClassVar[tuple[str, ...]] = ("label",)

    def of_text(self, text: str, wish: Wish) -> Iterator[Explanation]:
        """Explain the label of a text, or another class."""
        task, model, info = self.run.task, self.run.model, self.run.info
        assert isinstance(task, Sentiment)
        assert isinstance(model, SentimentModel)
        batch = task.rows({"text": [text]}, info).batch(np.array([0])).to(device_of(model))
        with torch.no_grad(), products():
            outputs: SentimentOutputs = model(batch)
        shares = outputs.mixed[0].double().softmax(-1)
        asked = chosen(wish.label, info.labels, "class", "this run") if wish.label else -1
        number = asked if wish.label else int(shares.argmax())
        placed = placed_tokens(text, task.config.data.tokenizer) or [Placed(UNKNOWN, None)]
        contrast = contrast_of(number, model.classes).to(outputs.mixed)
        recurrent = attribute_networks(model, batch, contrast)
        linear = self._linear(text, placed, batch, contrast)
        causes = _causes(text, placed, recurrent, linear.tokens, outputs.attention)
        others = (Cause("outside all words", linear.outside),) if linear.outside else ()
        baseline = recurrent.baseline + self._bias(batch, contrast)
        value = float((outputs.mixed[0] * contrast).double().sum())
        moved = sum(cause.weight for cause in (*causes, *others))
        label = info.labels[number]
        yield Explanation(
            task.name, label, score_words(label, model.classes), "log-odds", value, baseline,
            NOTHING, tuple(causes), value - baseline - moved, recurrent.points, text=text,
            probability=float(shares[number]), others=others,
        )  # fmt: skip

    def _linear(
        self, text: str, placed: Sequence[Placed], batch: Batch, contrast: Tensor
    ) -> NgramShares:
        """What the linear part's n-grams add, shared out among the words."""
        model, table = self.run.model, self.run.info.ngrams
        assert isinstance(model, SentimentModel)
        if not model.ngrams or "ngram_ids" not in batch.inputs:
            return NgramShares(np.zeros(len(placed)), 0.0)
        ids = batch.inputs["ngram_ids"]
        slopes = (model.wide_weight[ids] @ contrast).double() * model.mix[1]
        scores: Array = (slopes * batch.inputs["ngram_values"]).cpu().numpy()
        return share_out(text, placed, table, ids.cpu().numpy(), scores)

    def _bias(self, batch: Batch, contrast: Tensor) -> float:
        """What the linear part says of a text without n-grams."""
        model = self.run.model
        assert isinstance(model, SentimentModel)
        if not model.ngrams or "ngram_ids" not in batch.inputs:
            return 0.0
        return float(model.mix[1] * (model.wide_bias @ contrast))


def contrast_of(number: int, classes: int) -> Tensor:
    """``[C]``: a class less the mean of the others.

    >>> contrast_of(1, 3).tolist()
    [-0.5, 1.0, -0.5]
    """
    contrast = torch.full((classes,), -1.0 / (classes - 1))
    contrast[number] = 1.0
    return contrast


def score_words(label: str, classes: int) -> str:
    """What the score is."""
    if classes == 2:
        return f"log-odds of {label}"
    return f"log-odds of {label} against the others (their geometric mean)"


def attribute_networks(model: SentimentModel, batch: Batch, contrast: Tensor) -> Attributions:
    """What the embedded words of one text add to the networks' part of the score.

    Of each network the words move from ``<unk>`` with no vector and no letters to what they are.
    """
    members = [cast(SequenceModel, member) for member in model.members]
    with torch.no_grad():
        known = model.with_vectors(batch)

    def score(points: list[Tensor]) -> Tensor:
        alike = Batch({}, batch.lengths.expand(len(points[0])))
        said = [
            cast(HeadOutputs, member.read(x, alike)).logits
            for member, x in zip(members, points, strict=True)
        ]
        mean: Tensor = torch.stack(said).mean(0) @ contrast
        return mean * model.mix[0]

    return integrated_gradients(score, *embedded(members, known))


def _causes(
    text: str, placed: Sequence[Placed], recurrent: Attributions, linear: Floats,
    attention: Tensor | None,
) -> list[Cause]:  # fmt: skip
    """A cause a word; the networks have read the first words alone."""
    moved = torch.stack([part.sum(-1) for part in recurrent.parts]).sum(0).tolist()
    looked = [] if attention is None else attention[0].tolist()
    causes = []
    for number, token in enumerate(placed):
        networks = moved[number] if number < len(moved) else 0.0
        start, end = token.place or (None, None)
        name = (text[start:end] if token.place else "") or token.token
        parts = {"networks": networks, "n-grams": float(linear[number])}
        weight = looked[number] if number < len(looked) else None
        causes.append(Cause(name, sum(parts.values()), start, end, weight, parts=parts))
    return causes
