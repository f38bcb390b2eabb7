"""Counts in words."""


def plural(count: int, noun: str, many: str = "") -> str:
    """``1 row``, ``2,000 rows``, ``3 series``."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def agree(count: int, one: str, many: str) -> str:
    """The form of a word that goes with ``count``: ``is`` or ``are``."""
    return one if count == 1 else many
