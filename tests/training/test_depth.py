"""Layers that are frozen don't move, thaw in their order, and learn at their own rates."""

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from birnn.config import EncoderConfig, TrainConfig
from birnn.errors import ConfigError
from birnn.nn import engines
from birnn.nn.batch import Batch
from birnn.nn.encoders import Encoded, build_encoder
from birnn.nn.model import Embedder, SequenceModel
from birnn.training.depth import Layers
from birnn.training.loop import fit
from birnn.training.losses import LossSum
from birnn.training.state import TrainingRun, Validation, parameter_groups
from birnn.training.tables import LARGE

LAYERS = 2
NEVER = Validation(lambda: {"none": 0.0}, "none", lower_is_better=True)


class Table(Embedder):
    """Rows of a table, large enough to be trained row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.output_size = 8
        self.table = nn.Embedding(LARGE // 8, 8)

    def forward(self, batch: Batch) -> Tensor:
        """``[B, T, 8]``."""
        rows: Tensor = self.table(batch.inputs["rows"])
        return rows


class Last(nn.Module):
    """The summary's sum."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, 1)

    def forward(self, encoded: Encoded, batch: Batch) -> Tensor:
        """``[B]``."""
        out: Tensor = self.linear(encoded.summary).squeeze(-1)
        return out


def network(norm: str = "none") -> SequenceModel:
    torch.manual_seed(0)
    encoder = build_encoder(8, EncoderConfig(hidden_size=4, layers=LAYERS, norm=norm))
    return SequenceModel(Table(), encoder, Last(encoder.output_size))


def loss(outputs: object, batch: Batch) -> LossSum:
    assert isinstance(outputs, Tensor)
    return LossSum((outputs - 1).square().sum(), torch.tensor(float(len(outputs))))


class Items:
    """Three batches an epoch."""

    def steps(self, epoch: int) -> int:
        """Always as many."""
        return 3

    def epoch(self, epoch: int, start: int) -> Iterator[Batch]:
        """Other rows each time."""
        for number in range(start, 3):
            generator = torch.Generator().manual_seed(10 * epoch + number)
            rows = torch.randint(0, 40, (6, 5), generator=generator)
            yield Batch({"rows": rows}, torch.tensor([5, 4, 5, 2, 1, 3]), None)


def settings(**options: object) -> TrainConfig:
    return TrainConfig(device="cpu", beta2=0.98, weight_decay=0.1, patience=0, **options)  # type: ignore[arg-type]


def moved(model: nn.Module, before: dict[str, Tensor]) -> set[int]:
    """The depths at which any number of the state has changed."""
    layers, found = Layers.of(model), set()
    for name, parameter in model.named_parameters():
        if not torch.equal(parameter, before[name]):
            found.add(layers.depth[id(parameter)])
    return found


@pytest.mark.parametrize("engine", ["auto", "torch"])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_what_is_frozen_keeps_every_bit_and_thaws_from_the_top(ema: float, engine: str) -> None:
    """Neither weight decay nor the average, which is what is kept, moves it."""
    model = network()
    before = {name: part.detach().clone() for name, part in model.named_parameters()}
    config = settings(freeze="encoder", thaw_every=2, epochs=8, ema=ema)
    seen = []

    def score() -> dict[str, float]:
        seen.append(moved(model, before))
        return {"none": -float(len(seen))}

    engines.force(engine)
    try:
        for _ in fit(model, loss, Items(), config, Validation(score, "none", lower_is_better=True)):
            pass
    finally:
        engines.force("auto")
    top = LAYERS + 1
    assert seen == [set(range(top - epoch // 2, top + 1)) for epoch in range(8)]
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(("freeze", "still"), [("none", 0), ("embeddings", 1), ("encoder", 3)])
def test_without_thawing_it_stays_frozen_statistics_too(freeze: str, still: int) -> None:
    model = network("batch")
    before = copy.deepcopy(model.state_dict())
    for _ in fit(model, loss, Items(), settings(freeze=freeze, epochs=2), NEVER):
        pass
    kept = model.state_dict()
    for layer in range(LAYERS):
        name = f"encoder.norms.{layer}.norm.running_mean"
        assert torch.equal(kept[name], before[name]) == (layer + 1 < still)
    assert moved(model, before) == set(range(still, LAYERS + 2))


@pytest.mark.parametrize("cut", [2, 4, 7, 10])
def test_a_run_that_is_taken_up_thaws_as_one_that_never_stopped(cut: int) -> None:
    """To the last bit, wherever in the schedule it is cut."""
    config = settings(freeze="encoder", thaw_every=1, layer_decay=2.6, epochs=5, ema=0.9)

    def step(run: TrainingRun) -> None:
        run.model.train()
        run.thaw()
        run.set_rate(0.01 / (1 + run.at.step))
        (batch,) = list(Items().epoch(run.at.epoch, run.at.done))[:1]
        run.optimizer.zero_grad()
        part = loss(run.model(batch), batch)
        part.total.backward()
        run.note_loss(part.total.detach(), part.items, 1)
        run.step(run.gradients(), torch.tensor(1.0), 1)
        if run.at.done == 3:
            run.judge()

    whole, first = (TrainingRun(network(), config, NEVER) for _ in range(2))
    for number in range(13):
        step(whole)
        if number < cut:
            step(first)
    again = TrainingRun(network(), config, NEVER)
    again.restore(first.snapshot())
    for _ in range(13 - cut):
        step(again)
    for run in (whole, again):
        run.rows.flush()
    for ours, theirs in zip(again.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert again.average is not None
    assert whole.average is not None
    for ours, theirs in zip(again.average.average, whole.average.average, strict=True):
        assert torch.equal(ours, theirs)


def test_a_layer_learns_at_the_rate_of_the_one_above_over_the_factor() -> None:
    model = network()
    layers = Layers.of(model)
    groups = parameter_groups(model, 0.1, (), layers, 2.6)
    shares = {id(p): group["share"] for group in groups for p in group["params"]}  # type: ignore[attr-defined]
    assert len(shares) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        place = 0 if name.startswith("embedder") else LAYERS + 1
        if name.startswith("encoder"):
            place = 1 + int(name.split(".")[2])
        assert layers.depth[id(parameter)] == place
        assert shares[id(parameter)] == pytest.approx(2.6 ** (place - LAYERS - 1))
    assert {g["share"] for g in parameter_groups(model, 0.1, (), layers)} == {1.0}


def test_rates_reach_the_weights() -> None:
    """The first step of AdamW is as long as the rate, of rows of a large table too."""
    model = network()
    before = {name: part.detach().clone() for name, part in model.named_parameters()}
    run = TrainingRun(model, settings(layer_decay=4.0), NEVER)
    run.optimizer.param_groups[0]["weight_decay"] = 0.0
    run.set_rate(0.01)
    (batch,) = list(Items().epoch(0, 2))
    run.model.train()
    loss(run.model(batch), batch).total.backward()
    run.step(run.gradients(), torch.tensor(1.0), 1)
    run.rows.flush()
    for name in ("embedder.table.weight", "encoder.forward_cells.1.bias_ih", "head.linear.bias"):
        parameter = model.get_parameter(name)
        longest = (parameter - before[name]).abs().max().item()
        share = 4.0 ** (run.layers.depth[id(parameter)] - LAYERS - 1)
        assert longest == pytest.approx(0.01 * share, rel=1e-3)


def test_a_schedule_that_does_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="thaw_every: nothing is frozen; add --freeze encoder"):
        TrainingRun(network(), settings(thaw_every=1), NEVER)
    with pytest.raises(ConfigError, match="freeze: the model has no embeddings that would learn"):
        TrainingRun(nn.Linear(2, 1), settings(freeze="embeddings"), NEVER)


def test_patience_is_with_what_can_learn() -> None:
    """No run ends for want of progress while it has yet to thaw."""
    config = TrainConfig(device="cpu", freeze="encoder", thaw_every=1, epochs=20, patience=2)
    events = list(fit(network(), loss, Items(), config, NEVER))
    assert [e.epoch for e in events if type(e).__name__ == "EpochEvent"][-1] == LAYERS + 1 + 2
