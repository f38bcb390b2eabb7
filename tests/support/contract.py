"""What every task promises with every encoder; see test_contract.py for the table it runs over.

A new task needs a ``tiny.py``: configurations on tiny data of its own making; see :func:`tiny`.
"""

import importlib.util
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from birnn.config import TrainConfig
from birnn.data.splits.batching import BucketSampler
from birnn.errors import Stopped
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.model import outputs_of
from birnn.tasks.core.inference import predict
from birnn.tasks.core.task import Task, TaskData
from birnn.tasks.runs.fitting import make_validation
from birnn.tasks.runs.folder import load_run, write_model
from birnn.tasks.runs.launch import make_task
from birnn.tasks.scoring.metric_names import lower_is_better
from birnn.tasks.sentiment.serve import SentimentPredictor
from birnn.tasks.serving.labels import Labels
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest
from birnn.training.checkpoints import Checkpointer
from birnn.training.events import EpochEvent, ResumeEvent, StepEvent, StopEvent
from birnn.training.loop import LossSum, fit
from birnn.training.state import Validation

from places import ROOT
from strategies import randomise
from tiny_parts import ENCODER, TRAIN

AnyTask = Task[Any, Any, Any]
AnyData = TaskData[Any, Any]


def predict_texts(run: Path, texts: Sequence[str], *, explain: bool = False) -> Labels:
    """The labels of ``texts`` by a run of sentiment."""
    return SentimentPredictor(load_run(run)).label({"text": list(texts)}, explain=explain)


EXTRA = 3  # steps of padding beyond the longest


def log_of_classes(data: AnyData) -> tuple[float, float]:
    """All classes alike, but for the head's small weights."""
    return float(np.log(len(data.info.labels))), 0.03


@cache
def tiny(task: str) -> Any:
    """The module ``tiny.py`` of a task: in its folder of tests, or in its own.

    It holds ``TINY``, name → what writes tiny data into a folder and returns a configuration of it;
    ``START``, name → the loss before training, and how near, from the data (not needed where that
    is the log of the classes); and ``ask``, from a configuration what Python asks a run (not needed
    where that is a table).
    """
    place = ROOT / "tests" / task / "tiny.py"
    if not place.is_file():
        place = ROOT / "tasks" / task / "tiny.py"
    if not place.is_file():
        pytest.fail(f"the task {task!r} has no tiny configuration: add one to {place}")
    spec = importlib.util.spec_from_file_location(f"tiny_{task}", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def variants(task: str) -> tuple[str, ...]:
    """The names of a task's tiny configurations; one of a task without any fails and says so."""
    try:
        return tuple(tiny(task).TINY)
    except pytest.fail.Exception:
        return ("missing",)


@dataclass(frozen=True)
class Case:
    """A task, its data, and what is known of its first loss."""

    task: AnyTask
    data: AnyData
    start: tuple[float, float]

    def model(self, seed: int = 0) -> nn.Module:
        """The task's network, seeded."""
        torch.manual_seed(seed)
        return self.task.model(self.data.info)


def prepare(task: str, variant: str, folder: Path) -> Case:
    """Make the tiny data and load it as the task does."""
    made = make_task(task, tiny(task).TINY[variant](folder))
    data = made.load()
    start = getattr(tiny(task), "START", {}).get(variant, log_of_classes)
    return Case(made, data, start(data))


def with_encoder(case: Case, encoder: str, **options: Any) -> Case:
    """The same case with another encoder; the data don't depend on it."""
    changed = replace(ENCODER, encoder=encoder, **options)
    config = replace(case.task.config, encoder=changed)
    return replace(case, task=type(case.task)(config))


def whole(data: AnyData, split: str = "train") -> Batch:
    """A split as one batch."""
    part = data.splits[split]
    batch: Batch = part.batch(np.arange(len(part)))
    return batch


def loss_of(case: Case, model: nn.Module, batch: Batch) -> float:
    """The mean loss of a batch in evaluation mode."""
    with torch.no_grad():
        total, count = case.task.loss(model.eval()(batch), batch)
    return float(total) / float(count)


def check_start(case: Case) -> None:
    """Before any training, the loss is near its analytic value, whatever the seed.

    Without norms: those would stretch the states to a size of their own.
    """
    wanted, slack = case.start
    case = with_encoder(case, case.task.config.encoder.encoder, norm="none", residual=False)
    for seed in range(5):
        found = loss_of(case, case.model(seed), whole(case.data))
        assert found == pytest.approx(wanted, abs=slack), f"seed {seed}"


class Once:
    """An epoch of one batch."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def steps(self, epoch: int) -> int:
        """One."""
        return 1

    def epoch(self, epoch: int, start: int) -> Iterable[Batch]:
        """The batch."""
        return [self.batch][start:]


def first_batch(case: Case, views: int) -> Batch:
    """A training batch as the sampler makes it."""
    sampler = BucketSampler(case.data.splits["train"], 6, 10**6, 0, views=views)
    return next(iter(sampler.epoch(0)))


def check_overfit(case: Case, epochs: int = 200) -> None:
    """One batch can be learned by heart."""
    model = case.model()
    batch, alone = first_batch(case, case.task.views), first_batch(case, 1)
    before = loss_of(case, model, alone)
    config = replace(TRAIN, epochs=epochs, learning_rate=0.02)
    losses = iter(range(epochs, 0, -1))
    validation = Validation(lambda: {"score": float(next(losses))}, "score", True)
    for _ in fit(model, case.task.loss, Once(batch), config, validation):
        pass
    assert loss_of(case, model, alone) < 0.1 * before


def check_gradients(case: Case) -> None:
    """Every trainable parameter learns from a training batch."""
    model = case.model().train()
    batch = first_batch(case, case.task.views)
    found: LossSum = case.task.loss(model(batch), batch)
    found.total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, f"no gradient reaches {name}"
        assert torch.all(torch.isfinite(parameter.grad)), name
        assert torch.any(parameter.grad != 0), f"only zeros reach {name}"


def decoded(case: Case, model: nn.Module, batch: Batch) -> list[Tensor]:
    """What is predicted for each item of a batch."""
    ((batch, outputs),) = outputs_of(model.eval(), [batch], "cpu")
    return [torch.as_tensor(row) for row in case.task.decode(outputs, batch)]


def close(found: list[Tensor], wanted: list[Tensor]) -> None:
    """Equal to 1e-5, item by item."""
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def trained(case: Case) -> nn.Module:
    """A model whose every weight, statistic and mixing factor matters."""
    return randomise(case.model())


def check_order(case: Case) -> None:
    """An item's prediction doesn't depend on where in the batch it stands."""
    model, part = trained(case), case.data.splits["test"]
    forth = decoded(case, model, part.batch(np.arange(len(part))))
    back = decoded(case, model, part.batch(np.arange(len(part))[::-1].copy()))
    close(back[::-1], forth)


def check_batch_size(case: Case) -> None:
    """An item's prediction doesn't depend on what it is batched with."""
    model, part = trained(case), case.data.splits["test"]
    together = decoded(case, model, part.batch(np.arange(len(part))))
    alone = [decoded(case, model, part.batch(np.array([i])))[0] for i in range(len(part))]
    close(alone, together)
    for size in (1, 2, 10**6):
        config = replace(case.task.config, train=replace(TRAIN, batch_size=size))
        found = predict(type(case.task)(config), model, part)
        close([torch.as_tensor(row) for row in found], together)


def padded(tensor: Tensor, lengths: Tensor, fill: float) -> Tensor:
    """``[B, T, ...]`` with more steps, and garbage from each length on."""
    extra = tensor.new_zeros(tensor.shape[0], EXTRA, *tensor.shape[2:])
    longer = torch.cat([tensor, extra], dim=1)
    # Numbers of words must be those of words: the largest there is.
    garbage = fill if tensor.is_floating_point() else int(tensor.max())
    longer[~sequence_mask(lengths, longer.shape[1])] = garbage
    return longer


def with_garbage(batch: Batch, fill: float) -> Batch:
    """The batch with longer, filled padding in all that is a sequence."""
    steps = (len(batch), int(batch.lengths.max()))
    inputs = {}
    for name, tensor in batch.inputs.items():
        own = batch.inputs.get(f"{name}_lengths")  # of an item's second sequence, say
        if own is not None:
            inputs[name] = padded(tensor, own, fill)
        else:
            inputs[name] = (
                padded(tensor, batch.lengths, fill) if tensor.shape[:2] == steps else tensor
            )
    targets = batch.targets
    if targets is not None and targets.shape[:2] == steps:
        targets = padded(targets, batch.lengths, fill)
    return replace(batch, inputs=inputs, targets=targets)


def check_padding(case: Case) -> None:
    """What stands in the padding, and how much of it there is, changes nothing."""
    model = trained(case)
    batch = whole(case.data, "test")
    wanted, loss = decoded(case, model, batch), loss_of(case, model, batch)
    counts = counted(case, model, batch)
    for fill in (float("nan"), 1e30):
        dirty = with_garbage(batch, fill)
        assert any(dirty.inputs[name] is not batch.inputs[name] for name in batch.inputs)
        close(decoded(case, model, dirty), wanted)
        assert loss_of(case, model, dirty) == pytest.approx(loss, rel=1e-5)
        for name, count in counted(case, model, dirty).items():
            np.testing.assert_allclose(count, counts[name], rtol=1e-5)


def counted(case: Case, model: nn.Module, batch: Batch) -> dict[str, Any]:
    """The batch's summable counts."""
    ((batch, outputs),) = outputs_of(model.eval(), [batch], "cpu")
    return dict(case.task.count(outputs, batch, case.data.info))


def check_counts_add_up(case: Case) -> None:
    """Scores don't depend on how a split is cut into batches."""
    model, part = trained(case), case.data.splits["test"]
    cuts = (np.arange(len(part)), *np.array_split(np.arange(len(part)), 2))
    one, *halves = (counted(case, model, part.batch(cut)) for cut in cuts)
    summed = {name: sum(half[name] for half in halves) for name in one}
    assert case.task.scores(summed) == pytest.approx(case.task.scores(one), rel=1e-5)
    assert case.task.monitor(case.data.info) in case.task.scores(one)


def check_validation(case: Case) -> None:
    """An epoch's scores hold the monitor, and are the same twice: to judge a model changes nothing.

    Before training, what the task names as the floor is not better than the monitor.
    """
    model, info = case.model(), case.data.info
    case.task.make_room(model, case.data)
    case.task.prepare(model, case.data)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = case.task.validate(model.eval(), case.data, case.task.config.train)
    assert case.task.validate(model, case.data, case.task.config.train) == found
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    monitor = case.task.monitor(info)
    sign = -1 if lower_is_better(monitor) else 1
    assert sign * found[monitor] >= sign * found.get(case.task.floor(info), found[monitor])


def check_saved(case: Case, folder: Path) -> None:
    """A written model predicts the same when it is loaded."""
    model, part = trained(case), case.data.splits["test"]
    wanted = predict(case.task, model.eval(), part)
    write_model(folder, case.task, case.data.info, model)
    run = load_run(folder)
    again = run.task.load_split(run.info, "", "test").split
    for split in (part, again):
        for found, before in zip(predict(run.task, run.model, split), wanted, strict=True):
            np.testing.assert_array_equal(found, before)


def check_same_seed(case: Case) -> None:
    """Training twice with one seed gives the same bits."""
    states = []
    for _ in range(2):
        model = case.model(seed=3)
        sampler = BucketSampler(case.data.splits["train"], 5, 10**6, 3, views=case.task.views)
        validation = Validation(lambda: {"score": 0.0}, "score", True)
        for _ in fit(model, case.task.loss, sampler, replace(TRAIN, epochs=1), validation):
            pass
        states.append(model.state_dict())
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def check_resume(case: Case, folder: Path) -> None:
    """Training that stops now and then, each time taken up with fresh objects, is one run.

    Dropout, averaged weights, accumulated batches, patience and the schedule all have a state.
    """
    train = replace(
        TRAIN, epochs=3, ema=0.9, schedule="cosine", warmup=0.2, accumulate=2, patience=2,
        clip_norm=1.0, learning_rate=0.01,
    )  # fmt: skip
    encoder = replace(case.task.config.encoder, dropout=0.2, locked_dropout=0.1)
    config = replace(case.task.config, train=train, encoder=encoder)
    case = replace(case, task=type(case.task)(config))
    wanted = train_until(case, train, None, 0)
    stops = 0
    while True:
        # Mostly after every single step, so that the last one of an epoch is among them.
        steps = (0, 0, 0, 1, 2)[stops % 5]
        keeper = Checkpointer(
            folder, CheckpointConfig(keep_checkpoints=1), StopRequest(asked=not steps)
        )
        try:
            found = train_until(case, train, keeper, steps)
            break
        except Stopped:
            stops += 1
            torch.rand(stops)  # what happens between two starts leaves no trace
            np.random.rand(stops)
            random.random()
    assert stops >= 2
    assert found[1:] == wanted[1:]
    for name, tensor in wanted[0].items():
        assert torch.equal(tensor, found[0][name]), name


def told(event: EpochEvent) -> dict[str, Any]:
    """All that is said of an epoch but its time."""
    return {name: part for name, part in asdict(event).items() if name != "seconds"}


def train_until(
    case: Case, config: TrainConfig, keeper: Checkpointer | None, steps: int
) -> tuple[dict[str, Tensor], list[Any], int]:
    """Train, ask for a stop after ``steps`` steps; returns weights, curve and the kept epoch."""
    model = case.model(seed=3)
    sampler = BucketSampler(case.data.splits["train"], 5, 10**6, 3, views=case.task.views)
    case.task.make_room(model, case.data)
    case.task.prepare(model, case.data)
    validation = make_validation(case.task, case.data, config, model)
    curve: list[Any] = []
    kept = done = 0
    for event in fit(model, case.task.loss, sampler, config, validation, keeper):
        if isinstance(event, ResumeEvent):
            curve = [told(part) for part in event.history]
        elif isinstance(event, EpochEvent):
            curve.append(told(event))
        elif isinstance(event, StepEvent) and keeper is not None:
            done += 1
            keeper.stop.asked = done >= steps
        elif isinstance(event, StopEvent):
            kept = event.epoch
    return model.state_dict(), curve, kept
