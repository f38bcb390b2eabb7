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
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from birnn.storage.scratch import beside, scratch_folder

COMPILERS = ("cc", "gcc", "clang")
FLAGS = (
    *("-std=gnu11", "-O3", "-march=native", "-fPIC", "-shared"),
    # One rounding for a * b + c, everywhere alike; no other liberty with floats.
    *("-ffp-contract=fast", "-fno-math-errno"),
)
SUFFIX = ".so"
CHECKSUM = ".sha256"  # after a library's name: the file beside it, as sha256sum writes it
PATIENCE = 120  # seconds; it takes one or two


class NativeError(Exception):
    """The compiled engine can't be had here; the message says why and what would help."""


def compiled(source: Path) -> Path:
    """The library of ``source`` for this processor: from the cache, else compiled now.

    Raises:
        NativeError: no compiler, one that fails, or no folder to write to.
    """
    for library in candidates(source):
        return library
    raise NativeError("no folder to write the compiled engine to; set BIRNN_CACHE to one")


def candidates(source: Path) -> Iterator[Path]:
    """Libraries of ``source`` to load, the next where one can't be: cached, made anew, elsewhere.

    Raises:
        NativeError: no compiler, or one that fails.
    """
    name, failure = f"{source.stem}-{_fingerprint(source)}{SUFFIX}", None
    for place in (cache_folder, _own_folder):
        try:
            library = place() / name
            library.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_folder(library.parent)
            if _intact(library):
                yield library
            _compile(source, library)
            yield library
        except (OSError, RuntimeError):  # RuntimeError: no home folder is known
            continue  # another user's, or not writable: the next folder
        except NativeError as error:  # for want of room, perhaps
            failure = error
    if failure:
        raise failure


def _intact(library: Path) -> bool:
    """Whether a library is there and is what was compiled.

    Raises:
        PermissionError: another user could have put it there.
    """
    checksum = library.with_name(f"{library.name}{CHECKSUM}")
    for path in (library, checksum):
        if not os.path.lexists(path):
            return False
        status = path.lstat()  # a link's own: it may lead anywhere
        check_owned(path, status)
        if not stat.S_ISREG(status.st_mode):
            raise PermissionError(f"{path} is no file")
    return checksum.read_bytes().split()[:1] == [_digest(library).encode()]


def _check_folder(folder: Path) -> None:
    """Refuse a folder that another user owns or may change, or where nothing may be executed.

    Raises:
        OSError: so it is.
    """
    check_owned(folder, folder.stat())
    if hasattr(os, "ST_NOEXEC") and os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise PermissionError(f"{folder} is on a disk from which nothing may be executed")
    if hasattr(os, "getuid"):
        for path in {*folder.absolute().parents, *folder.resolve().parents}:
            _check_parent(path, path.lstat())


def _check_parent(path: Path, status: os.stat_result) -> None:
    """Refuse a folder on the way in which another user could put one of theirs in place of ours."""
    own_group = status.st_gid == os.getgid() == os.getuid()  # a group of this user alone
    others = stat.S_IWOTH | (0 if own_group else stat.S_IWGRP)
    shared = stat.S_ISDIR(status.st_mode) and status.st_mode & others
    if status.st_uid not in (0, os.getuid()) or (shared and not status.st_mode & stat.S_ISVTX):
        raise PermissionError(f"{path} is another user's, or others may write to it")


def check_owned(path: Path, status: os.stat_result) -> None:
    """Refuse what another user could have put there, or could change: code is loaded from it.

    Raises:
        PermissionError: another user owns it, or may write to it.
    """
    if not hasattr(os, "getuid"):
        return  # Windows: a profile's folder is its user's
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{path} is another user's, or others may write to it")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """``$BIRNN_CACHE``, else a folder of our own where the system keeps users' caches."""
    if chosen := os.environ.get("BIRNN_CACHE"):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "birnn"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home).absolute() / "birnn"


@cache
def _own_folder() -> Path:
    """A folder of this process, for when the cache can't be written."""
    held = scratch_folder()
    atexit.register(held.close)
    return held.path


def _compile(source: Path, library: Path) -> None:
    """Compile, and put the library and its checksum in place, each whole and on the disk."""
    compiler = find_compiler()
    with beside(library, folder=True) as made:
        path, checksum = made / library.name, made / f"{library.name}{CHECKSUM}"
        _run([*compiler, *FLAGS, str(source), "-o", str(path)], " ".join(compiler))
        checksum.write_text(f"{_digest(path)}  {library.name}\n", encoding="ascii")
        for part in (path, checksum):
            part.chmod(0o700)  # whatever the umask
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(library.with_name(part.name))


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
    for file in sorted(source.parent.rglob("*.[ch]")):
        digest.update(file.read_bytes())
    digest.update(f"{sys.platform} {platform.machine()} {processor('flags', 'Features')}".encode())
    return digest.hexdigest()[:16]


def processor(*names: str) -> str:
    """What the system says of this processor under ``names``, as of its first core.

    A home folder may be shared by machines that differ.
    """
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    return "\n".join(line for line in text.split("\n\n")[0].splitlines() if line.startswith(names))
