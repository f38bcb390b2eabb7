"""Where training runs, and in which precision."""

import re

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState

from birnn.config import TrainConfig
from birnn.errors import ConfigError


def make_accelerator(config: TrainConfig) -> Accelerator:
    """An Accelerate handle on the device and precision that ``config`` names.

    Raises:
        ConfigError: the device isn't there, or can't do the precision.
    """
    # Accelerate keeps one state a process; a second run may ask for other settings.
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    device = resolve_device(config.device)
    if device.type == "cpu" and config.mixed_precision == "fp16":
        raise ConfigError("mixed_precision: fp16 needs a GPU; on a CPU use bf16 or no")
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    accelerator = Accelerator(
        cpu=device.type == "cpu",
        mixed_precision=config.mixed_precision,
        step_scheduler_with_optimizer=False,
    )
    if accelerator.num_processes > 1:
        raise ConfigError("one process trains one run; start it without a multi-process launcher")
    return accelerator


def resolve_device(name: str) -> torch.device:
    """``auto`` → the first accelerator there is, else the CPU; any other name as it stands.

    Raises:
        ConfigError: no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    found = re.fullmatch(r"(cpu|cuda|mps)(?::([0-9]{1,4}))?", name)
    if found is None:
        raise ConfigError(f"device: {name!r} is not one of auto, cpu, cuda, cuda:N, mps")
    kind, index = found.groups()
    present = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if int(index or 0) >= present[kind]:
        raise ConfigError(f"device: there is no {name!r} here; use --device auto or cpu")
    return torch.device(name)
