"""What is drawn of a run that goes elsewhere: as an export, or to the Hugging Face Hub."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from birnn.terminal.console import console
from birnn.terminal.text import harmless


def draw_export(export: Any, *, as_json: bool) -> None:
    """The folder, the comparison, and what int8 costs where it was asked for."""
    out, check = console(), export.check
    if as_json:
        out.file.write(json.dumps(check, indent=2, ensure_ascii=False) + "\n")
        return
    out.print(Text(f"Exported to {harmless(str(export.folder))}"), soft_wrap=True)
    for name, size in export.files.items():
        out.print(Text(f"  {name:16} {size:>12,} bytes"))
    graph, ends = check["graph"], check["predict"]
    shapes = graph["shapes"]
    items, steps = (max(shape[i] for shape in shapes) for i in range(2))
    out.print(
        Text(
            f"Graph against torch: at most {graph['largest_difference']:.2g} apart over"
            f" {len(shapes)} shapes, batches up to {items}, lengths up to {steps}."
        ),
        soft_wrap=True,
    )
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
    console().print(Text(f"{', '.join(names)}"))
    console().print(Text(f"→ {where}"))
    console().print(
        Text("The vocabulary holds words of the training data; texts and predictions stay here.")
    )
