"""When a training run is saved: by epochs, by minutes, and when someone asks it to stop."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from birnn import processes
from birnn.errors import DataError, Stopped, reason
from birnn.storage import snapshots as storage
from birnn.storage.snapshots import Snapshot
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest


class Wish(NamedTuple):
    """What somebody wants before the next step; of several processes, any of them."""

    stop: bool = False
    save: bool = False


NOTHING = Wish()


@dataclass
class Checkpointer:
    """Writes the snapshots of one training run and finds the newest again.

    Of several processes, all of which have one, the main one's reads and writes.
    """

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
        newest, self.torn = processes.from_main(lambda: storage.newest_snapshot(self.folder))
        self.saved_step = newest.step if newest else 0
        self.written = time.monotonic()
        self.stop.listening = True
        return newest, list(self.torn)

    def end(self) -> None:
        """Training is over, however it ended: a signal means the whole process again."""
        self.stop.listening = False

    def wish(self) -> Wish:
        """What this process wants: a snapshot when it is time, to stop when someone asked."""
        minutes = self.config.checkpoint_minutes
        due = bool(minutes) and time.monotonic() - self.written >= 60 * minutes
        return Wish(self.stop.asked, due and processes.is_main())

    def after_step(self, snapshot: Callable[[], Snapshot], wish: Wish | None = None) -> None:
        """A step is done within an epoch; of several processes, all have heard the same ``wish``.

        Raises:
            Stopped: someone asked; a snapshot is written.
            DataError: it can't be written.
        """
        wish = self.wish() if wish is None else wish
        if wish.save or wish.stop:
            self.save(snapshot())
        self.check(wish.stop)

    def after_epoch(self, epoch: int, snapshot: Callable[[], Snapshot], *, last: bool) -> None:
        """Epoch ``epoch`` (from 1) is trained and judged; the ``last`` one is always saved.

        Raises:
            Stopped, DataError: as :meth:`after_step`.
        """
        every = self.config.checkpoint_epochs
        asked = any(processes.gathered(self.stop.asked))
        if last or asked or (every and epoch % every == 0):
            self.save(snapshot())
        self.check(asked)

    def check(self, asked: bool) -> None:
        """Stop if someone ``asked``: of several processes, one that all have heard of.

        Raises:
            Stopped: so it is.
        """
        if asked or (self.stop.asked and processes.count() == 1):
            raise Stopped(f"stopped after step {self.saved_step:,}")

    def save(self, snapshot: Snapshot) -> None:
        """Write ``snapshot`` and remove the oldest; one with spoilt weights is passed over.

        Raises:
            DataError: it can't be written; the older ones stay.
        """
        if not snapshot.finite():
            return
        processes.from_main(lambda: self._write(snapshot))
        self.saved_step = snapshot.step
        self.written = time.monotonic()

    def _write(self, snapshot: Snapshot) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.together():
                storage.write_snapshot(self.folder, snapshot)
            while self.torn:
                storage.remove_snapshot(self.folder / self.torn.pop())
            storage.prune(self.folder, self.config.keep_checkpoints)
        except OSError as error:
            raise DataError(f"can't write {self.folder}: {reason(error)}") from error
