"""Raw text → tokens that keep their places: nothing is changed, nothing but spaces is lost.

The tokens are near those of the Penn Treebank, of Universal Dependencies and of tagged tweets:
clitics and punctuation stand apart, URLs, addresses, handles, hashtags and emoticons stay whole.
Scripts written without spaces (Han, kana, Thai, Lao, Khmer, Burmese) come apart sign by sign, so
that marked spans fall on the borders of tokens.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

SPACE = r"\s\u200b\ufeff"
ZWJ = "\u200d"
SIGNS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
DOMAINS = "com|org|net|edu|gov|info|io|ly|me|co|tv|gl|be|uk|de|fr|eu|us|ca|jp|au"
ABBREVIATIONS = (
    "Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Gen|Gov|Sen|Rep|Rev|Lt|Col|Sgt|Capt|vs|etc|Inc|Ltd|Co|Corp|Bros|"
    "Jan|Feb|Mar|Apr|Aug|Sept|Sep|Oct|Nov|Dec|Ph\\.D|approx"
)
MARKS = ("Mn", "Mc", "Me", "Cf")  # as Unicode names categories
CLITIC = re.compile(r"(?<=[^\u200d])(?:n['’]t|['’](?:s|m|d|ll|re|ve))$", re.IGNORECASE)


def token_offsets(text: str) -> list[tuple[int, int]]:
    """Start and end of each token: ascending, apart from each other, ``text[start:end]`` the token.

    Takes time linear in the length of ``text``.

    >>> [text[a:b] for text in ["It's 3.5km, isn't it? :)"] for a, b in token_offsets(text)]
    ['It', "'s", '3.5km', ',', 'is', "n't", 'it', '?', ':)']
    """
    offsets: list[tuple[int, int]] = []
    for match in token_pattern().finditer(text):
        start, end = match.span()
        if match.lastgroup == "word" and ("'" in match[0] or "’" in match[0]):
            offsets += _apart(match[0], start)
        else:
            offsets.append((start, end))
    return offsets


def _apart(word: str, start: int) -> Iterator[tuple[int, int]]:
    """A word and the clitics at its end: ``should | n't | 've``."""
    ends = [len(word)]
    while match := CLITIC.search(word, max(0, ends[-1] - 4), ends[-1]):
        ends.append(match.start())
    borders = [0, *reversed(ends)]
    yield from ((start + a, start + b) for a, b in zip(borders, borders[1:], strict=False))  # noqa: RUF007


@cache
def token_pattern() -> re.Pattern[str]:
    """One alternative a kind of token; every repetition is possessive or bounded."""
    after = rf"(?:[{_extenders()}]|{ZWJ}[^{SPACE}]?+)*+"  # what never leaves its base
    letter = rf"(?:[^\W{SIGNS}]{after})"
    address = rf"[^{SPACE}<>\"“”]"
    last = rf"[^{SPACE}<>\"“”.,;:!?'’)\]…]"
    path = rf"(?:[/?#](?:{address}{{0,2000}}{last})?+)?+"
    inner = r"(?:[-‐‑'’·]|\.(?![A-ZÀ-ÞΑ-ΩА-Я])|(?<=\d)[,:/](?=\d)|(?<=[A-Z])&(?=[A-Z]))"
    kinds = [
        rf"(?:https?|ftp)://{address}{{0,2000}}{last}",
        rf"www\.{address}{{0,2000}}{last}",
        r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}(?!\w)",
        rf"(?<![\w@.])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,8}}(?:{DOMAINS})(?![\w@-]|\.\w){path}",
        rf"[@#](?:\w{after})++",
        _emoticons(),
        r"(?<!\w)(?:[^\W\d_]\.){1,8}[^\W\d_](?![\w'’-])\.?",  # U.S., e.g.
        rf"(?<!\w)(?:{ABBREVIATIONS})\.(?!\w)",
        rf"(?P<word>{letter}++(?:{inner}{letter}++)*+)",
        r"(?<!\w)['’](?:s|m|d|ll|re|ve|S|M|D|LL|RE|VE)(?!\w)",  # it 's, apart already
        r"[\U0001f1e6-\U0001f1ff]{2}",
        r"([!-'*-/:-@\\^`|~\u2010-\u2027\u2030-\u205e\u3001-\u3003！？])\2*+",
        rf"[^{SPACE}]",  # the rule above: runs of a mark, such as ..., but not of brackets
    ]
    return re.compile(rf"(?:{'|'.join(kinds)}){after}")


def _emoticons() -> str:
    eyes = r"[<>]?[:;=]['^]?[-o~]?"
    return (
        rf"{eyes}(?:\)++|\(++|[\]\[}}{{|*\\@]|/(?!/))(?!\w)|(?<!\w){eyes}[DPpOoSsXx3](?!\w)|"
        r"</?3(?!\d)|\^[_.-]{0,3}\^|(?<!\w)(?:-_+-|T_+T|[oO][_.]+[oO]|[xX]D+)(?!\w)|"
        r"\\o/|¯\\_\(ツ\)_/¯"
    )


@cache
def _extenders() -> str:
    """Marks, joiners, variation selectors, skin tones and tags, as a class of a pattern."""
    codes = (*range(0x20000), *range(0xE0000, 0xE1000))  # elsewhere are ideographs, or nothing
    kinds = map(unicodedata.category, map(chr, codes))
    marks = {code for code, kind in zip(codes, kinds, strict=True) if kind in MARKS}
    there = {*marks, *range(0x1F3FB, 0x1F400)} - {*map(ord, f"{ZWJ}\u200b\ufeff")}
    firsts = (code for code in sorted(there) if code - 1 not in there)
    lasts = (code for code in sorted(there) if code + 1 not in there)
    return "".join(rf"\U{a:08x}-\U{b:08x}" for a, b in zip(firsts, lasts, strict=True))
