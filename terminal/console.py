"""The one console, and what is drawn on it while something runs."""

import functools
import json
import os
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from birnn.tasks.scoring.metric_names import format_score, score_title
from birnn.terminal import chart
from birnn.terminal import text as render
from birnn.terminal.views import forecast, inspection, tagging

PIPE_WIDTH = 120
ROWS_SHOWN = 48  # of a forecast in a terminal


@functools.cache
def console() -> Console:
    """The one console, made when first needed; words are never coloured by guesswork.

    In a pipe there is no width to keep to: lines are as long as tables need them.
    """
    made = Console(highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made = Console(highlight=False, width=PIPE_WIDTH)
    return made


def _plain() -> bool:
    return not console().is_terminal


def draw_training(events: Iterator[Any]) -> None:
    """Draw the events of :func:`birnn.tasks.runs.experiment.train` until the report."""
    from birnn.tasks.runs.events import Evaluating, Finished, Prepared, SeedStarted
    from birnn.training.events import EpochEvent, ResumeEvent, StepEvent, StopEvent

    task: Any = None
    bar = ProgressBar()
    status = console().status("reading data")
    status.start()
    try:
        for event in events:
            if isinstance(event, Prepared):
                status.stop()
                task = event.task
                draw_header(event)
            elif isinstance(event, SeedStarted):
                console().print(
                    f"Seed {event.seed} ({event.number} of {event.total})", style="bold"
                )
            elif isinstance(event, ResumeEvent):
                draw_resumption(event, task)
            elif isinstance(event, StepEvent):
                bar.step(event)
            elif isinstance(event, EpochEvent):
                line = task.epoch_line(event)
                if line:
                    bar.print(line)
                bar.scores(event)
            elif isinstance(event, StopEvent):
                bar.stop()
                console().print(f"Kept epoch {event.epoch}: {event.reason}, {event.seconds:.0f} s.")
            elif isinstance(event, Evaluating):
                status.update(event.what)
                status.start()
            elif isinstance(event, Finished):
                status.stop()
                draw_report(event)
    finally:
        bar.stop()
        status.stop()


def draw_resumption(event: Any, task: Any) -> None:
    """Where training goes on, after the lines of the epochs that are done."""
    out = console()
    for name in event.torn:
        out.print(f"The checkpoint {name} is torn: the one before is used.", markup=False)
    for epoch in event.history:
        if line := task.epoch_line(epoch):
            out.print(line, markup=False, soft_wrap=_plain())
    where = f"step {event.step:,} of {event.total_steps:,}" if event.step else "the beginning"
    out.print(f"Going on from {where}.", style="bold")


class ProgressBar:
    """Live progress in a terminal; nothing in a pipe, where the epochs' lines are enough."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.task = TaskID(0)
        self.note = ""

    def step(self, event: Any) -> None:
        """Move to ``event.step``."""
        if _plain():
            return
        if self.progress is None:
            self.progress = Progress(
                TextColumn("epoch {task.fields[epoch]}"),
                BarColumn(bar_width=None),
                TextColumn("loss {task.fields[loss]:.4f}{task.fields[note]}"),
                TimeRemainingColumn(),
                console=console(),
                transient=True,
            )
            self.progress.start()
            self.task = self.progress.add_task(
                "", total=event.total_steps, epoch=0, loss=0, note=""
            )
        self.progress.update(
            self.task, completed=event.step, epoch=event.epoch, loss=event.loss, note=self.note
        )

    def scores(self, event: Any) -> None:
        """Remember the last validation score for the bar."""
        name, value = next(iter(event.scores.items()))
        self.note = f", validation {score_title(name)} {format_score(name, value)}"

    def print(self, line: str) -> None:
        """A line above the bar."""
        console().print(line, markup=False, soft_wrap=_plain())

    def stop(self) -> None:
        """Take the bar away."""
        if self.progress is not None:
            self.progress.stop()
            self.progress = None
            self.note = ""


def draw_header(event: Any) -> None:
    """What will happen: data, model, device."""
    data, config = event.data, event.task.config
    rows = data.provenance["rows"]
    threads = f", {event.threads} threads" if event.device == "cpu" else ""
    seeds = event.seeds
    pairs = [
        ("data", data.provenance["source"]),
        ("splits", ", ".join(f"{name} {rows[name]:,}" for name in rows)),
        *(("", note) for note in data.notes),
        *event.task.describe(data.info),
        ("parameters", f"{event.parameters:,}"),
        ("engine", f"{event.engine.name} ({event.engine.title})"),
        *([("", event.engine.note)] if event.engine.note else []),
        ("device", f"{event.device}{threads}, {config.train.mixed_precision} mixed precision"),
        ("epochs", f"at most {config.train.epochs}, best kept by validation {event.monitor}"),
        ("seeds" if len(seeds) > 1 else "seed", ", ".join(map(str, seeds))),
        ("run", str(event.folder)),
        *(("changed", note) for note in event.notes),
    ]
    console().print(render.render_pairs(f"{event.task.name} with {config.encoder.encoder}", pairs))
    if data.warnings:
        console().print(render.render_warnings(data.warnings))


def draw_report(event: Any) -> None:
    """The final report."""
    out, plain = console(), _plain()
    out.print()
    out.print(render.render_scores(event.metrics, event.labels, out.width, plain=plain))
    draw_details(event.metrics["details"])
    if "chart" in event.metrics and not plain:
        out.print(chart.render_chart(event.metrics["chart"], out.width))
    out.print(Text(render.harmless(event.metrics["verdict"]), style="bold"), soft_wrap=plain)
    out.print()
    out.print(Text(f"Run: {render.harmless(str(event.folder))}"), soft_wrap=True)
    if event.note:
        out.print(Text(render.harmless(event.note)), soft_wrap=True)


def draw_details(details: Any) -> None:
    """The tables beyond the scores."""
    out, plain = console(), _plain()
    if "per_step" in details:
        out.print(forecast.render_tables(details, plain=plain))
    elif "scheme" in details:
        out.print(tagging.render_tables(details, out.width, plain=plain))
    else:
        out.print(render.render_details(details, out.width, plain=plain))


def draw_evaluation(event: Any, *, as_json: bool) -> None:
    """Scores of a loaded run."""
    out, plain = console(), _plain()
    if as_json:
        print(json.dumps(event.metrics, indent=2, ensure_ascii=False))
        return
    out.print(render.render_pairs(event.title, event.pairs))
    out.print(render.render_scores(event.metrics, {}, out.width, plain=plain))
    draw_details(event.metrics["details"])


def draw_comparison(found: Any, *, picture: str, as_json: bool) -> None:
    """Runs side by side."""
    from birnn.terminal.views import comparison

    out, plain = console(), _plain()
    if as_json:
        print(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
        return
    chart = not plain and not out.no_color
    out.print(comparison.render_comparison(found, out.width, plain=plain, chart=chart))
    if picture:
        out.print(f"\nCurves: {picture}", markup=False, soft_wrap=True)


def draw_inspection(found: Any, *, as_json: bool) -> None:
    """What is in a file of series."""
    out = console()
    if as_json:
        print(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
    else:
        out.print(inspection.render_inspection(found, out.width, plain=_plain()))


def draw_answer(answer: Any, *, output: str, as_json: bool) -> None:
    """What was predicted, or a word on where it was written."""
    out = console()
    if as_json:
        for record in answer.records:
            print(json.dumps(record, ensure_ascii=False))
    elif output:
        out.print(
            Text(f"{len(answer.records):,} records: {render.harmless(output)}"), soft_wrap=True
        )
    elif answer.lines is not None:
        for line in answer.lines:
            # A file in a pipe is data and stays as it is; a terminal is not to be steered by it.
            print(line if _plain() else tagging.tame(line))
    elif answer.records and "mean" in answer.records[0]:
        if not _plain():
            for part in answer.charts:
                out.print(chart.render_chart(part, out.width))
        most = 0 if _plain() else ROWS_SHOWN
        out.print(forecast.render_forecast(answer.records, plain=_plain(), most=most))
    else:
        colors = tagging.label_colors(answer.labels)
        for number, record in enumerate(answer.records):
            if "tokens" in record:
                out.print(tagging.render_tagged(record, colors), soft_wrap=True)
                if "n_best" in record:
                    out.print(tagging.render_alternatives(record), soft_wrap=True)
                continue
            width = 10_000_000 if _plain() else out.width
            out.print(render.render_prediction(record, width), soft_wrap=True)
            if answer.weights:
                out.print(render.render_weights(answer.weights[number]))
    for note in answer.notes:
        Console(stderr=True, highlight=False).print(Text(render.harmless(note)), soft_wrap=True)
