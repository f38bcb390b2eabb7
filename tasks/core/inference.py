"""Run a trained model over a split, in batches of near lengths."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from birnn.arrays import Array, Ints
from birnn.config import TrainConfig
from birnn.data.splits.batching import Split, by_length
from birnn.nn.batch import Batch
from birnn.nn.model import outputs_of


def run_split(model: nn.Module, split: Split, config: TrainConfig,
              device: torch.device | str = "cpu") -> Iterator[tuple[Ints, Batch, Any]]:  # fmt: skip
    """The outputs of ``model`` for every item: item numbers, their batch, and its outputs."""
    plan = by_length(split.lengths, config.batch_size, config.batch_tokens)
    results = outputs_of(model, map(split.batch, plan), device)
    for indices, (batch, outputs) in zip(plan, results, strict=True):
        yield indices, batch, outputs


def predict(task: Any, model: nn.Module, split: Split) -> list[Array]:
    """What ``model`` predicts for each item of ``split``, in their order; ``task`` decodes it."""
    predictions: dict[int, Array] = {}
    for indices, batch, outputs in run_split(model, split, task.config.train):
        predictions.update(zip(indices.tolist(), task.decode(outputs, batch), strict=True))
    return [predictions[item] for item in range(len(split))]
