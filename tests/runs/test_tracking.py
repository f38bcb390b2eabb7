"""Trackers: what they are told, against the run's own files; one that fails ends nothing."""

import csv
import json
from typing import ClassVar

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import birnn
from birnn.errors import ConfigError, DataError
from birnn.tasks.runs import tracking

SMALL = {"hidden_size": 3, "epochs": 2, "track_steps": 1}


class Recorder:
    """A tracker as Accelerate has them, that keeps what it is told."""

    name = "wandb"
    made: ClassVar = []

    def __init__(self, project, **settings):
        self.project, self.settings, self.logs, self.ended = project, settings, [], False
        self.options = {}
        Recorder.made.append(self)

    def store_init_configuration(self, values):
        """What is trained."""
        self.options = values

    def log(self, values, step=None):
        """Of a step."""
        self.logs.append((step, values))

    def finish(self):
        """The end."""
        self.ended = True


@pytest.fixture
def recorders(monkeypatch):
    Recorder.made = []
    monkeypatch.setattr(tracking, "tracker_class", lambda name: Recorder)
    return Recorder.made


def scalars(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return {name: events.Scalars(name) for name in events.Tags()["scalars"]}


def epochs_of(folder):
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_tensorboard_holds_what_the_run_says(tmp_path):
    birnn.train("regression", out=tmp_path / "run", track="tensorboard", **SMALL)
    told = scalars(tmp_path / "tensorboard" / "run")
    rows = epochs_of(tmp_path / "run")
    assert [event.value for event in told["validation/mse"]] == pytest.approx(
        [float(row["mse"]) for row in rows]
    )
    steps = [event.step for event in told["train/loss"]]
    assert steps == list(range(1, len(steps) + 1))
    assert told["validation/mse"][-1].step == steps[-1]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert told["test/mse"][0].value == pytest.approx(metrics["model"]["mse"]["value"])
    assert set(metrics["baselines"]) == {
        name.split("/")[0].removeprefix("test_") for name in told if name.startswith("test_")
    }
    with pytest.raises(DataError, match="holds a run"):
        birnn.train("regression", out=tmp_path / "run", track="tensorboard", **SMALL)
    birnn.train("regression", out=tmp_path / "run", track="tensorboard", overwrite=True, **SMALL)
    assert scalars(tmp_path / "tensorboard" / "run") == told, "an earlier run's curves"
    assert "test/mse" in scalars(tmp_path / "tensorboard" / "run-2")


def test_history_lines_are_the_rows_of_the_table(tmp_path):
    birnn.train("regression", out=tmp_path / "run", seeds=2, **SMALL)
    for folder in (tmp_path / "run", tmp_path / "run" / "seed-0", tmp_path / "run" / "seed-1"):
        lines = (folder / "history.jsonl").read_text().splitlines()
        assert [{k: str(v) for k, v in json.loads(line).items()} for line in lines] == epochs_of(
            folder
        )


def test_seeds_are_runs_of_their_own_and_the_last_word_one_more(tmp_path, recorders):
    birnn.train("regression", out=tmp_path / "run", seeds=2, track="wandb", track_project="p",
                **SMALL)  # fmt: skip
    assert [made.settings["name"] for made in recorders] == ["run-seed-0", "run-seed-1", "run"]
    assert all(made.ended and made.project == "p" for made in recorders)
    assert recorders[0].options["hidden_size"] == 3
    epochs = [values for _, values in recorders[1].logs if "epoch" in values]
    assert [values["epoch"] for values in epochs] == [1, 2]
    assert any("test/mse" in values for _, values in recorders[2].logs)


def test_a_tracker_that_fails_is_told_of_no_more_and_the_run_goes_on(
    tmp_path, recorders, monkeypatch
):
    def fail(self, values, step=None):
        if step == 2:
            raise ConnectionError("the server\nis gone")
        self.logs.append((step, values))

    monkeypatch.setattr(Recorder, "log", fail)
    events = []
    monkeypatch.setattr("birnn.tasks.api.train.deque", lambda it, maxlen: events.extend(it))
    birnn.train("regression", out=tmp_path / "run", track="wandb", **SMALL)
    assert "wandb was told no more after step 2: the server" in events[-1].note
    assert (tmp_path / "run" / "metrics.json").is_file()
    assert len(recorders) == 1


@pytest.mark.parametrize(
    ("names", "words"),
    [("tensorbord", "did you mean"), ("tensorboard,nope", "'nope' is not one of"),
     ("trackio", "pip install")],
)  # fmt: skip
def test_trackers_that_cannot_be_had_are_refused_before_anything_is_read(tmp_path, names, words):
    with pytest.raises(ConfigError, match=words):
        birnn.train("regression", data="no-such-file.csv", out=tmp_path / "run", track=names)
    assert not list(tmp_path.iterdir())


def test_a_tracker_that_cannot_start_leaves_nothing(tmp_path, recorders, monkeypatch):
    monkeypatch.setattr(Recorder, "start", lambda self: 1 / 0, raising=False)
    with pytest.raises(ConfigError, match="wandb can't be started: division"):
        birnn.train("regression", out=tmp_path / "run", track="wandb", **SMALL)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_made_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    to = str(tmp_path / "file" / "x")  # the first step is not told of: a checkpoint comes before
    options = {**SMALL, "track_steps": 1000, "track": "tensorboard", "track_to": to}
    with pytest.raises(ConfigError, match="file.*; see --track-to"):
        birnn.train("regression", out=tmp_path / "run", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_names_of_runs_are_not_used_twice(tmp_path):
    for expected in ("a", "a-2", "a-3"):
        assert tracking.free_name(tmp_path, "a", again=False) == expected
        (tmp_path / expected).mkdir()
        assert tracking.free_name(tmp_path, "a", again=True) == expected
