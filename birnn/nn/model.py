"""A sequence model: inputs → steps → encoder → head."""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from birnn.nn.batch import Batch
from birnn.nn.encoders import Encoder


class Embedder(nn.Module):
    """A :class:`Batch` → steps ``[B, T, F]`` with ``F = output_size``."""

    output_size: int


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
        return self.head(self.encoder(self.embedder(batch), batch.lengths), batch)


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


@torch.inference_mode()
def outputs_of(
    model: Callable[[Batch], object], batches: Iterable[Batch], device: torch.device | str
) -> Iterator[tuple[Batch, object]]:
    """Run a model in evaluation mode over ``batches``; yields each batch with its outputs."""
    for batch in batches:
        batch = batch.to(device)
        yield batch, model(batch)
