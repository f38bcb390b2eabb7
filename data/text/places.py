"""Where the tokens of a tokeniser that changes what it reads stand in the text as given."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from birnn.data.text.social_tokens import social_matches
from birnn.data.text.tokenizers import get_tokenizer

Place = tuple[int, int]
WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Placed:
    """A token as the tokeniser gives it, and the characters of the text that it stands for."""

    token: str
    place: Place | None  # None where that can't be told


def placed_tokens(text: str, tokenizer: str) -> list[Placed]:
    """The tokens of a text with their places, which ascend, don't overlap, and may be empty.

    Of our own tokeniser all are known. Others' tokens are looked for one after the other in the
    text, whatever its case; one that the tokeniser has changed beyond that has no place.

    >>> [(p.token, p.place) for p in placed_tokens("Fish &amp; CHIPS", "social")]
    [('fish', (0, 4)), ('&', (5, 10)), ('chips', (11, 16))]
    """
    if tokenizer == "social":
        plain, last, found = _unescaped(text), 0, []
        for token, a, b in social_matches(plain.text):
            # Of one character that is two in lower case, such as İ, a second token has nothing.
            place = max(last, plain.starts[a]), plain.ends[b - 1]
            found.append(Placed(token, place))
            last = place[1]
        return found
    return _searched(get_tokenizer(tokenizer)(text), _as_is(text))


@dataclass(frozen=True)
class _Plain:
    """A text in lower case, and for each of its characters the stretch of the text as given."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def _as_is(text: str) -> _Plain:
    return _lowered([(character, i, i + 1) for i, character in enumerate(text)])


def _unescaped(text: str) -> _Plain:
    """``html.unescape`` of a text: a reference such as ``&amp;`` is a single stretch."""
    parts: list[tuple[str, int, int]] = []
    starts = [0, *(match.start() for match in re.finditer("&", text) if match.start())]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        piece = text[start:end]  # a reference begins with its only &
        whole = html.unescape(piece)
        size = _reference(piece, whole)
        tail = len(piece) - size
        parts += [(sign, start, start + size) for sign in whole[: len(whole) - tail]]
        parts += [(piece[i], start + i, start + i + 1) for i in range(size, len(piece))]
    return _lowered(parts)


def _reference(piece: str, whole: str) -> int:
    """How many characters at the start of ``piece`` are a reference; ``whole`` is it unescaped."""
    if piece == whole:
        return 0
    closed = piece.find(";") + 1
    if closed and html.unescape(piece[:closed]) + piece[closed:] == whole:
        return closed
    same = 0  # without a semicolon: up to where both end alike
    while same < min(len(piece), len(whole)) and piece[-1 - same] == whole[-1 - same]:
        same += 1
    return len(piece) - same


def _lowered(parts: list[tuple[str, int, int]]) -> _Plain:
    """In lower case, which makes two characters of some."""
    sizes = [len(sign.lower()) for sign, _, _ in parts]
    rows = [part for part, size in zip(parts, sizes, strict=True) for _ in range(size)]
    text = "".join(sign for sign, _, _ in parts).lower()
    return _Plain(text, [start for _, start, _ in rows], [end for _, _, end in rows])


def _searched(tokens: Sequence[str], plain: _Plain) -> list[Placed]:
    found, at = [], 0
    for token in tokens:
        where = plain.text.find(token.lower(), at)
        if where < 0 or not token:
            found.append(Placed(token, None))
            continue
        at = where + len(token.lower())
        found.append(Placed(token, (plain.starts[where], plain.ends[at - 1])))
    return found


def words_of(text: str) -> list[tuple[str, list[int]]]:
    """What stands between blanks, in lower case, and for each character its place in the text.

    They are the words whose character n-grams are counted: ``text.lower().split()``.
    """
    lower = text.lower()
    sizes = [len(character.lower()) for character in text]
    origin = [i for i, size in enumerate(sizes) for _ in range(size)]
    assert len(origin) == len(lower) == (list(accumulate(sizes)) or [0])[-1]
    return [(m[0], origin[m.start() : m.end()]) for m in WORD.finditer(lower)]
