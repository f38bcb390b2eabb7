"""Snapshots: whole or not at all, and the rules of when one is kept."""

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from birnn.config import TrainConfig
from birnn.errors import CheckpointError, DataError, Stopped
from birnn.storage.snapshots import (
    Snapshot,
    check_like,
    newest_snapshot,
    prune,
    read_snapshot,
    same,
    snapshots,
    write_snapshot,
)
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest
from birnn.training.checkpoints import Checkpointer
from birnn.training.randomness import random_states, seed_everything, set_random_states
from birnn.training.state import TrainingRun, Validation


def snapshot(step: int, value: float = 1.0) -> Snapshot:
    numbers = {"history": [{"scores": {"loss": 0.5}}], "odd": [0.1 + 0.2, math.inf]}
    return Snapshot(step, numbers, {"model.w": torch.full((3, 2), value), "x": torch.tensor(7)})


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path) -> None:
    write_snapshot(tmp_path, snapshot(5))
    (path,) = snapshots(tmp_path)
    found = read_snapshot(path)
    assert found.step == 5
    assert found.numbers["odd"] == [0.1 + 0.2, math.inf]
    assert {name: part.tolist() for name, part in found.tensors.items()} == {
        "model.w": [[1.0, 1.0]] * 3, "x": 7,
    }  # fmt: skip


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
def test_any_damage_is_noticed(tmp_path_factory, place: float, bit: int, cut: bool) -> None:
    folder = tmp_path_factory.mktemp("damage")
    write_snapshot(folder, snapshot(1))
    write_snapshot(folder, snapshot(2))
    newest = snapshots(folder)[-1]
    content = bytearray(newest.read_bytes())
    at = int(place * len(content))
    if cut:
        del content[at:]
    else:
        content[at] ^= 1 << bit
    newest.write_bytes(content)
    with pytest.raises(CheckpointError, match="torn|complete"):
        read_snapshot(newest)
    found, torn = newest_snapshot(folder)
    assert found is not None
    assert found.step == 1
    assert torn == [newest.name]


def test_the_checksum_is_what_sha256sum_reads(tmp_path: Path) -> None:
    import hashlib

    write_snapshot(tmp_path, snapshot(1))
    (path,) = snapshots(tmp_path)
    digest, name = path.with_suffix(".sha256").read_text().split()
    assert name == path.name
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_snapshot_of_another_format_is_not_taken_for_a_torn_one(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("birnn.storage.snapshots.FORMAT", 2)
    write_snapshot(tmp_path, snapshot(1))
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="of format 2"):
        newest_snapshot(tmp_path)


def test_a_pickle_in_its_place_is_never_run(tmp_path: Path) -> None:
    import hashlib
    import pickle

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    content = pickle.dumps(Trap())
    (tmp_path / "000001.safetensors").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / "000001.sha256").write_text(f"{digest}  000001.safetensors\n")
    found, torn = newest_snapshot(tmp_path)
    assert found is None
    assert torn == ["000001.safetensors"]
    assert not (tmp_path / "ran").exists()


def test_the_newest_stay(tmp_path: Path) -> None:
    for step in range(1, 6):
        write_snapshot(tmp_path, snapshot(step))
        prune(tmp_path, 2)
    assert [read_snapshot(path).step for path in snapshots(tmp_path)] == [4, 5]
    assert len(list(tmp_path.iterdir())) == 4


def test_the_generators_go_on_where_they_were() -> None:
    seed_everything(5)
    numbers, tensors = random_states()
    numbers = json.loads(json.dumps(numbers))

    def draw() -> list[float]:
        return [random.gauss(0, 1), np.random.normal(), np.random.rand(), torch.rand(1).item()]

    drawn = [draw() for _ in range(3)]
    seed_everything(6)
    draw()
    set_random_states(numbers, tensors)
    assert [draw() for _ in range(3)] == drawn


@pytest.mark.parametrize("name", ["model.w", "best"])
def test_a_spoilt_model_is_not_kept(name: str, tmp_path: Path) -> None:
    checkpointer = Checkpointer(tmp_path)
    checkpointer.save(snapshot(1))
    checkpointer.save(snapshot(2, math.nan))
    bad_score = Snapshot(3, {"history": [{"scores": {"loss": math.inf}}]}, {})
    checkpointer.save(bad_score)
    assert checkpointer.saved_step == 1
    assert [read_snapshot(path).step for path in snapshots(tmp_path)] == [1]


def test_minutes_epochs_and_requests_decide(tmp_path: Path, monkeypatch) -> None:
    now = 0.0
    monkeypatch.setattr("birnn.training.checkpoints.time.monotonic", lambda: now)
    checkpointer = Checkpointer(tmp_path, CheckpointConfig(2, 1.0, 9), StopRequest(), written=0.0)
    steps = iter(range(1, 100))
    make = lambda: snapshot(next(steps))  # noqa: E731
    checkpointer.after_step(make)
    assert checkpointer.saved_step == 0
    now = 61.0
    checkpointer.after_step(make)
    assert checkpointer.saved_step == 1
    checkpointer.after_step(make)
    assert checkpointer.saved_step == 1  # a minute begins anew
    checkpointer.after_epoch(1, make, last=False)
    assert checkpointer.saved_step == 1
    checkpointer.after_epoch(2, make, last=False)
    assert checkpointer.saved_step == 2
    checkpointer.after_epoch(3, make, last=True)
    assert checkpointer.saved_step == 3
    checkpointer.stop.asked = True
    with pytest.raises(Stopped, match="after step 4"):
        checkpointer.after_step(make)
    assert len(snapshots(tmp_path)) == 4


def test_a_disk_that_fails_is_one_line_and_keeps_the_older_one(tmp_path: Path, monkeypatch) -> None:
    checkpointer = Checkpointer(tmp_path)
    checkpointer.save(snapshot(1))

    def fails(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(DataError, match="No space left"):
        checkpointer.save(snapshot(2))
    monkeypatch.undo()
    found, torn = newest_snapshot(tmp_path)
    assert found is not None
    assert (found.step, torn) == (1, [])
    assert len(list(tmp_path.iterdir())) == 2


def run(size: int = 2) -> TrainingRun:
    torch.manual_seed(0)
    validation = Validation(lambda: {"loss": 1.0}, "loss", True)
    return TrainingRun(nn.Linear(size, 1), TrainConfig(device="cpu", ema=0.9), validation)


def test_a_snapshot_of_another_model_is_refused() -> None:
    with pytest.raises(CheckpointError, match="another model.*weight"):
        run(3).restore(run(2).snapshot())


@pytest.mark.parametrize("missing", ["position", "best", "history", "random"])
def test_a_snapshot_without_a_part_is_refused(missing: str) -> None:
    whole = run().snapshot()
    numbers = {name: part for name, part in whole.numbers.items() if name != missing}
    with pytest.raises(CheckpointError, match="not usable"):
        run().restore(Snapshot(0, numbers, whole.tensors))


def test_equal_bits_are_the_same_and_others_are_not() -> None:
    nan = torch.tensor([math.nan, 1.0])
    assert same(nan, nan.clone())
    assert not same(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert not same(torch.zeros(2), torch.zeros(2, dtype=torch.float64))
    assert same(torch.zeros(0), torch.zeros(0))
    with pytest.raises(CheckpointError, match=r"w is torch.float32 \[2\], expected"):
        check_like({"w": torch.zeros(2)}, {"w": torch.zeros(3)}, "model")
