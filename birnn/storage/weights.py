"""The weights of a run: safetensors, compared with the model before any memory is taken."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from birnn.errors import BirnnError, CheckpointError, brief
from birnn.storage.files import atomic_path
from birnn.storage.unfilled import Unfilled
from birnn.storage.untrusted import check_weights

KINDS = {  # as a safetensors header names them
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


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
