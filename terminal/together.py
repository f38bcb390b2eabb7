"""A command that several processes carry out together: who may, who is heard, who is silent."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from birnn import processes
from birnn.errors import ConfigError
from birnn.tasks import TASKS

SHARED = (*TASKS, "evaluate", "predict")


@contextmanager
def together(words: Sequence[str]) -> Iterator[None]:
    """Join the processes that a launcher has started to carry out the command ``words``.

    All but the main one are silent within; the line of an error is printed by the first to have it
    (:func:`birnn.terminal.errors.fail`).

    Raises:
        ConfigError: it is no command to be shared.
    """
    if not processes.launched():
        yield
        return
    name = next(iter(words), "")
    if name not in SHARED:
        able = f"{', '.join(SHARED[:-1])} and {SHARED[-1]}"
        alone = f"{able} are shared by several processes; start this without a launcher"
        raise ConfigError(f"{name or 'birnn'}: {alone}")
    from birnn.training.launching import join_processes

    with join_processes():
        if processes.is_main():
            yield
            return
        with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing):
            sys.stderr = nothing
            try:
                yield
            finally:
                sys.stderr = sys.__stderr__
