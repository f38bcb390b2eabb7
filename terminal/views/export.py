"""What is drawn of an export: its files, and how far they are from the run."""

import json
from typing import Any

from rich.table import Table
from rich.text import Text

from birnn.terminal.console import console
from birnn.terminal.text import harmless


def draw_export(found: Any, *, as_json: bool) -> None:
    """The folder, the comparison, and what int8 costs where it was asked for."""
    out, check = console(), found.check
    if as_json:
        out.file.write(json.dumps(check, indent=2, ensure_ascii=False) + "\n")
        return
    out.print(Text(f"Exported to {harmless(str(found.folder))}"), soft_wrap=True)
    for name, size in found.files.items():
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
    said = harmless(str(ends["what"]))
    if ends["compared"]:
        said = f"at most {ends['largest_difference']:.2g} apart, {said}"
    out.print(Text(f"predict.py against birnn: {said}."), soft_wrap=True)
    if "int8" in check:
        draw_int8(check["int8"])


def draw_int8(found: dict[str, Any]) -> None:
    """Scores and sizes of both graphs, side by side."""
    table = Table("", "fp32", "int8", title=Text(harmless(f"int8 on {found['data']}")))
    for name, pair in found["scores"].items():
        table.add_row(name.replace("_", " "), f"{pair['fp32']:.4f}", f"{pair['int8']:.4f}")
    sizes = found["bytes"]
    table.add_row("bytes", f"{sizes['fp32']:,}", f"{sizes['int8']:,}")
    console().print(table)
    for note in found["notes"]:
        console().print(Text(harmless(str(note))), soft_wrap=True)
