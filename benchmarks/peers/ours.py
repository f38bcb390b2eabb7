"""The library's own training loop, run by a clock."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

from measuring import Clock

from birnn.data.splits.batching import BucketSampler
from birnn.nn.batch import Batch
from birnn.tasks.core.task import Task, TaskData
from birnn.training.events import StepEvent
from birnn.training.loop import fit
from birnn.training.state import Validation
from birnn.version import __version__

VERSION = __version__


class Counted:
    """A sampler that remembers how many items its latest batch has."""

    def __init__(self, sampler: BucketSampler, count: Callable[[Batch], int]) -> None:
        self.sampler, self.count = sampler, count
        self.items = 0

    def steps(self, epoch: int) -> int:
        """How many batches ``epoch`` has."""
        return self.sampler.steps(epoch)

    def epoch(self, epoch: int, start: int) -> Iterator[Batch]:
        """The batches of ``epoch``, from the one numbered ``start`` on."""
        for batch in self.sampler.epoch(epoch, start):
            self.items = self.count(batch)
            yield batch


def train(
    task: Task[Any, Any, Any],
    data: TaskData[Any, Any],
    clock: Clock,
    count: Callable[[Batch], int],
) -> Any:
    """Train a fresh model by :func:`birnn.training.loop.fit` until the time is up, unscored.

    Args:
        task: with its options.
        data: as the task loads it.
        clock: when to stop.
        count: what the clock counts of a batch.
    """
    model = task.model(data.info)
    settings = task.config.train
    sampler = BucketSampler(
        data.splits["train"], settings.batch_size, settings.batch_tokens, settings.seed,
        views=task.views, limit=task.epoch_items, least=settings.epoch_steps,
        least_batch=task.least_batch,
    )  # fmt: skip
    counted = Counted(sampler, count)
    nothing = Validation(lambda: {"none": 0.0}, "none", False)
    clock.start()
    for event in fit(model, task.loss, counted, settings, nothing):
        if isinstance(event, StepEvent) and clock.tick(counted.items):
            break
    return model.eval().requires_grad_(False)  # as a run is loaded
