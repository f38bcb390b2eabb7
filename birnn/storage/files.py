"""What a run is made of on disk: files, written whole or not at all.

Nothing here unpickles anything. A file is written under a temporary name beside its final one,
pushed to the disk (fsync) and renamed; a run folder is built under a temporary name and renamed
when it is complete.
"""

import ctypes
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from birnn.errors import DataError, reason
from birnn.storage.scratch import beside
from birnn.storage.untrusted import read_json as read_json

RENAME_EXCHANGE = 2  # as linux/fs.h has it


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder that we write, known by its content, so that nothing else is overwritten."""

    name: str
    # What a folder holds that we did not write, by name; None if it is not of this kind at all.
    strangers: Callable[[Path], list[str] | None]

    @property
    def described(self) -> str:
        """The name with its article."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"

    def owns(self, path: Path) -> bool:
        """Whether ``path`` holds what we wrote and nothing else."""
        return path.is_dir() and self.strangers(path) == []


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary file in the folder of ``path``; rename it to ``path`` if all goes well.

    What is renamed is on the disk: after a loss of power, ``path`` holds the old or the new file.
    A link stays one: what it leads to is written.

    Raises:
        DataError: the folder can't be written, or a pipe, a device or a folder stands there.
    """
    try:
        check_plain(path)
        final = path.resolve() if path.is_symlink() else path
        with beside(final) as temporary:
            yield temporary
            sync(temporary)
            temporary.replace(final)
            sync(final.parent)
    except (OSError, SafetensorError) as error:  # the writer's own word for what the disk said
        raise DataError(f"can't write {path}: {reason(error)}") from error


def check_plain(path: Path) -> None:
    """Refuse to write over what is there and is no file: a pipe, a device, a folder.

    Raises:
        DataError: so it is.
    """
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"can't write {path}: it is no regular file")
        path.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself, before Python 3.13
        raise DataError(f"can't write {path}: {reason(error)}") from None


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, which is there."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk.

    Raises:
        OSError: the disk refuses.
    """
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folder
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        # A path that is not UTF-8 can stand in a text; its odd bytes become question marks.
        temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON; refuses NaN and infinity, which JSON does not know."""
    write_text(path, json_text(value))


def json_text(value: object) -> str:
    """What :func:`write_json` writes."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@contextmanager
def new_folder(path: Path, kind: FolderKind, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; rename it to ``path`` if all goes well.

    Whatever interrupts the block, a final name never holds a partial folder, and an older folder
    of the same kind that is overwritten stays until the new one is complete.

    Raises:
        DataError: ``path`` exists (and not ``overwrite``), or its parent can't be written.
    """
    check_free(path, kind, overwrite=overwrite)
    path = path.resolve()  # a link stays one: what it points to is made or replaced
    with ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = stack.enter_context(beside(path, folder=True))
        except OSError as error:
            raise DataError(f"can't write {path}: {reason(error)}") from error
        yield partial
        check_free(path, kind, overwrite=overwrite)
        put_in_place(partial, path)


def put_in_place(folder: Path, path: Path) -> None:
    """Rename a complete ``folder`` to ``path``; an older one there goes when the new one stands.

    Raises:
        DataError: ``path`` can't be written.
    """
    try:
        folder.chmod(0o755)
        for part in folder.rglob("*"):
            sync(part)
        old = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
        replaced = path.exists()
        if replaced and _exchange(folder, path):
            folder.rename(old)
        else:
            _rename(folder, path, old if replaced else None)
        sync(path.parent)
        if replaced:
            shutil.rmtree(old)
    except OSError as error:
        raise DataError(f"can't write {path}: {reason(error)}") from error


def _exchange(one: Path, other: Path) -> bool:
    """Swap the names of two folders at once, so that a kill finds one or the other whole.

    False where the system or the disk can't: Linux can, on most.
    """
    swap = getattr(ctypes.CDLL(None), "renameat2", None) if os.name == "posix" else None
    names = os.fsencode(one.absolute()), os.fsencode(other.absolute())  # the −1s: in no folder
    return swap is not None and swap(-1, names[0], -1, names[1], RENAME_EXCHANGE) == 0


def _rename(folder: Path, path: Path, old: Path | None) -> None:
    """Rename a folder to ``path``, where something that goes to ``old`` may stand."""
    if old:
        path.rename(old)
    try:
        folder.rename(path)
    except BaseException:
        if old:
            old.rename(path)
        raise


def check_free(path: Path, kind: FolderKind, *, overwrite: bool) -> None:
    """Refuse to write a folder of a ``kind`` over anything that we did not write.

    Raises:
        DataError: ``path`` is taken, or no folder can have that name.
    """
    try:
        _check_free(path, path.resolve(), kind, overwrite=overwrite)
    except (OSError, RuntimeError, ValueError) as error:  # a link to itself, a name too long
        raise DataError(f"can't write {path}: {reason(error)}") from None


def _check_free(path: Path, final: Path, kind: FolderKind, *, overwrite: bool) -> None:
    if final.is_mount():
        raise DataError(f"{path} is where a disk is mounted; choose another --out")
    if final.exists() and Path.cwd().is_relative_to(final):
        raise DataError(f"{path} is the folder that you are in; choose another --out")
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    strangers = kind.strangers(path) if path.is_dir() else None
    if strangers is None:
        raise DataError(f"{path} exists and is not {kind.described}; choose another --out")
    if not overwrite:
        mend = "choose another --out or add --overwrite"
        raise DataError(f"{path} holds {kind.described} already; {mend}")
    if strangers:
        more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
        raise DataError(
            f"{path} also holds what birnn did not write: {', '.join(strangers[:3])}{more}; move"
            " that elsewhere, or choose another --out"
        )
