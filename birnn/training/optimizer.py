"""AdamW on a CPU: compiled, with the average and the scale in the same pass."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from birnn.native.adam import Constants, Weights, update

State = dict[str, Tensor]  # step, exp_avg and exp_avg_sq, as torch has them


class CompiledAdamW:
    """:class:`torch.optim.AdamW` of float32 on the CPU, with torch's names for groups and state.

    It is none of torch's optimizers: to make one of these loads torch's compiler, for a second.

    Args:
        groups: parameters, and for each group its ``weight_decay``.
        averages: of parameters by ``id``, what the ``decay`` in :meth:`step` is of.
    """

    def __init__(
        self, groups: Iterable[Mapping[str, Any]], lr: float, betas: tuple[float, float],
        averages: Mapping[int, Tensor], eps: float = 1e-8,
    ) -> None:  # fmt: skip
        self.param_groups = [{**group, "lr": lr} for group in groups]
        self.betas, self.eps, self.averages = betas, eps, averages
        self.state: dict[nn.Parameter, State] = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @torch.no_grad()
    def step(self, scale: float = 1.0, decay: float = 0.0) -> None:
        """A step along ``scale`` times the gradients, and one of the averages.

        An average becomes ``decay · average + (1 − decay) · weight``. What is frozen stays as it
        is, to the last bit, and so does its average.
        """
        pairs = ((p, group) for group in self.param_groups for p in group["params"])
        parts = [self._weights(p, group) for p, group in pairs if p.requires_grad]
        update(parts, Constants(*self.betas, self.eps, scale, decay))

    def _weights(self, parameter: nn.Parameter, group: Mapping[str, Any]) -> Weights:
        if parameter not in self.state:
            first, second = (torch.zeros_like(parameter, requires_grad=False) for _ in range(2))
            state = {"step": torch.tensor(0.0), "exp_avg": first, "exp_avg_sq": second}
            self.state[parameter] = state
        state, (beta, gamma), rate = self.state[parameter], self.betas, group["lr"]
        gradient = parameter.grad
        if gradient is not None:
            gradient = gradient.contiguous()
            state["step"] += 1
        step = state["step"].item()
        corrections = (rate / (1 - beta**step), math.sqrt(1 - gamma**step)) if step else (0.0, 1.0)
        return Weights(
            parameter, self.averages.get(id(parameter)), state["exp_avg"], state["exp_avg_sq"],
            gradient, 1 - rate * group["weight_decay"], *corrections,
        )  # fmt: skip
