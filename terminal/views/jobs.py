"""What is drawn while several members are trained side by side: a line a job, or plain lines."""

from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from birnn.tasks.runs.events import Evaluating, JobEnded
from birnn.tasks.scoring.metric_names import format_score, score_title
from birnn.terminal.console import console, is_plain
from birnn.terminal.text import harmless
from birnn.training.events import EpochEvent, ResumeEvent, StepEvent, StopEvent


class JobLines:
    """Live lines in a terminal; in a pipe, the lines of epochs with their member's name."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.lines: dict[Any, TaskID] = {}
        self.notes: dict[Any, str] = {}

    def draw(self, event: Any, task: Any) -> None:
        """Draw what happened in a job, or its end."""
        member, title = event.member, event.member.title.capitalize()
        if isinstance(event, JobEnded):
            self._end(member)
            words = (
                f"failed: {harmless(event.reason)}; the others go on" if event.reason else "done"
            )
            console().print(f"{title} {words}.", markup=False, soft_wrap=is_plain())
            return
        inner = event.event
        if isinstance(inner, EpochEvent):
            name, value = next(iter(inner.scores.items()))
            self.notes[member] = f", validation {score_title(name)} {format_score(name, value)}"
            if line := task.epoch_line(inner):
                console().print(f"{title}: {line}", markup=False, soft_wrap=is_plain())
        elif isinstance(inner, StopEvent):
            words = f"kept epoch {inner.epoch}: {inner.reason}, {inner.seconds:.0f} s."
            console().print(f"{title}: {words}", markup=False, soft_wrap=is_plain())
        elif isinstance(inner, ResumeEvent):
            where = f"step {inner.step:,} of {inner.total_steps:,}"
            going = where if inner.step else "the beginning"
            console().print(f"{title}: going on from {going}.", markup=False)
        if not is_plain():
            self._move(member, title, inner)

    def _move(self, member: Any, title: str, event: Any) -> None:
        """Move the member's line."""
        if self.progress is None:
            self.progress = Progress(
                TextColumn("{task.description}"), BarColumn(bar_width=None),
                TextColumn("{task.fields[state]}", markup=False), TimeRemainingColumn(),
                console=console(), transient=True,
            )  # fmt: skip
            self.progress.start()
        if member not in self.lines:
            self.lines[member] = self.progress.add_task(escape(title), total=None, state="")
        line = self.lines[member]
        if isinstance(event, StepEvent):
            state = f"epoch {event.epoch}, loss {event.loss:.4f}{self.notes.get(member, '')}"
            self.progress.update(line, total=event.total_steps, completed=event.step, state=state)
        elif isinstance(event, Evaluating):
            self.progress.update(line, state=event.what)

    def _end(self, member: Any) -> None:
        self.notes.pop(member, None)
        line = self.lines.pop(member, None)
        if self.progress is not None and line is not None:
            self.progress.remove_task(line)

    def stop(self) -> None:
        """Take the lines away."""
        if self.progress is not None:
            self.progress.stop()
        self.progress = None
        self.lines.clear()
