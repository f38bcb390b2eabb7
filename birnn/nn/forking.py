"""What becomes of a process that forks after its threads have begun: its child has one thread.

A child has none of its parent's threads, but the OpenMP runtime of GNU, which torch uses, believes
that they are there, and waits for them for ever. With one thread it needs none of them.
"""

import os
from functools import cache

import torch

_child = False  # of a process whose threads may have begun


@cache
def survive_forks() -> None:
    """From here on, a forked child of this process works on one thread."""
    if hasattr(os, "register_at_fork"):  # not on Windows, which doesn't fork
        os.register_at_fork(after_in_child=_alone)


def _alone() -> None:
    global _child
    _child = True
    torch.set_num_threads(1)


def is_child() -> bool:
    """Whether this process may have one thread alone."""
    return _child
