"""An output that grows by parts: what a killed ``predict`` has written is gone on with.

Beside ``NAME`` stand ``NAME.partial`` and ``NAME.partial.json`` until it is whole. The state is
written after its bytes are on the disk: whatever follows them was torn, and is cut.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import file_digest, sha256
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from birnn.data.tables.csv_cells import RowWriter
from birnn.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    LostProcessError,
    MemoryLimitError,
    Stopped,
    reason,
)
from birnn.storage.files import read_json, sync, write_json
from birnn.storage.scratch import LOCKS
from birnn.tasks.serving.records import json_line, json_piece
from birnn.tasks.serving.request import Answer, Form, Request, Streamed
from birnn.version import __version__

AT_ONCE = 8192  # records of an output that is written in one go, whole or not at all
FORMAT = 2
PIECE = 1 << 20  # bytes that are read at once
ANEW = "remove it and the .partial beside it to begin anew"
SHAPE = {"format": int, "rows": int, "of": int, "bytes": int, "sha256": str, "asked": dict}


@dataclass(frozen=True)
class Done:
    """How much of an output there is."""

    rows: int = 0
    of: int = 0
    bytes: int = 0
    sha256: str = sha256().hexdigest()  # of these bytes


TOLD = ("metrics.json", "report.json")  # what a run says of itself: no answer depends on it


def run_digests(folder: Path) -> dict[str, str]:
    """Of all files of a run that its answers depend on, its members' too: name → digest."""
    found = [path for kind in ("*.json", "*.safetensors") for path in folder.rglob(kind)]
    return {path.relative_to(folder).as_posix(): digest(path)["sha256"]
            for path in sorted(found) if path.name not in TOLD}  # fmt: skip


@dataclass
class GrowingOutput:
    """One output, what was asked for it, and what there is of it."""

    path: Path  # as it was named
    request: Request
    folder: Path  # of the run
    device: str
    done: Done | None = None  # None: nothing yet
    notes: list[str] = field(default_factory=list)
    _asked: dict[str, Any] = field(default_factory=dict)
    _held: bool = False  # whether what there is of it is this process's own

    @property
    def final(self) -> Path:
        """Where it will stand: what a link leads to."""
        return self.path.resolve() if self.path.is_symlink() else self.path

    @property
    def part(self) -> Path:
        """What there is of it."""
        return self.final.with_name(f"{self.final.name}.partial")

    @property
    def state(self) -> Path:
        """How much that is, and of what."""
        return self.final.with_name(f"{self.final.name}.partial.json")

    def begin(self) -> None:
        """Find what an earlier ``predict`` left.

        Raises:
            ConfigError: there is something, and nobody said what becomes of it; or it is of
                another input, run or option.
            DataError: it can't be read.
        """
        known = _read_state(self.state)
        if known is not None and not self.part.exists() and known["rows"] == known["of"]:
            self.state.unlink()  # it was whole when the other was renamed
            known = None
        if known is None:
            self._free()
            return
        rows = f"{known['rows']:,} of {known['of']:,} records"
        if not self.request.resume:
            mend = f"--resume goes on with them; or remove it and {self.state.name}"
            raise ConfigError(f"output: {self.part} holds {rows} of an earlier predict; {mend}")
        self._check(known["asked"])
        size = self.part.stat().st_size if self.part.is_file() else -1
        if size < known["bytes"]:
            what = f"should hold {known['bytes']:,} bytes" + (", and isn't there" * (size < 0))
            raise DataError(f"{self.part} {what}; remove it and {self.state.name} to begin anew")
        self.done = Done(*(known[name] for name in ("rows", "of", "bytes", "sha256")))
        self.notes.append(f"note: went on after {rows}")

    def _free(self) -> None:
        if self.part.is_symlink() or (self.part.exists() and self.part.stat().st_size):
            why = f"output: {self.part} is in the way, and no output that was begun; move it"
            raise ConfigError(why)
        if self.request.resume:
            self.notes.append("note: no output was begun: predicted from the first record on")

    def _check(self, before: Any) -> None:
        """Refuse to go on with what was made from other things than ``before``."""
        now = self.asked()
        again = f"remove {self.part} and {self.state.name} to begin anew"
        for what in ("input", "run"):
            if not isinstance(before.get(what), dict) or before[what] != now[what]:
                name = self.request.input if what == "input" else str(self.folder)
                since = f"has changed since {self.part} was begun"
                raise ConfigError(f"resume: {name} {since}; {again}")
        for name, value in now["options"].items():
            if before.get("options", {}).get(name) != value:
                raise ConfigError(f"{name}: {self.part} was begun with another value; {again}")

    def asked(self) -> dict[str, Any]:
        """All that the output depends on."""
        if not self._asked:
            request = self.request
            own = ("text_column", "encoding", "best", "escape_formulas", "skip_ragged")
            options = {name: getattr(request, name) for name in own}
            options |= asdict(request.table) | {"device": self.device, "version": __version__}
            self._asked = {
                "input": digest(Path(request.input)), "run": run_digests(self.folder),
                "options": options,
            }  # fmt: skip
        return self._asked

    def write(self, answer: Answer) -> None:
        """Write the records, or those that lack.

        Raises:
            Stopped: a signal came; what was written is kept.
            BirnnError: it can't be written; what was written is kept if that is a part.
        """
        records, form = answer.records, answer.form
        assert isinstance(records, Streamed)
        assert form is not None
        done = self.done or Done(of=len(records))
        if done.of != len(records):
            what = f"{self.request.input} has {len(records):,} records now, not {done.of:,}"
            again = f"remove {self.part} and {self.state.name} to begin anew"
            raise ConfigError(f"resume: {what}; {again}")
        try:
            with self._opened(done) as (file, written):
                for part in records.from_part(done.rows):
                    piece = self._text(form, part, done.rows).encode("utf-8", "replace")
                    file.write(piece)
                    written.update(piece)
                    _sync(file)
                    rows = done.rows + len(part)
                    done = Done(rows, done.of, file.tell(), written.hexdigest())
                    self._note(done)
                if self.path.suffix.lower() == ".json":
                    file.write(b"\n]\n")
                _sync(file)
            self.part.replace(self.final)
            self.state.unlink()
            sync(self.final.parent)
        except OSError as error:
            kept = self._kept(done)
            raise DataError(f"can't write {self.path}: {reason(error)}{kept}") from error
        except KeyboardInterrupt:
            if kept := self._kept(done):
                raise Stopped(f"stopped{kept}") from None
            raise
        except (ConfigError, DataError, LostProcessError, MemoryLimitError) as error:
            raise type(error)(f"{error}{self._kept(done)}") from error
        except (MemoryError, RuntimeError):
            self._kept(done)
            raise

    def _kept(self, done: Done) -> str:
        """What is said of the parts that are kept; where there is none, nothing is."""
        if not self._held:
            return ""
        if done.rows:
            return f"; {done.rows:,} of {done.of:,} records are kept: --resume goes on with them"
        self.part.unlink(missing_ok=True)
        self.state.unlink(missing_ok=True)
        return ""

    @contextmanager
    def _opened(self, done: Done) -> Iterator[tuple[BinaryIO, Any]]:
        """The growing file, cut where it was complete, while no other process writes it.

        With it comes the running digest of what it holds.
        """
        flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        new = 0 if self.done else os.O_CREAT
        with os.fdopen(os.open(self.part, flags | new, 0o666), "r+b") as file:
            _lock(file, self.part)
            if self.done is None and os.fstat(file.fileno()).st_size:
                raise ConfigError(f"output: {self.part} is in the way; move it")
            written = self._written(file, done)
            self._held = True
            self._note(done)
            file.truncate(done.bytes)
            file.seek(done.bytes)
            yield file, written

    def _written(self, file: BinaryIO, done: Done) -> Any:
        """The digest of what is there, which must be what was written.

        Raises:
            DataError: somebody has changed it.
        """
        found, left = sha256(), done.bytes
        file.seek(0)
        while left and (piece := file.read(min(left, PIECE))):
            found.update(piece)
            left -= len(piece)
        if found.hexdigest() != done.sha256:
            again = f"remove it and {self.state.name} to begin anew"
            raise DataError(f"{self.part} has been changed since it was written; {again}")
        return found

    def _text(self, form: Form, records: list[dict[str, Any]], start: int) -> str:
        """Records as they stand in the file, of which the first has the number ``start``."""
        kind = self.path.suffix.lower()
        if kind == ".json":
            return "".join(json_piece(r, first=start + i == 0) for i, r in enumerate(records))
        if kind == ".jsonl":
            return "".join(map(json_line, records))
        if kind != ".csv":
            return "".join(f"{line}\n" for line in form.lines(records))
        text = io.StringIO(newline="")
        writer = RowWriter(text, escape=self.request.escape_formulas)
        for row in islice(form.rows(records, start), 1 if start else 0, None):
            writer.row(row)
        return text.getvalue()

    def _note(self, done: Done) -> None:
        write_json(self.state, {"format": FORMAT, **asdict(done), "asked": self.asked()})


def resumable(answer: Answer) -> bool:
    """Whether an answer can be written by parts."""
    return isinstance(answer.records, Streamed) and answer.form is not None


def digest(path: Path) -> dict[str, Any]:
    """What tells a file from another.

    Raises:
        DataError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return {"size": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        raise DataError(f"can't read {path}: {reason(error)}") from None


def _read_state(path: Path) -> dict[str, Any] | None:
    """The state of an output; None where there is none.

    Raises:
        DataError: it is something else.
    """
    if not path.exists():
        return None
    try:
        known = read_json(path)
    except CheckpointError as error:
        raise DataError(f"{error}; {ANEW}") from None
    if not isinstance(known, dict) or any(type(known.get(k)) is not t for k, t in SHAPE.items()):
        raise DataError(f"{path} is no state of an output; {ANEW}")
    if known["format"] != FORMAT or not 0 <= known["rows"] <= known["of"]:
        raise DataError(f"{path} is of another version; {ANEW}")
    return known


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _lock(file: BinaryIO, path: Path) -> None:
    """Refuse to write what another process is writing.

    Raises:
        ConfigError: one is.
    """
    if LOCKS is None:
        return
    try:
        LOCKS.flock(file, LOCKS.LOCK_EX | LOCKS.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(f"output: another process is writing {path}") from None
    except OSError:  # a disk without locks
        pass
