"""What every task promises with every encoder; see test_contract.py for the table it runs over.

A new task needs one line in ``TINY``: a configuration on tiny data of its own making.
"""

import csv
import random
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from birnn.config import EncoderConfig, TrainConfig
from birnn.data.splits.batching import BucketSampler
from birnn.data.tags.schemes import legal
from birnn.errors import Stopped
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.model import outputs_of
from birnn.registry import resolve
from birnn.tasks import TASKS
from birnn.tasks.core.inference import predict
from birnn.tasks.core.task import Task, TaskData
from birnn.tasks.forecast.options import ForecastingConfig, ForecastingData, ForecastingParts
from birnn.tasks.regression.options import RegressionConfig, RegressionData
from birnn.tasks.runs.folder import load_run, write_model
from birnn.tasks.sentiment.options import SentimentConfig, SentimentData, SentimentParts
from birnn.tasks.tagging.options import TaggingConfig, TaggingData, TaggingParts
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest
from birnn.training.checkpoints import Checkpointer
from birnn.training.events import EpochEvent, ResumeEvent, StepEvent, StopEvent
from birnn.training.loop import LossSum, fit
from birnn.training.state import Validation

from strategies import randomise

AnyTask = Task[Any, Any, Any]
AnyData = TaskData[Any, Any]

TRAIN = TrainConfig(batch_size=5, device="cpu", schedule="constant", warmup=0.0, patience=0)
ENCODER = EncoderConfig(hidden_size=5, layers=2, norm="layer", residual=True)
EXTRA = 3  # steps of padding beyond the longest

WORDS = {
    "bad": ("awful", "dull", "bad"),
    "good": ("great", "fine", "good"),
    "so-so": ("fair", "okay", "middling"),
}
FILLERS = ("the", "film", "was", "really", "a", "bit", "of")


def write_texts(path: Path) -> None:
    """54 distinct texts of 1 to 8 words in three classes."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for label, words in WORDS.items():
            for i in range(18):
                text = [*FILLERS[: i % 7], words[i % 3], str(i)]
                writer.writerow([" ".join(text), label])


def write_vectors(path: Path) -> None:
    """Vectors of four numbers for some of the words."""
    known = [*FILLERS[:4], *(words[0] for words in WORDS.values())]
    numbers = np.random.default_rng(0).normal(size=(len(known), 4))
    rows = (f"{word} {' '.join(map(str, row))}" for word, row in zip(known, numbers, strict=True))
    path.write_text("\n".join(rows) + "\n")


def write_sequences(path: Path) -> None:
    """24 sequences of 1 to 7 steps, two features and a target that follows them."""
    generator = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["who", "a", "b", "target"])
        for who in range(24):
            x = generator.normal(size=(1 + who % 7, 2))
            y = 5 + 3 * np.tanh(x @ [1.0, -0.5]) + 0.1 * generator.normal(size=len(x))
            writer.writerows([f"s{who}", a, b, c] for (a, b), c in zip(x, y, strict=True))


def write_tagged(path: Path) -> None:
    """36 distinct sentences of 1 to 8 tokens with persons of one to three tokens, in IOB2."""
    names = ("Ada", "Bo", "Cy")
    blocks = []
    for i in range(36):
        rows = [f"{word}\tO" for word in FILLERS[: i % 6]]
        rows.insert(i % (len(rows) + 1), f"{names[i % 3]}\tB-per")
        rows[rows.index(f"{names[i % 3]}\tB-per") + 1 :] = [
            *(f"{names[(i + k) % 3]}\tI-per" for k in range(1, 1 + i % 2)),
            *rows[rows.index(f"{names[i % 3]}\tB-per") + 1 :],
        ]
        blocks.append("\n".join([*rows, f"n{i}\tO"]))
    path.write_text("\n\n".join(blocks) + "\n")


def write_parts_of_speech(path: Path) -> None:
    """30 distinct sentences of raw tags."""
    tags = ("DET", "NOUN", "VERB", "ADV", "DET", "NOUN", "ADP")
    blocks = (
        "\n".join([*(f"{w} {t}" for w, t in zip(FILLERS[: i % 7], tags, strict=False)), f"{i} NUM"])
        for i in range(30)
    )
    path.write_text("\n\n".join(blocks) + "\n")


def tagging(folder: Path) -> TaggingConfig:
    """A learned chain over IOBES tags; letters by convolution, every part of a token."""
    write_tagged(folder / "people.conll")
    return TaggingConfig(
        TaggingData(str(folder / "people.conll"), vectors="none"),
        TaggingParts(
            members=1, word_size=6, char_size=6, character_size=4, affix_size=2,
            singleton_dropout=0.05, word_dropout=0.05, embedding_dropout=0.05,
            embedding_locked_dropout=0.0, character_dropout=0.0, head_dropout=0.0,
        ),
        ENCODER,
        TRAIN,
    )  # fmt: skip


def tagging_raw(folder: Path) -> TaggingConfig:
    """Two networks with softmax on raw tags, pretrained vectors, letters by a recurrent encoder."""
    write_vectors(folder / "vectors.txt")
    write_parts_of_speech(folder / "words.txt")
    config = tagging(folder)
    model = replace(config.model, members=2, decoder="softmax", char_encoder="bigru", affix_size=0)
    data = replace(config.data, data=str(folder / "words.txt"), vectors=str(folder / "vectors.txt"))
    return replace(config, data=data, model=model)


def sentiment(folder: Path) -> SentimentConfig:
    """No vectors, a wide part, every pooling."""
    write_texts(folder / "texts.csv")
    return SentimentConfig(
        SentimentData(str(folder / "texts.csv"), vectors="none", min_frequency=1),
        SentimentParts(
            members=1, word_size=6, gram_size=3, gram_buckets=50, pooling="max+mean+last+attention",
            word_dropout=0.05, embedding_dropout=0.05, head_dropout=0.05, consistency=0.0,
        ),
        ENCODER,
        TRAIN,
    )  # fmt: skip


def sentiment_with_vectors(folder: Path) -> SentimentConfig:
    """Two networks on pretrained vectors, two dropout views, no wide part."""
    write_vectors(folder / "vectors.txt")
    config = sentiment(folder)
    data = replace(config.data, vectors=str(folder / "vectors.txt"))
    model = replace(config.model, members=2, pooling="mean", wide=False, consistency=1.0)
    return replace(config, data=data, model=model)


def regression(folder: Path) -> RegressionConfig:
    """Ragged sequences from a table."""
    write_sequences(folder / "steps.csv")
    data = RegressionData(str(folder / "steps.csv"), sequence_column="who", validation_share=0.2)
    return RegressionConfig(data, ENCODER, TRAIN)


def write_series(path: Path) -> None:
    """Three hourly series of their own lengths with gaps, in long layout, and their covariates.

    The last rows hold what is known ahead.
    """
    generator = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "time", "value", "price", "holiday", "kind"])
        for who, size in enumerate((60, 72, 66)):
            stamps = pd.date_range("2024-01-01", periods=size + 5, freq="h")
            season = np.sin(np.arange(size + 5) * np.pi / 3)
            y = 10 * who + season + 0.1 * generator.normal(size=size + 5)
            for t, stamp in enumerate(stamps):
                known = t < size and not (t % 17 == 5 and t < size - 1)
                price = f"{generator.normal():.3f}" if t < size else ""
                value = f"{y[t]:.4f}" if known else ""
                writer.writerow([f"s{who}", stamp, value, price, t % 2, "ab"[who % 2]])


def write_wide(path: Path) -> None:
    """Two daily series without gaps."""
    generator = np.random.default_rng(1)
    stamps = pd.date_range("2024-01-01", periods=90, freq="D")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "north", "south"])
        for t, stamp in enumerate(stamps):
            values = [np.sin(2 * np.pi * t / 7) + 0.1 * generator.normal() for _ in range(2)]
            writer.writerow([stamp.date(), 100 + 5 * values[0], values[1]])


FORECAST_TRAIN = replace(TRAIN, batch_size=8)


def forecast(folder: Path) -> ForecastingConfig:
    """Ragged lookbacks with gaps, every kind of covariate, quantile heads, a vector a series."""
    write_series(folder / "long.csv")
    return ForecastingConfig(
        ForecastingData(
            str(folder / "long.csv"), season=6, past="price", future="holiday", static="kind",
            calendar="hour", horizon=5, lookback=10,
        ),
        ForecastingParts(
            members=1, segment=3, segment_size=6, series_size=2, loss="quantile",
            normalise="scale", head_dropout=0.05, input_dropout=0.05, levels="50,80",
        ),
        ENCODER,
        FORECAST_TRAIN,
    )  # fmt: skip


def forecast_wide(folder: Path) -> ForecastingConfig:
    """Two networks, SegRNN's decoder, points."""
    write_wide(folder / "wide.csv")
    return ForecastingConfig(
        ForecastingData(str(folder / "wide.csv"), horizon=5, lookback=14),
        ForecastingParts(
            members=2, segment=7, segment_size=6, decoder="segments", head_dropout=0.05,
            levels="50",
        ),
        ENCODER,
        FORECAST_TRAIN,
    )  # fmt: skip


def log_of_classes(data: AnyData) -> tuple[float, float]:
    """All classes alike, but for the head's small weights."""
    return float(np.log(len(data.info.labels))), 0.03


def log_of_legal_sequences(data: AnyData) -> tuple[float, float]:
    """All legal sequences alike: the log of their number, a token."""
    rules = legal(data.info.labels, data.info.inner)
    total = 0.0
    for length in data.splits["train"].lengths:
        paths = rules.start.astype(float)
        for _ in range(length - 1):
            paths = paths @ rules.transitions
        total += np.log(paths[rules.end].sum())
    return total / float(data.splits["train"].lengths.sum()), 0.12


def spread_of_targets(data: AnyData) -> tuple[float, float]:
    """The targets' mean square, as if 0 were predicted.

    The states of an untrained cell and the weights of its head are small: predictions have a
    root mean square ``r`` of at most 0.3, and ``|√loss − √wanted| ≤ r``.
    """
    batch = whole(data)
    assert batch.targets is not None
    real = batch.targets[sequence_mask(batch.lengths, batch.targets.shape[1])]
    root, most = float(real.square().mean()) ** 0.5, 0.3
    return root**2, 2 * most * root + most**2


def distance_from_last(data: AnyData) -> tuple[float, float]:
    """The mean absolute distance of the targets from the last value before them.

    An untrained head moves little from there.
    """
    train = data.splits["train"]
    items = np.arange(len(train))
    gaps = []
    for history, future in zip(train.histories(items), train.futures(items), strict=True):
        last = history[np.isfinite(history)][-1] if np.isfinite(history).any() else np.nan
        gaps.append(np.abs(future - last))
    scale = train.scale[train.series][:, None]
    wanted = float(np.nanmean(np.array(gaps) / scale))
    return wanted, 0.35


@dataclass(frozen=True)
class Tiny:
    """A task small enough to check in a second."""

    make: Callable[[Path], Any]
    start: Callable[[AnyData], tuple[float, float]]  # the loss before training, and how near


TINY: dict[str, dict[str, Tiny]] = {
    "sentiment": {
        "plain": Tiny(sentiment, log_of_classes),
        "vectors": Tiny(sentiment_with_vectors, log_of_classes),
    },
    "tagging": {
        "spans": Tiny(tagging, log_of_legal_sequences),
        "raw": Tiny(tagging_raw, log_of_classes),
    },
    "forecast": {
        "panel": Tiny(forecast, lambda data: (2.0, 2.0)),
        "wide": Tiny(forecast_wide, distance_from_last),
    },
    "regression": {"table": Tiny(regression, spread_of_targets)},
}


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


def find_tiny(task: str, variant: str) -> Tiny:
    """The entry of the table; a task without one fails its tests."""
    if task not in TINY:
        pytest.fail(f"the task {task!r} has no tiny configuration: add one to TINY in {__file__}")
    return TINY[task][variant]


def prepare(task: str, variant: str, folder: Path) -> Case:
    """Make the tiny data and load it as the task does."""
    tiny = find_tiny(task, variant)
    made = resolve({task: TASKS[task].task}, task, "task")(tiny.make(folder))
    data = made.load()
    return Case(made, data, tiny.start(data))


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
    return float(total) / count


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
    inputs = {
        name: padded(tensor, batch.lengths, fill) if tensor.shape[:2] == steps else tensor
        for name, tensor in batch.inputs.items()
    }
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
        checkpointer = Checkpointer(
            folder, CheckpointConfig(keep_checkpoints=1), StopRequest(asked=not steps)
        )
        try:
            found = train_until(case, train, checkpointer, steps)
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
    case: Case, config: TrainConfig, checkpointer: Checkpointer | None, steps: int
) -> tuple[dict[str, Tensor], list[Any], int]:
    """Train, ask for a stop after ``steps`` steps; returns weights, curve and the kept epoch."""
    model = case.model(seed=3)
    sampler = BucketSampler(case.data.splits["train"], 5, 10**6, 3, views=case.task.views)

    def score() -> dict[str, float]:
        with torch.no_grad():
            return {"score": loss_of(case, model, whole(case.data, "validation"))}

    curve: list[Any] = []
    kept = done = 0
    for event in fit(
        model, case.task.loss, sampler, config, Validation(score, "score", True), checkpointer
    ):
        if isinstance(event, ResumeEvent):
            curve = [told(part) for part in event.history]
        elif isinstance(event, EpochEvent):
            curve.append(told(event))
        elif isinstance(event, StepEvent) and checkpointer is not None:
            done += 1
            checkpointer.stop.asked = done >= steps
        elif isinstance(event, StopEvent):
            kept = event.epoch
    return model.state_dict(), curve, kept
