"""How signals reach a command."""

import signal
import time
from typing import Any

from birnn import processes
from birnn.training.checkpoint_options import StopRequest

ECHO = 2.0  # seconds
stop = StopRequest()  # how a signal reaches training
_heard = -ECHO  # when the last signal came


def listen() -> None:
    """From here on, signals end a command by :func:`on_signal`; forget any that came before."""
    stop.listening = stop.asked = False
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # not every system hangs up
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, on_signal)


def on_signal(number: int, frame: Any) -> None:
    """Training stops at its next step, with a checkpoint; anything else, or a second time, now.

    A launcher hands on a signal that its processes may have had from the terminal: of several, one
    that soon follows another is the same.
    """
    global _heard
    now, before = time.monotonic(), _heard
    _heard = now
    echo = stop.asked and processes.count() > 1 and now - before < ECHO
    if echo or processes.is_ending():
        return
    if not stop.listening or stop.asked:
        raise KeyboardInterrupt
    stop.asked = True
