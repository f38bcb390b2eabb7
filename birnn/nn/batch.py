"""Batches of padded sequences, and the two index tricks that everything exact rests on.

``B`` is the batch, ``T`` the longest length in it, ``F`` the features of a step.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Padded inputs with their true lengths; what stands beyond a length never matters."""

    inputs: dict[str, Tensor]  # sequences are [B, T, ...]; what else a model needs is its own
    lengths: Tensor  # [B] int64, each at least 1
    targets: Tensor | None = None  # what to predict, [B] for an item or [B, T] for a step
    views: int = 1  # the batch holds its items this many times, one whole copy after the other
    counts: bool = True  # else its items stand in for none: of a batch with none for this process

    def __len__(self) -> int:
        return int(self.lengths.shape[0])

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch with every tensor on ``device``; a GPU copies them while it computes."""
        ahead = torch.device(device).type == "cuda"

        def move(tensor: Tensor) -> Tensor:
            pinned = tensor.pin_memory() if ahead and tensor.device.type == "cpu" else tensor
            return pinned.to(device, non_blocking=ahead)

        return replace(
            self,
            inputs={name: move(tensor) for name, tensor in self.inputs.items()},
            lengths=move(self.lengths),
            targets=None if self.targets is None else move(self.targets),
        )


def is_traced() -> bool:
    """Whether a trace is being recorded, as for an export."""
    return torch._C._get_tracing_state() is not None


def sequence_mask(lengths: Tensor, max_length: int) -> Tensor:
    """Mark the real positions of padded sequences.

    >>> sequence_mask(torch.tensor([1, 3]), 3).int().tolist()
    [[1, 0, 0], [1, 1, 1]]

    ``lengths [B]`` → ``[B, T]`` bool, True where a position is before its sequence's end.
    """
    return torch.arange(max_length, device=lengths.device) < lengths.unsqueeze(1)


def reverse_index(lengths: Tensor, max_length: int) -> Tensor:
    """Where each step of a length-reversed copy comes from; the padding stays in place.

    >>> reverse_index(torch.tensor([2, 3]), 3).tolist()
    [[1, 0, 2], [2, 1, 0]]

    ``lengths [B]`` → ``[B, T]`` int64. Applying it twice gives the identity.
    """
    steps = torch.arange(max_length, device=lengths.device).expand(lengths.shape[0], -1)
    return torch.where(steps < lengths.unsqueeze(1), lengths.unsqueeze(1) - 1 - steps, steps)


def reverse_padded(x: Tensor, index: Tensor) -> Tensor:
    """Reorder the steps of ``x [B, T, F]`` by ``index [B, T]`` from :func:`reverse_index`."""
    return x.gather(1, index.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


def check_lengths(x: Tensor, lengths: Tensor) -> None:
    """Refuse lengths that don't fit ``x [B, T, ...]``.

    On a GPU their values are not looked at: it would have to be waited for.

    Raises:
        ValueError: a wrong shape, a length below 1 or beyond ``T``; the message gives both.
    """
    if lengths.shape != x.shape[:1]:
        raise ValueError(f"lengths {tuple(lengths.shape)} do not fit a batch {tuple(x.shape)}")
    if lengths.device.type != "cpu":
        return
    values = lengths.tolist()
    if values and not 1 <= min(values) <= max(values) <= x.shape[1]:
        raise ValueError(f"lengths must lie in 1..{x.shape[1]}, got {min(values)}..{max(values)}")
