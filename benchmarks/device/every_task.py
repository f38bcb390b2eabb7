"""Every task with every encoder: trained on the device, evaluated and asked there and on a CPU."""

import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from checks import Check, below, equal

from birnn import cli
from birnn.nn.precision import products
from birnn.registry import ENCODERS
from birnn.tasks import TASKS

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tests" / "support"))
import contract
import lives

LIMIT = 1e-5


def command(*words: object) -> tuple[int, str]:
    """Run a command here; its exit code and what it printed."""
    out = StringIO()
    with redirect_stdout(out):
        code = cli.main([str(word) for word in words])
    return code, out.getvalue()


def numbers(value: Any) -> list[float]:
    """All numbers of nested lists and tables, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [float(value)] if isinstance(value, (int, float)) else []


def gap(one: Any, other: Any) -> float:
    """The largest difference of numbers, beside numbers above 1 a share; infinity elsewhere."""
    ours, theirs = numbers(one), numbers(other)
    if len(ours) != len(theirs):
        return float("inf")
    pairs = zip(ours, theirs, strict=True)
    return max((abs(a - b) / max(1.0, abs(b)) for a, b in pairs), default=0.0)


def step(case: contract.Case, device: torch.device) -> tuple[float, torch.Tensor]:
    """The loss of a training batch without dropout, and the gradient of all weights."""
    model, batch = case.model().eval().to(device), contract.first_batch(case, case.task.views)
    batch = batch.to(device)
    with products():
        loss = case.task.loss(model(batch), batch)
        loss.total.backward()
    grads = [p.grad.flatten().cpu() for p in model.parameters() if p.grad is not None]
    return float(loss.total.detach()), torch.cat(grads)


def one_step(task: str, encoder: str, device: torch.device, home: Path) -> Iterator[Check]:
    """Loss and gradients there and here, of every variant of a task."""
    losses, gradients = [], []
    for variant in contract.variants(task):
        folder = home / variant
        folder.mkdir(parents=True, exist_ok=True)
        case = contract.with_encoder(contract.prepare(task, variant, folder), encoder)
        (loss, gradient), (wanted, theirs) = step(case, device), step(case, torch.device("cpu"))
        losses.append(abs(loss - wanted) / max(1.0, abs(wanted)))
        gradients.append(float((gradient - theirs).abs().max() / theirs.abs().max()))
    yield below(f"{task} {encoder}: loss of a batch", max(losses), LIMIT)
    yield below(f"{task} {encoder}: its gradients", max(gradients), LIMIT)


def life(task: str, encoder: str, device: torch.device, home: Path) -> Iterator[Check]:
    """Trained by the command line, evaluated and asked on both devices."""
    home.mkdir(parents=True, exist_ok=True)
    config = contract.tiny(task).TINY[contract.variants(task)[0]](home)
    train = replace(config.train, epochs=2, device=str(device))
    config = replace(config, train=train, encoder=replace(config.encoder, encoder=encoder))
    code, _ = command(task, "--out", home / "run", *lives.words(config))
    yield equal(f"{task} {encoder}: trained", f"exit {code}", "exit 0")
    scores, answers = [], []
    for where in (device, "cpu"):
        code, out = command("evaluate", home / "run", "--json", "--device", where)
        scores.append(json.loads(out)["test"]["model"] if code == 0 else {})
        if TASKS[task].example:
            asked = (
                "predict",
                home / "run",
                "--input",
                config.data.data,
                "--json",
                "--device",
                where,
            )
            code, out = command(*asked)
            answers.append([json.loads(line) for line in out.splitlines()] if code == 0 else [])
    found = len(numbers(scores[0]))
    yield Check(f"{task} {encoder}: scores there", str(found), "some", found > 0)
    yield below(f"{task} {encoder}: scores there and on the CPU", gap(*scores), LIMIT)
    if answers:
        yield below(f"{task} {encoder}: answers there and on the CPU", gap(*answers), 10 * LIMIT)


def every_task(device: torch.device, home: Path, small: bool) -> Iterator[Check]:
    """All pairs; one encoder for each task if ``small``."""
    for number, task in enumerate(TASKS):
        for which, encoder in enumerate(ENCODERS):
            if not small or number % 2 == which:
                yield from one_step(task, encoder, device, home / task / encoder)
                yield from life(task, encoder, device, home / task / encoder / "life")
