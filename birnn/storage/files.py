"""What a run is made of on disk: JSON and safetensors, written whole or not at all.

Nothing here unpickles anything. A file is written under a temporary name beside its final one,
pushed to the disk (fsync) and renamed; a run folder is built under a temporary name and renamed
when it is complete.
"""

import ctypes
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from birnn.errors import BirnnError, CheckpointError, DataError, brief, reason
from birnn.storage.scratch import beside
from birnn.storage.unfilled import Unfilled
from birnn.storage.untrusted import check_weights
from birnn.storage.untrusted import read_json as read_json

KINDS = {  # as a safetensors header names them
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
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


def save_weights(path: Path, model: nn.Module) -> None:
    """Write the parameters and buffers of ``model`` as safetensors."""
    state = {name: part.detach().cpu().contiguous() for name, part in model.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(state, temporary)
        temporary.chmod(0o644)


def load_weights(path: Path, build: Callable[[], nn.Module]) -> nn.Module:
    """Build a model and fill it from a safetensors file: on the CPU, to predict, frozen.

    The shapes that the configuration asks for are compared with the file's header before any
    memory is taken for them.

    Raises:
        CheckpointError: the file is missing, truncated or foreign, or a tensor has another name,
            shape or type than the model's, or holds what is no number; the message names the
            tensor and both shapes.
    """
    check_weights(path)
    try:
        with torch.device("meta"), Unfilled():
            skeleton = build()
    except (BirnnError, RuntimeError, TypeError, ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path.parent}: no model can be built from it ({why})") from None
    try:
        with safe_open(path, framework="pt") as file:
            header = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            _compare(path, skeleton.state_dict(), header)
        with Unfilled():
            model = build()
        _fill(path, model.state_dict())
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file ({error})") from None
    return model.eval().requires_grad_(False)


def _fill(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Read values straight into ``tensors``, whose shapes are the file's: no copy is made.

    The library maps a file into memory, where it counts a second time.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        for name, tensor in tensors.items():
            file.seek(8 + length + header[name]["data_offsets"][0])
            values = tensor.detach().view(-1).view(torch.uint8).numpy()
            if file.readinto(memoryview(values)) != len(values):  # type: ignore[arg-type]
                raise OSError("it is cut")
            if tensor.numel() and not all(end.isfinite() for end in tensor.aminmax()):
                what = "holds values that are not finite; it is damaged"
                raise CheckpointError(f"{path}: {name} {what}")


def _compare(path: Path, wanted: Mapping[str, torch.Tensor], header: Mapping[str, Any]) -> None:
    """Refuse tensors whose names, shapes or types are not the ``wanted`` ones."""
    for name in {**wanted, **header}:
        if name not in header:
            raise CheckpointError(f"{path} lacks the tensor {name}; it belongs to another model")
        if name not in wanted:
            what = f"a tensor {name[:80]} that config.json does not ask for"
            raise CheckpointError(f"{path} holds {what}")
        shape, asked = list(header[name].get_shape()), list(wanted[name].shape)
        if shape != asked:
            what = f"{name} has the shape {brief(shape)}, config.json asks for {asked}"
            raise CheckpointError(f"{path}: {what}")
        kind, expected = header[name].get_dtype(), wanted[name].dtype
        if (dtype := KINDS.get(kind, kind)) != expected:
            raise CheckpointError(f"{path}: {name} is {dtype}, expected {expected}")
