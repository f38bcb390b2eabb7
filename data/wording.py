"""Counts and numbers in words."""

import re
from collections.abc import Iterable

# Controls, line separators, and what turns the direction of text.
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+"
)
MOST_NAMED = 128  # of the items that a message lists


def plural(count: int, noun: str, many: str = "") -> str:
    """``1 row``, ``2,000 rows``, ``3 series``."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def agree(count: int, one: str, many: str) -> str:
    """The form of a word that goes with ``count``: ``is`` or ``are``."""
    return one if count == 1 else many


def number_list(numbers: Iterable[int]) -> str:
    """Numbers in order, each once, the first :data:`MOST_NAMED` of them.

    >>> number_list([3, 1, 2])
    '1, 2, 3'
    """
    ordered = sorted({int(number) for number in numbers})
    more = len(ordered) - MOST_NAMED
    return ", ".join(map(str, ordered[:MOST_NAMED])) + (f" and {more} more" if more > 0 else "")
