"""Texts as numbers of symbols, and back."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from birnn.arrays import Ints
from birnn.data.text.pieces import SPACE, cheapest, learn_pieces

BORDER, UNKNOWN, FIRST = 0, 1, 2  # of a document; what train lacks; the first symbol's number
MOST = 1_000_000  # symbols of a run
REMEMBERED = 200_000  # words whose cut is kept
SHOWN_BORDER, SHOWN_UNKNOWN = "", "\ufffd"


@dataclass(frozen=True)
class Characters:
    """An alphabet: each character of train is a symbol."""

    symbols: Sequence[str]

    @classmethod
    def of(cls, texts: Iterable[str], min_frequency: int = 1, most: int = MOST) -> "Characters":
        """The ``most`` frequent characters that stand in ``texts`` so often at least."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        known = [(-count, c) for c, count in counts.items() if count >= min_frequency]
        return cls(sorted(c for _, c in sorted(known)[:most]))

    def __len__(self) -> int:
        return FIRST + len(self.symbols)

    @cached_property
    def _points(self) -> tuple[Ints, Ints]:
        """Code points, ascending, and their numbers."""
        points = np.array([ord(symbol) for symbol in self.symbols], dtype=np.int64)
        order = np.argsort(points, kind="stable")
        return points[order], order + FIRST

    def encode(self, text: str) -> Ints:
        """``[N]`` numbers; a character that is no symbol is :data:`UNKNOWN`.

        >>> Characters(["a", "b"]).encode("abc").tolist()
        [2, 3, 1]
        """
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        points, numbers = self._points
        if not len(points):
            return np.full(len(codes), UNKNOWN, dtype=np.int32)
        places = np.minimum(np.searchsorted(points, codes), len(points) - 1)
        return np.where(points[places] == codes, numbers[places], UNKNOWN).astype(np.int32)

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of ``numbers``: nothing for a border, a replacement character for unknowns."""
        return "".join(self.shown(int(number)) for number in numbers)

    def shown(self, number: int) -> str:
        """A symbol as text."""
        if number < FIRST:
            return SHOWN_UNKNOWN if number == UNKNOWN else SHOWN_BORDER
        return self.symbols[number - FIRST]

    def pieces(self, text: str) -> list[str]:
        """The symbols of a text as they stand in it, unknown ones too."""
        return list(text)


# A word or marks with the blank before it; any other white space alone. Joined, they are the text.
WORD = re.compile(r" ?\w+| ?[^\w\s]+|\s")


@dataclass(frozen=True)
class Words(Characters):
    """Words of train, each with the blank before it, marks, and white space.

    >>> Words([" fine", "It"]).pieces("It was fine.")
    ['It', ' was', ' fine', '.']
    """

    @classmethod
    def of(cls, texts: Iterable[str], min_frequency: int = 1, most: int = MOST) -> "Words":
        """The ``most`` frequent words that stand in ``texts`` so often at least."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(WORD.findall(text))
        known = [(-count, word) for word, count in counts.items() if count >= min_frequency]
        return cls([word for _, word in sorted(known)[:most]])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.symbols, FIRST)}

    def encode(self, text: str) -> Ints:
        """``[N]`` numbers; a word that is no symbol is :data:`UNKNOWN`."""
        numbers = (self._numbers.get(word, UNKNOWN) for word in WORD.findall(text))
        return np.fromiter(numbers, dtype=np.int32)

    def pieces(self, text: str) -> list[str]:
        """The words of a text."""
        return WORD.findall(text)


# What stands between white space, with the blank before it; any other white space alone.
UNCUT = re.compile(r" ?\S+|\s")


@dataclass(frozen=True)
class Pieces(Words):
    r"""Parts of words that SentencePiece learned of train, each with the blank before it.

    Unlike translation's, they keep white space as it is: joined, they are the text.

    >>> Pieces([" fine", " f", "in", "e"], [1.0, 1.0, 1.0, 1.0]).pieces("a fine\\nine")
    ['a', ' fine', '\\n', 'in', 'e']
    """

    costs: Sequence[float] = ()

    @classmethod
    def of(cls, texts: Iterable[str], min_frequency: int = 1, most: int = MOST) -> "Pieces":
        """At most ``most`` pieces of ``texts``, and white space that stands there.

        Raises:
            DataError: there is too little text, or it has more letters than that.
        """
        texts = list(texts)
        learned = learn_pieces(texts, most)
        known = dict(
            zip((p.replace(SPACE, " ") for p in learned.pieces), learned.costs, strict=True)
        )
        found = {space for text in texts for space in UNCUT.findall(text) if space.isspace()}
        known.update(dict.fromkeys(sorted(found - known.keys()), 0.0))
        return cls(list(known), list(known.values()))

    @cached_property
    def _costs(self) -> dict[str, float]:
        return dict(zip(self.symbols, self.costs, strict=True))

    def encode(self, text: str) -> Ints:
        """``[N]`` numbers; what is no piece is :data:`UNKNOWN`."""
        numbers = (self._numbers.get(piece, UNKNOWN) for piece in self.pieces(text))
        return np.fromiter(numbers, dtype=np.int32)

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text whose costs are least, word by word."""
        cuts, found = self._cuts, list[str]()
        for word in UNCUT.findall(text):
            if word not in cuts:
                if len(cuts) >= REMEMBERED:
                    cuts.clear()
                cuts[word] = [word] if word.isspace() else cheapest(word, self._costs)
            found += cuts[word]
        return found

    @cached_property
    def _cuts(self) -> dict[str, list[str]]:
        return {}


UNITS: dict[str, type[Characters]] = {"characters": Characters, "words": Words, "pieces": Pieces}
