"""Texts that contradict each other or hold no word, found once and listed by row."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from birnn.data.splits.provenance import normalise
from birnn.data.wording import agree, plural

MARKUP = re.compile(r"<[^<>]*>|&#?\w+;")
LISTED = 3  # groups of rows in a sentence


@dataclass(frozen=True)
class Contradiction:
    """One text, without case and spacing, that stands with several labels."""

    labels: list[str]
    rows: list[int]  # as they were given


def contradictions(
    texts: Iterable[str], labels: Iterable[str], rows: Iterable[int]
) -> list[Contradiction]:
    """The texts that stand with several labels, in the order of their first rows."""
    seen: dict[str, tuple[dict[str, None], list[int]]] = {}
    for text, label, row in zip(texts, labels, rows, strict=True):
        known, places = seen.setdefault(normalise(text), ({}, []))
        known[label] = None
        places.append(row)
    return [Contradiction(list(k), places) for k, places in seen.values() if len(k) > 1]


def contradictions_in_words(found: Sequence[Contradiction], unit: str) -> str:
    """How many texts contradict each other, and where the first of them stand."""
    rows = sum(len(one.rows) for one in found)
    some = "; ".join(
        f"{', '.join(one.labels[:3])} at {', '.join(f'{row:,}' for row in one.rows[:4])}"
        for one in islice(found, LISTED)
    )
    more = "; …" if len(found) > LISTED else ""
    what = f"{plural(len(found), 'text')} {agree(len(found), 'stands', 'stand')} with several"
    return f"{what} labels ({plural(rows, 'row')}): {some}{more} ({unit}s)"


def wordless(text: str) -> bool:
    """Whether a text has no letter or digit beside its markup: an emoji, say, or ``<br/>``.

    >>> wordless("<br />"), wordless(":-)"), wordless("so <b>good</b>"), wordless("好")
    (True, True, False, False)
    """
    return not any(map(str.isalnum, MARKUP.sub(" ", text)))
