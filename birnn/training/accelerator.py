"""The device and the precision of a training run, by Accelerate."""

from typing import TYPE_CHECKING

import torch

from birnn.config import TrainConfig
from birnn.errors import ConfigError
from birnn.nn.devices import check_precision, resolve_device

if TYPE_CHECKING:
    from accelerate import Accelerator


def make_accelerator(config: TrainConfig) -> "Accelerator":
    """An Accelerate handle on the device and precision that ``config`` names.

    Raises:
        ConfigError: the device isn't there, or can't do the precision.
    """
    from accelerate import Accelerator  # here: a command that predicts needs none
    from accelerate.state import AcceleratorState, GradientState

    # Accelerate keeps one state a process; a second run may ask for other settings.
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    device = resolve_device(config.device)
    precision = config.mixed_precision
    check_precision(device, precision)
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    accelerator = Accelerator(
        cpu=device.type == "cpu", mixed_precision="no" if precision == "tf32" else precision,
        step_scheduler_with_optimizer=False,
    )  # fmt: skip
    if accelerator.num_processes > 1:
        raise ConfigError("one process trains one run; start it without a multi-process launcher")
    return accelerator
