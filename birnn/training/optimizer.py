"""AdamW on a CPU: compiled, with the average and the scale in the same pass."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from birnn.native.adam import Constants, Weights, update


class CompiledAdamW(torch.optim.AdamW):
    """:class:`torch.optim.AdamW` of float32 on the CPU, whose state is that of torch's.

    Args:
        groups: parameters, and for each group its ``weight_decay``.
        averages: of parameters by ``id``, what the ``decay`` in :meth:`advance` is of.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float],
        averages: Mapping[int, Tensor],
    ) -> None:  # fmt: skip
        super().__init__(groups, lr=lr, betas=betas)
        self.averages = averages

    @torch.no_grad()
    def advance(self, scale: float = 1.0, decay: float = 0.0) -> None:
        """A step along ``scale`` times the gradients, and one of the averages.

        An average becomes ``decay · average + (1 − decay) · weight``.
        """
        for group in self.param_groups:
            beta, gamma = group["betas"]
            parts = [self._weights(p, group) for p in group["params"]]
            update(parts, Constants(beta, gamma, group["eps"], scale, decay))

    def _weights(self, parameter: nn.Parameter, group: Mapping[str, Any]) -> Weights:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = torch.zeros_like(parameter, memory_format=torch.contiguous_format)
        if parameter.grad is not None:
            state["step"] += 1
        step, rate, (beta, gamma) = state["step"].item(), group["lr"], group["betas"]
        gradient = None if parameter.grad is None else parameter.grad.contiguous()
        corrections = (rate / (1 - beta**step), math.sqrt(1 - gamma**step)) if step else (0.0, 1.0)
        return Weights(
            parameter, self.averages.get(id(parameter)), state["exp_avg"], state["exp_avg_sq"],
            gradient, 1 - rate * group["weight_decay"], *corrections,
        )  # fmt: skip
