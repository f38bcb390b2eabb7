"""Words for a terminal: harmless, no wider than their place, in tables and pairs."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from birnn.data.wording import CONTROL as CONTROL

LONGEST = 2000  # characters of an error
BEST = "bold green"


def harmless(text: str) -> str:
    """``text`` on one line, characters that steer a terminal as spaces."""
    return CONTROL.sub(" ", text).strip()


def shortened(text: str, most: int = LONGEST) -> str:
    """``text``, its middle left out where it has more than ``most`` characters."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]} … {text[-half:]}"


def shown(text: str, width: int) -> str:
    """``text`` made :func:`harmless`, at most ``width`` columns of it; some characters take two."""
    plain = Text(harmless(text))
    plain.truncate(width, overflow="ellipsis")
    return plain.plain


def named(label: str, width: int) -> str:
    """A label in at most ``width`` columns; its middle goes, as labels often begin alike."""
    plain = harmless(label)
    tail = plain[-(width // 3) :] if cell_len(plain) > width else ""
    return shown(plain, width - cell_len(tail)) + tail


def make_table(
    left: Sequence[str],
    right: Sequence[str],
    rows: Iterable[Iterable[Any]],
    *,
    plain: bool,
    no_wrap: bool = False,
) -> Table:
    """A table of strings and Texts, left-aligned columns first; ruled but in a pipe; no markup."""
    table = Table(box=None if plain else box.SIMPLE_HEAD, pad_edge=False)
    table.collapse_padding = not plain
    for i, head in enumerate([*left, *right]):
        justify: Literal["left", "right"] = "left" if i < len(left) else "right"
        table.add_column(Text(head), justify=justify, no_wrap=no_wrap)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def titled(title: str, table: Table) -> Group:
    """A heading above a table, and a blank line below, which a ruled table brings along."""
    return Group(Text(title, style="bold"), table, *([] if table.box else [Text()]))


def render_pairs(title: str, rows: Sequence[tuple[str, str]]) -> RenderableType:
    """A heading with a name and a value a line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(name), Text(harmless(value)))
    return Group(Text(title, style="bold"), grid, Text())


def render_warnings(warnings: Sequence[str]) -> RenderableType:
    """Warnings that can't be missed, whatever the terminal's background."""
    lines = [
        Text.assemble(("WARNING:", "bold reverse yellow"), (f" {harmless(text)}", "bold"))
        for text in warnings
    ]
    return Group(*lines, Text())
