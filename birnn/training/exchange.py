"""What the processes of a training run tell each other at each step, and before the first.

A step exchanges one flat vector: all dense gradients, and behind them the summed loss, its count,
tokens, and what somebody wishes (to stop, to save); so an agreement costs no message of its own.
Of large tables only the rows that some process has read travel, whether the optimizer goes row by
row (:mod:`birnn.training.tables`) or not: a batch reads few, whatever the table holds. On GPUs,
where to look for them is to wait, tables travel whole.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from birnn import processes
from birnn.training import tables as row_by_row
from birnn.training.checkpoints import NOTHING, Wish


class StepSums(NamedTuple):
    """Of an optimizer step, over all processes; scalars on the device until they are read."""

    total: Tensor  # summed loss
    items: Tensor  # its count
    told: tuple[Tensor, ...] = ()  # of several: tokens, how many wish to stop, and to save


def same_weights(model: nn.Module) -> None:
    """Give the model of every process the weights of the main one's; what that lacks stays."""
    if processes.count() == 1:
        return
    import torch.distributed as dist

    names, own = processes.from_main(lambda: list(model.state_dict())), model.state_dict()
    with torch.no_grad(), processes.together():
        for tensor in (own[name] for name in names):
            whole = tensor.contiguous()
            dist.broadcast(whole, 0)
            if whole is not tensor:
                tensor.copy_(whole)


class Exchange:
    """Sums gradients over processes; alone, there is nothing to do.

    Args:
        model: of which the large tables are found.
        parameters: those that are trained.
        sparse: those of them whose gradients are sparse.
    """

    def __init__(
        self, model: nn.Module, parameters: Iterable[nn.Parameter], sparse: Sequence[nn.Parameter]
    ) -> None:
        self.sparse, kinds = list(sparse), (nn.Embedding, nn.EmbeddingBag)
        large = {
            id(module.weight)
            for module in model.modules()
            if isinstance(module, kinds)
            and module.weight.is_cpu
            and module.weight.numel() >= row_by_row.LARGE
        }
        others = [p for p in parameters if not any(p is table for table in sparse)]
        # With dense gradients, of which few rows are not zero.
        self.bags = [p for p in others if id(p) in large and p.dtype == torch.float32]
        self.dense = [p for p in others if not any(p is bag for bag in self.bags)]

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
        there = torch.tensor([float(p.grad is not None) for p in (*self.dense, *self.bags)])
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.dense]
        flat = torch.cat([*(part.flatten() for part in parts), numbers, told, there.to(told)])
        with torch.no_grad(), processes.together():
            work = dist.all_reduce(flat, async_op=True)
            if tables := [*self.sparse, *self.bags]:
                _unite(tables, len(self.sparse))
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
        every = [*self.dense, *self.bags]
        met = others[5:].tolist() if flat.is_cpu else [float(p.requires_grad) for p in every]
        for parameter, part, count in zip(self.dense, parts, met, strict=False):
            parameter.grad = part.view_as(parameter) if count else None
        for bag, count in zip(self.bags, met[len(parts) :], strict=True):
            bag.grad = bag.grad if count else None


def _unite(tables: Sequence[nn.Parameter], sparse: int) -> None:
    """Give each table, the first ``sparse`` of them so, the sum of all processes' rows.

    They are added in rank order, so that all have the same bits. As many numbers are sent from each
    process as the one with most rows has: sizes first.
    """
    import torch.distributed as dist

    found = [_rows(table) for table in tables]
    own = torch.tensor([len(rows) for rows, _ in found])
    sizes = [torch.empty_like(own) for _ in range(processes.count())]
    dist.all_gather(sizes, own)
    widths = [1 + table.shape[1] for table in tables]
    most = max(int((size * torch.tensor(widths)).sum()) for size in sizes)
    mine = torch.zeros(most)
    # Numbers of rows travel as the bits of a float, which nobody reads as one.
    sent = [p for rows, values in found for p in (rows.int().view(torch.float32), values)]
    packed = torch.cat([part.flatten() for part in sent])
    mine[: len(packed)] = packed
    everyone = [torch.empty_like(mine) for _ in sizes]
    dist.all_gather(everyone, mine)
    for number, table in enumerate(tables):
        parts = [_unpacked(all_of, size, widths, number)
                 for all_of, size in zip(everyone, sizes, strict=True)]  # fmt: skip
        if number < sparse:
            _join(table, parts)
        else:
            _add(table, parts, found[number][0])


def _rows(table: nn.Parameter) -> tuple[Tensor, Tensor]:
    """The rows of a table that have a gradient here, each once, and these."""
    gradient = table.grad
    if gradient is None:
        return torch.empty(0, dtype=torch.int64), table.new_empty(0, table.shape[1])
    if gradient.is_sparse:
        gradient = gradient.coalesce()
        return gradient._indices()[0], gradient._values()
    bits = gradient.view(torch.int32)  # a tenth of the time that to compare floats takes
    rows = ((bits.amax(1) != 0) | (bits.amin(1) != 0)).nonzero().flatten()
    return rows, gradient[rows]


def _join(table: nn.Parameter, parts: Sequence[tuple[Tensor, Tensor]]) -> None:
    """Make the sparse gradient of a table the sum of all parts; of no rows, there is none."""
    rows, values = (torch.cat(each) for each in zip(*parts, strict=True))
    whole = torch.sparse_coo_tensor(
        rows.unsqueeze(0), values, cast(list[int], table.shape), check_invariants=False
    )
    table.grad = whole.coalesce() if len(rows) else None


def _add(table: nn.Parameter, parts: Sequence[tuple[Tensor, Tensor]], own: Tensor) -> None:
    """Make the dense gradient of a table, in which its ``own`` rows stand, the sum of all parts."""
    if table.grad is None:
        table.grad = torch.zeros_like(table)
    table.grad.index_fill_(0, own, 0.0)
    for rows, values in parts:
        table.grad.index_add_(0, rows, values)


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
