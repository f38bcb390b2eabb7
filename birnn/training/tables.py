"""Large tables of which a step reads few rows: AdamW, and the average, for those rows alone.

A dense optimizer goes over a whole table at each step, for in a row that no item of the batch reads
the momentum still moves the weight. Where the gradient is zero that way is known in advance: with
``m`` and ``v`` of the last step ``t`` that did read the row, AdamW without weight decay gives

    ``w_T = w_t − u · Σ_{s=t+1..T} a_s r^(s−t)``,  ``u = m / (√v + ε)``,  ``r = β1 / √β2``,
    ``a_s = η_s √(1 − β2^s) / (1 − β1^s)``

(Kingma & Ba 2015, algorithm 1, with ``ε`` left as it is while ``v`` falls). So a row is brought up
to date when it is read next, and all are before anybody looks at the table. An exponential moving
average of the weights is a sum of such sums, and is treated alike.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from birnn.nn.engines import compiled_serves

if TYPE_CHECKING:
    from birnn.native.rows import Table

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
        from birnn.native.rows import Table  # here: without a compiler there are no such tables

        self.tables = []
        for weight, average in zip_longest(weights, averages):  # as many, or None for each
            first, second = (torch.zeros_like(weight, requires_grad=False) for _ in range(2))
            last = torch.zeros(len(weight), dtype=torch.int64)
            self.tables.append(Table(weight, average, first, second, last))
        # Of each step t from ``base`` on, as of now: the sum above, the same in the average, and
        # what the average has kept of itself.
        self.drift, self.lag, self.kept = (np.zeros(1), np.zeros(1), np.ones(1))

    def step(self, rate: float, decay: float) -> None:
        """Apply the gradients, coalesced, with a learning ``rate``; then they are gone.

        ``decay`` is the average's: ``average ← decay · average + (1 − decay) · weight``.
        """
        beta, gamma = self.betas
        now = self.steps + 1
        rate, root = rate / (1 - beta**now), (1 - gamma**now) ** 0.5
        for table in self.tables:
            gradient = table.weight.grad
            if gradient is not None:
                rows, values = gradient._indices()[0], gradient._values()
                self._update(table, rows, values, rate=rate, root=root, decay=decay)
                table.weight.grad = None
        gaps = np.arange(len(self.drift), 0, -1)
        self.drift += rate * root * (beta / gamma**0.5) ** gaps
        self.lag = decay * self.lag + (1 - decay) * self.drift
        self.kept *= decay
        self.drift, self.lag = np.append(self.drift, 0.0), np.append(self.lag, 0.0)
        self.kept, self.steps = np.append(self.kept, 1.0), now

    def flush(self) -> None:
        """Bring all rows up to date: before the tables, or their averages, are looked at."""
        for table in self.tables:
            self._update(table, torch.arange(len(table.weight)), None)
        self.base = self.steps
        self.drift, self.lag, self.kept = (np.zeros(1), np.zeros(1), np.ones(1))

    def _update(self, table: "Table", rows: Tensor, gradient: Tensor | None, **step: float) -> None:
        from birnn.native.rows import Since, Step, update

        since = Since(self.steps, self.base, self.drift, self.lag, self.kept)
        update(table, rows, since, Step(*self.betas, self.eps, **step), gradient)

    def state(self) -> dict[str, Tensor]:
        """All that a snapshot needs beside weights and averages."""
        found = {"position": torch.tensor([self.steps, self.base])}
        vectors = {"drift": self.drift, "lag": self.lag, "kept": self.kept}
        found |= {name: torch.from_numpy(vector) for name, vector in vectors.items()}
        for i, table in enumerate(self.tables):
            found |= {f"{i}.first": table.first, f"{i}.second": table.second}
            found[f"{i}.last"] = table.last
        return found

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state` gave.

        Raises:
            KeyError, ValueError, RuntimeError: it is of other tables.
        """
        self.steps, self.base = map(int, state["position"].tolist())
        self.drift, self.lag, self.kept = (
            state[name].double().numpy().copy() for name in ("drift", "lag", "kept")
        )
        for i, table in enumerate(self.tables):
            for name in ("first", "second", "last"):
                getattr(table, name).copy_(state[f"{i}.{name}"])
