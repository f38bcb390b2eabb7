"""uvicorn's server, which ends well when a signal asks for it."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import uvicorn

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class StoppableServer(uvicorn.Server):
    """A server that answers what is in flight when a signal comes; a second one ends it at once.

    uvicorn's own raises the signal again when it has ended, so that the process dies of it.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Within the block, signals stop the server."""
        numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
        heard = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]  # nohup
        before = {number: signal.signal(number, self.stop) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self, number: int, frame: Any) -> None:
        """End after what is in flight, or now."""
        self.force_exit, self.should_exit = self.should_exit, True
