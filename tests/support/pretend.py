"""A GPU that is not there: tensors that name another device and are computed on the CPU.

Whatever mixes them with the CPU's, as an index or a mask from another device would, fails with the
operation's name; so do ``numpy()`` and ``from_numpy``, as on a GPU. Tensors that are made on the
CPU while :func:`strict` is on fail too: a real GPU would have to wait for them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)


class _Module(_DummyBackendModule):
    """What torch asks of a device."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        """Half precisions."""
        return [torch.bfloat16, torch.float16]


_setup_privateuseone_for_python_backend("pretended", _Module())
# Autocast of the device casts nothing by itself: what is cast is cast by the code under test.
_REST = torch.library.Library("_", "IMPL")
_REST.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
GPU = torch.device("pretended:0")
CPU = torch.device("cpu")
# Operations for whose results a program waits until the GPU has done all that stands before.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "is_nonzero", "equal")
CROSSING = ("copy_", "_to_copy", "set_", "lift_fresh")  # operations that may see both devices


class Pretended(Tensor):
    """A tensor of the pretended GPU; its values lie in ``inner``, on the CPU."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> "Pretended":
        """The CPU's tensor ``inner`` on the pretended GPU."""
        with torch.inference_mode(False):
            made = Tensor._make_wrapper_subclass(
                cls, inner.size(), strides=inner.stride(), storage_offset=inner.storage_offset(),
                dtype=inner.dtype, layout=inner.layout, device=GPU,
            )  # fmt: skip
        made.inner = inner
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any, kwargs: Any = None) -> Any:
        """Compute ``function`` on the CPU; called by torch."""
        return dispatch(function, args, kwargs or {})

    def data_ptr(self) -> int:
        """Where the values lie."""
        return self.inner.data_ptr()

    def __repr__(self) -> str:
        return f"Pretended({self.inner!r})"

    def tolist(self) -> Any:
        """The values, which torch would not give of a subclass."""
        waits.append("tolist")
        return self.inner.tolist()


waits: list[str] = []  # what a real GPU would have been waited for


class Pretending(TorchDispatchMode):
    """Tensors that are made on :data:`GPU` are pretended ones."""

    strict = False

    def __torch_dispatch__(self, function: Any, types: Any, args: Any, kwargs: Any = None) -> Any:
        """Compute ``function`` on the CPU; called by torch."""
        return dispatch(function, args, kwargs or {}, strict=self.strict)


def dispatch(function: Any, args: Any, kwargs: Any, *, strict: bool = False) -> Any:
    """Run an operation of torch on the CPU, and say where its results are."""
    name = function.overloadpacket.__name__
    given = tree_leaves((args, kwargs))
    given = [part for part in given if isinstance(part, Tensor)]
    ours = [part for part in given if isinstance(part, Pretended)]
    theirs = [part for part in given if not isinstance(part, Pretended)]
    if ours and any(part.dim() for part in theirs) and name not in CROSSING:
        raise RuntimeError(f"{name}: tensors of two devices")
    asked = kwargs.get("device")
    if ours and (name in WAITING or (asked is not None and torch.device(asked) == CPU)):
        waits.append(name)
    gpu = torch.device(asked).type == GPU.type if asked is not None else bool(ours)
    if asked is not None:
        kwargs = {**kwargs, "device": CPU}
        kwargs.pop("pin_memory", None)
    inner_args, inner_kwargs = tree_map_only(Pretended, lambda part: part.inner, (args, kwargs))
    result = function(*inner_args, **inner_kwargs)
    if not gpu:
        if strict and not given and isinstance(result, Tensor):
            raise RuntimeError(f"{name}: a tensor is made on the CPU within a step")
        return result
    if "out" in kwargs:
        return kwargs["out"]
    in_place = name.endswith("_") and not name.startswith("_")
    return args[0] if in_place else tree_map_only(Tensor, Pretended, result)


@torch.library.impl("aten::empty_strided", "PrivateUse1")
def empty_strided(size: Any, stride: Any, **options: Any) -> Tensor:
    """Where torch makes a tensor of numbers, out of sight of the mode."""
    return Pretended(torch.empty_strided(size, stride, dtype=options["dtype"]))


@torch.library.impl("aten::copy_", "PrivateUse1")
def copy(to: Pretended, source: Tensor, *flags: Any) -> Tensor:
    """And fills it."""
    to.inner.copy_(source.inner if isinstance(source, Pretended) else source)
    return to


def cell_of(gates: int) -> Any:
    """One step of torch's GRU (3 gates) or LSTM (4), from what input and state bring along."""

    def gru(here: Tensor, back: Tensor, state: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        (r, z, n), (s, u, m) = here.chunk(3, -1), back.chunk(3, -1)
        update = (z + u).sigmoid()
        new = (n + (r + s).sigmoid() * m).tanh()
        return (1 - update) * new + update * state, memory

    def lstm(here: Tensor, back: Tensor, state: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        enter, forget, candidate, leave = (here + back).chunk(4, -1)
        memory = forget.sigmoid() * memory + enter.sigmoid() * candidate.tanh()
        return leave.sigmoid() * memory.tanh(), memory

    return gru if gates == 3 else lstm


class Recorder:
    """What torch's recurrent layers were asked: the types of input and weights, and ``train``."""

    def __init__(self) -> None:
        self.types: set[torch.dtype] = set()
        self.waits: list[str] = []  # within steps

    def scan(self, gates: int, x: Tensor, state: Tensor, weights: list[Tensor], train: bool) -> Any:
        """States ``[B, T, H]`` of all steps, by a loop: cuDNN's own code needs a GPU."""
        assert train == torch.is_grad_enabled(), "cuDNN would keep nothing for the backward pass"
        self.types |= {part.dtype for part in (x, state, *weights)}
        assert len({part.dtype for part in (x, state, *weights)}) == 1
        into, recurrent, bias, recurrent_bias = weights
        here, step = x @ into.t() + bias, cell_of(gates)
        state = memory = state[0]
        states = []
        for part in here.unbind(1):
            state, memory = step(part, state @ recurrent.t() + recurrent_bias, state, memory)
            states.append(state)
        return torch.stack(states, 1)


@contextmanager
def pretended_gpu(patch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Within the block :data:`GPU` is there; recurrent layers are loops, on any device."""
    recorder = Recorder()

    def gru(x: Any, state: Any, weights: Any, *flags: Any) -> Any:
        return recorder.scan(3, x, state, weights, flags[3]), None

    def lstm(x: Any, states: Any, weights: Any, *flags: Any) -> Any:
        return recorder.scan(4, x, states[0], weights, flags[3]), None, None

    def gru_cell(x: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
        into, recurrent, bias, recurrent_bias = weights
        return cell_of(3)(x @ into.t() + bias, h @ recurrent.t() + recurrent_bias, h, h)[0]

    patch.setattr(torch, "gru", gru)
    patch.setattr(torch, "lstm", lstm)
    patch.setattr(torch._VF, "gru_cell", gru_cell)
    with Pretending() as mode:
        recorder.mode = mode
        yield recorder
