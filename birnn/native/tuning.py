"""How many terms the products sum at once, measured once for each machine and kept.

A panel of weights of 256 units is 48 or 64 KiB. Some processors read it from the second cache at
the pace of the products; on others it is better to have all rows add a slice of it, which stays in
the first cache, before the next. The sums are the same to the bit, so that only time is at stake.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from birnn.native.compiler import check_owned, processor
from birnn.storage.scratch import beside

PIN = "BIRNN_SLICE"  # a number of terms, 0 for all, in place of what is measured
SLICES = (0, 64, 96, 128, 192)
GAIN = 0.97  # of the time of no slices, which one must at least save
TURNS = 5
SUFFIX = ".slice"


def best_slice(library: Path, scan: Callable[[], Callable[[int], None]]) -> int:
    """The slice that is quickest here: pinned, as it was found once, else measured and kept.

    It is kept beside the compiled ``library``, if it can be. ``scan`` gives what :func:`measured`
    runs.
    """
    pinned = os.environ.get(PIN, "")
    if pinned.isascii() and pinned.isdigit():
        return int(pinned[:9])
    model = hashlib.sha256(processor("model name", "CPU part", "cache size").encode())
    path = library.with_name(f"{library.stem}-{model.hexdigest()[:8]}{SUFFIX}")
    kept = _kept(path)
    if kept is None:
        kept = measured(scan())
        _keep(path, kept)
    return kept


def measured(scan: Callable[[int], None]) -> int:
    """The slice with which ``scan`` takes the least time, if that is clearly less than with none.

    It must be so twice, else there are none: a neighbour may disturb one measurement.
    """
    best = _quickest(scan)
    return best if best and _quickest(scan) == best else 0


def _quickest(scan: Callable[[int], None]) -> int:
    """All are run turn by turn, and the shortest time of this thread with each counts."""
    times = dict.fromkeys(SLICES, float("inf"))
    for _ in range(TURNS):
        for slice_ in SLICES:
            begun = time.thread_time()
            scan(slice_)
            times[slice_] = min(times[slice_], time.thread_time() - begun)
    best = min(SLICES, key=times.__getitem__)
    return best if times[best] < GAIN * times[0] else 0


def _kept(path: Path) -> int | None:
    """What was kept in ``path``; None: nothing, or nothing that was written here."""
    try:
        status = path.lstat()
        check_owned(path, status)
        text = path.read_text(encoding="ascii") if stat.S_ISREG(status.st_mode) else ""
    except (OSError, UnicodeError):
        return None
    return next((slice_ for slice_ in SLICES if text == f"{slice_}\n"), None)


def _keep(path: Path, slice_: int) -> None:
    """Keep it, whole or not at all; where that can't be, it is measured again."""
    try:
        with beside(path) as made:
            made.write_text(f"{slice_}\n", encoding="ascii")
            made.chmod(0o600)
            made.replace(path)
    except OSError:
        pass
