"""Where models run, and on how many threads."""

import ctypes
import math
import os
import re
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import torch

from birnn.errors import ConfigError
from birnn.nn.forking import is_child, survive_forks


def resolve_device(name: str) -> torch.device:
    """``auto`` → the first accelerator there is, else the CPU; any other name as it stands.

    Raises:
        ConfigError: no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    named = re.fullmatch(r"(cpu|cuda|mps)(?::([0-9]{1,4}))?", name)
    if named is None:
        raise ConfigError(f"device: {name!r} is not one of auto, cpu, cuda, cuda:N, mps")
    kind, index = named.groups()
    mps = int(torch.backends.mps.is_available())
    gpus, why = _gpus() if kind == "cuda" else (0, "")
    if int(index or 0) >= {"cpu": 1, "cuda": gpus, "mps": mps}[kind]:
        raise ConfigError(f"device: there is no {name!r} here{why}; use --device auto or cpu")
    return torch.device(name)


def _gpus() -> tuple[int, str]:
    """How many NVIDIA GPUs there are, and in words why there are no more."""
    if not torch.backends.cuda.is_built():
        return 0, " (this torch is built without CUDA)"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count:
        return count, f" (the GPUs that torch sees: {', '.join(f'cuda:{i}' for i in range(count))})"
    first = " ".join(str(told[0].message).split())[:300] if told else "torch sees no NVIDIA GPU"
    return 0, f" ({first})"


# How torch, cuBLAS and cuDNN begin to say that memory is used up, where no class of error does.
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "_ALLOC_FAILED")


def out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that there is no memory left, on whatever device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)


def check_precision(device: torch.device, precision: str) -> None:
    """Refuse a precision of ``--mixed-precision`` that ``device`` can't do.

    Raises:
        ConfigError: that is so.
    """
    kind = device.type
    if kind == "cpu" and precision == "fp16":
        raise ConfigError("mixed_precision: fp16 needs a GPU; on a CPU use bf16 or no")
    if precision == "tf32" and kind != "cuda":
        raise ConfigError(f"mixed_precision: tf32 is for NVIDIA GPUs, not for {kind}; use no")
    if precision == "bf16" and kind == "cuda" and not torch.cuda.is_bf16_supported(False):
        raise ConfigError("mixed_precision: this GPU computes no bf16; use no, or fp16")


MOST_THREADS = 16  # more share a batch of usual size without gain


def use_threads(threads: int) -> None:
    """Give torch this many CPU threads; 0: what :func:`default_threads` says.

    Raises:
        ConfigError: a forked child, which has one alone, is to have more.
    """
    survive_forks()
    if is_child():
        if threads > 1:
            more = "begin it with multiprocessing's spawn or forkserver for more"
            raise ConfigError(f"threads: a forked process has one; {more}")
        threads = 1
    torch.set_num_threads(threads or default_threads())


def default_threads() -> int:
    """``$OMP_NUM_THREADS``, else the cores that this process may use, :data:`MOST_THREADS` at most.

    Torch counts the machine's cores; a container may be allowed fewer.
    """
    if os.environ.get("OMP_NUM_THREADS"):
        return torch.get_num_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _quota(), MOST_THREADS))


def _quota(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores that the control group grants, rounded up; a large number where it sets no limit."""
    try:
        granted, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return max(1, math.ceil(int(granted) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
        return MOST_THREADS


def give_back_memory() -> None:
    """Give the system back what training held and is free now: other work follows that needs it.

    The C library keeps what is freed between pieces that are not.
    """
    if memory := sys.modules.get("birnn.native.memory"):
        memory.give_back()
    with suppress(AttributeError, OSError, TypeError):  # another C library has no such function
        ctypes.CDLL(None).malloc_trim(0)
