"""A row of the table: what was checked or measured, what was found, and what it should be."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple


class Check(NamedTuple):
    """One row; ``ok`` is None where there is nothing to be right or wrong, as with a time."""

    name: str
    found: str
    wanted: str = ""
    ok: bool | None = None


def below(name: str, error: float, limit: float) -> Check:
    """An error that must stay below ``limit``."""
    return Check(name, f"{error:.1e}", f"< {limit:.0e}", error < limit)


def equal(name: str, found: object, wanted: object) -> Check:
    """Something that must be as it should."""
    return Check(name, str(found), str(wanted), found == wanted)


def rows(part: str, section: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """The rows of a section; one that breaks off ends in a row that says so."""
    try:
        yield from section()
    except Exception as error:
        traceback.print_exc()
        yield Check(f"{part}: broke off", f"{type(error).__name__}: {error}"[:200], "", False)


def table(made: Iterable[tuple[str, Check]], head: str) -> str:
    """The rows as Markdown, wrong ones marked."""
    lines = [head, "", "| part | what | found | wanted | |", "|---|---|---|---|---|"]
    for part, check in made:
        mark = {True: "ok", False: "**wrong**", None: ""}[check.ok]
        found = check.found.replace("|", "/").replace("\n", " ")
        lines.append(f"| {part} | {check.name} | {found} | {check.wanted} | {mark} |")
    return "\n".join(lines) + "\n"
