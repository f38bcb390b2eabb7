"""From a model and a split to translations: the search, and how numbers become text again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from birnn.arrays import Floats
from birnn.config import TrainConfig
from birnn.data.pairs.batches import PairSplit
from birnn.data.text.pieces import END, FIRST, SPACE, UNKNOWN
from birnn.nn.model import device_of
from birnn.nn.seq2seq.beam import Hypothesis, Search, search
from birnn.nn.seq2seq.translator import TranslatorOutputs
from birnn.tasks.core.inference import run_split
from birnn.tasks.translate.options import TranslateParts


@dataclass(frozen=True)
class Said:
    """One translation of a text."""

    text: str
    score: float
    pieces: list[str]  # of the translation
    weights: Floats  # [pieces + 1, T + 1]: where was looked at each of them; the last are the ends


@dataclass(frozen=True)
class Translations:
    """Translations of ``N`` texts, and how sure they are: log-probabilities, by length."""

    texts: list[str]
    scores: list[float] = field(default_factory=list)  # empty: nothing is known of it

    def __len__(self) -> int:
        return len(self.texts)


def search_of(parts: TranslateParts, beam: int = 0) -> Search:
    """The search that the options ask for, with another beam if it is given."""
    return Search(beam or parts.beam, parts.length_penalty, parts.coverage_penalty, END)


def searched(outputs: TranslatorOutputs, lengths: Tensor, how: Search) -> list[list[Hypothesis]]:
    """The best targets of each source of a batch, the best first."""
    device = device_of(outputs.model)
    return search(outputs.model, outputs.memory.to(device), lengths.to(device), how)


def translated(
    model: Any, split: PairSplit, config: TrainConfig, how: Search, parts: TranslateParts,
    *, shared: bool = False,
) -> Iterator[tuple[int, list[Said]]]:  # fmt: skip
    """The best translations of each source of a split, as they come: longest sources first."""
    alone = replace(split, targets=None)
    for items, batch, outputs in run_split(model, alone, config, stay=True, shared=shared):
        for item, found in zip(items.tolist(), searched(outputs, batch.lengths, how), strict=True):
            yield item, [said(one, alone, item, copy=parts.copy_unknown) for one in found]


def said(found: Hypothesis, split: PairSplit, item: int, *, copy: bool) -> Said:
    """A target as text; for an unknown piece stands what was looked at in the source."""
    pieces, cut = split.target_pieces, split.cuts[item]
    weights = found.weights[:, : len(cut) + 1].double().numpy()
    copied = [
        cut[int(row[:-1].argmax())] if copy and cut else "⁇"
        for number, row in zip(found.numbers, weights, strict=False)
        if number == UNKNOWN
    ]
    spelled = ["⁇" if n < FIRST else pieces.pieces[n - FIRST] for n in found.numbers]
    return Said(pieces.spelled(found.numbers, copied), found.score, spelled, weights)


def likeliest(candidates: Sequence[Said]) -> Said:
    """The best of the translations of a text."""
    return candidates[0]


def aligned(one: Said, cut: Sequence[str], wanted: str) -> dict[str, Any]:
    """A translation beside its source, as JSON: ``weights`` in per cent, a row a piece."""
    shares = (100 * one.weights).round().astype(int).tolist()
    return {"said": _shown(one.pieces), "source": _shown(cut), "weights": shares, "wanted": wanted}


def _shown(pieces: Sequence[str]) -> list[str]:
    """Pieces as a picture has them: a hyphen before those that go on a word; a dot for the end."""
    words = (piece[1:] if piece.startswith(SPACE) else f"-{piece}" for piece in pieces)
    return [*(word or SPACE for word in words), "·"]
