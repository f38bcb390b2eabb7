"""The sentence classifier: a committee of recurrent networks beside a linear model of n-grams."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.arrays import Array
from birnn.nn.batch import Batch
from birnn.nn.dropout import Dropout
from birnn.nn.encoders import Encoded
from birnn.nn.model import SequenceModel
from birnn.nn.one_way.context import BorderStates, with_context
from birnn.nn.pooling import Pooling
from birnn.nn.precision import full
from birnn.nn.word_embedder import PretrainedVectors


class HeadOutputs(NamedTuple):
    """What one network says of a batch."""

    logits: Tensor  # [B, C]
    attention: Tensor | None  # [B, T]


class SentimentHead(nn.Module):
    """States pooled (:class:`birnn.nn.pooling.Pooling`), dropout, a linear layer: ``C`` logits."""

    def __init__(self, input_size: int, classes: int, pooling: tuple[str, ...],
                 dropout: float) -> None:  # fmt: skip
        super().__init__()
        self.pooling = Pooling(input_size, pooling)
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(self.pooling.output_size, classes)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, encoded: Encoded, batch: Batch) -> HeadOutputs:
        """Classify each item."""
        pooled = self.pooling(encoded, batch.lengths)
        return HeadOutputs(self.linear(self.dropout(pooled.vector)), pooled.weights)


class SentimentOutputs(NamedTuple):
    """What the whole model says of a batch."""

    members: Tensor  # [M, B, C], each network's logits: what training sees
    recurrent: Tensor  # [B, C], the mean of the members' log-probabilities
    mixed: Tensor  # [B, C], log-probabilities up to a constant: what is predicted
    attention: Tensor | None  # [B, T], the mean of the members'


class SentimentModel(nn.Module):
    """``a · log p_recurrent + b · log p_linear`` (wide and deep, Cheng et al. 2016).

    The recurrent part is the mean of ``M`` networks trained side by side from different weights
    (Lakshminarayanan et al. 2017). The linear part is a logistic regression of n-grams, fitted
    apart and held here as it is. ``a`` and ``b`` are fitted on validation (:func:`fit_mix`);
    without a linear part, ``1 / a`` is the temperature of Guo et al. 2017.

    The members share the table ``pretrained``, if there is one; there are ``C = classes``; the
    linear part has ``ngrams`` rows, and 0 leaves it out.
    """

    mix: Tensor
    wide_weight: Tensor
    wide_bias: Tensor

    def __init__(
        self, members: Sequence[SequenceModel], pretrained: PretrainedVectors | None, classes: int,
        ngrams: int, context: BorderStates | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.members = nn.ModuleList(members)
        self.pretrained, self.classes, self.ngrams = pretrained, classes, ngrams
        self.context = context
        self.register_buffer("mix", torch.tensor([1.0, 0.0]))
        if ngrams:
            self.register_buffer("wide_weight", torch.zeros(ngrams, classes))
            self.register_buffer("wide_bias", torch.zeros(classes))

    def forward(self, batch: Batch) -> SentimentOutputs:
        """Classify each item; the linear part is left out where a batch has no n-grams."""
        batch = self.with_vectors(batch)
        parts: list[HeadOutputs] = [member(batch) for member in self.members]
        members = full(torch.stack([part.logits for part in parts]))
        recurrent = members.log_softmax(-1).mean(0)
        mixed = self.mix[0] * recurrent
        if self.ngrams and "ngram_ids" in batch.inputs:
            mixed = mixed + self.mix[1] * self.wide(batch)
        weights = [part.attention for part in parts if part.attention is not None]
        attention = torch.stack(weights).mean(0) if weights else None
        return SentimentOutputs(members, recurrent, mixed, attention)

    def with_vectors(self, batch: Batch) -> Batch:
        """``batch`` with what all members share: pretrained vectors, and states at its words."""
        batch = with_context(self.context, batch)
        if self.pretrained is None:
            return batch
        vectors = self.pretrained(batch.inputs)
        return replace(batch, inputs={**batch.inputs, "pretrained": vectors})

    def wide(self, batch: Batch) -> Tensor:
        """Log-probabilities of the linear part, ``[B, C]``."""
        inputs = batch.inputs
        logits = F.embedding_bag(inputs["ngram_ids"], self.wide_weight, inputs["ngram_offsets"],
                                 mode="sum", per_sample_weights=inputs["ngram_values"])  # fmt: skip
        return (logits + self.wide_bias).log_softmax(-1)

    @torch.no_grad()
    def set_wide(self, weight: Array, bias: Array) -> None:
        """Take over a linear model: weights ``[V, C]``, biases ``[C]``."""
        self.wide_weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
        self.wide_bias.copy_(torch.from_numpy(bias))

    @torch.no_grad()
    def set_mix(self, mix: Array) -> None:
        """Take over ``[a, b]``."""
        self.mix.copy_(torch.as_tensor(mix, dtype=self.mix.dtype))


def fit_mix(parts: Sequence[Array], gold: Array) -> Array:
    """Non-negative weights of log-probabilities that minimise the log-loss on validation.

    One for each of the parts, ``[N, C]`` log-probabilities; gold is ``[N]``. A ridge of one item's
    weight pulls them towards equal shares, so that a handful of rows can't make them extreme.
    """
    from scipy.optimize import minimize  # here: a model in use needs none
    from scipy.special import log_softmax

    stacked = np.stack(parts).astype(np.float64)
    wanted = np.eye(stacked.shape[2])[gold]
    share, items = 1.0 / len(parts), len(gold)

    def loss_and_gradient(weights: Array) -> tuple[float, Array]:
        mixed = log_softmax(np.tensordot(weights, stacked, axes=1), axis=1)
        pull = weights - share
        loss = (pull @ pull - (mixed * wanted).sum()) / items
        slope = np.tensordot(stacked, np.exp(mixed) - wanted, axes=2)
        return float(loss), (slope + 2 * pull) / items

    start = np.full(len(parts), share)
    bounds = [(0.0, None)] * len(parts)
    weights = np.asarray(minimize(loss_and_gradient, start, jac=True, bounds=bounds).x)
    # Where nothing is better than everything, equal shares at least name a class.
    return weights if weights.any() else start


def consistency_loss(logits: Tensor) -> Tensor:
    """Divergence of two dropout views ``[..., 2 B, C]``, both ways (R-Drop, Liang et al. 2021)."""
    first, second = logits.log_softmax(-1).chunk(2, dim=-2)
    one = F.kl_div(first, second, log_target=True, reduction="sum")
    return one + F.kl_div(second, first, log_target=True, reduction="sum")
