"""What is drawn of a run that goes elsewhere: as an export, or to the Hugging Face Hub."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from birnn.terminal.console import console, print_json
from birnn.terminal.text import harmless


def draw_export(export: Any, *, as_json: bool) -> None:
    """The folder, the comparison, and what int8 costs where it was asked for."""
    out, check = console(), export.check
    if as_json:
        print_json(check)
        return
    out.print(Text(f"Exported to {harmless(str(export.folder))}"), soft_wrap=True)
    for name, size in export.files.items():
        out.print(Text(f"  {name:16} {size:>12,} bytes"))
    graph, ends = check["graph"], check["predict"]
    items, steps = map(max, zip(*graph["shapes"], strict=True))
    compared = (
        f"Graph against torch: at most {graph['largest_difference']:.2g} apart over"
        f" {len(graph['shapes'])} shapes, batches up to {items}, lengths up to {steps}."
    )
    out.print(Text(compared), soft_wrap=True)
    outcome = harmless(str(ends["what"]))
    if ends["compared"]:
        outcome = f"at most {ends['largest_difference']:.2g} apart, {outcome}"
    out.print(Text(f"predict.py against birnn: {outcome}."), soft_wrap=True)
    if "int8" in check:
        draw_int8(check["int8"])


def draw_int8(measured: Mapping[str, Any]) -> None:
    """Scores and sizes of both graphs, side by side."""
    table = Table("", "fp32", "int8", title=Text(harmless(f"int8 on {measured['data']}")))
    for name, pair in measured["scores"].items():
        table.add_row(name.replace("_", " "), f"{pair['fp32']:.4f}", f"{pair['int8']:.4f}")
    sizes = measured["bytes"]
    table.add_row("bytes", f"{sizes['fp32']:,}", f"{sizes['int8']:,}")
    console().print(table)
    for note in measured["notes"]:
        console().print(Text(harmless(str(note))), soft_wrap=True)


def draw_pushed(where: str, names: Sequence[str]) -> None:
    """Say where the run is now, and which files went there."""
    texts = "report.html holds texts or series of the test split; predictions stay here."
    without = "texts and predictions stay here."
    kept = f"The vocabulary holds words of the training data; {without}"
    kept = texts if "report.html" in names else kept
    for line in (", ".join(names), f"→ {where}", kept):
        console().print(Text(line))


def draw_written(path: Path) -> None:
    """Say where a file was written."""
    console().print(Text(f"→ {harmless(str(path))}"), soft_wrap=True)
