"""Run a trained model over a split, in batches of near lengths."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from birnn import processes
from birnn.arrays import Array, Ints
from birnn.config import TrainConfig
from birnn.data.splits.batching import Split, by_length
from birnn.nn.batch import Batch
from birnn.nn.model import device_of, on_cpu, outputs_of
from birnn.progress import tell


def run_split(model: nn.Module, split: Split, config: TrainConfig, *, stay: bool = False,
              shared: bool = False) -> Iterator[tuple[Ints, Batch, Any]]:  # fmt: skip
    """The outputs of ``model`` for every item: item numbers, their batch, and its outputs.

    The model runs where it is. Batch and outputs come back to the CPU, unless they ``stay``. Those
    of a ``shared`` split are this process's part, if there are several
    (:func:`birnn.processes.sharing`): the caller puts the parts together.
    """
    whole = by_length(split.lengths, config.batch_size, config.batch_tokens)
    plan = processes.part_of(whole) if shared else whole
    device = device_of(model)
    results = outputs_of(model, map(split.batch, plan), device)
    for indices, (batch, outputs) in zip(plan, results, strict=True):
        if stay or device.type == "cpu":
            yield indices, batch, outputs
        else:
            yield indices, batch.to("cpu"), on_cpu(outputs)


def predict(task: Any, model: nn.Module, split: Split, *, told: str = "") -> list[Array]:
    """What ``model`` predicts for each item of ``split``, in their order; ``task`` decodes it.

    How far it is, is ``told`` under that name. Where processes share the work, those that don't
    collect it (:func:`birnn.processes.collected`) have no predictions.
    """
    predictions: dict[int, Array] = {}
    for indices, batch, outputs in run_split(model, split, task.config.train, shared=True):
        predictions.update(zip(indices.tolist(), task.decode(outputs, batch), strict=True))
        if told:
            tell(told, len(predictions) / len(split))
    whole = {item: row for part in processes.collected(predictions) for item, row in part.items()}
    return [whole[item] for item in range(len(split))] if whole else []
