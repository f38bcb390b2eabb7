"""The device and the precision of a training run, by Accelerate."""

from typing import TYPE_CHECKING

import torch

from birnn import processes
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
    AcceleratorState._reset_state(reset_partial_state=processes.count() == 1)
    GradientState._reset_state()
    device = resolve_device(config.device)
    precision = config.mixed_precision
    check_precision(device, precision)
    check_processes(device)
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    accelerator = Accelerator(
        cpu=device.type == "cpu", mixed_precision="no" if precision == "tf32" else precision,
        step_scheduler_with_optimizer=False,
    )  # fmt: skip
    if accelerator.num_processes != processes.count():
        raise ConfigError("one process trains one run; start it without a multi-process launcher")
    return accelerator


def check_processes(device: torch.device) -> None:
    """Refuse a device that the processes of a machine can't share.

    Raises:
        ConfigError: that is so.
    """
    if processes.count() == 1 or device.type == "cpu":
        return
    on_machine, gpus = processes.place()[3], torch.cuda.device_count()
    if str(device) != "cuda":
        raise ConfigError(f"device: several processes share no {device}; use --device cuda or cpu")
    if on_machine > gpus:
        few = f"{on_machine} processes on a machine with {gpus} of them"
        raise ConfigError(f"device: one GPU a process; {few}; start fewer, or use --device cpu")
