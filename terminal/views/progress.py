"""What is drawn while a run is trained."""

from collections.abc import Iterator
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from birnn.tasks.runs.events import (
    Estimated,
    Evaluating,
    Finished,
    JobEnded,
    OfMember,
    Prepared,
    SeedStarted,
)
from birnn.tasks.scoring.metric_names import format_score, score_title
from birnn.terminal.console import console, is_plain
from birnn.terminal.views.jobs import JobLines
from birnn.terminal.views.training import draw_header, draw_long, draw_report, draw_resumption
from birnn.terminal.views.working import Working
from birnn.training.events import EpochEvent, ResumeEvent, StepEvent, StopEvent


class TrainingDisplay:
    """Draws the events of :func:`birnn.tasks.runs.experiment.train`.

    Attributes:
        finished: whether the run is on disk.
    """

    def __init__(self) -> None:
        self.finished = False
        self.bar, self.work, self.jobs = ProgressBar(), Working(), JobLines()

    def share(self, what: str, share: float | None = None) -> None:
        """How far the work between two events is."""
        self.bar.stop()
        self.jobs.stop()
        self.work.share(what, share)

    def draw(self, events: Iterator[Any]) -> None:
        """Draw all events, to the report."""
        task: Any = None
        out, bar, work = console(), self.bar, self.work
        work.share("reading data")
        try:
            for event in events:
                if isinstance(event, Prepared):
                    work.stop()
                    task = event.task
                    draw_header(event)
                elif isinstance(event, SeedStarted):
                    title = f"{event.title.capitalize()} ({event.number} of {event.total})"
                    out.print(title, style="bold")
                elif isinstance(event, OfMember | JobEnded):
                    work.stop()
                    self.jobs.draw(event, task)
                elif isinstance(event, ResumeEvent):
                    draw_resumption(event, task)
                elif isinstance(event, Estimated):
                    draw_long(event)
                elif isinstance(event, StepEvent):
                    work.stop()
                    bar.step(event)
                elif isinstance(event, EpochEvent):
                    if line := task.epoch_line(event):
                        out.print(line, markup=False, soft_wrap=is_plain())
                    bar.scores(event)
                elif isinstance(event, StopEvent):
                    bar.stop()
                    work.stop()
                    out.print(f"Kept epoch {event.epoch}: {event.reason}, {event.seconds:.0f} s.")
                elif isinstance(event, Evaluating):
                    self.jobs.stop()
                    work.share(event.what)
                elif isinstance(event, Finished):
                    self.finished = True
                    work.stop()
                    draw_report(event)
        finally:
            self.jobs.stop()
            bar.stop()
            work.stop()


class ProgressBar:
    """Live progress in a terminal; nothing in a pipe, where the epochs' lines are enough."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.note = ""

    def step(self, event: Any) -> None:
        """Move to ``event.step``."""
        if is_plain():
            return
        if self.progress is None:
            self.progress = Progress(
                TextColumn("epoch {task.fields[epoch]}"), BarColumn(bar_width=None),
                TextColumn("loss {task.fields[loss]:.4f}{task.fields[note]}"),
                TimeRemainingColumn(), console=console(), transient=True,
            )  # fmt: skip
            self.progress.start()
            self.progress.add_task("", total=event.total_steps, epoch=0, loss=0, note="")
        self.progress.update(
            self.progress.task_ids[0], completed=event.step, epoch=event.epoch, loss=event.loss,
            note=self.note,
        )  # fmt: skip

    def scores(self, event: Any) -> None:
        """Remember the last validation score for the bar."""
        name, value = next(iter(event.scores.items()))
        self.note = f", validation {score_title(name)} {format_score(name, value)}"

    def stop(self) -> None:
        """Take the bar away."""
        if self.progress is not None:
            self.progress.stop()
            self.progress = None
            self.note = ""
