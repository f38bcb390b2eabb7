"""The sections of a regressor's report: predicted against target, residuals, and some sequences."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from birnn.arrays import Array, Ints
from birnn.tasks.core.run_rows import checked, number, read_rows, whole
from birnn.tasks.pages.figures import Line, LineChart, draw
from birnn.tasks.reporting.blocks import (
    Bar,
    Bars,
    Block,
    Chart,
    Fold,
    Grid,
    Key,
    Section,
    Table,
    columns,
)
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.training_section import readout

POINTS = 600  # of the picture of predicted against target
NUMBERS = 50_000  # steps of which a report holds the numbers
BINS = 15
LONGEST = 400  # steps of a drawn sequence
ROWS = 100  # of the table of sequences


@dataclass(frozen=True)
class StepTest:
    """The test split as ``predictions.csv`` has it."""

    sequence: Ints  # [M], from 0
    target: Array  # [M]
    predicted: Array  # [M]

    @property
    def residual(self) -> Array:
        """``[M]`` target minus predicted."""
        return np.asarray(self.target - self.predicted)

    @property
    def errors(self) -> Array:
        """``[N]`` root mean squared error of each sequence."""
        squares = np.bincount(self.sequence, self.residual**2)
        return np.asarray(np.sqrt(squares / np.bincount(self.sequence)))


def read_steps(files: RunFiles) -> StepTest:
    """Read ``predictions.csv``.

    Raises:
        CheckpointError: it is missing or not what it should be.
    """
    path = files.folder / "predictions.csv"
    rows: list[tuple[int, float, float]] = []
    for row in read_rows(path, ("sequence", "target", "predicted")):
        last = rows[-1][0] if rows else -1
        place = whole(path, row, "sequence", (max(last, 0), last + 1))
        rows.append((place, number(path, row, "target"), number(path, row, "predicted")))
    checked(path, rows)
    sequence, target, predicted = (np.array(part) for part in zip(*rows, strict=True))
    return StepTest(sequence, target, predicted)


def regression_sections(files: RunFiles) -> list[Section]:
    """Predicted against target and residuals; then sequences, the worst first."""
    test = read_steps(files)
    results = Section("results", "Where it is right", [Grid([_scatter(test), _residuals(test)])])
    order = np.argsort(-test.errors, kind="stable")
    blocks: list[Block] = [Grid([_sequence(test, *pick) for pick in _picks(order)])]
    if len(order) > 1:
        blocks.append(Fold("All sequences, the worst first", [_table(test, order)]))
    lead = f"{len(order):,} sequences of {len(test.target):,} steps in the test split."
    return [results, Section("sequences", "Sequences", blocks, lead)]


def regression_numbers(files: RunFiles) -> dict[str, Any]:
    """Of each step of the test split its sequence, target and prediction."""
    test = read_steps(files)
    if len(test.target) > NUMBERS:
        return {"left_out": f"{len(test.target):,} steps are in predictions.csv"}
    return {"sequence": test.sequence.tolist(), "target": test.target.tolist(),
            "predicted": test.predicted.tolist()}  # fmt: skip


def _scatter(test: StepTest) -> Chart:
    """Predictions beside targets; of many steps evenly chosen ones."""
    count = len(test.target)
    chosen = np.unique(np.linspace(0, count - 1, min(count, POINTS)).astype(int))
    target, predicted = test.target[chosen], test.predicted[chosen]
    both = np.concatenate([target, predicted])
    ends = [float(both.min()), float(both.max())]
    lines = [
        Line("right", ends, ends, "faint", "dashed", 1.2),
        Line("steps", target.tolist(), predicted.tolist(), "c1", "points"),
    ]  # fmt: skip
    drawing = draw(LineChart(lines, x_label="target", y_label="predicted"),
                   "Predicted against target; on the dashed line both are the same.")  # fmt: skip
    quantiles = (0.0, 0.25, 0.5, 0.75, 1.0)
    rows = [
        [name, *(f"{value:.4g}" for value in np.quantile(values, quantiles))]
        for name, values in (("target", test.target), ("predicted", test.predicted))
    ]
    heads = columns("", "least", "quarter", "median", "three quarters", "largest")
    caption = "A prediction on the dashed line is right."
    if len(chosen) < count:
        caption += f" {len(chosen):,} of {count:,} steps are drawn."
    legend = [Key("a step", "c1", "points"), Key("predicted as it is", "faint", "dashed")]
    return Chart("Predicted against target", drawing, Table(heads, rows), caption, legend)


def _residuals(test: StepTest) -> Bars:
    """How many steps err by how much."""
    widest = float(np.abs(test.residual).max()) or 1.0
    counts, edges = np.histogram(test.residual, BINS, (-widest, widest))
    most = max(int(counts.max()), 1)
    rows = [
        (f"{low:.3g} to {high:.3g}",
         [Bar(count / most, f"{count:,}", "c1" if low <= 0 <= high else "base")])
        for count, low, high in zip(counts.tolist(), edges[:-1], edges[1:], strict=True)
    ]  # fmt: skip
    mean, spread = test.residual.mean(), test.residual.std()
    caption = f"Mean {mean:.3g}, deviation {spread:.3g}. Above 0 the target is larger."
    return Bars("Residuals: target minus predicted", ["steps"], rows, caption)


def _picks(order: Ints) -> list[tuple[int, str]]:
    """The worst two, the middle one and the best one, as far as there are so many."""
    places = {"the worst": 0, "the second worst": 1, "the middle one": len(order) // 2,
              "the best": len(order) - 1}  # fmt: skip
    picked: dict[int, str] = {}
    for name, place in places.items():
        if place < len(order):
            picked.setdefault(int(order[place]), name)
    return list(picked.items())


def _sequence(test: StepTest, number: int, name: str) -> Chart:
    mask = test.sequence == number
    target, predicted = (part[mask][:LONGEST].tolist() for part in (test.target, test.predicted))
    steps = list(range(1, len(target) + 1))
    lines = [Line("target", steps, target, "ink", width=1.4),
             Line("predicted", steps, predicted, "c1", width=2.0)]  # fmt: skip
    title = f"Sequence {number + 1}: {name}"
    drawing = draw(LineChart(lines, x_label="step", whole=True), f"{title}, step by step.")
    rows = [[str(step), f"{t:.4g}", f"{p:.4g}"]
            for step, t, p in zip(steps, target, predicted, strict=True)]  # fmt: skip
    legend = [Key(line.name, line.color) for line in lines]
    caption = f"The first {LONGEST} steps." if int(mask.sum()) > LONGEST else ""
    table = Table(columns("step", "target", "predicted"), rows)
    return Chart(title, drawing, table, caption, legend, readout(lines))


def _table(test: StepTest, order: Ints) -> Table:
    errors, sizes = test.errors, np.bincount(test.sequence)
    bias = np.bincount(test.sequence, test.residual) / sizes
    rows = [
        [str(i + 1), f"{sizes[i]:,}", f"{errors[i]:.4g}", f"{bias[i]:.4g}"]
        for i in order[:ROWS].tolist()
    ]
    more = f"The {ROWS} worst of {len(order):,}; all are in predictions.csv."
    heads = columns("sequence", "steps", "RMSE", "mean residual")
    return Table(heads, rows, caption=more if len(order) > ROWS else "", sortable=True)
