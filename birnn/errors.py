"""Everything birnn raises on purpose.

Each message is one line that says what is wrong, where, and how to mend it; the command
line prints it as it stands and exits with 2.
"""

import reprlib


class BirnnError(Exception):
    """Base of all errors that a user can mend; a name in the message may not break its line."""

    def __init__(self, message: str = "") -> None:
        super().__init__(" ".join(message.split()))


class ConfigError(BirnnError):
    """An option or a configuration file asks for something that can't be."""


class DataError(BirnnError):
    """A data file is missing, unreadable, or does not say what is needed."""


class CheckpointError(BirnnError):
    """A run folder is missing, truncated, foreign, or of another shape."""


class TrainingError(BirnnError):
    """Training can't go on honestly (a loss that is not finite, say)."""


class NonFiniteLossError(TrainingError):
    """A loss that is not finite, at ``batches`` of ``epoch``, both from 0."""

    def __init__(self, message: str, epoch: int, batches: range) -> None:
        super().__init__(message)
        self.epoch, self.batches = epoch, batches


class MemoryLimitError(BirnnError):
    """The device has too little memory for what was asked of it."""


class Stopped(BirnnError):  # noqa: N818
    """Training stopped because someone asked it to."""


class LostProcessError(BirnnError):
    """Another of the processes that share the work has ended."""


def reason(error: BaseException) -> str:
    """What the system says of ``error``, without its number."""
    return getattr(error, "strerror", None) or str(error)


def brief(value: object, most: int = 80) -> str:
    """``repr(value)`` for a message: at most ``most`` characters, however large the value is."""
    shortened = reprlib.Repr()
    shortened.maxstring = shortened.maxother = shortened.maxlong = most
    shortened.maxlevel = 2
    try:
        text = shortened.repr(value)
    except ValueError:  # a whole number of more digits than Python writes out
        text = f"a {type(value).__name__} of many digits"
    return text if len(text) <= most else f"{text[: most - 1]}…"
