"""What a person sees of scored texts: how surprising each symbol was, and each stretch."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from birnn.terminal.text import harmless, make_table, shown, titled
from birnn.terminal.views.scores import score_cell

# Bits of a symbol from which on it has a style; the last one counts.
STYLES = ((0.0, "dim"), (1.0, ""), (3.0, "yellow"), (6.0, "bold red"))
SHADED = 20  # texts whose symbols are drawn


def render_details(details: Mapping[str, Any], width: int, *, plain: bool) -> RenderableType:
    """The network without its n-grams, if it has any; the most surprising stretches."""
    parts, rows = list[RenderableType](), details.get("surprises", ())
    if "network_alone" in details:
        alone = details["network_alone"]["bits_per_character"]
        cell = score_cell(alone, "{:.3f}".format, "bold")
        parts.append(Text.assemble("Without the n-grams mixed in: ", cell, " bits per character"))
    if not rows:
        return Group(*parts)
    room, cells = max(20, width - 20), []
    for row in rows:
        line = shown(f"…{row['before']}", room // 4), shown(row["text"], room)
        cells.append([f"{row['bits']:.2f}", str(row["passage"]), Text.assemble(
            (line[0], "dim"), " ", (line[1], "bold"))])  # fmt: skip
    table = make_table(["bits", "passage", "text"], [], cells, plain=plain, no_wrap=True)
    return Group(*parts, titled("Most surprising stretches, bits a symbol", table))


def draw_answer(answer: Any, out: Console, *, plain: bool) -> None:
    """A line for each text: its bits a character, then the text, in a terminal in shades."""
    for number, record in enumerate(answer.records):
        names = [name for name in record if name.endswith("bits_per_character")]
        line = Text("  ".join(f"{record[name]:.3f}" for name in names), "bold")
        line.append("  ", "not bold")
        if plain or number >= SHADED:
            line.append(harmless(record["text"]), "not bold")
        else:
            line.append_text(shades(record["symbols"]))
        out.print(line, soft_wrap=True)


def shades(symbols: Sequence[Mapping[str, Any]]) -> Text:
    """Symbols, each in the style of how surprising it was."""
    line = Text()
    for symbol in symbols:
        style = next(style for least, style in reversed(STYLES) if symbol["bits"] >= least)
        line.append(harmless(symbol["symbol"]) or " ", f"not bold {style}" if style else "not bold")
    return line
