"""Which items a run was trained on, or chosen by: fingerprints that it keeps of them."""

from collections.abc import Hashable, Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from birnn.data.wording import agree, plural
from birnn.errors import CheckpointError
from birnn.storage.files import atomic_path
from birnn.storage.untrusted import charge, check_file
from birnn.tasks import TASKS
from birnn.tasks.core.task import Task, TaskData

FILE = "learned.bin"
Fingerprints = NDArray[np.uint64]
UNKNOWN = "whether the run was trained on some of these {unit} is not known"


def write_learned(folder: Path, task: Task[Any, Any, Any], data: TaskData[Any, Any]) -> None:
    """Keep the fingerprints of all items but those of the test split; of a stream, none."""
    if data.stream_identity or not TASKS[task.name].warm:
        return
    start, every = TASKS[task.name].part("warm")(), getattr(task.config, "model", None)
    names = [name for name in data.splits if name != "test" or getattr(every, "refit", False)]
    found = [fingerprints(start.items(data.splits[name], data.info)) for name in names]
    with atomic_path(folder / FILE) as path:
        path.write_bytes(np.unique(np.concatenate(found)).astype("<u8").tobytes())


def fingerprints(items: Iterable[Hashable]) -> Fingerprints:
    """Eight bytes of BLAKE2b of each item."""
    pieces = (repr(item).encode("utf-8", "surrogatepass") for item in items)
    joined = b"".join(blake2b(piece, digest_size=8).digest() for piece in pieces)
    return np.frombuffer(joined, "<u8").astype(np.uint64)


def read_learned(folder: Path) -> Fingerprints | None:
    """What :func:`write_learned` wrote, sorted; None where a run has none.

    Raises:
        CheckpointError: it is something else, or too large.
    """
    path = folder / FILE
    if not path.exists():
        return None
    size = check_file(path)
    charge(path, size)
    if size % 8:
        raise CheckpointError(f"{path} is damaged: remove it, or take the run from a copy")
    return np.unique(np.fromfile(path, "<u8", size // 8))


def learned_from(
    folders: Sequence[Path], task: Task[Any, Any, Any], split: Any, info: Any
) -> list[str]:
    """A warning where items of a split are among those that a run, or its members, learned from.

    Raises:
        CheckpointError: as :func:`read_learned`.
    """
    if not TASKS[task.name].warm:
        return [UNKNOWN.format(unit=task.unit)]
    known = [read_learned(folder) for folder in folders]
    start = TASKS[task.name].part("warm")()
    own = fingerprints(start.items(split, info))
    held = [part for part in known if part is not None]
    found = np.isin(own, np.concatenate(held)) if held else np.zeros(len(own), dtype=bool)
    notes = [] if len(held) == len(known) else [UNKNOWN.format(unit=task.unit)]
    if count := int(found.sum()):
        part = f"{count:,} of {plural(len(own), start.unit or task.unit.removesuffix('s'))}"
        verb = agree(count, "stands", "stand")
        notes.append(f"WARNING: {part} ({count / len(own):.1%}) also {verb} in what the run was"
                     " trained on or chosen by: the scores are flattered")  # fmt: skip
    return notes
