"""The training loop against plain torch loops."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from birnn.config import EncoderConfig, TrainConfig
from birnn.data.splits.batching import BucketSampler
from birnn.data.steps import StepSplit, synthetic
from birnn.errors import ConfigError, NonFiniteLossError, TrainingError
from birnn.nn.batch import Batch
from birnn.nn.devices import resolve_device
from birnn.nn.encoders import build_encoder
from birnn.nn.model import Features, SequenceModel, count_parameters, outputs_of
from birnn.nn.word_embedder import WordEmbedder, WordSizes
from birnn.registry import ENCODERS
from birnn.tasks.regression.task import StepHead
from birnn.training.events import EpochEvent, Event, StepEvent, StopEvent
from birnn.training.loop import LossSum, fit
from birnn.training.randomness import seed_everything
from birnn.training.schedules import learning_rate_factor
from birnn.training.state import Best, TrainingRun, Validation, parameter_groups

PLAIN = TrainConfig(
    epochs=1, learning_rate=0.05, schedule="constant", warmup=0.0, clip_norm=0.0, patience=0,
    device="cpu",
)  # fmt: skip


class Line(nn.Module):
    """A number for each item from its three features."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 1).double()

    def forward(self, batch: Batch) -> Tensor:
        """``[B]``."""
        return self.linear(batch.inputs["features"]).flatten()


class Fixed:
    """The same batches every epoch."""

    def __init__(self, *batches: Batch) -> None:
        self.batches = batches

    def steps(self, epoch: int) -> int:
        """How many there are."""
        return len(self.batches)

    def epoch(self, epoch: int, start: int) -> Iterable[Batch]:
        """Those from ``start`` on."""
        return self.batches[start:]


def line(seed: int = 0) -> Line:
    torch.manual_seed(seed)
    return Line()


def items(sizes: Sequence[int], seed: int = 0) -> list[Batch]:
    """Batches of the given sizes."""
    generator = torch.Generator().manual_seed(seed)
    draw = {"generator": generator, "dtype": torch.float64}
    return [
        Batch(
            {"features": torch.randn(size, 3, **draw)},
            torch.ones(size, dtype=torch.long),
            3 * torch.randn(size, **draw),
        )
        for size in sizes
    ]


def squared(outputs: Tensor, batch: Batch) -> LossSum:
    return LossSum((outputs - batch.targets).square().sum(), float(len(batch)))


def judged(*scores: float, lower: bool = True) -> Validation:
    """A validation whose score is each of ``scores`` in turn, then better every time."""
    better = itertools.count(-1e6, -1) if lower else itertools.count(1e6)
    values = itertools.chain(scores, better)
    return Validation(lambda: {"score": next(values)}, "score", lower)


def train(
    model: nn.Module,
    batches: Sequence[Batch],
    config: TrainConfig = PLAIN,
    validation: Validation | None = None,
) -> list[Event]:
    return list(fit(model, squared, Fixed(*batches), config, validation or judged()))


def weights(model: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def plain_loop(
    model: Line,
    groups: Sequence[Sequence[Batch]],
    config: TrainConfig,
    each_step: Callable[[], None] = lambda: None,
) -> None:
    """AdamW on the mean squared error of each group, written out."""
    optimizer = torch.optim.AdamW(
        model.parameters(), config.learning_rate, (0.9, config.beta2), weight_decay=0.0
    )
    total = config.epochs * len(groups)
    for step, group in enumerate(itertools.chain(*[groups] * config.epochs)):
        factor = learning_rate_factor(step, total, config.warmup, config.schedule)
        optimizer.param_groups[0]["lr"] = config.learning_rate * factor
        x = torch.cat([batch.inputs["features"] for batch in group])
        y = torch.cat([batch.targets for batch in group if batch.targets is not None])
        optimizer.zero_grad()
        nn.functional.mse_loss(model.linear(x).flatten(), y).backward()
        if config.clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        optimizer.step()
        each_step()


@pytest.mark.parametrize(
    "config",
    [
        replace(PLAIN, epochs=4),
        replace(PLAIN, epochs=4, beta2=0.9),
        replace(PLAIN, epochs=4, clip_norm=0.5),
        replace(PLAIN, epochs=5, schedule="cosine", warmup=0.3),
        replace(PLAIN, epochs=5, schedule="one-cycle", warmup=0.3),
    ],
)
def test_training_is_adamw_on_each_batchs_mean(config: TrainConfig) -> None:
    batches, ours, theirs = items([4, 1, 3]), line(), line()
    train(ours, batches, config)
    plain_loop(theirs, [[batch] for batch in batches], config)
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-12, atol=1e-12)


def test_clipping_has_an_effect() -> None:
    free, clipped = line(), line()
    train(free, items([4, 1, 3]), replace(PLAIN, epochs=3))
    train(clipped, items([4, 1, 3]), replace(PLAIN, epochs=3, clip_norm=0.5))
    assert not torch.allclose(weights(free), weights(clipped))


@pytest.mark.parametrize("sizes", [[1, 2, 4], [3, 3], [5, 1, 1, 1]])
@pytest.mark.parametrize("clip_norm", [0.0, 0.5])
def test_accumulated_batches_are_one_large_batch(sizes: list[int], clip_norm: float) -> None:
    batches = items(sizes)
    config = replace(PLAIN, epochs=4, accumulate=len(sizes), clip_norm=clip_norm)
    ours, theirs = line(), line()
    events = train(ours, batches, config)
    plain_loop(theirs, [batches], config)
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-12, atol=1e-12)
    assert sum(isinstance(event, StepEvent) for event in events) == 4


def test_a_last_group_may_be_smaller() -> None:
    batches, ours, theirs = items([2, 1, 3, 4, 2]), line(), line()
    config = replace(PLAIN, epochs=2, accumulate=2)
    events = train(ours, batches, config)
    plain_loop(theirs, [batches[:2], batches[2:4], batches[4:]], config)
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-12, atol=1e-12)
    steps = [event for event in events if isinstance(event, StepEvent)]
    assert [event.step for event in steps] == [1, 2, 3, 4, 5, 6]
    assert {event.total_steps for event in steps} == {6}


def test_an_epochs_loss_is_the_mean_over_its_items_not_over_its_batches() -> None:
    batches, model = items([1, 5, 2]), line()
    events = train(model, batches, replace(PLAIN, learning_rate=0.0))
    errors = torch.cat([squared_errors(model, batch) for batch in batches])
    assert events[2].loss == pytest.approx(float(errors.mean()))
    assert events[3].loss == pytest.approx(float(errors.mean()))
    assert events[0].loss == pytest.approx(float(errors[0]))


def squared_errors(model: Line, batch: Batch) -> Tensor:
    return (model(batch) - batch.targets).square().detach()


def test_events_come_in_order_and_count_tokens() -> None:
    events = train(line(), items([2, 3]), replace(PLAIN, epochs=2))
    kinds = [type(event) for event in events]
    assert kinds == [StepEvent, StepEvent, EpochEvent] * 2 + [StopEvent]
    assert [e.tokens for e in events if isinstance(e, EpochEvent)] == [5, 5]
    assert events[-1].tokens == 10


def test_an_epoch_event_tells_its_last_learning_rate() -> None:
    config = replace(PLAIN, epochs=4, schedule="cosine")
    events = train(line(), items([2, 3]), config)
    found = [event.learning_rate for event in events if isinstance(event, EpochEvent)]
    wanted = [0.05 * learning_rate_factor(step, 8, 0.0, "cosine") for step in (1, 3, 5, 7)]
    assert found == pytest.approx(wanted)


def test_the_averaged_weights_are_validated_and_kept() -> None:
    config, batches, ours, theirs = replace(PLAIN, epochs=6, ema=0.8), items([2, 3]), line(), line()
    seen: list[Tensor] = []

    def score() -> dict[str, float]:
        seen.append(weights(ours))
        return {"score": -len(seen)}

    list(fit(ours, squared, Fixed(*batches), config, Validation(score, "score", True)))
    averages = [weights(theirs)]

    def average() -> None:
        step = len(averages)
        decay = min(0.8, (1 + step) / (10 + step))
        averages.append(decay * averages[-1] + (1 - decay) * weights(theirs))

    plain_loop(theirs, [[batch] for batch in batches], config, average)
    for found, wanted in zip(seen, averages[2::2], strict=True):
        torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(weights(ours), averages[-1])


def watch(
    model: nn.Module, scores: Sequence[float], *, lower: bool
) -> tuple[list[Tensor], Validation]:
    """A scripted validation that notes the weights of each epoch."""
    seen: list[Tensor] = []

    def score() -> dict[str, float]:
        seen.append(weights(model))
        return {"other": 0.0, "score": scores[len(seen) - 1]}

    return seen, Validation(score, "score", lower)


@pytest.mark.parametrize("lower", [True, False])
def test_early_stopping_keeps_the_best_epochs_weights(lower: bool) -> None:
    sign = 1 if lower else -1
    model = line()
    seen, validation = watch(model, [sign * s for s in (5, 3, 4, 3, 9, 1)], lower=lower)
    config = replace(PLAIN, epochs=6, patience=3)
    events = train(model, items([2, 3]), config, validation)
    stop = events[-1]
    assert isinstance(stop, StopEvent)
    assert (stop.epoch, stop.score) == (2, sign * 3)
    assert "no better score for 3 epochs" in stop.reason
    assert len(seen) == 5
    assert torch.equal(weights(model), seen[1])
    improved = [event.improved for event in events if isinstance(event, EpochEvent)]
    assert improved == [True, True, False, False, False]


def floored(*epochs: tuple[float, float], patience: int = 2) -> StopEvent:
    """How training ends whose epochs have these scores, beside what is had without training."""
    values = iter([{"score": score, "floor": floor} for score, floor in epochs])
    validation = Validation(lambda: next(values), "score", True, goal="score", floor="floor")
    config = replace(PLAIN, epochs=len(epochs), patience=patience)
    stop = train(line(), items([2]), config, validation)[-1]
    assert isinstance(stop, StopEvent)
    return stop


@pytest.mark.parametrize(
    ("epochs", "kept", "reason"),
    [
        ([(3, 3), (3, 3), (2, 3), (1, 3)], 1, "no better score than floor for 2 epochs"),
        ([(3, 3), (2, 3), (2, 3), (2, 3), (1, 3)], 2, "no better score for 2 epochs"),
        ([(2, 3), (3, 3), (3, 3), (1, 3)], 1, "no better score for 2 epochs"),
        ([(3, 3), (2, 3), (3, 3)], 2, "all epochs done"),
        # On a GPU what is had without training can differ in its last bits from epoch to epoch.
        ([(3, 3), (3 - 1e-9, 3 - 1e-9), (1, 3)], 2, "no better score than floor for 2 epochs"),
    ],
    ids=["never", "from the second on", "the first alone", "no time", "within rounding"],
)
def test_an_epoch_that_equals_no_training_has_gained_nothing(
    epochs: Sequence[tuple[float, float]], kept: int, reason: str
) -> None:
    stop = floored(*epochs)
    assert (stop.epoch, stop.reason) == (kept, reason)


def test_a_floor_that_is_no_score_holds_nothing_back() -> None:
    validation = Validation(lambda: {"score": 1.0}, "score", True, goal="score", floor="floor")
    config = replace(PLAIN, epochs=9, patience=2)
    stop = train(line(), items([2]), config, validation)[-1]
    assert stop.reason == "no better score for 2 epochs"


def kept(epochs: Sequence[tuple[float, float]], margin: float) -> int:
    """The epoch that is kept of those with these scores and losses."""
    best = Best(Validation(dict, "score", False, tie="loss", margin=margin))
    for epoch, (score, loss) in enumerate(epochs, 1):
        best.offer(epoch, {"score": score, "loss": loss}, line())
    return best.epoch


@pytest.mark.parametrize(
    ("epochs", "margin", "wanted"),
    [
        ([(0, 0.5), (0, 0.3), (0, 0.4)], 0.0, 2),
        ([(0.5, 0.5), (0.7, 0.3), (0.7, 0.2), (0.6, 0.1)], 0.0, 3),
        ([(0.7, 0.2), (0.7, 0.2)], 0.0, 1),
        ([(0, 0.5), (0, 0.3), (0, 0.4)], 0.2, 2),
        ([(0.7, 0.1), (0.6, 0.2), (0.6, 0.3), (0.45, 0.4)], 0.2, 3),
        ([(0.5, 0.1), (0.39, 0.1), (0.31, 0.1), (0.22, 0.1)], 0.1, 1),
    ],
    ids=["zero", "equal", "all equal", "zero in a margin", "later in a margin", "of the best"],
)
def test_ties_are_decided_by_the_loss_and_within_a_margin_the_later_is_kept(
    epochs: Sequence[tuple[float, float]], margin: float, wanted: int
) -> None:
    assert kept(epochs, margin=margin) == wanted


def test_a_kept_epoch_is_measured_against_the_best_not_against_the_one_before() -> None:
    """So that many small steps down don't add up."""
    assert kept([(0.5, 1), (0.45, 1), (0.42, 1), (0.39, 1), (0.36, 1)], margin=0.1) == 3


def test_without_patience_all_epochs_run_and_the_best_is_kept() -> None:
    model = line()
    seen, validation = watch(model, [5, 3, 9, 9, 9, 9], lower=True)
    stop = train(model, items([2]), replace(PLAIN, epochs=6), validation)[-1]
    assert len(seen) == 6
    assert torch.equal(weights(model), seen[1])
    assert stop.reason == "all epochs done"


def test_a_score_that_is_no_number_is_never_the_best() -> None:
    model = line()
    seen, validation = watch(model, [math.nan, 3, math.nan], lower=True)
    stop = train(model, items([2]), replace(PLAIN, epochs=3), validation)[-1]
    assert (stop.epoch, stop.score) == (2, 3)
    assert torch.equal(weights(model), seen[1])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_no_epoch_can_score_are_a_training_error(value: float) -> None:
    validation = Validation(lambda: {"score": value}, "score", True)
    with pytest.raises(TrainingError, match="validation score became .* in epoch 1; lower"):
        train(line(), items([2]), PLAIN, validation)


def test_the_kept_epoch_must_have_every_score() -> None:
    validation = Validation(lambda: {"accuracy": 0.5, "log_loss": math.nan}, "accuracy", False)
    with pytest.raises(TrainingError, match="validation log_loss became nan in epoch 1"):
        train(line(), items([2]), PLAIN, validation)


def test_validation_and_the_end_see_evaluation_mode_and_steps_training_mode() -> None:
    model = line()
    modes: list[tuple[str, bool]] = []

    def loss(outputs: Tensor, batch: Batch) -> LossSum:
        modes.append(("step", model.training))
        return squared(outputs, batch)

    def score() -> dict[str, float]:
        modes.append(("score", model.training))
        return {"score": 0.0}

    validation = Validation(score, "score", True)
    list(fit(model, loss, Fixed(*items([2])), replace(PLAIN, epochs=2), validation))
    assert modes == [("step", True), ("score", False)] * 2
    assert not model.training


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_a_training_error(value: float) -> None:
    good, bad = items([2, 2])
    bad.inputs["features"][0, 0] = value
    with pytest.raises(TrainingError, match="epoch 1, step 2; lower --learning-rate"):
        train(line(), [good, bad])


def test_a_monitor_that_is_no_score_is_a_config_error_naming_the_scores() -> None:
    validation = Validation(lambda: {"mse": 1.0, "mae": 2.0}, "f1", False)
    with pytest.raises(ConfigError, match="there is no metric 'f1'; there are: mse, mae"):
        train(line(), items([2]), PLAIN, validation)


def sequence_model(encoder: EncoderConfig) -> SequenceModel:
    built = build_encoder(4, encoder)
    return SequenceModel(Features(4), built, StepHead(built.output_size))


def sequences() -> StepSplit:
    x, y = synthetic(20, 6, 4, seed=1)
    cut = [1 + i % 6 for i in range(20)]
    return StepSplit(
        [part[:n] for part, n in zip(x, cut, strict=True)],
        [part[:n] for part, n in zip(y, cut, strict=True)],
        torch.zeros(5).numpy(),
        torch.ones(5).numpy(),
    )


def sequence_loss(outputs: Tensor, batch: Batch) -> LossSum:
    real = torch.arange(outputs.shape[1]) < batch.lengths.unsqueeze(1)
    return LossSum((outputs - batch.targets)[real].square().sum(), float(batch.lengths.sum()))


def run_sequences(encoder: EncoderConfig, config: TrainConfig) -> tuple[SequenceModel, list[Event]]:
    seed_everything(config.seed)
    model = sequence_model(encoder)
    sampler = BucketSampler(sequences(), 5, 100, config.seed)
    return model, list(fit(model, sequence_loss, sampler, config, judged()))


NOISY = {"hidden_size": 5, "layers": 2, "dropout": 0.3, "locked_dropout": 0.3, "norm": "batch"}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_same_seed_gives_the_same_bits(encoder: str) -> None:
    config = replace(PLAIN, epochs=3, seed=7)
    first, second = (run_sequences(EncoderConfig(encoder, **NOISY), config)[0] for _ in range(2))
    other, _ = run_sequences(EncoderConfig(encoder, **NOISY), replace(config, seed=8))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name
    assert not torch.equal(weights(first), weights(other))


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_bf16_trains_and_leaves_a_full_precision_model(encoder: str, norm: str) -> None:
    config = EncoderConfig(encoder, **{**NOISY, "norm": norm}, residual=True)
    precision = replace(PLAIN, epochs=3, mixed_precision="bf16", clip_norm=1.0)
    model, events = run_sequences(config, precision)
    losses = [event.loss for event in events if isinstance(event, EpochEvent)]
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]
    assert all(p.dtype == torch.float32 for p in model.parameters())
    batch, plain = sequences().batch([0, 1]), sequence_model(config)
    plain.load_state_dict(model.state_dict())
    assert torch.equal(model(batch), plain.eval()(batch))


def test_bf16_is_near_full_precision() -> None:
    losses = []
    for precision in ("no", "bf16"):
        config = replace(PLAIN, epochs=2, learning_rate=0.005, mixed_precision=precision)
        _, events = run_sequences(EncoderConfig(hidden_size=5), config)
        losses.append(events[-2].loss)
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0] != losses[1]


def test_fp16_on_a_cpu_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="fp16 needs a GPU"):
        train(line(), items([2]), replace(PLAIN, mixed_precision="fp16"))


@pytest.mark.parametrize(
    "name", ["", "gpu", "cpu:1", "cuda:99", "cuda:x", "cuda:-1", "cpu:", "cuda:", "cuda:²"]
)
def test_a_device_that_is_not_there_is_a_config_error(name: str) -> None:
    with pytest.raises(ConfigError, match="device: "):
        resolve_device(name)


@pytest.mark.parametrize("name", ["cpu", "cpu:0", "auto"])
def test_a_device_that_is_there_is_found(name: str) -> None:
    assert isinstance(resolve_device(name), torch.device)


def decays(model: nn.Module, weight_decay: float) -> dict[int, float]:
    groups = parameter_groups(model, weight_decay)
    found: list[tuple[int, float]] = [
        (id(p), float(str(group["weight_decay"])))
        for group in groups
        for p in _parameters(group["params"])
    ]
    assert len(found) == len(dict(found))
    return dict(found)


def _parameters(value: object) -> Iterator[nn.Parameter]:
    assert isinstance(value, list)
    yield from value


def test_only_matrices_that_are_no_tables_decay() -> None:
    config = EncoderConfig(hidden_size=3, layers=2, norm="layer")
    embedder = WordEmbedder(WordSizes(5, 4, 0, 7, 2), 0.1, 0.1)
    encoder = build_encoder(6, config)
    model = SequenceModel(embedder, encoder, StepHead(6))
    found = decays(model, 0.1)
    assert len(found) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        table = name.startswith("embedder.")
        wanted = 0.1 if parameter.ndim == 2 and not table else 0.0
        assert found[id(parameter)] == wanted, name


def test_a_module_can_ask_for_a_decay_of_its_own() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight_decay = 0.5
    found = decays(model, 0.1)
    assert [found[id(p)] for p in model.parameters()] == [0.1, 0.0, 0.5, 0.5]


def test_shared_and_frozen_parameters_are_counted_once_and_never() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    model[1].bias.requires_grad_(False)
    assert len(decays(model, 0.1)) == 2
    assert count_parameters(model) == 6


def test_weight_decay_shrinks_weights() -> None:
    model = line()
    before = weights(model)
    train(model, items([2]), replace(PLAIN, epochs=1, weight_decay=0.5, learning_rate=1e-4))
    free = line()
    train(free, items([2]), replace(PLAIN, epochs=1, learning_rate=1e-4))
    gone = weights(free) - weights(model)
    torch.testing.assert_close(gone[:3], 0.5 * 1e-4 * before[:3], rtol=1e-6, atol=1e-12)
    assert float(gone[3]) == 0


def test_outputs_come_with_their_batches_and_without_gradients() -> None:
    model, batches = line(), items([2, 3])
    found = list(outputs_of(model, batches, "cpu"))
    assert [len(batch) for batch, _ in found] == [2, 3]
    for batch, outputs in found:
        assert isinstance(outputs, Tensor)
        assert not outputs.requires_grad
        torch.testing.assert_close(outputs, model(batch).detach())


def test_a_norm_within_the_bound_is_left_alone() -> None:
    gradients = []
    for clip_norm in (0.0, 1e6):
        model = line()
        train(model, items([4]), replace(PLAIN, clip_norm=clip_norm))
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    assert gradients[0]
    for free, bounded in zip(*gradients, strict=True):
        torch.testing.assert_close(free, bounded, rtol=1e-12, atol=0)


@pytest.fixture
def lazily(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are read as on a GPU: some steps after they were computed."""
    fixed = property(lambda run: 3, lambda run, value: None)  # an epoch of 4 steps leaves one
    monkeypatch.setattr(TrainingRun, "read_every", fixed, raising=False)


def test_losses_that_wait_are_the_same(lazily: None, monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(PLAIN, epochs=3, accumulate=2, clip_norm=0.5)
    model = line()
    late = train(model, items([3, 2, 4, 1, 3, 2, 2]), config)
    monkeypatch.undo()
    other = line()
    soon = train(other, items([3, 2, 4, 1, 3, 2, 2]), config)
    losses = [[event.loss for event in events if isinstance(event, EpochEvent)]
              for events in (late, soon)]  # fmt: skip
    assert losses[0] == losses[1]
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("bad", range(7))
def test_a_loss_that_waits_names_its_own_batches(lazily: None, bad: int) -> None:
    batches = items([3, 2, 4, 1, 3, 2, 2])
    batches[bad].inputs["features"].fill_(torch.nan)
    with pytest.raises(NonFiniteLossError, match=f"epoch 1, step {bad // 2 + 1};") as error:
        train(line(), batches, replace(PLAIN, accumulate=2))
    first = bad // 2 * 2
    assert error.value.batches == range(first, min(first + 2, 7))
