"""What is computed from frozen weights alone is cached between predictions."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
Standing = tuple[tuple[int, int], ...]


def standing(weights: Sequence[Tensor]) -> Standing | None:
    """What a change of the weights would change; None: nobody can tell, or they are trained.

    torch counts the changes of a tensor in place. The count alone would not do for weights that
    are trained: a fused optimizer changes them uncounted.
    """
    if any(w.is_inference() or w.requires_grad for w in weights):
        return None
    return tuple((w.data_ptr(), w._version) for w in weights)


class Cached(Generic[T]):
    """A value that is made anew whenever the weights it is made of have changed.

    It is cached in inference mode alone: its tensors can't take part in training. A copy starts
    with nothing cached.
    """

    def __init__(self) -> None:
        self._cached: tuple[Standing, T] | None = None

    def get(self, weights: Sequence[Tensor], make: Callable[[], T]) -> T:
        """``make()``, or what it gave last time."""
        now = standing(weights) if torch.is_inference_mode_enabled() else None
        if now is None:
            return make()
        if self._cached is None or now != self._cached[0]:
            self._cached = now, make()
        return self._cached[1]

    def __deepcopy__(self, memo: Any) -> "Cached[T]":
        return Cached()
