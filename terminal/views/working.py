"""Something that moves in a terminal while work goes on: with the time left where it is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from birnn.progress import told_to
from birnn.terminal.console import console, is_plain


class Left(ProgressColumn):
    """The time that is left; where nobody can say, the time that has gone by."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """``0:00:12 left``, or ``0:00:12``."""
        left = task.time_remaining if task.total else None
        seconds = task.elapsed if left is None else left
        time = timedelta(seconds=int(seconds or 0))
        return Text(f"{time}" if left is None else f"{time} left", "dim")


class Working:
    """One line for all work: what it is, how far, and how long it still takes.

    In a pipe there is nothing to see.
    """

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.what, self.known, self.last = "", False, 0.0

    def share(self, what: str, share: float | None = None) -> None:
        """Say what is going on, and how far it is; as :func:`birnn.progress.tell` does."""
        if is_plain():
            return
        if self.progress is None:
            self.progress = Progress(
                SpinnerColumn(), TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None), Left(), console=console(), transient=True,
            )  # fmt: skip
            self.progress.start()
            self.what = ""
        known = share is not None
        work = what.split(", ")[0]  # what follows changes while it goes on
        if work != self.what or known != self.known or (share or 0.0) < self.last:
            # Anew: a bar that has once had an end keeps it.
            for number in self.progress.task_ids:
                self.progress.remove_task(number)
            self.progress.add_task(what, total=1.0 if known else None)
        self.progress.update(self.progress.task_ids[0], description=what)
        if known:
            self.progress.update(self.progress.task_ids[0], completed=share)
        self.what, self.known, self.last = work, known, share or 0.0

    def stop(self) -> None:
        """Take the line away."""
        if self.progress is not None:
            self.progress.stop()
            self.progress = None


@contextmanager
def working(what: str) -> Iterator[None]:
    """Within, work is shown as it tells of itself."""
    line = Working()
    line.share(what)
    try:
        with told_to(line.share):
            yield
    finally:
        line.stop()
