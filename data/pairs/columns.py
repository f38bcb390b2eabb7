"""Which columns of a table hold sources and targets; two languages in one column too."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from birnn.data.pairs.options import PairOptions
from birnn.data.tables.columns import check_column, usual_columns
from birnn.errors import DataError

NESTED = ("translation", "translations")  # a column of {"de": …, "en": …}, as on the Hub
SOURCES = ("source", "src", "input", "original", "old", "from", "sentence1", "text", "question")
TARGETS = ("target", "tgt", "translation", "output", "plain", "reference", "to", "sentence2")
OTHERS = ("split", "id", "index", "chapter", "file", "line")  # columns that are neither


class PairColumns(NamedTuple):
    """The columns of a table by name, with what they hold of each row."""

    source: str
    target: str
    sources: list[Any]
    targets: list[Any] | None  # None: there is no such column, and none is needed


def read_columns(
    table: Any, asked: PairOptions, where: str, *, targets: bool = True
) -> PairColumns:
    """The sources and targets of a table.

    A named column is taken, then one that the run's own data had, then a column that holds both
    languages, then usual names, then the only two columns in their order.

    Args:
        table: as it was read.
        asked: names, remembered ones too.
        where: the table in words.
        targets: whether there must be some.

    Raises:
        DataError: a name that isn't there, or nothing that could be it; names those there are.
    """
    names = list(table.column_names)
    cells = _flat(table, names)
    names = list(cells)
    source = _named(asked.source_column, asked.remembered.get("source", ""), names, where)
    target = _named(asked.target_column, asked.remembered.get("target", ""), names, where)
    left = [name for name in names if name.casefold() not in OTHERS] if len(names) > 2 else names
    source = source or _first(SOURCES, [n for n in left if n != target], 0, len(left))
    target = target or _first(TARGETS, [n for n in left if n != source], -1, len(left))
    for name, what in ((source, "source"), (target, "target")):
        if not name and (targets or what == "source"):
            there = ", ".join(map(repr, names))
            raise DataError(
                f"{where}: no column is told to be the {what}; name it with --{what}-column;"
                f" there are: {there}"
            )
    if source == target:
        raise DataError(f"{where}: the column {source!r} can't be both source and target")
    return PairColumns(source, target, cells[source], cells[target] if target else None)


def _flat(table: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    """Columns by name; one that holds several languages is as many."""
    flat: dict[str, list[Any]] = {}
    for name in names:
        cells = list(table[name][:])
        first = next((cell for cell in cells if cell is not None), None)
        if not isinstance(first, Mapping):
            flat[name] = cells
            continue
        for language in first:
            own = f"{name}.{language}" if language in names or name not in NESTED else language
            flat[own] = [c.get(language) if isinstance(c, Mapping) else None for c in cells]
    return flat


def _named(name: str, remembered: str, names: Sequence[str], where: str) -> str:
    if name:
        check_column(name, names, where)
        return name
    return remembered if remembered in names else ""


def _first(usual: Sequence[str], names: Sequence[str], place: int, count: int) -> str:
    """The column of a usual name; else, of a table that has two, the one at ``place``."""
    found = usual_columns(usual, names)
    if found:
        return found[0]
    return names[place] if count == 2 and names else ""
