"""Arrays that took long to make, kept in the user's cache."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from birnn.storage.scratch import beside

MOST = 4 << 30  # bytes that are kept; what was used longest ago goes first


def cache_folder() -> Path:
    """Where they are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home).expanduser() / "birnn" / "arrays"


def cached_array(name: str, shape: tuple[int, ...], make: Callable[[Any], None]) -> Any:
    """The float32 array of this name, read from the disk where it is; else ``make`` fills it.

    Where nothing can be written, it is made in memory.
    """
    path = cache_folder() / f"{name}.npy"
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        if found.shape == shape and found.dtype == np.float32:
            with suppress(OSError):
                path.touch()
            return found
    except (OSError, ValueError):
        pass
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside(path) as partial:
            written = np.lib.format.open_memmap(partial, "w+", np.float32, shape)
            make(written)
            written.flush()
            del written
            partial.replace(path)
        _sweep(path)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        held = np.zeros(shape, np.float32)
        make(held)
        return held


def _sweep(kept: Path) -> None:
    """Remove the arrays that were used longest ago, so that the others are few enough."""
    with suppress(OSError):
        others = [(p.stat().st_mtime, p) for p in kept.parent.glob("*.npy") if p != kept]
        total = kept.stat().st_size
        for _, path in sorted(others, reverse=True):
            total += path.stat().st_size
            if total > MOST:
                path.unlink()
