"""What a terminal says of runs that are served."""

import sys
from typing import Protocol

from birnn.terminal.console import console
from birnn.terminal.text import harmless


class Served(Protocol):
    """A server that is ready."""

    @property
    def address(self) -> str:
        """Where a browser finds it."""

    @property
    def names(self) -> list[str]:
        """The runs."""

    made: bool  # whether its token was made for this time


def draw_served(server: Served) -> None:
    """One line of where the runs are; a second one of a token that was made."""
    names = ", ".join(harmless(name) for name in server.names)
    console().print(f"serving {names} at {server.address} (Ctrl-C ends it)",
                    markup=False, soft_wrap=True)  # fmt: skip
    if server.made:
        words = "the address holds a token that was made for this time; --token or BIRNN_TOKEN"
        console().print(f"{words} sets one", markup=False, soft_wrap=True)
    sys.stdout.flush()
