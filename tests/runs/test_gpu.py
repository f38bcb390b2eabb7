"""Tasks on an NVIDIA GPU: trained there as here, stopped there and gone on with."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from birnn.config import TrainConfig
from birnn.data.splits.batching import BucketSampler
from birnn.errors import Stopped
from birnn.registry import ENCODERS
from birnn.tasks import TASKS
from birnn.tasks.runs.fitting import make_validation
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest
from birnn.training.checkpoints import Checkpointer
from birnn.training.events import EpochEvent, StepEvent
from birnn.training.loop import fit
from birnn.training.randomness import seed_everything

import contract
from contract import Case
from tiny_parts import TRAIN

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]
CASES = [(t, v, e) for t in TASKS for v in contract.variants(t) for e in ENCODERS]
SETTINGS = replace(TRAIN, epochs=2, batch_size=16, ema=0.9, clip_norm=1.0, learning_rate=0.01)


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    """A task, its data and an encoder."""
    task, variant, encoder = request.param
    return contract.with_encoder(contract.prepare(task, variant, tmp_path), encoder)


def train(
    case: Case, config: TrainConfig, keeper: Checkpointer | None = None
) -> tuple[list[EpochEvent], dict[str, Tensor]]:
    """Curve and weights; a ``keeper`` that is new is asked to stop after the second step."""
    seed_everything(3)
    model = case.task.model(case.data.info)
    sampler = BucketSampler(case.data.splits["train"], 16, 10**6, 3, views=case.task.views)
    case.task.make_room(model, case.data)
    case.task.prepare(model, case.data)
    validation, curve = make_validation(case.task, case.data, config, model), []
    for event in fit(model, case.task.loss, sampler, config, validation, keeper):
        if isinstance(event, StepEvent) and keeper is not None:
            keeper.stop.asked = event.step == 2
        elif isinstance(event, EpochEvent):
            curve.append(event)
    return curve, {name: part.cpu() for name, part in model.state_dict().items()}


def test_it_learns_there(case: Case) -> None:
    curve, weights = train(case, replace(SETTINGS, epochs=6, device="cuda"))
    assert curve[-1].loss < curve[0].loss
    assert all(bool(part.isfinite().all()) for part in weights.values())


@pytest.mark.parametrize("precision", ["tf32", "bf16", "fp16"])
@pytest.mark.parametrize("case", CASES[::3], ids="-".join, indirect=True)
def test_it_learns_in_coarser_arithmetic(case: Case, precision: str) -> None:
    config = replace(SETTINGS, epochs=6, device="cuda", mixed_precision=precision)
    _, weights = train(case, config)
    assert all(bool(part.isfinite().all()) for part in weights.values())


@pytest.mark.parametrize("ways", [("cuda", "cuda"), ("cuda", "cpu"), ("cpu", "cuda")], ids="-".join)
@pytest.mark.parametrize("case", CASES[::3], ids="-".join, indirect=True)
def test_it_goes_on_elsewhere(case: Case, ways: tuple[str, str], tmp_path: Path) -> None:
    for number, device in enumerate(ways):
        keeper = Checkpointer(tmp_path / "kept", CheckpointConfig(), StopRequest())
        if not number:
            with pytest.raises(Stopped):
                train(case, replace(SETTINGS, device=device), keeper)
        else:
            curve, _ = train(case, replace(SETTINGS, device=device), keeper)
            assert [event.epoch for event in curve][-1] == SETTINGS.epochs
