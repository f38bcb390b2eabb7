"""How much memory this process has needed so far, at most."""

import sys

import torch


def peak_memory(device: torch.device) -> int:
    """Bytes: on a CPU of the whole process, on a GPU of what torch has allocated there.

    0 where it can't be told.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
