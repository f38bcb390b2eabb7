"""What a person sees of a file: what it holds, and what is odd about it."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from birnn.data.series.findings import Inspection
from birnn.terminal.console import console, is_plain, print_json
from birnn.terminal.text import harmless, make_table, named, render_pairs, titled

SHOWN = 40
PLACES = {"wide": "a column a series", "long": "a row for each series and time"}


def draw_inspection(task: str, inspection: Any, others: Sequence[str], *, as_json: bool) -> None:
    """What is in a file of a task's data; ``others`` are tasks that could read it otherwise."""
    out, plain = console(), is_plain()
    if as_json:
        print_json({"task": task, **inspection.to_json()})
        return
    if others:
        words = f"Read as data of {task}; --task {', '.join(others)} reads it as that task's."
        out.print(Text(words, style="dim"), soft_wrap=plain)
    render = render_inspection if isinstance(inspection, Inspection) else render_facts
    out.print(render(inspection, out.width, plain=plain))


def render_facts(inspection: Any, width: int, *, plain: bool) -> RenderableType:
    """A file of texts, sentences or steps in short: counts, findings, and how it was read."""
    parts = [render_pairs(f"Data in {inspection.source}", inspection.pairs)]
    for table in inspection.counts:
        rows = [
            [named(str(row[0]), max(20, width // 3)), *(_number(value) for value in row[1:])]
            for row in table.rows
        ]
        parts.append(titled(table.title, make_table(table.heads[:1], table.heads[1:], rows,
                                                    plain=plain)))  # fmt: skip
    parts += render_oddities(inspection, width, plain=plain)
    verdict = ("Ready for training.", "bold green")
    if not inspection.ready:
        fatal = next(finding for finding in inspection.findings if finding.fatal)
        verdict = (f"Training is refused: {harmless(fatal.text)}", "bold red")
    return Group(*parts, Text(*verdict))


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def render_inspection(inspection: Inspection, width: int, *, plain: bool) -> RenderableType:
    """The file in short, its findings with rows and treatment, and how it was read.

    Names and cells in an inspection are anybody's text.
    """
    parts = [render_pairs(f"Series in {inspection.source}", _pairs(inspection))]
    parts += render_oddities(inspection, width, plain=plain)
    return Group(*parts, _verdict(inspection))


def render_oddities(inspection: Any, width: int, *, plain: bool) -> list[RenderableType]:
    """The findings, or that there are none; and how the file was read."""
    parts: list[RenderableType] = []
    if inspection.findings:
        parts.append(render_findings(inspection.findings, width, plain=plain))
    else:
        parts += [Text("Nothing odd was found."), Text()]
    if inspection.notes:
        lines = [Text(f"- {harmless(note)}") for note in inspection.notes]
        parts += [Text("How it was read", style="bold"), *lines, Text()]
    return parts


def _pairs(inspection: Inspection) -> list[tuple[str, str]]:
    targets = ", ".join(named(name, 30) for name in inspection.targets[:8])
    if len(inspection.targets) > 8:
        targets += f", … ({len(inspection.targets):,} in all)"
    span = f"{inspection.shortest:,}"
    if inspection.longest != inspection.shortest:
        span += f" to {inspection.longest:,}"
    rows = [
        ("layout", f"{inspection.layout} ({PLACES[inspection.layout]})"),
        ("time column", inspection.time),
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


def render_findings(findings: Sequence[Any], width: int, *, plain: bool) -> RenderableType:
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
