"""What a request is refused with: a status, and words that say the limit and what moves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST = 500  # characters of a message, which may name what a stranger sent


@dataclass(eq=False)
class Refused(Exception):  # noqa: N818
    """A request that gets no answer, by the client's own doing or by a limit."""

    status: int  # of HTTP, from 400 to 499
    code: str  # a word for programs
    message: str
    limit: float | None = None
    option: str = ""  # of the command line, which moves the limit
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The body of the response."""
        message = self.message if len(self.message) <= LONGEST else f"{self.message[:LONGEST]}…"
        error: dict[str, Any] = {"code": self.code, "message": message}
        if self.limit is not None:
            error |= {"limit": self.limit, "option": self.option}
        return {"error": error}


def beyond(status: int, code: str, what: str, most: float, option: str, unit: str = "",
           **headers: str) -> Refused:  # fmt: skip
    """A limit is passed: ``what`` says of what, ``unit`` what the limit counts."""
    message = f"{what}; the limit is {most:,g}{unit} ({option} moves it)"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refused(status, code, message, most, option, named)
