"""What a run folder's JSON files must hold; a file that a stranger gives is not believed."""

from typing import Any


def check_strings(name: str, values: Any, least: int) -> None:
    """Refuse what is not a list of at least ``least`` distinct texts.

    Raises:
        ValueError: it isn't; the message names the list.
    """
    if not isinstance(values, list) or len(values) < least:
        raise ValueError(f"the list {name} is missing or too short")
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"an entry of {name} is not text")
    if len(set(values)) < len(values):
        raise ValueError(f"an entry of {name} stands there twice")
