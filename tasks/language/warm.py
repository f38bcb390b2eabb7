"""What a language model keeps of the run that it begins from."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from birnn.arrays import Ints
from birnn.data.passages.split import PassageSplit
from birnn.data.passages.symbols import BORDER, FIRST, UNKNOWN, Pieces
from birnn.data.splits.provenance import normalise
from birnn.errors import DataError
from birnn.tasks.core.beginning import Choice
from birnn.tasks.language.info import LanguageInfo
from birnn.tasks.language.options import LanguageConfig
from birnn.tasks.warm.carrying import Axes
from birnn.tasks.warm.start import ENCODER, WarmStart
from birnn.tasks.warm.words import grown


class LanguageStart(WarmStart[LanguageConfig, LanguageInfo, PassageSplit]):
    """Rows of symbols by name, and both encoders; n-grams are counted anew."""

    fixed: ClassVar = (*ENCODER, "symbol_size", "tied", "unit", "passage", "overlap")
    refitted: ClassVar = "n-grams and their weights"

    def merged(self, old: LanguageInfo, fresh: LanguageInfo, choice: Choice) -> LanguageInfo:
        """Symbols of both, or of one; pieces stay, with all that was learned of them."""
        if isinstance(old.symbols, Pieces):
            return replace(fresh, symbols=old.symbols)
        symbols = grown(old.symbols.symbols, fresh.symbols.symbols, choice.vocabulary)
        return replace(fresh, symbols=type(fresh.symbols)(symbols))

    def axes(self, task: Any, info: LanguageInfo) -> Axes:
        """Symbols."""
        rows: list[Hashable] = [BORDER, UNKNOWN, *info.symbols.symbols]
        found: dict[str, tuple[Sequence[Hashable] | None, ...]] = {"embedding.weight": (rows, None)}
        for way in range(2):
            if task.config.model.tied:
                found[f"directions.{way}.bias"] = (rows,)
                continue
            found[f"directions.{way}.linear.weight"] = rows, None
            found[f"directions.{way}.linear.bias"] = (rows,)
        return found

    def names(self, info: LanguageInfo) -> Mapping[str, Sequence[str]]:
        """Symbols."""
        return {"symbols": info.symbols.symbols}

    def seen_by(
        self, task: Any, split: PassageSplit, own: LanguageInfo, info: LanguageInfo
    ) -> PassageSplit:
        """The same passages, by the numbers of the other run.

        Raises:
            DataError: it lacks symbols, so that their chances can't be compared.
        """
        numbers = {symbol: place for place, symbol in enumerate(info.symbols.symbols, FIRST)}
        others = [numbers.get(symbol, UNKNOWN) for symbol in own.symbols.symbols]
        places = np.array([BORDER, UNKNOWN, *others], dtype=split.stream.dtype)
        stream: Ints = places[split.stream]
        if (stream == UNKNOWN).sum() != (split.stream == UNKNOWN).sum():
            raise DataError("the other run lacks some of the symbols")
        return replace(split, stream=stream)

    def content(self, split: PassageSplit, info: LanguageInfo) -> Iterator[str]:
        """The texts of passages."""
        for begin, end in zip(split.begin.tolist(), split.end.tolist(), strict=True):
            yield info.symbols.decode(split.stream[begin:end])

    def items(self, split: PassageSplit, info: LanguageInfo) -> Iterator[Hashable]:
        """The same, without case and spacing."""
        return map(normalise, self.content(split, info))
