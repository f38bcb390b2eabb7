"""A sequence model: inputs → steps → encoder → head."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from birnn.nn.batch import Batch
from birnn.nn.encoders import Encoder
from birnn.nn.precision import products


class Embedder(nn.Module):
    """A :class:`Batch` → steps ``[B, T, F]`` with ``F = output_size``."""

    output_size: int

    def unknown(self) -> Tensor:
        """The features ``[F]`` of a step of which nothing is known: zeros, where it knows none."""
        return torch.zeros(self.output_size, device=device_of(self))


class SequenceModel(nn.Module):
    """Three parts that know nothing of each other.

    Args:
        embedder: what makes steps of a batch.
        encoder: steps and lengths → :class:`birnn.nn.encoders.Encoded`.
        head: encoded states and the batch → the task's outputs.
    """

    def __init__(self, embedder: Embedder, encoder: Encoder, head: nn.Module) -> None:
        super().__init__()
        self.embedder, self.encoder, self.head = embedder, encoder, head

    def forward(self, batch: Batch) -> object:
        """The head's outputs for ``batch``."""
        return self.read(self.embedder(batch), batch)

    def read(self, steps: Tensor, batch: Batch) -> object:
        """The head's outputs for ``steps [B, T, F]``, whatever has made them of ``batch``."""
        return self.head(self.encoder(steps, batch.lengths), batch)


class Features(Embedder):
    """The embedder of inputs that are numbers already: ``batch.inputs["features"] [B, T, F]``."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.output_size = size

    def forward(self, batch: Batch) -> Tensor:
        """Return the features as they stand."""
        return batch.inputs["features"]


def count_parameters(model: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def device_of(model: nn.Module) -> torch.device:
    """Where the weights of ``model`` are; one without any is on the CPU."""
    first = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def on_cpu(outputs: Any) -> Any:
    """``outputs`` with every tensor on the CPU: a tensor, or tuples and lists of such."""
    if isinstance(outputs, Tensor):
        return outputs.cpu()
    if not isinstance(outputs, (tuple, list)):
        return outputs
    parts = map(on_cpu, outputs)
    return type(outputs)(*parts) if hasattr(outputs, "_fields") else type(outputs)(parts)


@torch.inference_mode()
def outputs_of(
    model: Callable[[Batch], object], batches: Iterable[Batch], device: torch.device | str
) -> Iterator[tuple[Batch, object]]:
    """Run a model in evaluation mode over ``batches``; yields each batch with its outputs.

    Products are exact. Both are on ``device``.
    """
    for batch in batches:
        batch = batch.to(device)
        with products():
            outputs = model(batch)
        yield batch, outputs
