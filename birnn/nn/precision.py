"""How exactly products in float32 are computed: torch's flags, set for a block and put back.

On an NVIDIA GPU torch lets cuDNN round the factors of convolutions and recurrences to TF32, which
has 10 bits after the point instead of 23. It reads its flags at every call, in the backward pass
anew, so that they must hold around both.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

EXACT, TF32 = "ieee", "tf32"
# What torch keeps a flag for: (backend, operation). Its older flags (``allow_tf32``) are views of
# these, which torch refuses to read where the two disagree: they are left alone.
FLAGS = [(backend, part) for backend in ("cuda", "mkldnn") for part in ("conv", "rnn", "matmul")]


def flags() -> dict[tuple[str, str], str]:
    """Each of :data:`FLAGS` as it stands; ``none`` is torch's own default."""
    return {flag: torch._C._get_fp32_precision_getter(*flag) for flag in FLAGS}


def full(x: Tensor) -> Tensor:
    """``x`` in float32 at least: what half precision has computed, before a softmax or a loss."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class _Blocks:
    """The blocks that are entered, of all threads: the newest says what holds."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entered: list[tuple[object, str]] = []
        self.before: Mapping[tuple[str, str], str] = {}

    def enter(self, block: object, precision: str) -> None:
        with self.lock:
            if not self.entered:
                self.before = flags()
            self.entered.append((block, precision))
            self._set(precision)

    def leave(self, block: object) -> None:
        with self.lock:
            self.entered = [entry for entry in self.entered if entry[0] is not block]
            if self.entered:
                self._set(self.entered[-1][1])
            else:
                self._put_back()

    def _set(self, precision: str) -> None:
        for backend, part in FLAGS:
            value = precision if backend == "cuda" else EXACT
            torch._C._set_fp32_precision_setter(backend, part, value)

    def _put_back(self) -> None:
        for flag, value in self.before.items():
            # A flag that follows a wider one reads like one of its own: it should go on following.
            torch._C._set_fp32_precision_setter(*flag, "none")
            if torch._C._get_fp32_precision_getter(*flag) != value:
                torch._C._set_fp32_precision_setter(*flag, value)


_blocks = _Blocks()


@contextmanager
def products(precision: str = EXACT) -> Iterator[None]:
    """Within the block, float32 products are exact; with :data:`TF32`, a GPU's are rounded.

    >>> with products():
    ...     set(flags().values())
    {'ieee'}

    Training and prediction are such blocks. Around a model of one's own with our encoders in it,
    the block belongs around the forward and the backward pass. The flags are the process's: other
    threads that compute meanwhile go by them too.
    """
    block = object()
    _blocks.enter(block, precision)
    try:
        yield
    finally:
        _blocks.leave(block)
