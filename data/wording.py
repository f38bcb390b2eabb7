"""Counts in words."""

from collections.abc import Iterable

MOST_NAMED = 128  # numbers that are named in a message


def plural(count: int, noun: str, many: str = "") -> str:
    """``1 row``, ``2,000 rows``, ``3 series``."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def agree(count: int, one: str, many: str) -> str:
    """The form of a word that goes with ``count``: ``is`` or ``are``."""
    return one if count == 1 else many


def number_list(numbers: Iterable[int]) -> str:
    """Numbers in order, the first :data:`MOST_NAMED` of them.

    >>> number_list([3, 1, 2])
    '1, 2, 3'
    """
    found = sorted({int(number) for number in numbers})
    more = len(found) - MOST_NAMED
    return ", ".join(map(str, found[:MOST_NAMED])) + (f" and {more} more" if more > 0 else "")
