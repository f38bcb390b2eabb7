"""What a run is made of on disk: JSON and safetensors, written whole or not at all.

Nothing here unpickles anything. A file is written under a temporary name beside its final one
and renamed; a run folder is built under a temporary name and renamed when it is complete.
"""

import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from birnn.errors import CheckpointError, DataError

JSON_LIMIT = 256 * 1024 * 1024  # bytes; a vocabulary of two million words takes a tenth


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary name in the folder of ``path``; rename it to ``path`` if all goes well.

    Raises:
        DataError: the folder can't be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"can't write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        # A path that is not UTF-8 can stand in a text; its odd bytes become question marks.
        temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON; refuses NaN and infinity, which JSON does not know."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        CheckpointError: it is missing, too large, or not JSON.
    """
    try:
        if path.stat().st_size > JSON_LIMIT:
            raise CheckpointError(f"{path}: larger than {JSON_LIMIT >> 20} MiB; not a file of ours")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: not a complete run folder") from None
    except RecursionError:
        raise CheckpointError(f"{path} is not valid JSON (nested too deeply)") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not valid JSON ({error})") from None


@contextmanager
def new_folder(
    path: Path, *, overwrite: bool = False, mark: str = "config.json", kind: str = "run"
) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; rename it to ``path`` if all goes well.

    Whatever interrupts the block, a final name never holds a partial folder, and an older folder
    that is overwritten stays until the new one is complete.

    Args:
        path: the final name.
        overwrite: replace a folder of the same kind.
        mark: the file by which such a folder is known.
        kind: what it is called.

    Raises:
        DataError: ``path`` exists (and not ``overwrite``), or its parent can't be written.
    """
    check_free(path, overwrite=overwrite, mark=mark, kind=kind)
    path = path.resolve()  # a link stays one: what it points to is made or replaced
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(
            tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        )
    except OSError as error:
        raise DataError(f"can't write {path}: {error.strerror or error}") from error
    try:
        yield temporary
        check_free(path, overwrite=overwrite, mark=mark, kind=kind)
        try:
            _put_in_place(temporary, path)
        except OSError as error:
            raise DataError(f"can't write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put_in_place(temporary: Path, path: Path) -> None:
    temporary.chmod(0o755)
    if not path.exists():
        temporary.rename(path)
        return
    old = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old")
    path.rename(old)
    temporary.rename(path)
    shutil.rmtree(old)


def check_free(
    path: Path, *, overwrite: bool, mark: str = "config.json", kind: str = "run"
) -> None:
    """Refuse to write a run, or a folder of another ``kind``, over something else.

    Raises:
        DataError: ``path`` is taken.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    article = "an" if kind[0] in "aeiou" else "a"
    if not (path.is_dir() and (path / mark).is_file()):
        raise DataError(f"{path} exists and is not {article} {kind}; choose another --out")
    if not overwrite:
        raise DataError(
            f"{path} holds {article} {kind} already; choose another --out or add --overwrite"
        )


def save_weights(path: Path, model: nn.Module) -> None:
    """Write the parameters and buffers of ``model`` as safetensors."""
    state = {
        name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()
    }
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
    try:
        with torch.device("meta"):
            skeleton = build()
    except (RuntimeError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{path.parent}: no model can be built from it ({error})") from None
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            shapes = {name: tuple(part.get_shape()) for name, part in found.items()}
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: not a complete run folder") from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file ({error})") from None
    wanted = {name: tuple(tensor.shape) for name, tensor in skeleton.state_dict().items()}
    _compare(path, wanted, shapes)
    model = build()
    _fill(path, model, load_file(path))
    return model.eval().requires_grad_(False)


def _compare(
    path: Path, wanted: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]
) -> None:
    for name in [*wanted, *(name for name in found if name not in wanted)]:
        if name not in found:
            raise CheckpointError(f"{path} lacks the tensor {name}; it belongs to another model")
        if name not in wanted:
            raise CheckpointError(f"{path} holds a tensor {name} that config.json does not ask for")
        if wanted[name] != found[name]:
            raise CheckpointError(
                f"{path}: {name} has the shape {list(found[name])},"
                f" config.json asks for {list(wanted[name])}"
            )


def _fill(path: Path, model: nn.Module, state: dict[str, Tensor]) -> None:
    for name, tensor in model.state_dict().items():
        if state[name].dtype != tensor.dtype:
            raise CheckpointError(f"{path}: {name} is {state[name].dtype}, expected {tensor.dtype}")
        if not state[name].isfinite().all():
            raise CheckpointError(f"{path}: {name} holds values that are not finite; it is damaged")
    model.load_state_dict(state)
