"""Tag schemes: how the tags of tokens spell out spans, and the way back.

IOB1 and IOB2 are those of Ramshaw and Marcus (1995) and Tjong Kim Sang and Veenstra (1999); IOBES
also marks the last token of a span and spans of one token, and BILOU is IOBES in other letters.
Spans are read as the scorer of the CoNLL shared tasks (``conlleval``) reads them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from birnn.arrays import Bools
from birnn.errors import ConfigError, DataError
from birnn.registry import suggestion

SCHEMES = ("iob1", "iob2", "iobes", "bilou", "raw")
PREFIXES = {"iob1": "BI", "iob2": "BI", "iobes": "BIES", "bilou": "BILU"}
PREFIXED = re.compile(r"[BIESLU]-.", re.DOTALL)
TO_IOBES = str.maketrans("LU", "ES")
OUTSIDE = ("O", "")  # prefix and type of O


class Span(NamedTuple):
    """Tokens ``start`` … ``end - 1`` are one thing of the kind ``label``."""

    start: int
    end: int
    label: str


class Place(NamedTuple):
    """Where a tag stands."""

    sentence: int
    token: int
    tag: str


class Legal(NamedTuple):
    """Which of ``K`` labels may begin a sentence, end it, and follow each other."""

    start: Bools  # [K]
    end: Bools  # [K]
    transitions: Bools  # [K, K], row → column


def split_tag(tag: str) -> tuple[str, str]:
    """Prefix and type of a tag; ``O``, and whatever has no prefix, is ``("O", "")``.

    >>> split_tag("B-PER"), split_tag("I-nested-type"), split_tag("O")
    (('B', 'PER'), ('I', 'nested-type'), ('O', ''))
    """
    return (tag[0], tag[2:]) if PREFIXED.match(tag) else OUTSIDE


def first_places(sentences: Iterable[Sequence[str]]) -> dict[str, Place]:
    """The first tag of each kind that there is: ``O``, ``BI``, ``ES``, ``LU`` and ``plain``."""
    seen: set[str] = set()
    places: dict[str, Place] = {}
    for row, tags in enumerate(sentences):
        for token, tag in enumerate(tags):
            if tag not in seen:
                seen.add(tag)
                pairs = ("BI", "ES", "LU") if PREFIXED.match(tag) else ()
                bare = "O" if tag == "O" else "plain"
                kind = next((pair for pair in pairs if tag[0] in pair), bare)
                places.setdefault(kind, Place(row, token, tag))
    return places


def mixture(places: dict[str, Place]) -> tuple[Place, Place] | None:
    """Two places of :func:`first_places` that no one scheme has together, if there are."""
    prefixed = [places[kind] for kind in ("BI", "ES", "LU") if kind in places]
    if "plain" in places and prefixed:
        return min(prefixed), places["plain"]
    return (places["ES"], places["LU"]) if {"ES", "LU"} <= places.keys() else None


def detect(sentences: Iterable[Sequence[str]]) -> str:
    """Which of ``SCHEMES`` the tags of ``sentences`` follow; ``raw`` if they spell no spans.

    Tags that are neither ``O`` nor have one of the prefixes are raw. E- and S- are of IOBES, L- and
    U- of BILOU. Of B- and I- alone: if each B- follows a span of its type directly it is IOB1.

    Raises:
        DataError: tags of several schemes; names a place of two that don't go together.
    """
    rows = list(sentences)
    places = first_places(rows)
    if clash := mixture(places):
        both = " and ".join(f"{it.tag!r} in sentence {it.sentence + 1}" for it in clash)
        raise DataError(f"tags of several schemes: {both}; keep to one scheme")
    for kind, scheme in (("plain", "raw"), ("ES", "iobes"), ("LU", "bilou")):
        if kind in places:
            return scheme
    # Without any span there is nothing to tell IOB1 by.
    return "iob1" if "BI" in places and not any(_lone_b(tags) for tags in rows) else "iob2"


def _lone_b(tags: Sequence[str]) -> bool:
    """Whether a B- stands where no span of its type precedes directly."""
    return any(
        tag[:2] == "B-" and (i == 0 or tags[i - 1][:1] == "O" or tags[i - 1][2:] != tag[2:])
        for i, tag in enumerate(tags)
    )


def spans(tags: Sequence[str], scheme: str) -> list[Span]:
    """The spans that ``tags`` spell, read as ``conlleval`` reads them; of ``raw`` there are none.

    Whatever breaks the scheme is read generously: I- or E- after O or after another type begins a
    span, a span that is not closed ends where another tag begins.

    >>> spans(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"], "iob2")
    [Span(start=0, end=2, label='PER'), Span(start=3, end=4, label='LOC'), \
Span(start=4, end=5, label='LOC')]

    Raises:
        ConfigError: there is no such scheme.
    """
    check_scheme(scheme)
    runs: list[Span] = []
    start, label, before = -1, "", "O"
    for i, (prefix, kind) in enumerate([] if scheme == "raw" else [*_plain(tags), OUTSIDE]):
        opens = prefix != "O" and (prefix in "BS" or before in "OES" or kind != label)
        if start >= 0 and (prefix == "O" or opens):
            runs.append(Span(start, i, label))
            start = -1
        if opens:
            start = i
        before, label = prefix, kind
    return runs


def strict_spans(tags: Sequence[str], scheme: str) -> list[Span]:
    """Only the spans that are spelled as the scheme asks (as ``seqeval`` reads in strict mode).

    >>> strict_spans(["B-PER", "I-PER", "O", "I-LOC"], "iob2")
    [Span(start=0, end=2, label='PER')]

    Raises:
        ConfigError: there is no such scheme.
    """
    check_scheme(scheme)
    runs: list[Span] = []
    pairs = [] if scheme == "raw" else list(_plain(tags))
    closed = scheme in ("iobes", "bilou")
    i = 0
    while i < len(pairs):
        start, (prefix, label) = i, pairs[i]
        i += 1
        if prefix == "B" or (prefix == "I" and scheme == "iob1"):
            while i < len(pairs) and pairs[i] == ("I", label):
                i += 1
            ends = i < len(pairs) and pairs[i] == ("E", label)
            i += closed and ends
            twin = start > 0 and pairs[start - 1][1] == label  # what IOB1 has B- for
            sound = ends if closed else scheme == "iob2" or prefix == "I" or twin
        else:
            sound = prefix == "S"
        if sound:
            runs.append(Span(start, i, label))
    return runs


def tags_of(spans: Sequence[Span], length: int, scheme: str) -> list[str]:
    """The tags of ``length`` tokens that spell ``spans``.

    >>> tags_of([Span(0, 1, "PER"), Span(1, 3, "PER")], 4, "iobes")
    ['S-PER', 'B-PER', 'E-PER', 'O']
    >>> tags_of([Span(0, 1, "PER"), Span(1, 3, "PER")], 4, "iob1")
    ['I-PER', 'B-PER', 'I-PER', 'O']

    Raises:
        ConfigError: there is no such scheme, or it is ``raw``, which spells no spans.
        DataError: spans overlap, are empty, or go beyond the tokens.
    """
    check_scheme(scheme)
    if scheme == "raw":
        raise ConfigError("raw tags spell no spans; take one of iob1, iob2, iobes, bilou")
    tags = ["O"] * length
    previous = Span(0, 0, "")
    for span in sorted(spans):
        start, end, label = span
        if not previous.end <= start < end <= length:
            wrong = f"overlaps another, is empty, or goes beyond {length} tokens"
            raise DataError(f"the span {start}-{end} {label!r} {wrong}")
        touches = previous.end == start and previous.label == label
        tags[start:end] = [f"{prefix}-{label}" for prefix in _spell(end - start, scheme, touches)]
        previous = span
    return tags


def _spell(size: int, scheme: str, touches: bool) -> str:
    """The prefixes of a span of ``size`` tokens; ``touches``: its twin stands directly before."""
    open_ended = "BIIB" if touches or scheme == "iob2" else "IIII"
    letters = open_ended if scheme in ("iob1", "iob2") else PREFIXES[scheme]
    first, inside, last, only = tuple(letters)
    return only if size == 1 else first + inside * (size - 2) + last


def convert(tags: Sequence[str], source: str, target: str) -> list[str]:
    """``tags`` of the scheme ``source``, spelled in ``target``; raw tags stay as they are.

    Goes through :func:`spans`, so that tags which break their scheme come out sound.

    >>> convert(["B-PER", "I-PER", "O", "B-LOC"], "iob2", "iobes")
    ['B-PER', 'E-PER', 'O', 'S-LOC']
    """
    runs = spans(tags, source)
    check_scheme(target)
    return list(tags) if "raw" in (source, target) else tags_of(runs, len(tags), target)


def violations(tags: Sequence[str], scheme: str) -> list[int]:
    """The positions that break the scheme: a tag that can't follow, or can't come last.

    There are none if, and only if, :func:`convert` into the same scheme changes nothing.

    >>> violations(["O", "I-PER", "O", "B-PER"], "iob2"), violations(["B-PER", "O"], "iobes")
    ([1], [1])
    """
    check_scheme(scheme)
    if scheme == "raw" or not tags:
        return []
    pairs = list(_plain(tags))
    broken = {
        i for i, (tag, pair, before) in enumerate(zip(tags, pairs, [OUTSIDE, *pairs], strict=False))
        if (tag != "O" and (pair[0] == "O" or tag[0] not in PREFIXES[scheme]))
        or not _follows(before, pair, scheme)
    }  # fmt: skip
    if not _follows(pairs[-1], OUTSIDE, scheme):
        broken.add(len(tags) - 1)
    return sorted(broken)


def _follows(before: tuple[str, str], after: tuple[str, str], scheme: str) -> bool:
    """Whether the scheme lets ``after`` come directly after ``before``; the edges count as O."""
    same = before[1] == after[1]
    if scheme == "iob1":
        return after[0] != "B" or same
    if scheme == "iob2":
        return after[0] != "I" or same
    return (before[0] in "BI") == (after[0] in "IE") and (same or after[0] in "OBS")


def legal(labels: Sequence[str], scheme: str) -> Legal:
    """What may follow what among ``K`` labels; in ``raw`` everything may.

    A set of labels can lack some: what only a missing label could open may open a span itself, and
    what only a missing one could close may close it, so that each label is on some legal path.
    """
    check_scheme(scheme)
    pairs = list(_plain(labels))
    size = len(pairs)
    if scheme == "raw":
        return Legal(*(np.ones(shape, dtype=bool) for shape in (size, size, (size, size))))
    prefixes: dict[str, set[str]] = {}
    for prefix, kind in pairs:
        prefixes.setdefault(kind, set()).add(prefix)
    first, usual = ("OIES", "I") if scheme == "iob1" else ("OBS", "B")
    opens = np.array([p in first or usual not in prefixes[kind] for p, kind in pairs], dtype=bool)
    free = scheme in ("iob1", "iob2")  # a span may end anywhere, and go on
    ends = [free or prefix in "OES" or "E" not in prefixes[kind] for prefix, kind in pairs]
    closes = np.array(ends, dtype=bool)
    types = sorted(prefixes)
    own = np.array([types.index(kind) for _, kind in pairs])
    letters = np.array([prefix for prefix, _ in pairs])
    same = (own[:, None] == own[None, :]) & (letters != "O")[:, None]
    goes_on = np.isin(letters, ["B", "I"])[:, None] & np.isin(letters, ["I", "E"])[None, :]
    inside = same if free else same & goes_on
    return Legal(opens, closes, inside | (closes[:, None] & opens[None, :]))


def label_set(sentences: Iterable[Sequence[str]], scheme: str = "iobes") -> list[str]:
    """The sorted labels of a training split, ``O`` first; for each type all that the scheme has.

    >>> label_set([["O", "S-PER"]])
    ['O', 'B-PER', 'I-PER', 'E-PER', 'S-PER']
    >>> label_set([["VERB", "NOUN"]], "raw")
    ['NOUN', 'VERB']
    """
    check_scheme(scheme)
    distinct = {tag for tags in sentences for tag in tags}
    if scheme == "raw":
        return sorted(distinct)
    kinds = sorted({split_tag(tag)[1] for tag in distinct} - {""})
    return ["O", *(f"{prefix}-{kind}" for kind in kinds for prefix in PREFIXES[scheme])]


def check_scheme(scheme: str) -> None:
    """Refuse a name that is not one of ``SCHEMES``.

    Raises:
        ConfigError: it isn't; the message lists those that are.
    """
    if scheme not in SCHEMES:
        near = suggestion(scheme, SCHEMES)
        raise ConfigError(f"scheme: no {scheme!r}{near}; there are: {', '.join(SCHEMES)}")


def _plain(tags: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Prefix and type of each tag, L and U as E and S."""
    for tag in tags:
        prefix, kind = split_tag(tag)
        yield prefix.translate(TO_IOBES), kind
