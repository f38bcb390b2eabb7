"""Files that a stranger may have made: looked at before they are opened, weighed before parsing.

A run folder is read with these functions alone. What they guard against: a pipe or a device in a
file's place (opening one can wait for ever), a link that leads out of the folder, and small files
that ask for much memory.
"""

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NoReturn

from birnn.errors import CheckpointError, brief, reason

MEBI = 1 << 20
MEMORY_VARIABLE = "BIRNN_RUN_MEMORY"  # MiB that the files of a run may take; for one's own runs
MEMORY = 512 * MEBI  # what JSON may become and weights may take together, where it is not set
STRICT_SIZE = 4 * MEBI  # a JSON file up to this size is also searched for keys that stand twice
HOLES = 64 * MEBI  # a file of this size must be there: not announced and mostly unwritten
HEADER = 16 * MEBI  # of a safetensors file; a model of 100,000 tensors needs a half

# Bytes of memory, on a 64-bit machine, that a mark of JSON stands for at most: an entry of a list
# or a dictionary (which a comma or a colon marks), and a list or dictionary itself.
ENTRY_BYTES, CONTAINER_BYTES = 80, 140

_taken: ContextVar[list[int] | None] = ContextVar("taken", default=None)  # within one_budget


@contextmanager
def one_budget() -> Iterator[None]:
    """Within the block, all files that are read share one limit; else each has its own."""
    token = _taken.set([0])
    try:
        yield
    finally:
        _taken.reset(token)


def memory_limit() -> int:
    """Bytes that the JSON files of a run may become and its weights take.

    Raises:
        CheckpointError: the variable that sets it holds no whole number of MiB.
    """
    given = os.environ.get(MEMORY_VARIABLE, "")
    if not given:
        return MEMORY
    if not (given.isascii() and given.isdigit() and 0 < len(given) < 10):
        raise CheckpointError(f"{MEMORY_VARIABLE}: {brief(given)} is not a whole number of MiB")
    return int(given) * MEBI


def check_file(path: Path) -> int:
    """Refuse what is no file of a run folder's own; returns its size in bytes.

    A link may lead to a file in the same folder, or into the blobs of the Hugging Face cache, whose
    snapshots are made of links.

    Raises:
        CheckpointError: it is missing, no regular file, a link elsewhere, or mostly holes.
    """
    try:
        if path.is_symlink():
            _check_link(path)
        entry = path.stat()
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: not a complete run folder") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself, before Python 3.13
        raise CheckpointError(f"can't read {path}: {reason(error)}") from None
    if not stat.S_ISREG(entry.st_mode):
        raise CheckpointError(f"{path} is not a regular file; a run folder holds nothing else")
    blocks = getattr(entry, "st_blocks", None)  # of 512 bytes
    if blocks is not None and entry.st_size > HOLES and blocks * 512 < entry.st_size // 4:
        what = f"{entry.st_size >> 20:,} MiB long and is mostly holes; copy it whole"
        raise CheckpointError(f"{path} says it is {what}")
    return entry.st_size


def _check_link(path: Path) -> None:
    folder, target = path.parent.resolve(), path.resolve()
    blobs = folder.parent.parent / "blobs"
    homes = [folder, *([blobs] if folder.parent.name == "snapshots" else [])]
    if not any(target.is_relative_to(home) for home in homes):
        raise CheckpointError(f"{path} is a link that leads out of its folder; put the file there")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run folder.

    Raises:
        CheckpointError: it is missing, no file of the folder's own, unreadable, not strict JSON
            (NaN, half a surrogate pair and, in files up to 4 MiB, a key twice are refused), or
            would take more memory than :func:`memory_limit`.
    """
    size = check_file(path)
    if size > memory_limit():
        charge(path, size)  # refuses it, before a byte is read
    try:
        with path.open("rb") as file:
            data = file.read(size + 1)
        if len(data) > size:
            raise CheckpointError(f"{path} grows while it is read")
        charge(path, json_memory(data))
        return parse_json(data)
    except RecursionError:
        raise CheckpointError(f"{path} is not valid JSON (nested too deeply)") from None
    except MemoryError:
        raise CheckpointError(f"{path}: there is not enough memory to read it") from None
    except OSError as error:
        raise CheckpointError(f"can't read {path}: {reason(error)}") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is not valid JSON ({str(error)[:200]})") from None


def charge(path: Path, size: int) -> None:
    """Count ``size`` bytes of memory for ``path``, within what is left of the limit.

    Raises:
        CheckpointError: it is more than that.
    """
    limit, taken = memory_limit(), _taken.get()
    total = size + (taken[0] if taken else 0)
    if total > limit:
        raise CheckpointError(
            f"{path} would take {total >> 20:,} MiB of memory with what is read already, more than"
            f" {limit >> 20:,}; if you trust it, set {MEMORY_VARIABLE} to a number of MiB"
        )
    if taken:
        taken[0] = total


def json_memory(data: bytes) -> int:
    """About how many bytes the values of a JSON text take, at most, with the text itself."""
    width = 1 if data.isascii() else 4  # one rare letter makes a whole text four bytes wide
    entries = data.count(b",") + data.count(b":")
    containers = data.count(b"[") + data.count(b"{")
    return len(data) * (2 + width) + entries * ENTRY_BYTES + containers * CONTAINER_BYTES


def parse_json(data: bytes) -> Any:
    """Parse strict JSON.

    Raises:
        ValueError: it is no UTF-8, no JSON, holds NaN, infinity or half a surrogate pair, or, up to
            4 MiB, a key twice.
        RecursionError: it is nested too deeply.
    """
    text = data.decode("utf-8")
    pairs = _once if len(data) <= STRICT_SIZE else None
    value = json.loads(text, parse_constant=_no_number, object_pairs_hook=pairs)
    if "\\u" in text:  # only an escape can bring half a surrogate pair
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("a text holds half a surrogate pair") from None
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {brief(twice)} stands there twice")
    return table


def check_weights(path: Path) -> None:
    """Refuse a safetensors file whose size or header asks for too much, before it is opened.

    What the header says of each tensor is left to the safetensors library, which compares every
    offset with the file's length.

    Raises:
        CheckpointError: it is missing, no file of the folder's own, cut, or too large.
    """
    size = check_file(path)
    charge(path, size)
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > size - 8:
                what = "it is cut, or something else"
                raise CheckpointError(f"{path} is not a readable safetensors file: {what}")
            if length > HEADER:
                raise CheckpointError(f"{path}: its header is larger than {HEADER >> 20} MiB")
            charge(path, json_memory(file.read(length)))
    except OSError as error:
        raise CheckpointError(f"can't read {path}: {reason(error)}") from None
