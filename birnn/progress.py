"""How far long work is, told to whoever wants to show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# What is done, and which share of it is done; None where nobody can say.
Report = Callable[[str, float | None], None]

_report: ContextVar[Report | None] = ContextVar("report", default=None)


def tell(what: str, share: float | None = None) -> None:
    """Say that some work is going on, and which share of it is done."""
    if report := _report.get():
        report(what, share)


@contextmanager
def told_to(report: Report) -> Iterator[None]:
    """Within, ``report`` is called by :func:`tell`; not from other threads."""
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)
