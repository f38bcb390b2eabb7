"""What offsets count: characters, UTF-16 units, bytes; and whether ends are within the span."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from birnn.data.tags.findings import Findings
from birnn.errors import DataError

CHARACTERS = "characters"
KINDS = {
    CHARACTERS: ("", 0), "UTF-16 units": ("utf-16-le", 0), "UTF-8 bytes": ("utf-8", 0),
    "characters, ends included": ("", 1), "UTF-16 units, ends included": ("utf-16-le", 1),
    "UTF-8 bytes, ends included": ("utf-8", 1),
}  # fmt: skip  # the encoding that is counted, and what is missing at the end
CLEARLY = 10  # times fewer spans that don't fit, for a kind to be taken
FEW = 3  # spans that fit nowhere, from which on something is wrong


class Marked(NamedTuple):
    """A span as a source gives it: offsets that may count anything, and its words if told."""

    start: int
    end: int
    label: str
    words: str = ""


class MarkedText(NamedTuple):
    """A text, its spans, and where its tokens begin and end."""

    text: str
    spans: Sequence[Marked]
    offsets: Sequence[tuple[int, int]]


def borders(text: str, kind: str) -> list[int]:
    """For each place of a character, and the end, what ``kind`` counts there, ``[N + 1]``.

    >>> borders("a👍b", "UTF-16 units"), borders("é", "UTF-8 bytes")
    ([0, 1, 3, 4], [0, 2])
    """
    encoding, _ = KINDS[kind]
    if not encoding or (encoding == "utf-16-le" and text.isascii()):
        return list(range(len(text) + 1))
    unit = 2 if encoding == "utf-16-le" else 1
    sizes = (len(c.encode(encoding, "surrogatepass")) // unit for c in text)
    return list(accumulate(sizes, initial=0))


def place(span: Marked, at: Sequence[int], kind: str) -> tuple[int, int] | None:
    """Characters of a span whose offsets count as :func:`borders` ``at``; None if they don't."""
    start, end = span.start, span.end + KINDS[kind][1]
    a, b = bisect_left(at, start), bisect_left(at, end)
    inside = max(a, b) < len(at)
    on = inside and at[a] == start and at[b] == end and a < b
    return (a, b) if on else None


def misfits(texts: Sequence[MarkedText], kind: str) -> int:
    """How many spans do not have their words, or don't begin and end where tokens do."""
    wrong = 0
    for text, spans, offsets in texts:
        at = borders(text, kind)
        starts, ends = {a for a, _ in offsets}, {b for _, b in offsets}
        for span in spans:
            found = place(span, at, kind)
            wrong += found is None or not _fits(text, found, span, starts, ends, kind)
    return wrong


def _fits(
    text: str, found: tuple[int, int], span: Marked, starts: set[int], ends: set[int], kind: str
) -> bool:
    a, b = found
    if span.words:
        return text[a:b].split() == span.words.split()
    part = text[a:b]
    if kind == CHARACTERS and part.strip():  # spaces at the ends don't count
        a, b = a + len(part) - len(part.lstrip()), b - len(part) + len(part.rstrip())
    return a in starts and b in ends


def tell_kind(
    texts: Sequence[MarkedText], source: str, findings: Findings, reading: Mapping[str, object]
) -> str:
    """What the offsets of all spans count: characters, unless another kind fits far better.

    Raises:
        DataError: most spans fit no kind.
    """
    total = sum(len(text.spans) for text in texts)
    wrong = misfits(texts, CHARACTERS)
    if not wrong:
        return CHARACTERS
    counts = {kind: misfits(texts, kind) for kind in KINDS if kind != CHARACTERS}
    kept = reading.get("offsets")
    best = min(counts, key=lambda kind: (counts[kind], kind != kept))
    if counts[best] * CLEARLY <= wrong or (best == kept and counts[best] < wrong):
        right = f"{total - counts[best]:,} of {total:,} spans fall on borders of tokens so"
        findings.warnings.append(
            f"{source}: offsets count {best}: {right}, {total - wrong:,} if they count characters"
        )
        return best
    if total >= FEW and wrong > total / 2:
        none = (
            "no span falls" if wrong == total else f"only {total - wrong:,} of {total:,} spans fall"
        )
        tried = "characters, UTF-16 units and bytes were tried, with and without the last one"
        raise DataError(f"{source}: {none} on token borders: offsets of another kind? ({tried})")
    return CHARACTERS
