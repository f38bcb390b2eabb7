"""What a language model knows of its training split, and how a run folder keeps it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn.data.passages.symbols import MOST, UNITS, Characters, Pieces
from birnn.storage.files import read_json
from birnn.tasks.core.stored import check_strings, check_whole, stored
from birnn.tasks.core.task import Files
from birnn.tasks.language.ngrams import NGrams

MOST_ORDERS = 16


@dataclass(frozen=True)
class LanguageInfo:
    """The symbols, and how large the tables of n-grams are."""

    symbols: Characters  # or what else there is in :data:`birnn.data.passages.symbols.UNITS`
    sizes: Sequence[Sequence[Sequence[int]]]  # of each direction and order
    ngrams: Sequence[NGrams] = ()  # at hand only while a model is being made

    @property
    def unit(self) -> str:
        """What a symbol is, in the plural."""
        return next(name for name, kind in UNITS.items() if type(self.symbols) is kind)

    def files(self) -> Files:
        """``symbols.json``."""
        own: dict[str, Any] = {
            "unit": self.unit, "symbols": list(self.symbols.symbols), "ngrams": self.sizes,
        }  # fmt: skip
        if isinstance(self.symbols, Pieces):
            own["costs"] = list(self.symbols.costs)
        return {"symbols.json": own}


def read_language_info(folder: Path) -> LanguageInfo:
    """Restore ``symbols.json``.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    kept = read_json(folder / "symbols.json")
    with stored(folder, "symbols.json is"):
        symbols = kept["symbols"]
        check_strings("symbols", symbols, least=1)
        unit = kept["unit"]
        if unit not in UNITS or (unit == "characters" and any(len(s) != 1 for s in symbols)):
            raise ValueError("its symbols are none of ours")
        if len(symbols) > MOST:
            raise ValueError(f"{len(symbols):,} symbols; a run has at most {MOST:,}")
        sizes = [[_size(part) for part in way] for way in kept["ngrams"]]
        if len(sizes) > 2 or any(len(way) > MOST_ORDERS for way in sizes):
            raise ValueError("its n-grams are none of ours")
        if unit != "pieces":
            return LanguageInfo(UNITS[unit](symbols), sizes)
        costs = [float(cost) for cost in kept["costs"]]
        if len(costs) != len(symbols) or not all(map(math.isfinite, costs)):
            raise ValueError("not as many costs as symbols, or one is not finite")
        return LanguageInfo(Pieces(symbols, costs), sizes)


def _size(part: Any) -> list[int]:
    grams, contexts = part
    return [check_whole("n-grams", number, 1, 10**9) for number in (grams, contexts)]
