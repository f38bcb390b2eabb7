"""From what a tagger says to tags in the user's scheme, counts, and what is scored."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from birnn.arrays import Array
from birnn.data.tags.schemes import convert
from birnn.nn.batch import sequence_mask
from birnn.tasks.tagging.info import TagInfo
from birnn.tasks.tagging.model import TaggingOutputs, best_tags
from birnn.tasks.tagging.spans import TagPairs, count_tags

if TYPE_CHECKING:
    from birnn.tasks.tagging.baselines import Guesses

BONUSES = tuple(0.25 * i for i in range(13))  # tried on validation
ENOUGH_SPANS = 100  # of validation: fewer can tell neither epochs nor bonuses apart
TYPICAL_F1, TYPICAL_SPANS = 0.4, 20
# Targets that no model can predict, as train lacks them: the first tag of a span; any other.
UNSEEN_SPAN, UNSEEN = -1, -2


def as_predictions(guesses: "Guesses", info: TagInfo) -> list[Array]:
    """A baseline's tags as :meth:`Tagging.decode` gives them; NaN where it has no confidence."""
    numbers = {label: i for i, label in enumerate(info.labels)}
    rows = [np.full((len(tags), 3), np.nan) for tags in guesses.tags]
    for i, (row, tags) in enumerate(zip(rows, guesses.tags, strict=True)):
        row[:, 0] = [numbers[tag] for tag in convert(tags, info.scheme, info.inner)]
        if guesses.confidence is not None and guesses.conditional is not None:
            row[:, 1], row[:, 2] = guesses.confidence[i], guesses.conditional[i]
    return rows


def predicted_tags(predictions: Sequence[Array], info: TagInfo) -> list[list[str]]:
    """The tags of :meth:`Tagging.decode`, spelled in the user's scheme."""
    return [
        convert([info.labels[int(tag)] for tag in row[:, 0]], info.inner, info.scheme)
        for row in predictions
    ]


def tag_number(tag: str, numbers: Mapping[str, int]) -> int:
    """The target that stands for a tag in the scheme of the network's labels."""
    return numbers.get(tag, UNSEEN_SPAN if tag[:2] in ("B-", "S-") else UNSEEN)


def predictable(outputs: TaggingOutputs, gold: Tensor, info: TagInfo) -> Tensor:
    """``gold [B, T]`` with the best that could be said in place of tags that train lacks.

    That is O; of raw tags, which need not have it, what is predicted.
    """
    if not (gold < 0).any():
        return gold
    best = best_tags(outputs) if info.scheme == "raw" else info.labels.index("O")
    return torch.where(gold < 0, best, gold)


def count_right(
    outputs: TaggingOutputs, gold: Tensor, info: TagInfo, bonuses: Sequence[float]
) -> dict[str, Array]:
    """Counts of a batch that can be summed, of the predicted tags and of ``gold [B, T]``.

    Each of the ``G`` ``bonuses`` is added for every span. Tags that train lacks are wrong.

    Returns:
        ``tokens`` ``[2]``: right, without a bonus, and all; where tags spell spans also ``spans``
        ``[G, 3]``: right, predicted, gold, as ``conlleval`` reads them.
    """
    mask = sequence_mask(outputs.lengths, gold.shape[1])
    given, lengths = gold[mask].cpu().numpy(), outputs.lengths.cpu().numpy()
    wanted = predictable(outputs, gold, info)[mask].cpu().numpy()
    pairs = tag_pairs(tuple(info.labels), info.inner)
    opens = torch.tensor([label[:2] in ("B-", "S-") for label in info.labels]).to(gold.device)
    counted = []
    for bonus in bonuses:
        tags = best_tags(outputs._replace(bonus=outputs.bonus + bonus * opens))
        predicted = tags[mask].cpu().numpy()
        counted.append(count_tags(wanted, predicted, lengths, pairs))
        counted[-1]["tokens"][0] -= np.sum((given < 0) & (predicted == wanted))
        if pairs is not None:
            counted[-1]["spans"][2] += np.sum(given == UNSEEN_SPAN)
    counts = {"tokens": counted[0]["tokens"]}
    if pairs is not None:
        counts["spans"] = np.stack([part["spans"] for part in counted])
    return counts


def choose_bonus(f1: Array, bonuses: Sequence[float], spans: int) -> int:
    """Which of the ``bonuses`` to take: validation's ``f1 [G]`` of each, and its gold ``spans``.

    The first best one; where there are too few spans to tell, theory chooses the nearest to it. F1
    is greatest if a span is predicted from half of that F1 on (Lipton et al. 2014): a bonus of
    ``log((2 - F1) / F1)``, where F1 is that of validation beside ``TYPICAL_SPANS`` of a usual one.
    """
    if spans >= ENOUGH_SPANS:
        return int(f1.argmax())
    likely = (spans * f1.max() + TYPICAL_SPANS * TYPICAL_F1) / (spans + TYPICAL_SPANS)
    return int(np.abs(np.asarray(bonuses) - np.log((2 - likely) / likely)).argmin())


@cache
def tag_pairs(labels: tuple[str, ...], scheme: str) -> TagPairs | None:
    """How ``labels`` spell spans; None for raw ones."""
    return None if scheme == "raw" else TagPairs.build(labels, scheme)
