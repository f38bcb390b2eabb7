"""The section on the data: what was read, what was left out, what is known against it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from birnn.data.wording import plural
from birnn.tasks.pages.figures import Line, LineChart, draw
from birnn.tasks.reporting.blocks import (
    Alert,
    Alerts,
    Bar,
    Bars,
    Block,
    Chart,
    Column,
    Grid,
    Key,
    Section,
    Table,
    columns,
)
from birnn.tasks.reporting.inputs import RunFiles

COLORS = {"train": "c1", "validation": "c3", "calibration": "c4", "test": "c2"}


def data_section(files: RunFiles) -> Section:
    """Rows and splits, warnings, classes and lengths."""
    data = files.metrics["data"]
    blocks: list[Block] = []
    alerts = data_alerts(files)
    if alerts:
        blocks.append(Alerts(alerts))
    blocks.append(Grid([_splits(data, files.unit), *_left_out(data)]))
    if "overlap" in data:
        blocks.append(_repeats(data))
    charts = [*_classes(data), *_lengths(files.extras.get("lengths", {}))]
    if charts:
        blocks.append(Grid(charts))
    if told := _told(data, files.extras.get("notes", []), alerts):
        blocks.append(Table([Column("How it was read and split")], [[text] for text in told]))
    return Section("data", "Data", blocks, f"Source: {data['source']}.")


def _told(data: Mapping[str, Any], notes: Sequence[Any], alerts: Sequence[Alert]) -> list[str]:
    """How the data were read and split, but for what the alerts say."""
    said = [str(finding["text"]) for finding in data.get("inspection", {}).get("findings", [])]
    said += [alert.text for alert in alerts]
    every = dict.fromkeys(map(str, [*data.get("notes", []), *data.get("splits", []), *notes]))
    source = {"as the source gives them": "splits as the source gives them"}

    def known(text: str) -> bool:
        return any(text.startswith(part) or part.startswith(text) for part in said)

    return [source.get(text, text) for text in every if not known(text)]


def data_alerts(files: RunFiles) -> list[Alert]:
    """What one should know of the data, the gravest first."""
    data = files.metrics["data"]
    told = [str(text) for text in files.extras.get("warnings", [])]
    alerts = [Alert(text, "bad" if "flattered" in text else "warn") for text in told]
    for pair, count in data.get("overlap", {}).get("normalised", {}).items():
        first, second = pair.split("/")
        if count and "warnings" not in files.extras:  # of older runs
            shared = f"{plural(count, 'item')} of {second} also in {first}"
            alerts.append(Alert(f"{shared}: scores on {second} are flattered.", "bad"))
    for finding in data.get("inspection", {}).get("findings", []):
        text = str(finding["text"])
        if any(text in alert.text for alert in alerts):
            continue
        series = f"{finding['series']}: " if finding.get("series") else ""
        done = f": {finding['treatment']}" if finding["treatment"] else ""
        alerts.append(Alert(f"{series}{text}{done}", "note", finding.get("rows", [])[:20]))
    if not alerts and "overlap" in data:
        alerts.append(Alert("No item of one split stands in another.", "good"))
    return alerts


def _splits(data: Mapping[str, Any], unit: str) -> Block:
    rows = data["rows"]
    largest = max([*rows.values(), 1])
    bars = [
        (name, [Bar(count / largest, f"{count:,}", COLORS.get(name, "base"))])
        for name, count in rows.items()
    ]
    return Bars("Splits", [unit], bars)


def _left_out(data: Mapping[str, Any]) -> list[Block]:
    """What was not used, and why; said where nothing was left out."""
    if "left_out" not in data:
        return []
    rows = [[why, f"{count:,}"] for why, count in _flat_counts(data["left_out"]) if count]
    if rows:
        return [Table(columns("Left out, because", "rows"), rows)]
    told = [[str(note)] for note in data.get("notes", []) if "left out" in str(note)]
    return [Table([Column("Left out")], told or [["Nothing: every row was used."]])]


def _flat_counts(counts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, int]]:
    flat: list[tuple[str, int]] = []
    for name, value in counts.items():
        words = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            flat += _flat_counts(value, f"{words}: ")
        elif isinstance(value, int):
            flat.append((words, value))
    return flat


def _repeats(data: Mapping[str, Any]) -> Block:
    """Repeats within splits and between them, exact and but for case and spacing."""
    kinds = ("exact", "normalised")
    rows = []
    for title, part in (("repeated within", "duplicates"), ("shared by", "overlap")):
        counts = data.get(part, {})
        rows += [
            [
                f"{title} {name.replace('/', ' and ')}",
                *(f"{counts[kind][name]:,}" for kind in kinds),
            ]
            for name in counts.get("exact", {})
        ]
    return Table(columns("Repeats", "letter by letter", "but for case and spacing"), rows)


def _classes(data: Mapping[str, Any]) -> list[Block]:
    """Shares of the classes, a column a split."""
    classes = data.get("classes", {})
    if not classes:
        return []
    totals = {name: max(sum(counts.values()), 1) for name, counts in classes.items()}
    labels = list(dict.fromkeys(label for counts in classes.values() for label in counts))
    order = sorted(labels, key=lambda label: -next(iter(classes.values())).get(label, 0))
    shown = order[:40]
    rows = []
    for label in shown:
        counts = [(name, classes[name].get(label, 0)) for name in classes]
        rows.append(
            (
                label,
                [Bar(n / totals[name], f"{n:,}", COLORS.get(name, "base")) for name, n in counts],
            )
        )
    more = len(order) - len(shown)
    caption = f"{plural(more, 'rarer class', 'rarer classes')} not shown." if more else ""
    return [Bars("Classes", list(classes), rows, caption)]


def _lengths(lengths: Mapping[str, Any]) -> list[Block]:
    """How long the items are: shares of each split by number of words."""
    counts = {name: np.array(part, dtype=float) for name, part in lengths.get("counts", {}).items()}
    counts = {name: part for name, part in counts.items() if part.sum()}
    if not counts:
        return []
    longest = max(len(part) for part in counts.values())
    width = -(-longest // 40)
    lines, rows, highest = [], [], 0.0
    for name, part in counts.items():
        binned = np.pad(part, (0, -len(part) % width)).reshape(-1, width).sum(1) / part.sum()
        highest = max(highest, float(binned.max()))
        centres = np.arange(len(binned)) * width + (width - 1) / 2
        lines.append(Line(name, centres.tolist(), binned.tolist(), COLORS.get(name, "base")))
        rows.append([name, *_quantiles(part)])
    unit = lengths.get("unit", "words")
    title = f"Length in {unit}"
    chart = LineChart(
        lines,
        x_label=unit,
        y_label=f"share of the split, by {width}",
        share=True,
        whole=True,
        y_range=(0, highest * 1.08),
    )
    heads = columns("split", "shortest", "quarter", "median", "three quarters", "longest")
    legend = [Key(line.name, line.color) for line in lines]
    drawing = draw(chart, f"{title}: a line for each split; its quantiles are in the table.")
    return [Chart(title, drawing, Table(heads, rows), legend=legend)]


def _quantiles(counts: Any) -> list[str]:
    cumulated = np.cumsum(counts) / counts.sum()
    places = [
        int(np.argmax(counts > 0)),
        *(int(np.searchsorted(cumulated, q)) for q in (0.25, 0.5, 0.75)),
        len(counts) - 1,
    ]
    return [f"{place:,}" for place in places]


def lengths_of(splits: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """Items of each length, in each split that has several: what the chart is drawn from."""
    lengths = {name: np.asarray(split.lengths) for name, split in splits.items()}
    counts = {name: np.bincount(part).tolist() for name, part in lengths.items() if np.ptp(part)}
    return {"unit": unit, "counts": counts}
