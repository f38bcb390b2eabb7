"""Snapshots of a training run: written whole, told apart from torn ones, read without unpickling.

The ``N``-th snapshot is two files: ``N.safetensors`` with all tensors and, as JSON in its header,
all numbers; and ``N.sha256`` with its checksum, in the format of ``sha256sum``. The second is
written when the first is on the disk, so that a snapshot is complete if, and only if, both are
there and agree.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from birnn.errors import CheckpointError
from birnn.storage.files import atomic_path, write_text
from birnn.storage.untrusted import check_file

FORMAT = 1  # of snapshots; raised when an older reader could misread a newer one
NAME = re.compile(r"\d{6,18}\.safetensors")


@dataclass(frozen=True)
class Snapshot:
    """Everything that training needs to go on."""

    step: int  # optimizer steps that are done
    numbers: Mapping[str, Any]  # JSON
    tensors: Mapping[str, Tensor]

    def finite(self) -> bool:
        """Whether weights and scores are numbers: a spoilt model is not worth going back to."""
        judged = self.numbers.get("history") or [{"scores": {}}]
        weights = nested(self.tensors, "model").values()
        finite = all(map(math.isfinite, judged[-1]["scores"].values()))
        return finite and all(bool(tensor.isfinite().all()) for tensor in weights)


def write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write both files under the next number, each whole and on the disk.

    Raises:
        DataError: the folder can't be written.
    """
    number = 1 + max((int(path.stem) for path in snapshots(folder)), default=0)
    path = folder / f"{number:06}.safetensors"
    # NaN and infinity, which scores can be, stand there as Python's reader knows them.
    text = json.dumps({"format": FORMAT, "step": snapshot.step, **snapshot.numbers})
    tensors = {name: part.detach().cpu().contiguous() for name, part in snapshot.tensors.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, {"state": text})
        digest = _digest(temporary)
    write_text(path.with_suffix(".sha256"), f"{digest}  {path.name}\n")


def read_snapshot(path: Path) -> Snapshot:
    """Read the snapshot whose tensors are in ``path``.

    Raises:
        CheckpointError: it is torn, or is no snapshot of this format.
    """
    try:
        check_file(path)
        if check_file(path.with_suffix(".sha256")) > 1000:
            raise ValueError("its checksum is too long")
        digest = path.with_suffix(".sha256").read_text(encoding="ascii").split()[:1]
        if digest != [_digest(path)]:
            raise CheckpointError(f"{path} is torn: its checksum differs")
        with safe_open(path, framework="pt") as file:
            numbers = json.loads((file.metadata() or {})["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        version, step = numbers["format"], numbers["step"]
    except CheckpointError:
        raise
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} is no complete snapshot ({error})") from None
    if version != FORMAT or type(step) is not int:
        raise CheckpointError(f"{path} is a snapshot of format {version!r}; this reads {FORMAT}")
    return Snapshot(step, numbers, tensors)


def newest_snapshot(folder: Path) -> tuple[Snapshot | None, list[str]]:
    """The newest complete snapshot in ``folder``, and the names of newer ones that are not.

    Raises:
        CheckpointError: there are snapshots, but of another format.
    """
    torn: list[str] = []
    for path in reversed(snapshots(folder)):
        try:
            return read_snapshot(path), torn
        except CheckpointError as error:
            if "of format" in str(error):
                raise
            torn.append(path.name)
    return None, torn


def snapshots(folder: Path) -> list[Path]:
    """The tensor files in ``folder``, oldest first, torn ones too."""
    entries = folder.iterdir() if folder.is_dir() else ()
    files = (path for path in entries if NAME.fullmatch(path.name))
    return sorted(files, key=lambda path: int(path.stem))


def remove_snapshot(path: Path) -> None:
    """Remove both files of a snapshot: the checksum first, so that no half is taken for a whole."""
    path.with_suffix(".sha256").unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def prune(folder: Path, keep: int) -> None:
    """Leave the newest ``keep`` snapshots."""
    for path in snapshots(folder)[:-keep]:
        remove_snapshot(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def nested(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix`` and a dot, without them.

    >>> list(nested({"model.w": torch.zeros(1), "best.w": torch.ones(1)}, "best"))
    ['w']
    """
    start = f"{prefix}."
    return {n.removeprefix(start): part for n, part in tensors.items() if n.startswith(start)}


def check_like(saved: Mapping[str, Tensor], wanted: Mapping[str, Tensor], what: str) -> None:
    """Refuse tensors of other names, shapes or types.

    Raises:
        CheckpointError: the first that differs.
    """
    wrong = f"the snapshot's {what} is of another model"
    for name in sorted(set(saved) ^ set(wanted)):
        raise CheckpointError(f"{wrong}: {name}")
    for name in wanted:
        ours, theirs = (f"{part.dtype} {list(part.shape)}" for part in (wanted[name], saved[name]))
        if ours != theirs:
            raise CheckpointError(f"{wrong}: {name} is {theirs}, expected {ours}")


def same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are equal, bit for bit (NaN too)."""
    ours, theirs = (x.detach().contiguous().reshape(-1).view(torch.uint8) for x in (a, b))
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(ours, theirs)
