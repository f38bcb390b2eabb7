"""Large tables of which a step reads few rows: AdamW, and the average, for those rows alone.

A dense optimizer goes over a whole table at each step, for in a row that no item of the batch reads
the momentum still moves the weight. Where the gradient is zero that way is known in advance: with
``m`` and ``v`` of the last step ``t`` that did read the row, AdamW without weight decay gives

    ``w_T = w_t − u · Σ_{s=t+1..T} a_s r^(s−t)``,  ``u = m / (√v + ε)``,  ``r = β1 / √β2``,
    ``a_s = η_s √(1 − β2^s) / (1 − β1^s)``

(Kingma & Ba 2015, algorithm 1, with ``ε`` left as it is while ``v`` falls). So a row is brought up
to date before it is read next, and all are before anybody looks at the table. An exponential moving
average of the weights is a sum of such sums, and is treated alike.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor, nn

from birnn.arrays import Floats
from birnn.native.adam import Constants
from birnn.native.rows import Since, Table, update
from birnn.nn.engines import compiled_serves

Moments = dict[str, Tensor]  # of a weight: what AdamW keeps
LARGE = 1 << 16  # numbers in a table, from which on its rows are worth the care
STEEPEST = 0.98  # r, of which powers are summed


def large_tables(model: nn.Module, betas: tuple[float, float]) -> list[nn.Embedding]:
    """The large tables of a model on the CPU, whose weights nothing else uses.

    There are none where the momentum would be forgotten more slowly than the squares, or where
    nothing can be compiled.
    """
    if betas[0] > STEEPEST * betas[1] ** 0.5 or not compiled_serves():
        return []
    uses = Counter(id(p) for module in model.modules() for p in module.parameters(recurse=False))
    return [
        module
        for module in model.modules()
        if isinstance(module, nn.Embedding)
        and module.weight.is_cpu
        and module.weight.requires_grad
        and module.weight.numel() >= LARGE
        and uses[id(module.weight)] == 1
        and not getattr(module, "weight_decay", 0.0)
    ]


class RowAdamW:
    """AdamW without weight decay, and an average, of tables with sparse gradients.

    Args:
        weights: ``[R, D]`` each.
        averages: of each, what ``decay`` in :meth:`step` is of; or none at all.
        betas, eps: as :class:`torch.optim.AdamW` has them.
    """

    def __init__(
        self, weights: Sequence[nn.Parameter], averages: Sequence[Tensor],
        betas: tuple[float, float], eps: float = 1e-8,
    ) -> None:  # fmt: skip
        self.betas, self.eps, self.steps, self.base = betas, eps, 0, 0
        self.tables = []
        for weight, average in zip_longest(weights, averages):  # as many, or None for each
            first, second = (torch.zeros_like(weight, requires_grad=False) for _ in range(2))
            last = torch.zeros(len(weight), dtype=torch.int64)
            self.tables.append(Table(weight, average, first, second, last))
        # Of each step t from ``base`` on, as of now: the sum above, the same in the average, and
        # what the average has kept of itself.
        self.drift, self.lag, self.kept = (np.zeros(1), np.zeros(1), np.ones(1))

    def step(self, rate: float, decay: float, scale: float = 1.0) -> None:
        """Apply ``scale`` times the gradients, coalesced, with a learning ``rate``; they are gone.

        ``decay`` is the average's: ``average ← decay · average + (1 − decay) · weight``.
        """
        beta, gamma = self.betas
        now = self.steps + 1
        rate, root = rate / (1 - beta**now), (1 - gamma**now) ** 0.5
        for table in self.tables:
            gradient = table.weight.grad
            if gradient is not None:
                rows, values = gradient._indices()[0], gradient._values()
                constants = Constants(beta, gamma, self.eps, scale, decay)
                update(table, rows, self._since(), constants, values, rate, root)
                table.weight.grad = None
        gaps = np.arange(len(self.drift), 0, -1)
        self.drift += rate * root * (beta / gamma**0.5) ** gaps
        self.lag = decay * self.lag + (1 - decay) * self.drift
        self.kept *= decay
        self.drift, self.lag = np.append(self.drift, 0.0), np.append(self.lag, 0.0)
        self.kept, self.steps = np.append(self.kept, 1.0), now

    def read(self, number: int, rows: Tensor) -> None:
        """Bring ``rows``, of any shape, of a table up to date: before a model looks them up."""
        constants = Constants(*self.betas, self.eps)
        update(self.tables[number], rows.unique(), self._since(), constants)

    def flush(self) -> None:
        """Bring all rows up to date: before the tables, or their averages, are looked at."""
        for table in self.tables:
            every = torch.arange(len(table.weight))
            update(table, every, self._since(), Constants(*self.betas, self.eps))
        self.base = self.steps
        self.drift, self.lag, self.kept = (np.zeros(1), np.zeros(1), np.ones(1))

    def _since(self) -> Since:
        return Since(self.steps, self.base, self.drift, self.lag, self.kept)

    def state(self) -> dict[str, Tensor]:
        """What a snapshot needs beside weights, averages and :meth:`moments`."""
        vectors = {"drift": self.drift, "lag": self.lag, "kept": self.kept}
        found = {name: torch.from_numpy(vector) for name, vector in vectors.items()}
        return {**found, "position": torch.tensor([self.steps, self.base])}

    def moments(self) -> list[tuple[Tensor, Moments]]:
        """The state of each table, as the optimizer has it of other weights; and ``last``."""
        return [
            (t.weight, {"exp_avg": t.first, "exp_avg_sq": t.second, "last": t.last})
            for t in self.tables
        ]

    def restore(self, moments: Sequence[Moments], state: Mapping[str, Tensor]) -> None:
        """Take over what :meth:`moments` and :meth:`state` gave, or a dense optimizer's state.

        Raises:
            KeyError, ValueError, RuntimeError: it is of other tables.
        """
        if state:
            self.steps, self.base = map(int, state["position"].tolist())
            self.drift, self.lag, self.kept = _vectors(state)
        else:
            self.steps = self.base = int(moments[0]["step"]) if moments else 0
        for table, saved in zip(self.tables, moments, strict=True):
            table.first.copy_(saved["exp_avg"])
            table.second.copy_(saved["exp_avg_sq"])
            table.last.copy_(saved.get("last", torch.tensor(self.steps)))


def caught_up(
    weight: Tensor, average: Tensor | None, moments: Moments, state: Mapping[str, Tensor],
    betas: tuple[float, float], eps: float = 1e-8,
) -> tuple[Tensor, Tensor | None, Moments]:  # fmt: skip
    """A table of a snapshot as a dense optimizer would have it: all rows up to date."""
    steps, base = map(int, state["position"].tolist())
    last = moments["last"]
    drift, lag, kept = (
        torch.from_numpy(vector)[last - base].to(weight.dtype).unsqueeze(1)
        for vector in _vectors(state)
    )
    first, second = moments["exp_avg"], moments["exp_avg_sq"]
    along = first / (second.sqrt() + eps)
    if average is not None:
        average = weight + kept * (average - weight) - along * lag
    gaps = (steps - last).unsqueeze(1)
    step = torch.tensor(float(steps))
    dense = {"exp_avg": first * betas[0] ** gaps, "exp_avg_sq": second * betas[1] ** gaps}
    return weight - along * drift, average, {**dense, "step": step}


def _vectors(state: Mapping[str, Tensor]) -> list[Floats]:
    return [state[name].double().numpy().copy() for name in ("drift", "lag", "kept")]
