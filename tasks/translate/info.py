"""What a translator knows of its training split: the pieces of both sides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn.data.text.pieces import Pieces, learn_pieces, learn_words
from birnn.errors import CheckpointError
from birnn.storage.files import read_json
from birnn.tasks.core import task as contract
from birnn.tasks.core.stored import DAMAGED, check_strings, reason
from birnn.tasks.translate.options import TranslateData

FILE = "pieces.json"


@dataclass(frozen=True)
class TranslateInfo:
    """The pieces of sources and of targets: the same object where they are shared."""

    source: Pieces
    target: Pieces

    @property
    def joint(self) -> bool:
        """Whether there is one vocabulary for both sides."""
        return self.source is self.target

    def files(self) -> contract.Files:
        """``pieces.json``."""
        sides = {"source": self.source} if self.joint else vars(self)
        return {FILE: {name: {"pieces": side.pieces, "costs": side.costs}
                       for name, side in sides.items()}}  # fmt: skip


def learn_info(
    sources: Sequence[str], targets: Sequence[str], options: TranslateData
) -> TranslateInfo:
    """Learn the pieces of both sides of train.

    Raises:
        DataError: there is too little text, or it has more letters than the vocabulary.
    """
    learn = learn_words if options.units == "words" else learn_pieces
    most = options.vocabulary_limit
    if options.joint:
        both = learn([*sources, *targets], most)
        return TranslateInfo(both, both)
    return TranslateInfo(learn(sources, most), learn(targets, most))


def read_info(folder: Path) -> TranslateInfo:
    """Restore the pieces that a run folder holds.

    Raises:
        CheckpointError: the file is missing or is not what it should be.
    """
    path = folder / FILE
    stored = read_json(path)
    try:
        source = _pieces(stored["source"])
        return TranslateInfo(source, _pieces(stored["target"]) if "target" in stored else source)
    except DAMAGED as error:
        raise CheckpointError(f"{path} does not hold pieces ({reason(error)})") from None


def _pieces(side: Any) -> Pieces:
    check_strings("pieces", side["pieces"], least=1)
    costs = [float(cost) for cost in side["costs"]]
    if costs and len(costs) != len(side["pieces"]):
        raise ValueError("not as many costs as pieces")
    if not all(map(math.isfinite, costs)) or not all(side["pieces"]):
        raise ValueError("a cost is not finite, or a piece is empty")
    return Pieces(side["pieces"], costs)
