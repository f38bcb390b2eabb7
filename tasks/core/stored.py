"""What a run folder's JSON files must hold; a file that a stranger gives is not believed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from birnn.errors import CheckpointError, brief

MAX_LABELS = 4096  # of a run: a confusion matrix and a chain of tags take the square of it
DAMAGED = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)


def check_strings(name: str, values: Any, least: int) -> None:
    """Refuse what is not a list of at least ``least`` distinct texts with a ValueError."""
    if not isinstance(values, list) or len(values) < least:
        raise ValueError(f"the list {name} is missing or too short")
    if not {*map(type, values)} <= {str}:
        raise ValueError(f"an entry of {name} is not text")
    if len(set(values)) < len(values):
        raise ValueError(f"an entry of {name} stands there twice")


def check_labels(values: Any, least: int) -> None:
    """Refuse labels that are not distinct texts, or too many, with a ValueError."""
    check_strings("labels", values, least)
    if len(values) > MAX_LABELS:
        raise ValueError(f"{len(values):,} labels; a run has at most {MAX_LABELS:,}")


def check_whole(name: str, value: Any, low: int, high: int) -> int:
    """``value`` if it is a whole number from ``low`` to ``high``.

    Raises:
        ValueError: it isn't; the message names it.
    """
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} {brief(value)} is not a whole number from {low} to {high}")
    return value


def reason(error: Exception) -> str:
    """One short line of what is wrong with a file; a missing key by its name."""
    words = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
    return " ".join(words.split())[:200]


@contextmanager
def stored(folder: Path, what: str) -> Iterator[None]:
    """Within the block, what is wrong with the values of a run's files is one clear error.

    Raises:
        CheckpointError: a value is missing, or is not what it should be.
    """
    try:
        yield
    except DAMAGED as error:
        raise CheckpointError(f"{folder}: its {what} not usable ({reason(error)})") from None
