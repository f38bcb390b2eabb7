"""In which precision training computes, layer by layer; the flags hold in the backward pass too."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from birnn.config import TrainConfig
from birnn.errors import ConfigError
from birnn.nn.batch import Batch
from birnn.nn.precision import flags
from birnn.training.events import Event
from birnn.training.loop import LossSum, fit
from birnn.training.state import Validation

PLAIN = TrainConfig(epochs=1, schedule="constant", warmup=0.0, patience=0, device="cpu")


class Watched(torch.autograd.Function):
    """The identity, which looks at torch's flags on its way forth and back."""

    seen: dict[str, Any]

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """``x``."""
        Watched.seen["forward"] = flags()
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """The gradient."""
        Watched.seen["backward"] = flags()
        return gradient


class Line(nn.Linear):
    """A number for each item of a batch."""

    def forward(self, batch: Batch) -> Tensor:
        """``[B]``."""
        return Watched.apply(super().forward(batch.inputs["features"]).flatten())


class One:
    """An epoch of one batch."""

    def steps(self, epoch: int) -> int:
        """One."""
        return 1

    def epoch(self, epoch: int, start: int) -> Iterable[Batch]:
        """The batch."""
        return [Batch({"features": torch.ones(2, 3)}, torch.ones(2, dtype=torch.long))][start:]


def squared(outputs: Tensor, batch: Batch) -> LossSum:
    return LossSum(outputs.square().sum(), float(len(batch)))


def train(config: TrainConfig) -> list[Event]:
    def score() -> dict[str, float]:
        Watched.seen["validation"] = flags()
        return {"score": 1.0}

    Watched.seen, events = {}, []
    for event in fit(Line(3, 1), squared, One(), config, Validation(score, "score", True)):
        Watched.seen[type(event).__name__] = flags()
        events.append(event)
    return events


def test_products_are_exact_forth_back_and_in_validation_and_a_strangers_in_between() -> None:
    before = flags()
    train(PLAIN)
    seen = Watched.seen
    for place in ("forward", "backward", "validation"):
        assert seen.pop(place) == dict.fromkeys(before, "ieee"), place
    assert set(seen) == {"StepEvent", "EpochEvent", "StopEvent"}
    assert all(found == before for found in seen.values())


@pytest.mark.parametrize(("precision", "words"), [("tf32", "NVIDIA GPUs"), ("fp16", "needs a GPU")])
def test_what_a_cpu_cant_do_is_a_config_error(precision: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        train(replace(PLAIN, mixed_precision=precision))
