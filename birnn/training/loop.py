"""The training loop: knows models, batches and a loss, and no task.

:func:`fit` is a generator of events; whoever draws progress, logs or stops early reads them.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from birnn import processes
from birnn.config import TrainConfig
from birnn.errors import MemoryLimitError
from birnn.nn.batch import Batch
from birnn.nn.devices import out_of_memory
from birnn.nn.precision import products
from birnn.nn.shared_norm import counting
from birnn.storage.snapshots import Snapshot
from birnn.training.checkpoints import NOTHING, Checkpointer
from birnn.training.events import Event, ResumeEvent, StepEvent, StopEvent
from birnn.training.losses import LossSum as LossSum
from birnn.training.schedules import learning_rate_factor
from birnn.training.state import TrainingRun, Validation

Loss = Callable[[object, Batch], LossSum]  # of the model's outputs and the batch


class Batches(Protocol):
    """The training split, in a fresh seeded order each epoch."""

    def steps(self, epoch: int) -> int:
        """How many batches epoch ``epoch`` (from 0) has."""

    def epoch(self, epoch: int, start: int) -> Iterable[Batch]:
        """The batches of epoch ``epoch``, from the one numbered ``start`` on."""


@runtime_checkable
class Streaming(Protocol):
    """Batches that are read while they are given out, and whose place is therefore kept."""

    def position(self) -> dict[str, int]:
        """Where they stand: after the last batch that was given out."""

    def go_to(self, position: Mapping[str, int]) -> None:
        """Go on from a position."""


def fit(
    model: nn.Module, loss: Loss, batches: Batches, config: TrainConfig, validation: Validation,
    checkpointer: Checkpointer | None = None,
) -> Iterator[Event]:  # fmt: skip
    """Train ``model`` and leave it with the weights of its best epoch, on the training device.

    Args:
        model: called with a :class:`Batch`.
        loss: what to minimise: the model's outputs and the batch → a summed loss and its count.
        batches: the training split.
        config: optimizer, schedule, stopping.
        validation: scores an epoch and says which score chooses; the model is in evaluation mode
            and holds the averaged weights (if any) while ``validation.score`` runs.
        checkpointer: writes snapshots on the way. Where it has one, training goes on from there
            and ends, on a CPU with the same threads, with the same bits as if it had never stopped.

    Raises:
        TrainingError: a loss that is not finite, or scores that aren't in any epoch.
        ConfigError: ``validation.monitor`` is not among the scores.
        MemoryLimitError: the device has too little memory for a batch.
        Stopped: the checkpointer was asked to; a snapshot is written.
        CheckpointError: the checkpointer's snapshot is of another model.
    """
    run = TrainingRun(model, config, validation)
    if isinstance(batches, Streaming):
        run.position = batches.position
    total_steps = sum(math.ceil(batches.steps(e) / config.accumulate) for e in range(config.epochs))
    try:
        snapshot, torn = checkpointer.begin() if checkpointer else (None, [])
        if snapshot is not None or torn:
            _restore(run, snapshot, batches)
            yield ResumeEvent(run.at.epoch + 1, run.at.step, total_steps, run.history, torn)
        while (reason := run.over()) is None:
            yield from _train_epoch(run, loss, batches, total_steps, checkpointer)
            event = run.judge()
            if checkpointer:
                checkpointer.after_epoch(event.epoch, run.snapshot, last=run.over() is not None)
            yield event
    finally:
        if checkpointer:
            checkpointer.end()
    run.finish()
    yield StopEvent(run.best.epoch, run.best.score, reason, run.seconds(), run.at.tokens)


def _restore(run: TrainingRun, snapshot: Snapshot | None, batches: Batches) -> None:
    """Go back to where a snapshot was taken, batches that are streamed too."""
    if snapshot is not None:
        run.restore(snapshot)
        if run.stream is not None and isinstance(batches, Streaming):
            batches.go_to(run.stream)


def _train_epoch(
    run: TrainingRun, loss: Loss, batches: Batches, total_steps: int,
    checkpointer: Checkpointer | None,
) -> Iterator[StepEvent]:  # fmt: skip
    """The optimizer steps of an epoch, or those that are left of it."""
    config, at, several = run.config, run.at, processes.count() > 1
    run.model.train()
    run.thaw()
    left = iter(batches.epoch(at.epoch, at.done * config.accumulate))
    while group := list(islice(left, config.accumulate)):
        factor = learning_rate_factor(at.step, total_steps, config.warmup, config.schedule)
        run.set_rate(config.learning_rate * factor)
        with products(run.products), _told_of_memory(run, group):
            total, count = _gradients(run, loss, group)
            tokens = sum(int(batch.lengths.sum()) for batch in group if batch.counts)
            wish = checkpointer.wish() if checkpointer and several else NOTHING
            sums = run.exchange.sum(total, count, tokens, wish)
        # Where it is read at once, before the weights move.
        run.note_loss(sums.total, sums.items, len(group), sums.told)
        with _told_of_memory(run, group):
            gradients = run.gradients()
            run.step(gradients, _factor(run, gradients, sums.items), 0 if several else tokens)
        if checkpointer:
            checkpointer.after_step(run.snapshot, run.take_wish() if several else None)
        yield StepEvent(at.epoch + 1, at.step, total_steps, at.mean_loss())


@contextmanager
def _told_of_memory(run: TrainingRun, group: Sequence[Batch]) -> Iterator[None]:
    """Say what would help where memory runs out.

    Raises:
        MemoryLimitError: it does.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        items = max(len(batch) // batch.views for batch in group)
        device = run.accelerator.device
        other = "" if device.type == "cpu" else ", or use --device cpu"
        steps = max(int(batch.lengths.max()) for batch in group)
        raise MemoryLimitError(
            f"out of memory on {device}, at {items:,} items of up to {steps:,}"
            f" steps; lower --batch-size (now {run.config.batch_size:,}), --batch-tokens (now"
            f" {run.config.batch_tokens:,}) or the sizes of the model{other}"
        ) from None


def _gradients(run: TrainingRun, loss: Loss, group: Sequence[Batch]) -> tuple[Tensor, Tensor]:
    """Gradients of the summed loss of a group of batches; returns that loss and its count.

    Both are scalars on the device; nothing waits for it.
    """
    run.optimizer.zero_grad()
    total = count = torch.zeros((), dtype=run.sums, device=run.accelerator.device)
    for batch in group:
        batch = batch.to(run.accelerator.device)
        with run.accelerator.autocast(), counting(batch):
            part = loss(run.model(batch), batch)
        if not batch.counts:  # its way back is gone as all others go it, with nothing
            part = LossSum(0.0 * part.total, 0.0 * part.items)
        run.accelerator.backward(part.total)
        total = total + part.total.detach()
        count = count + part.items
    return total, count


@torch.no_grad()
def _factor(run: TrainingRun, gradients: Sequence[Tensor], count: Tensor) -> Tensor:
    """What makes of a summed loss's gradients those of the mean, their norm clipped.

    However a group's items are split into batches, they are divided by their count once.
    """
    run.accelerator.unscale_gradients(run.optimizer)  # of fp16 alone
    count = torch.where(count > 0, count, 1.0)  # of no known target there is nothing to learn
    factor, most = 1.0 / count, run.config.clip_norm
    if most and gradients:
        norm = nn.utils.get_total_norm(gradients) / count
        clip = (most / (norm + 1e-6)).clamp(max=1.0)
        factor = factor * torch.where(norm.isfinite(), clip, norm)
    return factor
