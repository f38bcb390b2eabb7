"""Where a study is kept: a journal file, or a database by its URL."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birnn.errors import ConfigError, DataError, reason
from birnn.storage.scratch import LOCKS

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

# What a database says where several workers make its tables at the same moment.
RACES = ("already exists", "unique", "duplicate", "locked", "deadlock")
INSTALL = 'pip install "birnn[tune]"'


def load_optuna() -> Any:
    """Optuna, quiet.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigError(f"tune needs Optuna: {INSTALL}") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class JournalLock:
    """One writer at a time; a process that is killed lets go of it, and its torn line goes.

    Optuna's own locks are files that a killed process leaves behind, and a line that it leaves
    half-written spoils all that follow.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = -1

    def acquire(self) -> bool:
        """Wait for the lock, and cut off what a killed writer has left."""
        if self.descriptor >= 0:  # a signal came before it was let go: it is ours still
            self.release()
        self.descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        LOCKS.flock(self.descriptor, LOCKS.LOCK_EX)
        with self.path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            at = size
            while at > 0:
                start = max(0, at - 65536)
                file.seek(start)
                end = file.read(at - start).rfind(b"\n")
                if end >= 0:
                    at = start + end + 1
                    break
                at = start
            if at < size:
                file.truncate(at)
        return True

    def release(self) -> None:
        """Let others write."""
        os.close(self.descriptor)
        self.descriptor = -1


def open_storage(place: str) -> "BaseStorage":
    """The storage at a URL, or in a journal file, made if it isn't there.

    Raises:
        ConfigError: Optuna, or a driver of the database, is not installed; a URL that is none.
        DataError: there is something else, or the database does not answer.
    """
    load_optuna()
    if "://" in place:
        return _database(place)
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = Path(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not _is_journal(path):
            raise DataError(f"storage: {place} is there and is no journal file of Optuna")
        path.touch()
        lock: Any = JournalLock(path) if LOCKS else JournalFileOpenLock(str(path))
        if LOCKS:  # a killed worker's torn line goes before anything is read
            with suppress(OSError):
                lock.acquire()
                lock.release()
        return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    except OSError as error:
        raise DataError(f"storage: {place}: {reason(error)}") from None
    except (ValueError, KeyError, TypeError, AssertionError):
        raise DataError(f"storage: {place} is no journal file of Optuna") from None


def _is_journal(path: Path) -> bool:
    """Whether a file is one of Optuna's, or empty; nothing else is ever cut or written."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(11)
    return b'{"op_code":'.startswith(start)


def _database(url: str) -> "BaseStorage":
    from optuna.exceptions import StorageInternalError
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    failure: Exception | None = None
    shown = without_password(url)
    for _ in range(20):
        try:
            return RDBStorage(with_driver(url), engine_kwargs={"pool_pre_ping": True})
        except (ImportError, NoSuchModuleError) as error:
            raise ConfigError(f"storage: {shown}: no driver for it ({error}): {INSTALL}") from None
        except (ArgumentError, ValueError) as error:
            raise ConfigError(f"storage: {shown} is no URL of a database: {error}") from None
        except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
            failure = error
            if not any(word in str(error).lower() for word in RACES):
                break
            time.sleep(0.3)
    words = " ".join(str(failure).split("\n")[0].split())[:300].replace(url, shown)
    raise DataError(f"storage: {shown} can't be used: {words}") from None


@contextmanager
def told_of_storage(place: str) -> Iterator[None]:
    """Within, a storage that stops answering ends the work in one line.

    Raises:
        DataError: so it is.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ or error
        words = " ".join(str(cause).split())[:300].replace(place, without_password(place))
        mend = "the study is kept, and the same command goes on"
        raise DataError(f"storage: it stopped answering ({words}); {mend}") from None


def close_storage(storage: "BaseStorage") -> None:
    """Let go of what it holds open."""
    storage.remove_session()
    if (engine := getattr(storage, "engine", None)) is not None:
        engine.dispose()


def with_driver(url: str) -> str:
    """A URL of PostgreSQL with the driver that is installed, if it names none."""
    kind, rest = url.split("://", 1)
    return f"postgresql+psycopg://{rest}" if kind in ("postgresql", "postgres") else url


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    if "://" not in url:
        return url
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return url.split("://", 1)[0] + "://…"
