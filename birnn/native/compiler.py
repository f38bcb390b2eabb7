"""From C source to a shared library in the user's cache, with whatever compiler there is."""

import atexit
import hashlib
import importlib.util
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

COMPILERS = ("cc", "gcc", "clang")
FLAGS = (
    *("-std=gnu11", "-O3", "-march=native", "-fPIC", "-shared"),
    # One rounding for a * b + c, everywhere alike; no other liberty with floats.
    *("-ffp-contract=fast", "-fno-math-errno"),
)
SUFFIX = ".so"
PATIENCE = 120  # seconds; it takes one or two


class NativeError(Exception):
    """The compiled engine can't be had here; the message says why and what would help."""


def compiled(source: Path) -> Path:
    """The library of ``source`` for this processor: from the cache, else compiled now.

    Raises:
        NativeError: no compiler, one that fails, or no folder to write to.
    """
    name = f"{source.stem}-{_fingerprint(source)}{SUFFIX}"
    for folder in (cache_folder(), _own_folder()):
        library = folder / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_owned(folder, folder.stat())
            if not os.path.lexists(library):
                _compile(source, library)
            _check_owned(library, library.lstat())  # a link's own: it may lead anywhere
            if not library.is_file():
                raise FileNotFoundError(f"{library} is no file")
        except OSError:
            continue  # another user's, not writable, or full: the next folder
        return library
    raise NativeError("no folder to write the compiled engine to; set BIRNN_CACHE to one")


def _check_owned(path: Path, status: os.stat_result) -> None:
    """Refuse what another user could have put there, or could change: code is loaded from it.

    Raises:
        PermissionError: another user owns it, or may write to it.
    """
    if not hasattr(os, "getuid"):
        return  # Windows: a profile's folder is its user's
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{path} is another user's, or others may write to it")


def cache_folder() -> Path:
    """``$BIRNN_CACHE``, else a folder of our own where the system keeps users' caches."""
    if chosen := os.environ.get("BIRNN_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "birnn"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "birnn"


@cache
def _own_folder() -> Path:
    """A folder of this process, for when the cache can't be written."""
    folder = tempfile.mkdtemp(prefix="birnn-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _compile(source: Path, library: Path) -> None:
    compiler = find_compiler()
    handle, partial = tempfile.mkstemp(dir=library.parent, suffix=".partial")
    os.close(handle)
    try:
        _run([*compiler, *FLAGS, str(source), "-o", partial], " ".join(compiler))
        Path(partial).replace(library)
    finally:
        Path(partial).unlink(missing_ok=True)


def _run(command: list[str], name: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE
        )
    except subprocess.TimeoutExpired as error:
        raise NativeError(f"{name} took more than {PATIENCE} s") from error
    except OSError as error:
        raise NativeError(f"{name} can't be started: {error.strerror or error}") from error
    if done.returncode:
        words = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()
        raise NativeError(f"{name} could not compile the engine: {words[0]}")


def find_compiler() -> list[str]:
    """The command of a C compiler: ``$CC``, the system's, or the one of the ``ziglang`` package.

    Raises:
        NativeError: there is none.
    """
    if chosen := os.environ.get("CC"):
        return chosen.split()
    for name in COMPILERS:
        if path := shutil.which(name):
            return [path]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise NativeError("no C compiler here; pip install ziglang brings one")


def _fingerprint(source: Path) -> str:
    """What a compiled library depends on: the sources, the flags and the processor."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for file in sorted(source.parent.glob("*.[ch]")):
        digest.update(file.read_bytes())
    digest.update(f"{sys.platform} {platform.machine()} {_processor()}".encode())
    return digest.hexdigest()[:16]


def _processor() -> str:
    """What this processor can do; a home folder may be shared by machines that differ."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
