"""The process that trains for a worker: no test split, bounds, and ends that are told apart."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from birnn.config import EncoderConfig, TrainConfig
from birnn.errors import BirnnError, DataError
from birnn.tasks import TASKS
from birnn.tasks.core.data_digest import data_digest
from birnn.tasks.forecast.options import ForecastConfig, ForecastData
from birnn.tasks.forecast.task import Forecast
from birnn.tasks.regression.options import RegressionConfig
from birnn.tasks.sentiment.options import SentimentConfig, SentimentData, SentimentParts
from birnn.tasks.tuning.limits import Limits, Trainer
from birnn.tasks.tuning.messages import Epoch, Failure, Job, Message, Score
from birnn.tasks.tuning.trainer import Loaded, _failure, _subject, _train

from tiny_parts import write_texts

SMALL = TrainConfig(epochs=2, batch_size=8, threads=1)
STEPS = RegressionConfig(encoder=EncoderConfig(hidden_size=3), train=SMALL)


class Pipe:
    """A worker that hears all and goes on."""

    def __init__(self) -> None:
        self.heard: list[Message] = []

    def send(self, message: Message) -> None:
        """Hear a message."""
        self.heard.append(message)

    def recv(self) -> bool:
        """Go on."""
        return True


def texts(folder: Path, test: str) -> SentimentConfig:
    """Texts with a file of their own for each split."""
    folder.mkdir()
    write_texts(folder / "train.csv")
    lines = (folder / "train.csv").read_text().splitlines()
    (folder / "validation.csv").write_text("\n".join([lines[0], *lines[1::5]]) + "\n")
    (folder / "test.csv").write_text(f"text,label\n{test}\n")
    model = SentimentParts(members=1, word_size=4, gram_size=0, wide=False)
    return SentimentConfig(
        SentimentData(str(folder), vectors="none"), model, EncoderConfig(hidden_size=3), SMALL
    )


def series(folder: Path, last: float) -> ForecastConfig:
    """A series whose test rows all are ``last``."""
    values = np.sin(np.arange(200) / 3)
    values[160:] = last
    stamps = pd.date_range("2024-01-01", periods=200, freq="D")
    path = folder / f"series{last}.csv"
    pd.DataFrame({"date": stamps, "y": values, "price": values * 2}).to_csv(path, index=False)
    data = ForecastData(
        str(path), target="y", past="price", horizon=2, lookback=14, split="120,40,40"
    )
    return ForecastConfig(data, train=SMALL)


def test_another_test_file_changes_nothing(tmp_path):
    one = texts(tmp_path / "a", "some film,good\nother,bad")
    other = texts(tmp_path / "b", "quite another,bad\nand more,good\nstill more,good")
    subjects = [_subject(Loaded(), Job("sentiment", config)) for config in (one, other)]
    assert subjects[0].digest == subjects[1].digest
    assert subjects[0].rows == {"train": 54, "validation": 11}
    pipes = [Pipe(), Pipe()]
    scores = [_train(Loaded(), Job("sentiment", config, "log_loss"), pipe)  # type: ignore[arg-type]
              for config, pipe in zip((one, other), pipes, strict=True)]  # fmt: skip
    assert isinstance(scores[0], Score)
    assert isinstance(scores[1], Score)
    assert scores[0].scores == scores[1].scores


def test_the_rows_of_a_series_that_test_are_not_there(tmp_path):
    configs = [series(tmp_path, last) for last in (0.5, 7.0)]
    loaded = [Loaded().of("forecast", config) for config in configs]
    for task, data in loaded:
        assert set(data.splits) == {"train", "validation"}
        panel = data.splits["train"].panel
        assert data.splits["validation"].panel is panel
        assert np.isfinite(panel.values[:140]).all()
        assert np.isnan(panel.values[160:]).all()
        assert np.isnan(panel.past[160:]).all()
        whole = Forecast(task.config).load()
        for name, split in data.splits.items():  # and nothing that is read has changed
            every = np.arange(len(split))
            ours, theirs = split.batch(every), whole.splits[name].batch(every)
            for key, tensor in ours.inputs.items():
                assert np.array_equal(tensor.numpy(), theirs.inputs[key].numpy()), key
    digests = {data_digest(task, data) for task, data in loaded}
    assert len(digests) == 1


class Untouchable:
    """A test split that nobody may look at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"the test split was read: {name}")


@pytest.mark.parametrize("name", ["sentiment", "forecast"])
def test_no_trial_touches_the_test_split(name, tmp_path, monkeypatch):
    config = (
        texts(tmp_path / "a", "x,good\ny,bad") if name == "sentiment" else series(tmp_path, 0.5)
    )
    kind = TASKS[name].part("task")
    load = kind.load

    def guarded(self: Any) -> Any:
        data = load(self)
        return replace(data, splits={**data.splits, "test": Untouchable()})

    monkeypatch.setattr(kind, "load", guarded)
    loaded, pipe = Loaded(), Pipe()
    subject = _subject(loaded, Job(name, config))
    score = _train(loaded, Job(name, config, subject.monitor), pipe)  # type: ignore[arg-type]
    assert isinstance(score, Score)
    assert [type(message) for message in pipe.heard] == [Epoch, Epoch]


def test_data_are_read_again_only_where_an_option_that_they_come_of_changes(tmp_path):
    config = texts(tmp_path / "a", "x,good\ny,bad")
    loaded = Loaded()
    loaded.of("sentiment", config)
    first = loaded.data
    other = replace(config.model, head_dropout=0.1)
    loaded.of("sentiment", replace(config, model=other, train=replace(SMALL, learning_rate=1.0)))
    assert loaded.data is first
    weighed = replace(config.model, class_weights="balanced")
    task, data = loaded.of("sentiment", replace(config, model=weighed))
    assert data is not first
    assert type(task.config.model) is SentimentParts


def test_a_configuration_that_diverges_is_told_apart():
    config = replace(STEPS, train=replace(SMALL, learning_rate=1e30))
    with pytest.raises(BirnnError) as caught:
        _train(Loaded(), Job("regression", config, "mse"), Pipe())  # type: ignore[arg-type]
    assert _failure(caught.value).kind == "diverged"
    assert _failure(MemoryError()).kind == "memory"


def run(trainer: Trainer, job: Job) -> Score | Failure | None:
    """Train to the end."""
    epochs = trainer.train(job)
    try:
        next(epochs)
        while True:
            epochs.send(True)
    except StopIteration as over:
        result: Score | Failure | None = over.value
        return result


def test_a_process_of_its_own_is_ended_and_replaced():
    trainer = Trainer(Limits())
    job = Job("regression", STEPS, "mse")
    try:
        assert trainer.look(Job("regression", STEPS)).monitor == "mse"
        one = run(trainer, job)
        assert isinstance(one, Score)
        assert trainer.process is not None
        epochs = trainer.train(job)
        next(epochs)
        os.kill(trainer.process.pid or 0, signal.SIGKILL)
        with pytest.raises(StopIteration) as over:
            epochs.send(True)
        assert isinstance(over.value.value, Failure)
        assert over.value.value.kind == "memory"
        again = run(trainer, job)
        assert isinstance(again, Score)
        assert again.scores == one.scores
        with pytest.raises(DataError, match="no such file"):
            data = replace(STEPS.data, data="no/such.csv")
            trainer.look(Job("regression", replace(STEPS, data=data)))
    finally:
        trainer.stop()


@pytest.mark.parametrize(
    ("limits", "kind"), [(Limits(gigabytes=0.02), "memory"), (Limits(minutes=1e-3), "time")]
)
def test_time_and_memory_are_bounded(limits, kind):
    trainer = Trainer(limits)
    try:
        result = run(trainer, Job("regression", STEPS, "mse"))
    finally:
        trainer.stop()
    assert isinstance(result, Failure)
    assert result.kind == kind


def test_the_command_finds_and_trains(birnn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("tune", "regression", "--epochs", "2", "--threads", "1", "--hidden-size", "3")
    only = ("--search", "learning_rate=0.001..0.1:log", "--only")
    done = birnn(*words, *only, "--trials", "2", "--confirm", "1", "--train", "--out", "s")
    assert done.code == 0, done.err
    assert "trial 0 *" in done.out
    assert "Its options were chosen among 2 trials on validation." in done.out
    page = (tmp_path / "s" / "best" / "report.html").read_text()
    assert "chosen among 2 trials on validation" in page
    other = birnn(*words, "--search", "hiden=1..2", "--out", "t")
    assert other.code == 2
    assert len(other.err.splitlines()) == 1
