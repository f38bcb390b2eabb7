"""What the compiled scans keep from call to call: large buffers, and packed weights."""

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from birnn.nn.cached import standing

_workspaces: "weakref.WeakSet[Workspace]" = weakref.WeakSet()


def give_back() -> None:
    """Let go of all buffers that wait, wherever they do."""
    for workspace in list(_workspaces):
        workspace.clear()


class Workspace:
    """Buffers that wait to be used again.

    A fresh buffer of some megabytes costs a page fault every 4 KiB, which can take as long as
    the arithmetic on it. ``most`` may wait; the smallest go first, since the largest serves all.
    """

    def __init__(self, most: int = 4) -> None:
        self.most = most
        _workspaces.add(self)
        self._free: list[Tensor] = []  # by size
        self._lock = threading.Lock()

    def take(self, floats: int) -> Tensor:
        """A float32 buffer of at least ``floats``; what it holds is undefined."""
        with self._lock:
            for place, buffer in enumerate(self._free):
                if buffer.numel() >= floats:
                    return self._free.pop(place)
            if len(self._free) == self.most:
                self._free.pop(0)
        return torch.empty(floats, dtype=torch.float32)

    def give(self, buffer: Tensor) -> None:
        """Hand a buffer back; nobody may use it any more."""
        with self._lock:
            self._free = sorted([*self._free, buffer], key=Tensor.numel)[-self.most :]

    def clear(self) -> None:
        """Let go of all that wait."""
        with self._lock:
            self._free = []


class PackedWeights:
    """Packed weights of models that only predict: packing takes as long as a short sentence.

    Only frozen weights are kept (``requires_grad`` off), and only as long as they stand as they did
    (:func:`birnn.nn.cached.standing`).
    """

    def __init__(self) -> None:
        self._packed: Any = WeakIdKeyDictionary()  # first weight → standing, packed weights

    def find(self, weights: Sequence[Tensor]) -> Tensor | None:
        """What was packed for these weights as they now stand, or None."""
        now = standing(weights)
        then, packed = self._packed.get(weights[0], (None, None))
        return packed if now is not None and then == now else None

    def keep(self, weights: Sequence[Tensor], packed: Tensor) -> bool:
        """Remember ``packed`` for as long as the first of the weights lives, if they are frozen."""
        now = standing(weights)
        if now is not None:
            self._packed[weights[0]] = (now, packed)
        return now is not None
