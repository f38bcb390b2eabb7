"""What a person sees of a file of series: what it holds, and what is odd about it."""

from rich.console import Group, RenderableType
from rich.text import Text

from birnn.data.series.findings import Finding, Inspection
from birnn.terminal.console import console, is_plain, print_json
from birnn.terminal.text import harmless, make_table, named, render_pairs

SHOWN = 40
PLACES = {"wide": "a column a series", "long": "a row for each series and time"}


def draw_inspection(inspection: Inspection, *, as_json: bool) -> None:
    """What is in a file of series."""
    out = console()
    if as_json:
        print_json(inspection.to_json())
    else:
        out.print(render_inspection(inspection, out.width, plain=is_plain()))


def render_inspection(inspection: Inspection, width: int, *, plain: bool) -> RenderableType:
    """The file in short, its findings with rows and treatment, and how it was read.

    Names and cells in an inspection are anybody's text.
    """
    parts = [render_pairs(f"Series in {inspection.source}", _pairs(inspection))]
    if inspection.findings:
        parts.append(render_findings(inspection.findings, width, plain=plain))
    else:
        parts += [Text("Nothing odd was found."), Text()]
    if inspection.notes:
        lines = [Text(f"- {harmless(note)}") for note in inspection.notes]
        parts += [Text("How it was read", style="bold"), *lines, Text()]
    return Group(*parts, _verdict(inspection))


def _pairs(inspection: Inspection) -> list[tuple[str, str]]:
    targets = ", ".join(named(name, 30) for name in inspection.targets[:8])
    if len(inspection.targets) > 8:
        targets += f", … ({len(inspection.targets):,} in all)"
    span = f"{inspection.shortest:,}"
    if inspection.longest != inspection.shortest:
        span += f" to {inspection.longest:,}"
    rows = [
        ("layout", f"{inspection.layout} ({PLACES[inspection.layout]})"),
        ("time column", inspection.time_column or "none: rows are counted"),
        ("column of ids", inspection.id_column),
        ("values", targets),
        ("rows", f"{inspection.rows:,}"),
        ("frequency", inspection.clock.named() if inspection.clock else "not known"),
    ]
    if inspection.series:
        rows += [
            ("season", f"{inspection.season:,} ({inspection.season_source})"),
            ("series", f"{inspection.series:,}, of {span} steps"),
            ("from, to", f"{inspection.start}, {inspection.end}"),
        ]
    return [(name, value) for name, value in rows if value]


def render_findings(findings: list[Finding], width: int, *, plain: bool) -> RenderableType:
    """Findings as a table, fatal ones first and marked."""
    ordered = sorted(findings, key=lambda finding: not finding.fatal)
    with_series = any(finding.series for finding in ordered)
    table = make_table(["finding", *["series"] * with_series], [], [], plain=plain, no_wrap=True)
    table.add_column("what there is", overflow="fold", ratio=3)
    table.add_column("what is done about it", overflow="fold", ratio=2)
    table.width = max(60, width)
    for finding in ordered[:SHOWN]:
        kind = Text(finding.kind.replace("_", " "), style="bold red" if finding.fatal else "")
        texts = [Text(harmless(text)) for text in (finding.text, finding.treatment)]
        series = [Text(named(finding.series, max(8, width // 6)))] if with_series else []
        table.add_row(kind, *series, *texts)
    parts: list[RenderableType] = [Text("Findings", style="bold"), table]
    if len(ordered) > SHOWN:
        parts.append(Text(f"… and {len(ordered) - SHOWN:,} more"))
    return Group(*parts, Text())


def _verdict(inspection: Inspection) -> Text:
    fatal = sum(finding.fatal for finding in inspection.findings)
    if fatal:
        count = "1 finding" if fatal == 1 else f"{fatal} findings"
        return Text(f"Training is refused for {count}.", style="bold red")
    if not inspection.series:
        return Text("No usable series.", style="bold red")
    return Text("Ready for training.", style="bold green")
