"""Several taggers as one: the mean of what each says of every token, and the best legal tags."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from birnn.arrays import Array
from birnn.config import TrainConfig
from birnn.data.tags.batches import TagSplit
from birnn.nn.crf import marginals, path_confidence
from birnn.nn.decoding import best_path
from birnn.tasks.core.inference import run_split
from birnn.tasks.tagging.info import TagInfo
from birnn.tasks.tagging.model import LegalChain, allowed_moves

LEAST = 1e-30  # a probability below this is as good as none
BATCH = 256  # sentences that are decoded at once


def tag_marginals(model: nn.Module, split: TagSplit, config: TrainConfig) -> list[Array]:
    """``[T_i, K]`` the probability of each tag at each token of ``N`` sentences."""
    rows = dict[int, Array]()
    for indices, batch, outputs in run_split(model, split, config):
        unary = marginals(outputs.scores, batch.lengths, outputs.chain).unary.double().numpy()
        for item, row, length in zip(indices, unary, batch.lengths.tolist(), strict=True):
            rows[int(item)] = row[:length]
    return [rows[item] for item in range(len(split))]


def mean_marginals(
    parts: Sequence[tuple[Sequence[Array], Sequence[str]]], labels: Sequence[str]
) -> list[Array]:
    """The mean over models of ``[T_i, K_m]``, as ``[T_i, K]`` of ``labels``.

    Each of ``parts`` is what a model says, and its labels: one that it lacks it never says.
    """
    places = {label: i for i, label in enumerate(labels)}
    means = [np.zeros((len(row), len(places))) for row in parts[0][0]]
    for rows, own in parts:
        columns = [places[label] for label in own]
        for mean, row in zip(means, rows, strict=True):
            mean[:, columns] += row / len(parts)
    return means


def likeliest(parts: Sequence[tuple[Sequence[Array], Sequence[str]]], info: TagInfo) -> list[Array]:
    """``[T_i, 3]`` as :meth:`birnn.tasks.tagging.task.Tagging.decode` gives them.

    The tags are the path with the greatest product of mean probabilities that is legal; how sure
    they are is told by the chain of these, which knows nothing but what is legal.
    """
    means, found = mean_marginals(parts, info.labels), list[Array]()
    chain = LegalChain(len(info.labels), allowed_moves(info.labels, info.inner)).potentials()
    for start in range(0, len(means), BATCH):
        rows = means[start : start + BATCH]
        lengths = torch.tensor([len(row) for row in rows])
        scores = torch.zeros(len(rows), int(lengths.max()), len(info.labels))
        for item, row in enumerate(rows):
            scores[item, : len(row)] = torch.from_numpy(np.log(np.maximum(row, LEAST)))
        tags = best_path(scores, lengths, chain)
        sure = path_confidence(scores, tags, lengths, chain)
        columns = torch.stack([tags.float(), sure.marginal, sure.conditional], dim=-1).numpy()
        found += [part[: len(row)] for part, row in zip(columns, rows, strict=True)]
    return found
