"""How signals reach a command."""

import signal
from typing import Any

from birnn.training.checkpoint_options import StopRequest

stop = StopRequest()  # how a signal reaches training


def listen() -> None:
    """From here on, signals end a command by :func:`on_signal`; forget any that came before."""
    stop.listening = stop.asked = False
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # not every system hangs up
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, on_signal)


def on_signal(number: int, frame: Any) -> None:
    """Training stops at its next step, with a checkpoint; anything else, or a second time, now."""
    if not stop.listening or stop.asked:
        raise KeyboardInterrupt
    stop.asked = True
