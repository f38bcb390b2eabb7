"""Estimates: what is measured, how it is multiplied, and the batch that fits."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.wording import duration, megabytes
from birnn.errors import ConfigError, MemoryLimitError
from birnn.nn.memory import peak_memory
from birnn.tasks.regression.options import RegressionConfig
from birnn.tasks.runs import estimating
from birnn.tasks.runs.events import Estimated
from birnn.tasks.runs.launch import make_task
from birnn.training.events import EpochEvent, StepEvent

import contract

CPU = torch.device("cpu")


@pytest.fixture
def case():
    config = RegressionConfig()
    config = replace(config, encoder=replace(config.encoder, hidden_size=3),
                     train=replace(config.train, epochs=7, batch_size=8))  # fmt: skip
    task = make_task("regression", config)
    return task, task.load()


@given(st.integers(1, 300), st.integers(1, 2000), st.integers(1, 5000))
def test_the_largest_batch_is_the_largest_power_that_fits(size, most, room):
    tried = []

    def fits(number):
        tried.append(number)
        if number > room:
            raise MemoryLimitError("no room")

    found = estimating.largest(size, most, fits)
    sizes = [size >> n for n in range(20)] + [size << n for n in range(20)]
    fitting = [n for n in sizes if 1 <= n <= room and (n <= size or n < 2 * most)]
    assert found == max(fitting)
    assert len(tried) <= 22


def test_where_nothing_fits_that_is_said():
    def never(number):
        raise MemoryLimitError(f"no room for {number}")

    with pytest.raises(MemoryLimitError, match="for 1$"):
        estimating.largest(64, 1000, never)


def test_a_cpu_has_no_largest_batch(case):
    with pytest.raises(ConfigError, match="--batch-size"):
        estimating.with_largest_batch(*case)


def test_on_a_gpu_both_limits_grow_alike(case, monkeypatch):
    task, data = case
    monkeypatch.setattr(estimating, "resolve_device", lambda name: torch.device("cuda"))

    def room(task, data, size):
        if size > 10:
            raise MemoryLimitError("full")

    monkeypatch.setattr(estimating, "_fits", room)
    task.config = replace(task.config, train=replace(task.config.train, batch_size=2))
    grown = estimating.with_largest_batch(task, data).config.train
    assert (grown.batch_size, grown.batch_tokens) == (8, 4 * task.config.train.batch_tokens)


def test_a_size_that_fits_trains_and_one_that_does_not_says_so(case, monkeypatch):
    task, data = case
    estimating._fits(task, data, 4)
    monkeypatch.setattr(torch.Tensor, "backward", lambda *_, **__: (_ for _ in ()).throw(
        RuntimeError("CUDA out of memory")))  # fmt: skip
    with pytest.raises(MemoryLimitError):
        estimating._fits(task, data, 4)


def test_few_batches_have_the_most_padded_tokens_first(case):
    task, data = case
    sampler = estimating.bucketed(task, data, task.config.train)
    few = estimating.Few(sampler, 5)
    padded = [len(b) * sampler.split.lengths[b].max() for b in sampler.plan(0)]
    first = few.plan[0]
    assert len(first) * sampler.split.lengths[first].max() == max(padded)
    assert few.total == len(padded)
    assert len(list(few.epoch(0))) == few.steps(0) == 6


def test_an_epoch_is_its_steps_at_the_mean_time_of_those_that_count(case, monkeypatch):
    task, data = case
    task.config = replace(task.config, train=replace(task.config.train, accumulate=2))
    monkeypatch.setattr(estimating, "step_times", lambda *_: [50, 40, 30, 1.0, 2.0, 6.0])
    found = estimating.estimate(task, data)
    batches = len(estimating.bucketed(task, data, task.config.train).plan(0))
    steps = -(-batches // 2)
    assert found.epoch_seconds == pytest.approx(3 * steps)
    assert (found.steps, found.measured) == (7 * steps, 3)
    both = found.epoch_seconds + found.validation_seconds
    assert found.seconds == pytest.approx(found.prepare_seconds + 7 * both)


def test_steps_are_measured_without_validation(case, monkeypatch):
    task, data = case
    monkeypatch.setattr(type(task), "validate", lambda *_: pytest.fail("validated"))
    found = estimating.estimate(task, data)
    assert found.measured >= estimating.LEAST_STEPS
    assert found.epoch_seconds > 0
    assert found.peak_memory > 10**7


def foretold(monkeypatch, seconds, total, epoch=10**9):
    clock = iter(np.arange(10**5) * seconds)
    monkeypatch.setattr(estimating, "perf_counter", lambda: next(clock))

    def events():
        for step in range(1, total + 1):
            yield StepEvent(1, step, total, 0.5)
            if step % epoch == 0:
                yield EpochEvent(1, 1, 0.5, {}, 0.1, 1.0, 1, True)
        return "trained"

    said = []

    def run():
        said.append((yield from estimating.foretold(events(), CPU)))

    return [event for event in run() if isinstance(event, Estimated)], said


@pytest.mark.parametrize(("seconds", "total", "steps"), [(1.0, 1000, 10), (0.1, 2000, 40)])
def test_a_long_run_is_foretold_once_from_its_own_steps(monkeypatch, seconds, total, steps):
    (event,), said = foretold(monkeypatch, seconds, total)
    assert said == ["trained"]
    assert event.steps == total - steps - 1
    assert event.seconds == pytest.approx(event.steps * seconds)


def test_a_short_run_is_not_foretold_and_validation_is_no_step(monkeypatch):
    assert foretold(monkeypatch, 0.01, 3000) == ([], ["trained"])
    assert foretold(monkeypatch, 1.0, 3000, epoch=5) == ([], ["trained"])


def test_peak_memory_is_of_this_process():
    status = Path("/proc/self/status").read_text() if Path("/proc/self/status").exists() else ""
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
    if line is None:
        pytest.skip("no /proc here")
    assert peak_memory(CPU) == pytest.approx(1024 * int(line.split()[1]), rel=0.02)


def test_the_command_says_what_training_would_take_and_writes_nothing(birnn, tmp_path):
    said = birnn("regression", "--estimate", "--out", tmp_path / "run", "--hidden-size", "3",
                 "--seeds", "3")  # fmt: skip
    assert said.code == 0
    for words in ("What training would take", "3 × ", "150 steps", "MB at most"):
        assert words in said.out
    assert not list(tmp_path.iterdir())


def test_a_run_says_what_it_took(birnn, tmp_path):
    said = birnn("regression", "--out", tmp_path / "run", "--epochs", "2")
    train = json.loads((tmp_path / "run" / "metrics.json").read_text())["train"]
    assert f"{train['items_per_second']:,.0f} rows a second" in said.out
    assert f"{megabytes(train['peak_memory'])} of memory at most" in said.out
    assert f"Training: {duration(train['seconds'])}" in said.out


def test_a_stream_is_measured_by_its_own_batches(tmp_path):
    task = contract.prepare("language", "lines", tmp_path).task
    data = task.load()
    windows = data.stream(task.config.train)
    found = estimating.estimate(task, data)
    each = -(-windows.steps(0) // task.config.train.accumulate)
    assert found.steps == each * task.config.train.epochs
    few = estimating.few_batches(task, data, task.config.train, 2)
    for one, other in zip(few.epoch(0), windows.epoch(0), strict=False):
        assert torch.equal(one.inputs["symbols"], other.inputs["symbols"])
    assert len(list(few.epoch(0))) == few.steps(0) == min(2, windows.steps(0))
