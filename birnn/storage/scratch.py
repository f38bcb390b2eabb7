"""Temporary names that are held by a lock, so that what a killed process left is known and goes.

A file or folder is made under a name of its own beside its final one, or in the system's folder for
temporary ones, and locked (flock) while its process lives. What has such a name and no lock was
left by a process that was killed: whoever makes the next one there removes it.
"""

import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCKS: Any
try:
    import fcntl as LOCKS
except ImportError:  # no such locks on this system: nothing is swept there
    LOCKS = None

BESIDE = re.compile(r"\..+\.[0-9a-f]{8}~\.partial", re.DOTALL)
SCRATCH = re.compile(r"birnn-[0-9a-f]{8}~")


@dataclass(frozen=True)
class Held:
    """A temporary file or folder of this process."""

    path: Path
    descriptor: int  # holds the lock; −1 where there is none
    process: int

    def close(self) -> None:
        """Remove it, if it is still there; a forked child, which inherits it, leaves it alone."""
        if os.getpid() != self.process:
            return
        _remove(self.path)
        if self.descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self.descriptor)


@contextlib.contextmanager
def beside(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """A temporary file or folder in the folder of ``path``; it goes with the block.

    Raises:
        OSError: it can't be made.
    """
    sweep(path.parent, BESIDE)
    held = _make(path.parent, f".{path.name}.", "~.partial", folder=folder)
    try:
        yield held.path
    finally:
        held.close()


def scratch_folder() -> Held:
    """A folder in the system's place for temporary ones, until it is closed.

    Raises:
        OSError: it can't be made.
    """
    home = Path(tempfile.gettempdir())
    sweep(home, SCRATCH)
    return _make(home, "birnn-", "~", folder=True)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A :func:`scratch_folder` that goes with the block."""
    held = scratch_folder()
    try:
        yield held.path
    finally:
        held.close()


def _make(home: Path, start: str, end: str, *, folder: bool) -> Held:
    while True:
        path = home / f"{start}{secrets.token_hex(4)}{end}"
        if not folder:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        else:
            path.mkdir(mode=0o700)
            if LOCKS is None:  # Windows opens no folder
                return Held(path, -1, os.getpid())
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError:  # a sweep came between the two
                continue
        if LOCKS is not None:
            with contextlib.suppress(OSError):  # a disk without locks
                LOCKS.flock(descriptor, LOCKS.LOCK_EX)  # waits where a sweep looks at it
        with contextlib.suppress(OSError):
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                return Held(path, descriptor, os.getpid())
        os.close(descriptor)  # a sweep has removed it


def sweep(home: Path, names: re.Pattern[str]) -> None:
    """Remove what processes of this user that are no more left in ``home`` under such ``names``."""
    if LOCKS is None:
        return
    with contextlib.suppress(OSError), os.scandir(home) as entries:
        for entry in entries:
            if names.fullmatch(entry.name):
                with contextlib.suppress(OSError):
                    _sweep(Path(entry.path))


def _sweep(path: Path) -> None:
    status = path.lstat()
    plain = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
    if status.st_uid != os.getuid() or not plain:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if lock_now(descriptor):
            _remove(path)
    finally:
        os.close(descriptor)


def lock_now(descriptor: int) -> bool:
    """Lock what is open, without waiting; False where another process has, or none can."""
    try:
        LOCKS.flock(descriptor, LOCKS.LOCK_EX | LOCKS.LOCK_NB)
    except (OSError, AttributeError):
        return False
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
