"""Columns of tables by name: as an option names them, or by the usual names."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from birnn.errors import DataError
from birnn.registry import suggestion

if TYPE_CHECKING:
    from datasets import Dataset

TEXT_NAMES = (
    "text", "sentence", "review", "tweet", "content", "document", "comment", "message", "body",
    "utterance", "title",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "sentiment", "class", "category", "target", "polarity", "rating", "stars",
    "score", "intent", "topic", "emotion",
)  # fmt: skip
TOKEN_NAMES = ("tokens", "words", "token", "word", "form", "forms", "text")
TAG_NAMES = (
    "ner_tags", "ner", "tags", "tag", "ner_tag", "labels", "label", "entities", "entity", "upos",
    "pos_tags", "pos", "pos_tag", "xpos", "chunk_tags", "chunk",
)  # fmt: skip
SHOWN = 40  # names in a message


def usual_columns(usual: Iterable[str], names: Sequence[str]) -> list[str]:
    """The columns that have a usual name, whatever their case, in the order of the usual names.

    >>> usual_columns(("text", "body"), ["Body", "TEXT", "text"])
    ['TEXT', 'Body']
    """
    by_lower = {name.casefold(): name for name in reversed(names)}
    return [by_lower[name] for name in usual if name in by_lower]


def check_column(name: str, names: Collection[str], where: str, option: str = "") -> None:
    """Refuse a name that no column has; ``option`` is the one that names another.

    Raises:
        DataError: it isn't there; the message names those that are.
    """
    if name not in names:
        near = suggestion(name, names)
        mend = f"; name one with {option}" if option else ""
        lacks = f"{where}: there is no column {name!r}{near}"
        raise DataError(f"{lacks}; there are: {_some(names)}{mend}")


def no_column(what: str, names: Iterable[str], where: str) -> DataError:
    """No column has a usual name: the option that names it, and those there are."""
    mend = f"name it with --{what}-column; there are: {_some(list(names))}"
    return DataError(f"{where}: no {what} column found; {mend}")


def _some(names: Collection[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(list(names)[:SHOWN]) + more or "none"


def find_column(table: "Dataset", name: str, usual: Iterable[str], what: str, where: str) -> str:
    """The column called ``name``, or the first of the ``usual`` names that is there.

    Raises:
        DataError: there is none.
    """
    names = table.column_names
    if name:
        check_column(name, names, where)
        return name
    columns = usual_columns(usual, names)
    if not columns:
        raise no_column(what, names, where)
    return columns[0]
