"""How sure a model is: shares of classes as bars, and how often it is right where it is sure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from birnn.terminal.text import make_table, named, titled

CLASSES = 6  # of an answer that have a bar, the likeliest
WIDTH = 30  # columns of a bar
RIGHT, SURE = "cyan", "yellow"


def render_shares(shares: Mapping[str, float]) -> RenderableType:
    """A bar for each of the likeliest classes."""
    table = Table.grid(padding=(0, 2))
    ordered = sorted(shares.items(), key=lambda pair: -pair[1])
    for number, (label, share) in enumerate(ordered[:CLASSES]):
        style = RIGHT if not number else "bright_black"
        bar = Bar(1.0, 0.0, share, width=WIDTH, color=style)
        table.add_row(Text(named(label, 20)), bar, Text(f"{share * 100:5.1f} %"))
    parts: list[RenderableType] = [Padding(table, (0, 0, 0, 2), expand=False)]
    if left := ordered[CLASSES:]:
        rest = sum(share for _, share in left)
        parts.append(Text(f"  {len(left):,} more classes together {rest * 100:.1f} %", "dim"))
    return Group(*parts)


def render_reliability(
    bins: Sequence[Mapping[str, Any]], what: str, *, plain: bool
) -> RenderableType:
    """A row for each range of certainty: how often ``what`` is right, beside how sure it was."""
    table = make_table(["certainty %"], [what, "sure %", "right %"], [], plain=plain)
    if not plain:
        table.add_column(Text.assemble(("█", RIGHT), " right  ", ("┃", SURE), " sure"))
    for part in bins:
        span = f"{part['start'] * 100:.0f} to {part['end'] * 100:.0f}"
        shares = [f"{part[name] * 100:.1f}" for name in ("confidence", "accuracy")]
        bar = [] if plain else [reliability_bar(part["accuracy"], part["confidence"])]
        table.add_row(*map(Text, (span, f"{part['items']:,}", *shares)), *bar)
    return titled("How often right, by how sure", table)


def reliability_bar(accuracy: float, confidence: float) -> Text:
    """A bar as long as answers are right, and a mark where it would end if certainty were true."""
    length, mark = round(accuracy * WIDTH), min(round(confidence * WIDTH), WIDTH - 1)
    line = Text()
    for place in range(WIDTH):
        sign = ("┃", SURE) if place == mark else ("█", RIGHT) if place < length else (" ", "")
        line.append(*sign)
    return line
