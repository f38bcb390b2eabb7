"""What the processes of a training run tell each other at each step, and before the first.

A step exchanges one flat vector: all dense gradients, and behind them the summed loss, its count,
tokens, and what somebody wishes (to stop, to save); so an agreement costs no message of its own.
Of large tables (:mod:`birnn.training.tables`) only the rows that some process has read travel: a
batch reads a few hundred, whatever the table holds.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from birnn import processes
from birnn.training.checkpoints import NOTHING, Wish


class StepSums(NamedTuple):
    """Of an optimizer step, over all processes; scalars on the device until they are read."""

    total: Tensor  # summed loss
    items: Tensor  # its count
    told: tuple[Tensor, ...] = ()  # of several: tokens, how many wish to stop, and to save


def same_weights(model: nn.Module) -> None:
    """Give the model of every process the weights of the main one's."""
    if processes.count() == 1:
        return
    import torch.distributed as dist

    with torch.no_grad(), processes.together():
        for tensor in model.state_dict().values():
            whole = tensor.contiguous()
            dist.broadcast(whole, 0)
            if whole is not tensor:
                tensor.copy_(whole)


class Exchange:
    """Sums gradients over processes; alone, there is nothing to do.

    Args:
        parameters: those that are trained.
        tables: those of them whose gradients are sparse.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], tables: Sequence[nn.Parameter]) -> None:
        apart = set(map(id, tables))
        self.tables = tables
        self.dense = [p for p in parameters if id(p) not in apart]

    def sum(self, total: Tensor, items: Tensor, tokens: int, wish: Wish = NOTHING) -> StepSums:
        """Replace the gradients here by their sums over processes; returns the step's sums.

        Raises:
            LostProcessError: another process is gone.
        """
        if processes.count() == 1:
            return StepSums(total, items)
        import torch.distributed as dist

        numbers = torch.stack([total.float(), items.float()])
        told = torch.tensor([tokens, *map(float, wish)]).to(numbers.device, non_blocking=True)
        there = torch.tensor([float(p.grad is not None) for p in self.dense])
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.dense]
        flat = torch.cat([*(part.flatten() for part in parts), numbers, told, there.to(told)])
        with torch.no_grad(), processes.together():
            work = dist.all_reduce(flat, async_op=True)
            rows = [self._rows(table) for table in self.tables]
            if self.tables:
                self._unite(rows)
            work.wait()
        self._spread(flat)
        total, items, *others = flat[sum(p.numel() for p in self.dense) :][:5].double()
        return StepSums(total, items, tuple(others))

    def _spread(self, flat: Tensor) -> None:
        """Hand the summed gradients back, as views of ``flat``.

        What no process has a gradient of is left alone, as if there were one process; on a GPU,
        where to ask is to wait, it gets zeros, unless it is frozen.
        """
        sizes = [p.numel() for p in self.dense]
        *parts, others = flat.split([*sizes, flat.numel() - sum(sizes)])
        met = others[5:].tolist() if flat.is_cpu else [float(p.requires_grad) for p in self.dense]
        for parameter, part, count in zip(self.dense, parts, met, strict=True):
            parameter.grad = part.view_as(parameter) if count else None

    @staticmethod
    def _rows(table: nn.Parameter) -> tuple[Tensor, Tensor]:
        """The rows of a table that have a gradient here, each once, and these."""
        if table.grad is None:
            return torch.empty(0, dtype=torch.int64), table.new_empty(0, table.shape[1])
        gradient = table.grad.coalesce()
        return gradient._indices()[0], gradient._values()

    def _unite(self, found: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Give each table the sum of all processes' rows.

        As many numbers are sent from each process as the one with most rows has: sizes first.
        """
        import torch.distributed as dist

        own = torch.tensor([len(rows) for rows, _ in found])
        sizes = [torch.empty_like(own) for _ in range(processes.count())]
        dist.all_gather(sizes, own)
        widths = [1 + table.shape[1] for table in self.tables]
        most = max(int((size * torch.tensor(widths)).sum()) for size in sizes)
        mine = torch.zeros(most)
        # Numbers of rows travel as the bits of a float, which nobody reads as one.
        sent = [p for rows, values in found for p in (rows.int().view(torch.float32), values)]
        packed = torch.cat([part.flatten() for part in sent])
        mine[: len(packed)] = packed
        everyone = [torch.empty_like(mine) for _ in sizes]
        dist.all_gather(everyone, mine)
        for number, table in enumerate(self.tables):
            rows, values = zip(*map(_unpacked, everyone, sizes, [widths] * len(sizes),
                                    [number] * len(sizes)), strict=True)  # fmt: skip
            if not any(map(len, rows)):
                table.grad = None
                continue
            table.grad = torch.sparse_coo_tensor(
                torch.cat(rows).unsqueeze(0), torch.cat(values), cast(list[int], table.shape)
            ).coalesce()


def _unpacked(
    sent: Tensor, sizes: Tensor, widths: Sequence[int], number: int
) -> tuple[Tensor, Tensor]:
    """Of one table, the rows that a process has ``sent``, and their gradients."""
    counts = sizes.tolist()
    start = sum(count * width for count, width in zip(counts[:number], widths, strict=False))
    count = counts[number]
    end = start + count
    rows = sent[start:end].contiguous().view(torch.int32).long()
    return rows, sent[end : start + count * widths[number]].view(count, widths[number] - 1)
