"""The one console."""

import contextlib
import functools
import json
import os
from collections.abc import Iterator
from typing import Any

from rich.console import Console

PIPE_WIDTH = 120
WIDEST = 100_000  # columns


@functools.cache
def console() -> Console:
    """The one console, made when first needed; words are never coloured by guesswork.

    In a pipe there is no width to keep to: lines are as long as tables need them.
    """
    made = Console(highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made = Console(highlight=False, width=PIPE_WIDTH)
    return made


@contextlib.contextmanager
def wide(out: Console) -> Iterator[None]:
    """Within the block, lines are as long as what is printed needs them."""
    width = out.width
    out.width = WIDEST
    try:
        yield
    finally:
        out.width = width


def print_json(value: Any) -> None:
    """JSON for other programs, whatever the console's width."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def is_plain() -> bool:
    """Whether bare lines are wanted, as in a pipe."""
    return not console().is_terminal
