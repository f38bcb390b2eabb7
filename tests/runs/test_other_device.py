"""Every task with every encoder on a device that is not the CPU: see support/pretend.py."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pretend import CPU, GPU, Recorder, pretended_gpu, waits
from torch import nn

from birnn.config import TrainConfig
from birnn.data.splits.batching import BucketSampler
from birnn.errors import Stopped
from birnn.nn.dropout import Dropout, MaskedDropout
from birnn.registry import ENCODERS
from birnn.tasks import TASKS
from birnn.tasks.api.run import Run
from birnn.tasks.runs.fitting import make_validation
from birnn.tasks.runs.folder import LoadedRun
from birnn.training import loop
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest
from birnn.training.checkpoints import Checkpointer
from birnn.training.events import EpochEvent, StepEvent
from birnn.training.randomness import seed_everything

import contract
from contract import Case
from tiny_parts import TRAIN

# Each task with one encoder or the other, and each of its variants with the first.
CASES = [
    (task, contract.variants(task)[0], [*ENCODERS][number % len(ENCODERS)])
    for number, task in enumerate(TASKS)
]
MORE = [(task, variant, "bigru") for task in TASKS for variant in contract.variants(task)[1:]]
SETTINGS = replace(
    TRAIN, epochs=2, ema=0.9, schedule="cosine", warmup=0.2, clip_norm=1.0, learning_rate=0.01,
)  # fmt: skip


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A pretended GPU, on which a step makes nothing elsewhere, and waits for nothing."""

    def strictly(part: Any) -> Any:
        def call(run: Any, *arguments: Any) -> Any:
            recorder.mode.strict = run.accelerator.device == GPU
            before = len(waits)
            try:
                return part(run, *arguments)
            finally:
                recorder.mode.strict = False
                recorder.waits += waits[before:]

        return call

    for name in ("_gradients", "_factor"):
        monkeypatch.setattr(loop, name, strictly(getattr(loop, name)))
    with pretended_gpu(monkeypatch) as recorder:
        yield recorder


@pytest.fixture(params=CASES + MORE, ids="-".join)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A task, its data and an encoder that drops out."""
    task, variant, encoder = request.param
    # Compiled dropout draws otherwise. Rows of tables: tests/training/test_tables.py.
    monkeypatch.setattr(Dropout, "forward", MaskedDropout.forward)
    made = contract.prepare(task, variant, tmp_path)
    return contract.with_encoder(made, encoder, dropout=0.2, locked_dropout=0.1)


def train_on(
    device: torch.device, case: Case, patch: pytest.MonkeyPatch, keeper: Checkpointer | None = None,
    config: TrainConfig = SETTINGS,
) -> tuple[nn.Module, list[EpochEvent]]:  # fmt: skip
    """Train and validate on ``device``, with snapshots if there is a ``keeper``."""
    patch.setattr("accelerate.Accelerator.device", device)
    seed_everything(3)
    model = case.task.model(case.data.info)  # training moves it
    sampler = BucketSampler(case.data.splits["train"], 16, 10**6, 3, views=case.task.views)
    case.task.make_room(model, case.data)
    case.task.prepare(model, case.data)
    validation = make_validation(case.task, case.data, config, model)
    events = []
    for event in loop.fit(model, case.task.loss, sampler, config, validation, keeper):
        if isinstance(event, StepEvent) and keeper is not None:
            keeper.stop.asked = event.step == 1
        elif isinstance(event, EpochEvent):
            events.append(replace(event, seconds=0.0))
    return model, events


def same_weights(one: nn.Module, other: nn.Module) -> None:
    """But for roundings: some operations are put together of others on another device."""
    theirs = other.to(CPU).state_dict()
    for name, tensor in one.to(CPU).state_dict().items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=1e-5, msg=name)


def test_training_there_is_training_here(case: Case, gpu: Recorder, monkeypatch) -> None:
    there, curve = train_on(GPU, case, monkeypatch)
    # A chain of tags asks once a network whether probabilities would underflow.
    assert set(gpu.waits) <= ({"_local_scalar_dense"} if case.task.name == "tagging" else set())
    assert {p.device for p in (*there.parameters(), *there.buffers())} == {GPU}
    here, wanted = train_on(CPU, case, monkeypatch)
    for found, other in zip(curve, wanted, strict=True):
        assert found.loss == pytest.approx(other.loss, rel=1e-5)
        assert found.scores == pytest.approx(other.scores, rel=1e-4)
    same_weights(there, here)


@pytest.mark.parametrize("case", CASES, ids="-".join, indirect=True)
@pytest.mark.parametrize("ways", [(GPU, CPU), (CPU, GPU)], ids=["to the CPU", "from the CPU"])
def test_training_goes_on_elsewhere(case: Case, ways, gpu: Recorder, monkeypatch, tmp_path) -> None:
    first, second = ways
    keeper = Checkpointer(tmp_path / "kept", CheckpointConfig(), StopRequest())
    with pytest.raises(Stopped):
        train_on(first, case, monkeypatch, keeper)
    again = Checkpointer(tmp_path / "kept", CheckpointConfig(), StopRequest())
    model, _ = train_on(second, case, monkeypatch, again)
    whole, _ = train_on(CPU, case, monkeypatch)
    same_weights(model, whole)


def test_a_run_answers_there_as_here(case: Case, gpu: Recorder) -> None:
    model, info, test = contract.trained(case).eval(), case.data.info, case.data.splits["test"]
    answers = []
    for device in (CPU, GPU):
        run = Run(LoadedRun(Path("memory"), case.task, info, model.to(device)))
        predictions = case.task.predictions(run.loaded.model, test, info)
        scores = case.task.evaluate(test, predictions, info, 0).scores
        answers.append((scores, len(list(case.task.records(test, predictions, info)))))
    assert answers[0][0] == pytest.approx(answers[1][0], rel=1e-5)
    assert answers[0][1] == answers[1][1]
