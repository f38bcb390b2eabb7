"""A loss as training takes it."""

from typing import NamedTuple

from torch import Tensor


class LossSum(NamedTuple):
    """A loss that is summed over items and the number of items: divided once, at the end.

    A count that stands on a GPU is left there: to read it would be to wait for the device.
    """

    total: Tensor  # scalar
    items: float | Tensor
