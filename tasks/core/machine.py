"""The engine of a run's recurrences, as its configuration asks for it."""

import torch

from birnn.nn import engines
from birnn.nn.devices import resolve_device
from birnn.registry import ENCODERS, resolve
from birnn.tasks.core.task import TaskConfig

PRECISIONS = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def engine_of(config: TaskConfig) -> engines.Choice:
    """The engine that runs what ``config`` describes here.

    Raises:
        ConfigError: it can't run here; the message says why.
    """
    recurrence = resolve(ENCODERS, config.encoder.encoder, "encoder").recurrence
    device = resolve_device(config.train.device)
    work = engines.Work(recurrence, device, PRECISIONS[config.train.mixed_precision])
    with engines.forced(config.train.engine):
        return engines.describe(work)
