"""What the process of every system shares: its options, its clock and the one line it prints."""

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

DROP_IN = "drop-in"  # the variant in which a peer's recurrences are ours
PASSES = 3  # over the test split, of which the median counts


def options() -> argparse.Namespace:
    """The options of a system's process, as the driver gives them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm", type=int, default=20, help="steps before the clock counts items")
    parser.add_argument("--repeats", type=int, default=200, help="single answers that are timed")
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own choice")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cell", choices=("gru", "lstm"), default="lstm")
    parser.add_argument("--variant", default="")
    found = parser.parse_args()
    if found.threads:
        torch.set_num_threads(found.threads)
    torch.manual_seed(found.seed)
    if found.variant == DROP_IN:
        drop_in()
    return found


def drop_in() -> None:
    """Put this library's GRU and LSTM in the place of torch's, for whoever makes one from here on.

    As a model's own code would with ``from birnn.nn import LSTM``; the peer's stays as it is.
    """
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import birnn.nn

    torch.nn.GRU, torch.nn.LSTM = birnn.nn.GRU, birnn.nn.LSTM  # type: ignore[misc]


class Clock:
    """Says when the training time is up, and counts items and seconds after a warm-up.

    The time runs from :meth:`start`, the warm-up included: the system calls it where its loop
    begins, after the data is read and the model made.
    """

    def __init__(self, seconds: float, warm: int) -> None:
        self.seconds, self.warm = seconds, warm
        self.begun = self.warmed = self.last = 0.0
        self.steps = self.items = self.counted = 0

    def start(self) -> None:
        """The first step is about to begin."""
        self.begun = time.perf_counter()

    def tick(self, items: int) -> bool:
        """A step over so many items is done; True once there shall be no other."""
        self.last = time.perf_counter()
        self.steps += 1
        self.items += items
        if self.steps == self.warm:
            self.warmed = self.last
        elif self.steps > self.warm:
            self.counted += items
        return self.steps > self.warm and self.last - self.begun >= self.seconds

    def report(self) -> dict[str, float]:
        """What was trained, in which time."""
        begun = self.warmed or self.begun
        return {
            "train_per_second": self.counted / (self.last - begun),
            "train_seconds": self.last - self.begun,
            "train_steps": self.steps,
            "train_items": self.items,
        }


def seconds_of(call: Callable[[], object], repeats: int) -> float:
    """The median wall time of a call."""
    spent = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """The median wall time of an answer, after a warm-up."""
    seconds_of(call, max(repeats // 20, 1))
    return 1e3 * seconds_of(call, repeats)


def peak_mebibytes() -> float:
    """The most memory that this process has had so far; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(system: str, version: str, found: dict[str, Any]) -> None:
    """Print the line that the driver reads."""
    replaced = torch.nn.LSTM.__module__.startswith("birnn")
    about = {
        "system": f"{system} on birnn.nn" if replaced else system,
        "version": version,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", "unset"),
    }
    print(json.dumps({**about, **found, "peak_mib": peak_mebibytes()}), flush=True)
