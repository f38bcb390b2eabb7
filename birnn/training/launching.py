"""How the processes that a launcher has started join: through Accelerate's state of a process.

Gradients are not summed by torch's ``DistributedDataParallel``: ours are of summed losses, to be
divided once by the items of all processes, and those of large tables are few rows
(:mod:`birnn.training.reduction`). So Accelerate is asked for devices and precision, and models are
not wrapped.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch

from birnn import processes
from birnn.errors import ConfigError, LostProcessError

STEP_MINUTES = 30  # that a process waits for the others in a step of training
PATIENT_HOURS = 24  # and for work that one does for all: baselines, a report
OTHERS = ("DEEPSPEED", "FSDP", "MEGATRON_LM", "PARALLELISM_CONFIG")  # of ``accelerate launch``


@contextmanager
def join_processes() -> Iterator[None]:
    """Within the block, the processes that a launcher has started work together.

    Gradients are summed by gloo between CPUs and by NCCL between GPUs, of which each process takes
    its own. There is nothing to join where this process was started alone.

    Raises:
        ConfigError: the launcher asks for what birnn doesn't do.
        LostProcessError: the others can't be reached.
    """
    if not processes.launched():
        yield
        return
    import torch.distributed as dist
    from accelerate import PartialState

    for name in OTHERS:
        if os.environ.get(f"ACCELERATE_USE_{name}", "false").lower() == "true":
            raise ConfigError(f"{name.lower()}: birnn trains whole copies of a model; turn it off")
    PartialState._reset_state()
    try:
        processes.joined(_group())
    except RuntimeError as error:
        words = " ".join(str(error).split())[:300]
        raise LostProcessError(f"the other processes can't be reached: {words}") from error
    try:
        yield
    finally:
        with suppress(RuntimeError):
            dist.destroy_process_group()
        PartialState._reset_state()


def _group() -> processes.Group:
    """Find the others, as the launcher's variables say."""
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    rank, count, local, on_machine = processes.place()
    cuda = torch.cuda.is_available()
    if cuda and on_machine <= torch.cuda.device_count():
        torch.cuda.set_device(local)
    limit, patience = timedelta(minutes=STEP_MINUTES), timedelta(hours=PATIENT_HOURS)
    store, _, _ = next(rendezvous("env://", rank, count, timeout=limit))
    store.set_timeout(limit)
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if cuda else "gloo", store=PrefixStore("torch", store), rank=rank,
        world_size=count, timeout=limit,
    )  # fmt: skip
    control = dist.new_group(backend="gloo", timeout=limit)
    patient = dist.new_group(backend="gloo", timeout=patience)
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")  # each has words of its own
    return processes.Group(rank, count, PrefixStore(f"birnn/{attempt}", store), control, patient)
