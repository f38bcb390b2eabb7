"""Where an unfinished run grows, and what is there to go on from.

The run ``runs/x`` grows in ``runs/.x.partial`` (hidden, so that nobody takes it for a run or for
data) and is renamed when it is complete. Its subfolder ``checkpoints`` holds how it began
(``run.json``), the snapshots of each member (``seed-S/``, ``fold-F/``) and the scores of those that
are done (``done-S.json``); all of it is JSON and safetensors.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from birnn import processes
from birnn.errors import CheckpointError, DataError
from birnn.storage.files import check_free, put_in_place, read_json, write_json
from birnn.storage.scratch import LOCKS, lock_now
from birnn.storage.snapshots import snapshots
from birnn.storage.untrusted import check_file
from birnn.tasks.runs.folder import MEMBER, RUN, STATE, unknown_names

LOCK = "lock"


def work_folder(out: Path) -> Path:
    """Where the run ``out`` grows."""
    path = out.resolve()
    return path.with_name(f".{path.name}.partial")


def run_name(folder: Path) -> Path:
    """The run that ``folder`` is meant to be: the folder in which it grows stands for it."""
    growing = folder.name.startswith(".") and folder.suffix == ".partial"
    return folder.with_name(folder.name[1:].removesuffix(".partial")) if growing else folder


def unfinished_beside(out: Path) -> list[str]:
    """The names of unfinished runs in the folder of ``out``."""
    starts = work_folder(out).parent.glob(f".*.partial/{STATE}/run.json")
    return sorted(run_name(path.parent.parent).name for path in starts)


@dataclass
class Growing:
    """The folder in which a run grows; nothing in it changes before :meth:`begin`."""

    work: Path
    begun: bool = False  # anew; a run that is taken up does not begin

    def begin(self) -> None:
        """All is checked: sweep away what an earlier run left."""
        if not processes.is_main():
            return
        self.begun = True
        for folder in (self.work, self.work / STATE):
            for part in folder.iterdir():
                if part.is_dir() and part.name != STATE:
                    shutil.rmtree(part)
                elif part.name not in (STATE, LOCK):
                    part.unlink()


@contextlib.contextmanager
def growing_run(out: Path, *, overwrite: bool, resume: bool) -> Iterator[Growing]:
    """Yield where ``out`` grows; give it its name if all goes well.

    Whatever interrupts the block, ``out`` is what it was. So is what stood where it grows, until
    the run begins; one that has begun stays if there is a snapshot to go on from. Of several
    processes the main one holds it, and the others write nothing.

    Raises:
        DataError: ``out`` is taken, an unfinished run stands there, another process makes it, or
            the disk refuses.
    """
    if not processes.is_main():
        yield Growing(work_folder(out))
        processes.barrier()
        return
    check_free(out, RUN, overwrite=overwrite)
    path = out.resolve()  # a link stays one: what it points to is made or replaced
    growing = Growing(work_folder(out))
    work, new = growing.work, not os.path.lexists(growing.work)
    try:
        _sweep(path.parent)
        with _locked(growing, out):
            if not resume:
                _check_way(work, out, overwrite=overwrite)
            try:
                yield growing
                check_free(out, RUN, overwrite=overwrite)
                for part in work.rglob(".*.partial"):  # half-written, left by a kill
                    part.unlink(missing_ok=True)
                put_in_place(work, path)
            finally:
                if (growing.begun or new) and not resumable(work):  # as it was before: nothing
                    shutil.rmtree(work, ignore_errors=True)
            shutil.rmtree(path / STATE, ignore_errors=True)
            for old in path.parent.glob(f".{path.name}.*.old"):  # of a stop between two renamings
                if RUN.owns(old):
                    shutil.rmtree(old, ignore_errors=True)
            processes.barrier()
    except OSError as error:
        raise DataError(f"can't write {out}: {error.strerror or error}") from error


def _check_way(work: Path, out: Path, *, overwrite: bool) -> None:
    """Refuse to begin over an unfinished run, unless it may be overwritten."""
    if work.is_symlink():
        raise DataError(f"{work} is a link; remove it, or choose another --out")
    if strangers := unknown_names(work):
        names = f"{', '.join(strangers[:3])}; move that elsewhere, or choose another --out"
        raise DataError(f"{work} holds what birnn did not write: {names}")
    if resumable(work) and not overwrite:
        advice = f"go on with --resume {out}, or add --overwrite to begin anew"
        raise DataError(f"{work} holds an unfinished run; {advice}")


def resumable(work: Path) -> bool:
    """Whether there is anything to go on from."""
    state = work / STATE
    members = (path for path in state.glob("*") if MEMBER.fullmatch(path.name))
    return any(state.glob("done-*.json")) or any(map(snapshots, members))


def _sweep(home: Path) -> None:
    """Remove what runs that were killed before they began have left in ``home``: a lock."""
    for work in home.glob(".*.partial"):
        lock = work / STATE / LOCK
        with contextlib.suppress(OSError, CheckpointError):
            if [path for path in work.rglob("*") if path != work / STATE] == [lock]:
                check_file(lock)
                with lock.open("a") as file:
                    if lock_now(file.fileno()):
                        lock.unlink()
                        (work / STATE).rmdir()
                        work.rmdir()


@contextlib.contextmanager
def _locked(growing: Growing, out: Path) -> Iterator[None]:
    """Hold the growing folder for this process; a kill lets go of it."""
    work = growing.work
    lock = work / STATE / LOCK
    (work / STATE).mkdir(parents=True, exist_ok=True)
    new = not os.path.lexists(lock)
    if not new:
        check_file(lock)  # opening a pipe would wait for ever
    try:
        with lock.open("a") as file:
            if LOCKS and not (lock_now(file.fileno()) and lock.exists()):
                new = False  # it is theirs
                raise DataError(f"{out} is being made by another process")
            yield
    except BaseException:
        if new and not growing.begun:
            lock.unlink(missing_ok=True)
        raise


def snapshot_folder(work: Path, member: str) -> Path:
    """Where the snapshots of the member of that name are."""
    return work / STATE / member


@dataclass(frozen=True)
class MemberResult:
    """What is left of a member that is trained, scored and written."""

    seed: int
    score: float  # of the kept epoch, on validation
    metrics: dict[str, Any]
    labels: dict[str, str]  # baseline key → its name in words
    fold: int = 0


def _done_path(work: Path, member: str) -> Path:
    return work / STATE / f"done-{member.removeprefix('seed-')}.json"


def write_done(work: Path, member: str, result: MemberResult) -> None:
    """Say that a member is done; its snapshots go, and what is kept of a fold stays."""
    write_json(_done_path(work, member), asdict(result))
    for path in snapshot_folder(work, member).glob("[0-9]*"):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # something is kept, or there never was a snapshot
        snapshot_folder(work, member).rmdir()


def read_done(work: Path, member: str) -> MemberResult | None:
    """What :func:`write_done` wrote of a member; None if it is not done.

    Raises:
        CheckpointError: the file is not that.
    """
    path = _done_path(work, member)
    if not path.is_file():
        return None
    try:
        result = MemberResult(**read_json(path))
        if [type(value) for value in vars(result).values()] != [int, float, dict, dict, int]:
            raise ValueError("a value of another type")
        return result
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not usable: {error}") from None
