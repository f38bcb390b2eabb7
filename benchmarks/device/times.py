"""How long layers and epochs take on the device; nothing here is right or wrong."""

import dataclasses
import importlib.metadata
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import inputs
import torch
from checks import Check
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn.data.splits.batching import BucketSampler
from birnn.nn import engines
from birnn.nn.precision import EXACT, TF32, products
from birnn.nn.scan import GRU, LSTM, CellWeights
from birnn.tasks import TASKS
from birnn.training.events import StepEvent
from birnn.training.loop import fit
from birnn.training.state import Validation

SHAPES = (
    *((32, 40, 100, 128), (64, 40, 300, 256), (32, 128, 300, 256)),
    *((32, 96, 8, 64), (256, 336, 1, 32), (256, 128, 512, 512)),
)
CELLS: dict[str, tuple[Any, Any]] = {"GRU": (GRU, nn.GRU), "LSTM": (LSTM, nn.LSTM)}
STEPS = 60  # of a default task, after a few to warm up


def wait(device: torch.device) -> None:
    """Until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(run: Callable[[], object], device: torch.device, times: int) -> float:
    """The median of several calls, after two to warm up."""
    found = []
    for number in range(times + 2):
        wait(device)
        began = time.perf_counter()
        run()
        wait(device)
        if number > 1:
            found.append(time.perf_counter() - began)
    return statistics.median(found)


def systems(cell: str, shape: tuple[int, int, int, int], device: torch.device) -> dict[str, Any]:
    """Ours on a ragged batch, torch packed, and torch dense at the padded size: → states."""
    batch, steps, features, hidden = shape
    torch.manual_seed(0)
    lengths = torch.randint(steps // 2, steps + 1, (batch,))
    lengths[0] = steps
    module = CELLS[cell][1](features, hidden, bidirectional=True, batch_first=True).to(device)
    x = torch.randn(batch, steps, features).to(device).requires_grad_()
    weights, there = list(module.parameters()), lengths.to(device)
    directions = [CellWeights(*weights[:4]), CellWeights(*weights[4:])]

    def packed() -> Tensor:
        rows = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(module(rows)[0], batch_first=True)[0]

    probe, leaves = torch.randn(batch, steps, 2 * hidden).to(device), [x, *weights]
    runs: dict[str, Callable[[], Tensor]] = {
        "ours": lambda: engines.run(CELLS[cell][0], x, there, directions),
        "packed": packed,
        "dense": lambda: module(x)[0],
    }
    return {name: (run, lambda run=run: torch.autograd.grad(run(), leaves, probe))
            for name, run in runs.items()}  # fmt: skip


def layers(device: torch.device, small: bool) -> Iterator[Check]:
    """Milliseconds of a layer, forward and in training, beside torch's own; the same precision."""
    times = 2 if small else 7
    for cell in CELLS:
        for shape in SHAPES[:1] if small else SHAPES:
            found = {}
            with products(EXACT):
                for name, (run, step) in systems(cell, shape, device).items():
                    with torch.no_grad():
                        forward = 1000 * seconds(run, device, times)
                    found[name] = forward, 1000 * seconds(step, device, times)
            for number, way in enumerate(("forward", "training")):
                ours, packed, dense = (found[name][number] for name in ("ours", "packed", "dense"))
                ratios = f"×{packed / ours:.2f} of packed, ×{dense / ours:.2f} of dense"
                name = f"{cell} {'×'.join(map(str, shape))}, {way}"
                yield Check(name, f"{ours:.2f} ms, {ratios}")


def epoch(name: str, device: torch.device, data: dict[str, Path], small: bool) -> Iterator[Check]:
    """Seconds an epoch of a task's default settings, from some of its steps."""
    spec, made = TASKS[name], not inputs.is_installed(inputs.SAMPLES[name])
    config = spec.part("options")()
    if made:
        config = dataclasses.replace(
            config, data=dataclasses.replace(config.data, data=str(data[name]))
        )
    if hasattr(config.data, "vectors") and not inputs.is_installed(inputs.VECTORS):
        told = dataclasses.replace(config.data, vectors=str(data["vectors"]))
        config = dataclasses.replace(config, data=told)
    task = spec.part("task")(config)
    began = time.perf_counter()
    loaded = task.load()
    reading = time.perf_counter() - began
    torch.manual_seed(0)
    model = task.model(loaded.info)
    train = dataclasses.replace(config.train, epochs=1000, device=str(device))
    sampler = BucketSampler(
        loaded.splits["train"], train.batch_size, train.batch_tokens, train.seed,
        views=task.views, limit=task.epoch_items, least=task.epoch_steps,
    )  # fmt: skip
    never = Validation(lambda: {"none": 0.0}, "none", True)
    events: Any = fit(model, task.loss, sampler, train, never)
    steps = 2 if small else STEPS
    spent, count = 0.0, 0
    for number in range(steps + 5):
        began = time.perf_counter()
        while not isinstance(next(events), StepEvent):
            pass
        if number >= 5:
            spent, count = spent + time.perf_counter() - began, count + 1
    events.close()
    whole = sampler.steps(0) / train.accumulate
    source = "data made here" if made else "the embedded data"
    yield Check(f"{name}: an epoch on {source}", f"{spent / count * whole:.2f} s, {whole:.0f} steps"
                f" of {1000 * spent / count:.1f} ms; read in {reading:.1f} s")  # fmt: skip


def machine(device: torch.device) -> Iterator[Check]:
    """What this is measured on."""
    yield Check("torch", f"{torch.__version__}, CUDA {torch.version.cuda}")
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        size = about.total_memory / 2**30
        yield Check("GPU", f"{about.name}, {size:.0f} GiB, cuDNN {torch.backends.cudnn.version()}")
        free, _ = torch.cuda.mem_get_info(device)
        yield Check("free memory", f"{free / 2**30:.0f} GiB")
    for name in ("accelerate", "datasets", "pandas", "numpy"):
        yield Check(name, importlib.metadata.version(name))
    work = engines.Work(GRU, device, torch.float32)
    yield Check("engine", engines.describe(work).name, "", device.type != "cuda" or
                engines.describe(work).name == "cudnn")  # fmt: skip


def tf32_speed(device: torch.device) -> Iterator[Check]:
    """What TF32 and bf16 buy in one training step of a large layer."""
    if device.type != "cuda":
        return
    for cell in CELLS:
        _, step = systems(cell, SHAPES[-1], device)["ours"]
        with products(EXACT):
            exact = seconds(step, device, 5)
        with products(TF32):
            rough = seconds(step, device, 5)
        with torch.autocast(device.type, torch.bfloat16):
            half = seconds(step, device, 5)
        found = f"{1000 * exact:.1f} ms exact, {1000 * rough:.1f} TF32, {1000 * half:.1f} bf16"
        yield Check(f"{cell} {'×'.join(map(str, SHAPES[-1]))}, training", found)


def epochs(device: torch.device, home: Path, small: bool) -> Iterator[Check]:
    """The three default tasks."""
    home.mkdir(parents=True, exist_ok=True)
    data = inputs.write_all(home)
    for name in ("sentiment", "tagging", "forecast"):
        yield from epoch(name, device, data, small)
