"""The generators that training draws from: seeded together, saved and restored."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from birnn import processes
from birnn.storage.snapshots import nested


def seed_everything(seed: int) -> None:
    """Seed every generator that training may draw from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # of the CPU and of every GPU


def random_states() -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Where Python's, numpy's and torch's generators stand: as JSON, and as tensors."""
    version, internal, gauss = random.getstate()
    twister: Any = np.random.get_state(legacy=False)
    twister["state"]["key"] = twister["state"]["key"].tolist()
    numbers = {"python": [version, list(internal), gauss], "numpy": twister}
    tensors = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states = torch.cuda.get_rng_state_all()
        tensors |= {f"cuda.{number}": state for number, state in enumerate(states)}
    if torch.backends.mps.is_available():
        tensors["mps"] = torch.mps.get_rng_state()
    return numbers, tensors


def set_random_states(numbers: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Put the generators back to what :func:`random_states` returned.

    GPUs that are not here, or were not there, are passed over.

    Raises:
        KeyError, TypeError, ValueError, RuntimeError: these are not states of generators.
    """
    version, internal, gauss = numbers["python"]
    random.setstate((version, tuple(internal), gauss))
    twister = numbers["numpy"]
    key = np.array(twister["state"]["key"], dtype=np.uint32)
    np.random.set_state({**twister, "state": {"key": key, "pos": twister["state"]["pos"]}})
    torch.set_rng_state(tensors["torch"])
    for number in range(torch.cuda.device_count()):
        if f"cuda.{number}" in tensors:
            torch.cuda.set_rng_state(tensors[f"cuda.{number}"], number)
    if torch.backends.mps.is_available() and "mps" in tensors:
        torch.mps.set_rng_state(tensors["mps"])


def seed_apart(seed: int) -> None:
    """Let every process but the main one draw numbers of its own, which ``seed`` fixes."""
    if own := processes.rank():
        seed_everything(int(np.random.SeedSequence([seed, own]).generate_state(1)[0] >> 1))


def every_state() -> tuple[dict[str, Any], dict[str, Tensor]]:
    """:func:`random_states` of all processes, with their names in a snapshot.

    The main one's are ``random``, and those of rank ``r``, if there are several, ``random-r``.
    """
    numbers, tensors = dict[str, Any](), dict[str, Tensor]()
    for rank, (plain, parts) in enumerate(processes.gathered(random_states())):
        own = _name(rank)
        numbers[own] = plain
        tensors |= {f"{own}.{name}": part for name, part in parts.items()}
    return numbers, tensors


def set_own_state(numbers: Mapping[str, Any], tensors: Mapping[str, Tensor], seed: int) -> None:
    """Put this process's generators back to what :func:`every_state` returned.

    Where there were fewer processes, one that is new begins with a ``seed``.

    Raises:
        KeyError, TypeError, ValueError, RuntimeError: as :func:`set_random_states`.
    """
    own = _name(processes.rank())
    if own in numbers or processes.is_main():
        set_random_states(numbers[own], nested(dict(tensors), own))
    else:
        seed_apart(seed)


def _name(rank: int) -> str:
    return f"random-{rank}" if rank else "random"
