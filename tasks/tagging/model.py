"""The tagger: a committee of recurrent networks, and a chain over their scores."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from birnn.data.tags.schemes import legal
from birnn.nn.batch import Batch
from birnn.nn.chain import Allowed, Potentials, constrain, neutral
from birnn.nn.crf import CRF, negative_log_likelihood
from birnn.nn.decoding import best_path
from birnn.nn.dropout import Dropout
from birnn.nn.encoders import Encoded
from birnn.nn.model import SequenceModel
from birnn.nn.one_way.context import BorderStates, with_context
from birnn.nn.word_embedder import PretrainedVectors


class Emissions(NamedTuple):
    """What one network says of a batch."""

    scores: Tensor  # [B, T, K]
    chain: Potentials


def allowed_moves(labels: Sequence[str], scheme: str) -> Allowed:
    """What may follow what among ``K`` labels of a scheme, on the default device.

    For a skeleton they stay on the CPU: to compute on the device ``meta`` loads torch's compiler.
    """
    device = torch.get_default_device()
    device = torch.device("cpu") if device.type == "meta" else device
    rules = legal(labels, scheme)._asdict()
    return Allowed(**{name: torch.from_numpy(rule).to(device) for name, rule in rules.items()})


class LegalChain(nn.Module):
    """The chain of a softmax tagger: it prefers no move, and forbids the illegal ones."""

    def __init__(self, tags: int, allowed: Allowed) -> None:
        super().__init__()
        with allowed.start.device:
            chain = constrain(neutral(tags), allowed)
        for name, scores in chain._asdict().items():
            # Not kept in a run: what is legal follows from the labels.
            self.register_buffer(name, scores, persistent=False)

    def potentials(self) -> Potentials:
        """0 or −inf."""
        return Potentials(*(self.get_buffer(name) for name in Potentials._fields))


class TaggingHead(nn.Module):
    """States of ``input_size``, dropout, a linear layer to ``K = tags``, and a chain of tags.

    The chain's potentials are learned (a CRF), or hold nothing but what is legal (softmax).
    """

    def __init__(self, input_size: int, chain: CRF | LegalChain, tags: int, dropout: float) -> None:
        super().__init__()
        self.chain = chain
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(input_size, tags)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, encoded: Encoded, batch: Batch) -> Emissions:
        """Score each tag at each step."""
        return Emissions(self.linear(self.dropout(encoded.states)), self.chain.potentials())


class TaggingOutputs(NamedTuple):
    """What the whole model says of a batch."""

    members: list[Emissions]  # what training sees
    scores: Tensor  # [B, T, K], their mean
    chain: Potentials  # their mean
    bonus: Tensor  # [K], added to the scores where tags are chosen, not where they are judged
    lengths: Tensor  # [B]


class TaggingModel(nn.Module):
    """``M`` networks whose potentials are averaged.

    The mean of the potentials of several chains is the potential of their normalised geometric
    mean: the committee is itself a chain, decoded like one (Hinton 2002, products of experts). It
    is scaled by ``exp(log_sharpness)``, the inverse of a temperature fitted on validation (Guo et
    al. 2017).

    The likeliest tags find too few spans where most tokens stand in none: what makes F1 greatest is
    to predict a span from about half of that F1 on (Lipton et al. 2014). So each span gets a bonus,
    ``span_bonus``, where tags are chosen. Confidences don't know of it.

    Args:
        members: the networks, each with a :class:`TaggingHead`.
        pretrained: the table of word vectors that they share; None without one.
        context: the frozen model whose states they share; None without one.
        openers: ``[K]`` bool, the tags that open a span; none among raw tags.
    """

    log_sharpness: Tensor
    span_bonus: Tensor
    openers: Tensor

    def __init__(
        self,
        members: Sequence[SequenceModel], pretrained: PretrainedVectors | None, openers: Tensor,
        context: BorderStates | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.members = nn.ModuleList(members)
        self.pretrained, self.context = pretrained, context
        self.register_buffer("openers", openers, persistent=False)
        self.register_buffer("span_bonus", torch.tensor(0.0))
        self.register_buffer("log_sharpness", torch.tensor(0.0))

    def forward(self, batch: Batch) -> TaggingOutputs:
        """Score the tags of each token."""
        batch = self.with_vectors(batch)
        members: list[Emissions] = [member(batch) for member in self.members]
        scores = self.mean([part.scores for part in members])
        chain, bonus = self.chain([part.chain for part in members]), self.span_bonus * self.openers
        return TaggingOutputs(members, scores, chain, bonus, batch.lengths)

    def with_vectors(self, batch: Batch) -> Batch:
        """``batch`` with what all members share: pretrained vectors, and states at its words."""
        batch = with_context(self.context, batch)
        if self.pretrained is None:
            return batch
        vectors = self.pretrained(batch.inputs)
        return replace(batch, inputs={**batch.inputs, "pretrained": vectors})

    def mean(self, scores: Sequence[Tensor]) -> Tensor:
        """The committee's scores, from its members', ``[B, T, K]``."""
        return _mean([part.float() for part in scores]) * self.log_sharpness.exp()

    def chain(self, chains: Sequence[Potentials]) -> Potentials:
        """Of the committee, from the members'."""
        means = [_mean(parts) for parts in zip(*chains, strict=True)]
        return Potentials(*torch._foreach_mul(means, self.log_sharpness.exp()))


def _mean(parts: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(parts)).mean(0) if len(parts) > 1 else parts[0]


def best_tags(outputs: TaggingOutputs) -> Tensor:
    """The tags that are predicted, ``[B, T]``: legal, and 0 in the padding."""
    return best_path(outputs.scores + outputs.bonus, outputs.lengths, outputs.chain)


@torch.no_grad()
def fit_sharpness(parts: Sequence[tuple[TaggingOutputs, Tensor]]) -> float:
    """The factor of all potentials that minimises the loss on validation.

    Found between 0.1 and 10, on a logarithmic scale: the loss is convex in the factor. The parts
    are, of each batch, what the model says and the gold tags ``[B, T]``.
    """

    def loss(log: float) -> float:
        factor, total = math.exp(log), 0.0
        for outputs, tags in parts:
            scores, *parts_of_chain = (part * factor for part in (outputs.scores, *outputs.chain))
            chain = Potentials(*parts_of_chain)
            losses = negative_log_likelihood(scores, tags, outputs.lengths, chain)
            total += float(losses.double().sum())
        return total

    from scipy.optimize import minimize_scalar  # here: a model in use needs none

    bounds = (math.log(0.1), math.log(10.0))
    lowest = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 0.01})
    return math.exp(float(lowest.x))
