"""Models whose values come later, from a file or never: no random number is drawn for them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

DRAWING = frozenset({  # give the tensor that they would fill
    nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_,
    Tensor.uniform_, Tensor.normal_, Tensor.bernoulli_, Tensor.exponential_,
})  # fmt: skip


class Unfilled(TorchFunctionMode):
    """Within the block, tensors that a constructor would fill at random hold whatever they hold.

    What is set to a constant or computed is as ever: only parameters are drawn, and those are read
    from a file. On the device ``meta`` a draw would load torch's compiler, which takes seconds.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type],
        args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        """What ``func`` gives, or its tensor as it is."""
        if func in DRAWING:
            return args[0] if args else (kwargs or {})["tensor"]
        if func is torch.linalg.qr:  # of what would have been drawn, for an orthogonal matrix
            return args[0], args[0]
        return func(*args, **(kwargs or {}))
