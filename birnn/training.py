"""The training loop: knows models, batches and a loss, and no task.

:func:`fit` is a generator of events; whoever draws progress, logs or stops early reads them.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from birnn.batch import Batch
from birnn.config import TrainConfig
from birnn.devices import make_accelerator
from birnn.errors import ConfigError, TrainingError
from birnn.schedules import WeightAverage, learning_rate_factor


class LossSum(NamedTuple):
    """A loss that is summed over items and the number of items: divided once, at the end."""

    total: Tensor  # scalar
    items: float


class Batches(Protocol):
    """The training split, in a fresh seeded order each epoch."""

    def steps(self, epoch: int) -> int:
        """How many batches epoch ``epoch`` (from 0) has."""

    def epoch(self, epoch: int) -> Iterable[Batch]:
        """The batches of epoch ``epoch``."""


@dataclass(frozen=True)
class StepEvent:
    """One optimizer step is done."""

    epoch: int  # from 1
    step: int  # of all steps, from 1
    total_steps: int
    loss: float  # mean over the items of the epoch so far


@dataclass(frozen=True)
class EpochEvent:
    """One epoch is trained and validated."""

    epoch: int  # from 1
    epochs: int
    loss: float  # mean over the epoch's items
    scores: dict[str, float]  # on the validation split
    learning_rate: float
    seconds: float
    tokens: int
    improved: bool


@dataclass(frozen=True)
class StopEvent:
    """Training is over; the model holds its best epoch's weights."""

    epoch: int  # the epoch whose weights are kept
    score: float
    reason: str
    seconds: float
    tokens: int


Event = StepEvent | EpochEvent | StopEvent


class Validation(NamedTuple):
    """How an epoch is judged."""

    score: Callable[[], dict[str, float]]
    monitor: str
    lower_is_better: bool


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Decay matrices only: not biases, norms, or tables looked up by index.

    A module can ask for another decay of its own parameters with an attribute ``weight_decay``.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    seen: set[int] = set()
    for module in model.modules():
        own = getattr(module, "weight_decay", None)
        table = isinstance(module, (nn.Embedding, nn.EmbeddingBag))
        for parameter in module.parameters(recurse=False):
            if id(parameter) in seen or not parameter.requires_grad:
                continue
            seen.add(id(parameter))
            general = 0.0 if table or parameter.ndim < 2 else weight_decay
            decay = general if own is None else float(own)
            groups.setdefault(decay, []).append(parameter)
    return [{"params": parameters, "weight_decay": decay} for decay, parameters in groups.items()]


def fit(
    model: nn.Module,
    loss: Callable[[object, Batch], LossSum],
    batches: Batches,
    config: TrainConfig,
    validation: Validation,
) -> Iterator[Event]:
    """Train ``model`` and leave it with the weights of its best epoch, on the training device.

    Args:
        model: called with a :class:`Batch`.
        loss: what to minimise: the model's outputs and the batch → a summed loss and its count.
        batches: the training split.
        config: optimizer, schedule, stopping.
        validation: scores an epoch and says which score chooses; the model is in evaluation mode
            and holds the averaged weights (if any) while ``validation.score`` runs.

    Raises:
        TrainingError: a loss that is not finite, or scores that aren't in any epoch.
        ConfigError: ``validation.monitor`` is not among the scores.
    """
    accelerator = make_accelerator(config)
    groups = parameter_groups(model, config.weight_decay)
    betas = (0.9, config.beta2)
    # Fused: one pass over the weights; an embedding table makes the update a third of a step.
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, fused=True)
    model, optimizer = accelerator.prepare(model, optimizer)
    average = WeightAverage(model, config.ema) if config.ema else None
    best = _Best(validation)
    started = time.perf_counter()
    step = tokens = 0
    per_epoch = [math.ceil(batches.steps(e) / config.accumulate) for e in range(config.epochs)]
    total_steps = sum(per_epoch)
    reason = "all epochs done"
    for epoch in range(config.epochs):
        epoch_started, epoch_tokens, meter = time.perf_counter(), 0, _Mean()
        model.train()
        for group in _grouped(batches.epoch(epoch), config.accumulate):
            factor = learning_rate_factor(step, total_steps, config.warmup, config.schedule)
            for g in optimizer.param_groups:
                g["lr"] = config.learning_rate * factor
            total, count = _gradients(accelerator, model, optimizer, loss, group)
            step += 1
            if not math.isfinite(total):
                raise TrainingError(
                    f"the loss became {total} in epoch {epoch + 1}, step {step};"
                    " lower --learning-rate or set --clip-norm, and look for odd values in the data"
                )
            _scale(accelerator, optimizer, model, count, config.clip_norm)
            optimizer.step()
            if average:
                average.update()
            meter.add(total, count)
            epoch_tokens += sum(int(batch.lengths.sum()) for batch in group)
            yield StepEvent(epoch + 1, step, total_steps, meter.mean())
        tokens += epoch_tokens
        model.eval()
        with _averaged(average):
            scores = validation.score()
            improved = best.offer(epoch + 1, scores, model)
        seconds = time.perf_counter() - epoch_started
        yield EpochEvent(
            epoch + 1, config.epochs, meter.mean(), scores,
            optimizer.param_groups[0]["lr"], seconds, epoch_tokens, improved,
        )  # fmt: skip
        if config.patience and epoch + 1 - best.epoch >= config.patience:
            reason = f"no better {validation.monitor} for {config.patience} epochs"
            break
    accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    best.check()
    best.restore(model)
    model.eval()
    yield StopEvent(best.epoch, best.score, reason, time.perf_counter() - started, tokens)


def _gradients(
    accelerator: Accelerator,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Callable[[object, Batch], LossSum],
    group: Sequence[Batch],
) -> tuple[float, float]:
    """Gradients of the summed loss of a group of batches; returns that loss and its count."""
    optimizer.zero_grad()
    total = count = 0.0
    for batch in group:
        batch = batch.to(accelerator.device)
        with accelerator.autocast():
            part = loss(model(batch), batch)
        accelerator.backward(part.total)
        total += float(part.total.detach())
        count += part.items
    return total, count


@torch.no_grad()
def _scale(
    accelerator: Accelerator,
    optimizer: torch.optim.Optimizer,
    model: nn.Module,
    count: float,
    clip_norm: float,
) -> None:
    """Make of a summed loss's gradients those of the mean, their norm clipped, in one pass.

    However a group's items are split into batches, they are divided by their count once.
    """
    accelerator.unscale_gradients(optimizer)  # of fp16 alone
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    factor = 1.0 / count
    if clip_norm:
        norm = float(nn.utils.get_total_norm(gradients)) / count
        factor *= min(1.0, clip_norm / (norm + 1e-6)) if math.isfinite(norm) else norm
    torch._foreach_mul_(gradients, factor)


class _Mean:
    """A weighted mean, summed and divided once."""

    def __init__(self) -> None:
        self.total = self.count = 0.0

    def add(self, total: float, count: float) -> None:
        self.total += total
        self.count += count

    def mean(self) -> float:
        return self.total / max(self.count, 1e-12)


class _Best:
    """The best epoch so far and a copy of its weights."""

    def __init__(self, validation: Validation) -> None:
        self.validation = validation
        self.epoch, self.score = 0, math.nan
        self.scores: dict[str, float] = {}
        self.state: dict[str, Tensor] = {}

    def offer(self, epoch: int, scores: dict[str, float], model: nn.Module) -> bool:
        monitor = self.validation.monitor
        if monitor not in scores:
            raise ConfigError(
                f"monitor: there is no metric {monitor!r}; there are: {', '.join(scores)}"
            )
        score = scores[monitor]
        sign = -1.0 if self.validation.lower_is_better else 1.0
        worse = not sign * score > sign * self.score
        if self.epoch and worse and not math.isnan(self.score):
            return False
        self.epoch, self.score, self.scores = epoch, score, scores
        self.state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        return True

    def check(self) -> None:
        """Refuse an epoch with a score that is not finite: the last steps spoilt the weights."""
        for name, score in self.scores.items():
            if not math.isfinite(score):
                raise TrainingError(
                    f"no epoch can be kept: validation {name} became {score} in epoch {self.epoch};"
                    " lower --learning-rate or set --clip-norm, and look for odd values in the data"
                )

    def restore(self, model: nn.Module) -> None:
        model.load_state_dict(self.state)


def _grouped(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _averaged(average: WeightAverage | None) -> AbstractContextManager[None]:
    return average.applied() if average else nullcontext()
