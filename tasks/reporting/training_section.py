"""The section on training: curves of all seeds, and what it took."""

from collections.abc import Sequence

from birnn.data.wording import duration, megabytes
from birnn.tasks.pages.figures import Line, LineChart, Mark, draw
from birnn.tasks.reporting.blocks import (
    Block,
    Chart,
    Column,
    Facts,
    Grid,
    Key,
    Section,
    Table,
    columns,
)
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.scores import finite, plain, score_name
from birnn.tasks.scoring.metric_names import format_score, is_percent, score_title

PALETTE = ("c1", "c2", "c3", "c4", "c5", "c6")
OTHER = ("epoch", "loss", "learning_rate", "seconds")  # columns that are no validation score


def training_section(files: RunFiles) -> Section:
    """Training loss, validation scores and learning rate by epoch."""
    first = next(iter(files.histories.values()))
    scores = [name for name in first[0] if name not in OTHER]
    if max(map(len, files.histories.values())) == 1:  # a curve of one point shows nothing
        return Section("training", "Training", [_one_epoch(files, scores), _took(files)])
    charts: list[Block] = [_curve(files, "loss", "Training loss")]
    charts += [_curve(files, name, f"Validation {score_name(name)}") for name in scores]
    charts.append(_curve(files, "learning_rate", "Learning rate"))
    charts.append(_curve(files, "seconds", "Seconds an epoch"))
    return Section("training", "Training", [Grid(charts), _took(files)])


def _curve(files: RunFiles, name: str, title: str) -> Chart:
    """A column of the histories by epoch, a line a seed."""
    train = files.metrics["train"]
    chosen = train.get("chosen_seed", train["seed"])
    several = len(files.histories) > 1
    lines: list[Line] = []
    for number, (seed, rows) in enumerate(files.histories.items()):
        scale = 100 if is_percent(name) else 1
        values = [
            scale * v if v is not None else None
            for v in finite([row.get(name, float("nan")) for row in rows])
        ]
        color = PALETTE[number % len(PALETTE)]
        epochs = [int(row["epoch"]) for row in rows]
        width = 2.4 if several and seed == chosen else 1.8
        lines.append(Line(f"seed {seed}", epochs, values, color, width=width))
    marks = [Mark(train["best_epoch"], "kept")] if name not in ("learning_rate", "seconds") else []
    chart = LineChart(lines, marks=marks, x_label="epoch", whole=True)
    drawing = draw(chart, f"{title} by epoch; the numbers are in the table.")
    legend = [Key(line.name, line.color) for line in lines] if several else []
    return Chart(title, drawing, _numbers(lines, name), legend=legend, points=readout(lines))


def _one_epoch(files: RunFiles, scores: Sequence[str]) -> Table:
    """What came of the one epoch, a row a seed."""
    names = ["loss", *scores, "learning_rate", "seconds"]
    titles = [f"validation {score_title(name)}" if name in scores else name.replace("_", " ")
              for name in names]  # fmt: skip
    rows = [[f"seed {seed}", *(_cell(name, [(100 if is_percent(name) else 1) * part[0][name]], 0)
                               for name in names)]
            for seed, part in files.histories.items()]  # fmt: skip
    return Table(columns("one epoch", *titles), rows)


def _numbers(lines: Sequence[Line], name: str) -> Table:
    heads = [Column("epoch", number=True), *(Column(line.name, number=True) for line in lines)]
    longest = max(lines, key=lambda line: len(line.x))
    rows = [
        [str(epoch), *(_cell(name, line.y, place) for line in lines)]
        for place, epoch in enumerate(longest.x)
    ]
    return Table(heads, rows)


def _cell(name: str, values: Sequence[float | None], place: int) -> str:
    value = values[place] if place < len(values) else None
    if value is None:
        return "–"
    if name == "seconds":
        return f"{value:.2f}"
    return plain(format_score(name, value / 100)) if is_percent(name) else f"{value:.4g}"


def readout(lines: Sequence[Line]) -> dict[str, object]:
    """What a script shows beside the cursor."""
    return {
        "series": [
            {"name": line.name, "color": line.color, "x": list(line.x), "y": list(line.y)}
            for line in lines
        ]
    }


def _took(files: RunFiles) -> Facts:
    train, environment = files.metrics["train"], files.extras.get("environment", {})
    stopped = str(train["stopped"])
    rows = [
        ("ended", stopped),
        ("time", duration(train["seconds"])),
        ("speed", _speed(files)),
        *(("peak memory", megabytes(size)) for size in [train.get("peak_memory")] if size),
        ("parameters", f"{train['parameters']:,}"),
        ("seeds", ", ".join(map(str, train.get("seeds", [train["seed"]])))),
        *((str(name), str(value)) for name, value in environment.items()),
    ]
    return Facts(rows, "What it took")


def _speed(files: RunFiles) -> str:
    """Items and their steps a second; runs of older versions say the steps alone."""
    train, unit = files.metrics["train"], files.extras.get("unit", "items")
    steps = f"{train['tokens_per_second']:,.0f} tokens or steps a second"
    return (
        f"{train['items_per_second']:,.0f} {unit}, {steps}"
        if "items_per_second" in train
        else steps
    )
