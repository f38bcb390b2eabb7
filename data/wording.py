"""Counts and numbers in words, and advice that can be followed."""

import re
from collections.abc import Collection, Iterable

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


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(95.3)
    '1 min 35 s'
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def megabytes(size: int) -> str:
    """Bytes in words: ``1,057 MB``."""
    return f"{size / 1e6:,.0f} MB"


OPTION = re.compile(r"--[a-z][a-z0-9-]*")


def possible(message: str, own: Collection[str], others: Collection[str]) -> str:
    """A refusal of a command that uses a run, without advice that only training could follow.

    Args:
        message: what is wrong; after semicolons, what mends it.
        own: options of the command.
        others: those of other commands, which the readers of files name too.
    """
    foreign = {name for name in OPTION.findall(message) if name in others and name not in own}
    if not foreign:
        return message

    def names(text: str) -> bool:
        return not foreign.isdisjoint(OPTION.findall(text))

    bare = re.sub(r" \([^()]*\)", lambda part: "" if names(part[0]) else part[0], message)
    subject, *advice = bare.split("; ")
    subject = OPTION.sub(lambda name: name[0][2:] if name[0] in foreign else name[0], subject)
    ways = [[way for way in part.split(", or ") if not names(way)] for part in advice]
    words = ", ".join(sorted(name[2:] for name in foreign))
    last = f"mend the file: what the run was trained with stays ({words})"
    return "; ".join([subject, *(", or ".join(part) for part in ways if part), last])
