"""When a training run is saved: by epochs, by minutes, and when someone asks it to stop."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from birnn.errors import DataError, Stopped, reason
from birnn.storage import snapshots as storage
from birnn.storage.snapshots import Snapshot
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest


@dataclass
class Checkpointer:
    """Writes the snapshots of one training run and finds the newest again."""

    folder: Path  # of the snapshots; made when the first is written
    config: CheckpointConfig = field(default_factory=CheckpointConfig)
    stop: StopRequest = field(default_factory=StopRequest)
    together: Callable[[], AbstractContextManager[None]] = nullcontext  # around each writing
    saved_step: int = 0  # that the newest snapshot holds
    written: float = field(default_factory=time.monotonic)
    torn: list[str] = field(default_factory=list)  # snapshots that go when there is a newer one

    def begin(self) -> tuple[Snapshot | None, list[str]]:
        """The newest complete snapshot, and the names of newer ones that are torn.

        Raises:
            CheckpointError: snapshots of another format.
        """
        newest, self.torn = storage.newest_snapshot(self.folder)
        self.saved_step = newest.step if newest else 0
        self.written = time.monotonic()
        self.stop.listening = True
        return newest, list(self.torn)

    def end(self) -> None:
        """Training is over, however it ended: a signal means the whole process again."""
        self.stop.listening = False

    def after_step(self, snapshot: Callable[[], Snapshot]) -> None:
        """A step is done within an epoch.

        Raises:
            Stopped: someone asked; a snapshot is written.
            DataError: it can't be written.
        """
        minutes = self.config.checkpoint_minutes
        due = minutes and time.monotonic() - self.written >= 60 * minutes
        if due or self.stop.asked:
            self.save(snapshot())
        self.check()

    def after_epoch(self, epoch: int, snapshot: Callable[[], Snapshot], *, last: bool) -> None:
        """Epoch ``epoch`` (from 1) is trained and judged; the ``last`` one is always saved.

        Raises:
            Stopped, DataError: as :meth:`after_step`.
        """
        every = self.config.checkpoint_epochs
        if last or self.stop.asked or (every and epoch % every == 0):
            self.save(snapshot())
        self.check()

    def check(self) -> None:
        """Stop if someone asked.

        Raises:
            Stopped: so it is.
        """
        if self.stop.asked:
            raise Stopped(f"stopped after step {self.saved_step:,}")

    def save(self, snapshot: Snapshot) -> None:
        """Write ``snapshot`` and remove the oldest; one with spoilt weights is passed over.

        Raises:
            DataError: it can't be written; the older ones stay.
        """
        if not snapshot.finite():
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.together():
                storage.write_snapshot(self.folder, snapshot)
            while self.torn:
                storage.remove_snapshot(self.folder / self.torn.pop())
            storage.prune(self.folder, self.config.keep_checkpoints)
        except OSError as error:
            raise DataError(f"can't write {self.folder}: {reason(error)}") from error
        self.saved_step = snapshot.step
        self.written = time.monotonic()
