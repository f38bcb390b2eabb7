"""Vocabularies of pieces: words, or parts of words learned by SentencePiece.

SentencePiece (Kudo 2018, unigram) learns the pieces and what each costs; the cheapest way to cut a
word is found here. So a run holds its pieces as plain JSON, and who uses it needs no library.
"""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from birnn.errors import DataError

SPACE = "▁"  # begins a piece before which there is a space, as in SentencePiece
UNKNOWN, END = 0, 1  # numbers of what is no piece
FIRST = 2  # the number of the first piece
UNSEEN = 100.0  # what an unknown letter costs: more than any piece
WORD = re.compile(rf"{SPACE}?\w+|{SPACE}?[^\w\s{SPACE}]")
LONGEST = 16  # letters of a piece
REMEMBERED = 200_000  # words whose cut is kept


@dataclass(frozen=True)
class Pieces:
    """Pieces by number, from :data:`FIRST` on, and how a text is cut into them and put together."""

    pieces: list[str]
    costs: list[float]  # of each; empty: a piece is a whole word
    numbers: dict[str, int] = field(init=False, repr=False, compare=False)
    known: dict[str, float] = field(init=False, repr=False, compare=False)  # piece → cost
    _cuts: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = {piece: place for place, piece in enumerate(self.pieces, FIRST)}
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "known", dict(zip(self.pieces, self.costs, strict=False)))
        object.__setattr__(self, "_cuts", {})

    def __len__(self) -> int:
        return FIRST + len(self.pieces)

    def cut(self, text: str) -> list[str]:
        """The pieces of a text, unknown ones too.

        >>> Pieces(["▁a", "▁b", "c"], [1.0, 1.0, 1.0]).cut("a bc")
        ['▁a', '▁b', 'c']
        """
        if not self.costs:
            return WORD.findall(marked(text))
        return [piece for word in split_words(text) for piece in self._cut_word(word)]

    def encode(self, pieces: Iterable[str]) -> list[int]:
        """Numbers of pieces."""
        return [self.numbers.get(piece, UNKNOWN) for piece in pieces]

    def spelled(
        self, numbers: Iterable[int], unknown: Sequence[str] = (), missing: str = "⁇"
    ) -> str:
        """The text of numbers; for unknown ones stand those of ``unknown``, then ``missing``."""
        said = iter(unknown)
        parts = [self._spelled(number, said, missing) for number in numbers]
        return "".join(parts).replace(SPACE, " ").strip()

    def _spelled(self, number: int, said: Iterator[str], missing: str) -> str:
        if number >= FIRST:
            return self.pieces[number - FIRST]
        return next(said, missing) if number == UNKNOWN else ""

    def _cut_word(self, word: str) -> list[str]:
        if word not in self._cuts:
            if len(self._cuts) >= REMEMBERED:
                self._cuts.clear()
            self._cuts[word] = cheapest(word, self.known)
        return self._cuts[word]


def marked(text: str) -> str:
    """A text with its spaces as marks, one before it too; what looks like a mark is none."""
    words = unicodedata.normalize("NFC", text).replace(SPACE, "_").split()
    return "".join(SPACE + word for word in words)


def split_words(text: str) -> list[str]:
    """The words of a text, each with its mark."""
    return [SPACE + word for word in marked(text).split(SPACE)[1:]]


def cheapest(word: str, costs: Mapping[str, float]) -> list[str]:
    """The cut of a word whose pieces cost least (Viterbi); neighbouring unknown letters are one."""
    best, begins = [0.0], [0]
    for end in range(1, len(word) + 1):
        least, begin = best[end - 1] + costs.get(word[end - 1], UNSEEN), end - 1
        for start in range(max(0, end - LONGEST), end - 1):
            cost = costs.get(word[start:end])
            if cost is not None and best[start] + cost < least:
                least, begin = best[start] + cost, start
        best.append(least)
        begins.append(begin)
    found, end = list[str](), len(word)
    while end:
        piece = word[begins[end] : end]
        if found and piece not in costs and found[-1] not in costs:
            found[-1] = piece + found[-1]
        else:
            found.append(piece)
        end = begins[end]
    return found[::-1]


def learn_words(texts: Iterable[str], most: int) -> Pieces:
    """The words that stand there twice, the most frequent ``most`` of them."""
    counts = Counter(word for text in texts for word in WORD.findall(marked(text)))
    known = [word for word, count in counts.most_common(most) if count > 1]
    return Pieces(known or [word for word, _ in counts.most_common(most)], [])


def learn_pieces(texts: Iterable[str], most: int) -> Pieces:
    """At most ``most`` pieces of the words of ``texts``, as SentencePiece learns them.

    Raises:
        DataError: there is too little text, or it has more letters than that.
    """
    import sentencepiece

    model = io.BytesIO()
    lines = [" ".join(word[1:] for word in split_words(text)) for text in texts]
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([line for line in lines if line]), model_writer=model,
            vocab_size=most, model_type="unigram", normalization_rule_name="identity",
            hard_vocab_limit=False, num_threads=1, minloglevel=2, bos_id=-1, eos_id=-1, unk_id=0,
            max_sentence_length=1 << 20, max_sentencepiece_length=LONGEST,
        )  # fmt: skip
    except (RuntimeError, OSError) as error:
        why = " ".join(str(error).split())[-150:]
        mend = "change --vocabulary-limit, or take words"
        raise DataError(f"no pieces can be learned of the texts ({why}); {mend}") from None
    found = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    known = [n for n in range(found.get_piece_size()) if not found.is_unknown(n)]
    pieces = [found.id_to_piece(n) for n in known]
    return Pieces(pieces, [round(-found.get_score(n), 4) for n in known])
