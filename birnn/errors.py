"""Everything birnn raises on purpose.

Each message is one line that says what is wrong, where, and how to mend it; the command
line prints it as it stands and exits with 2.
"""


class BirnnError(Exception):
    """Base of all errors that a user can mend."""


class ConfigError(BirnnError):
    """An option or a configuration file asks for something that can't be."""


class DataError(BirnnError):
    """A data file is missing, unreadable, or does not say what is needed."""


class CheckpointError(BirnnError):
    """A run folder is missing, truncated, foreign, or of another shape."""


class TrainingError(BirnnError):
    """Training can't go on honestly (a loss that is not finite, say)."""
