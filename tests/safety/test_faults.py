"""Training survives: kills at any moment, a torn checkpoint, a full disk, no permission, fsync."""

import contextlib
import hashlib
import json
import os
import pickle
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults import Fault, Outcome, Trial, faults, fingerprint, run, small_disk
from writers import TINY, sentences, write_table

# Enough epochs that a run takes about two seconds once the libraries are loaded.
OPTIONS = [*TINY, "--epochs", "25", "--batch-size", "16", "--patience", "0", "--ema", "0.9"]
OPTIONS += ["--members", "2", "--dropout", "0.1"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("faults") / "reviews.csv", sentences())


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing happened to."""
    trial = Trial("sentiment", [str(data), *OPTIONS], tmp_path_factory.mktemp("undisturbed"))
    assert trial.start(Fault("none")).code == 0, trial.history
    return trial.out


@pytest.mark.parametrize("seed", range(4))  # benchmarks/kills.py goes on
def test_a_run_that_was_disturbed_ends_with_the_same_bits(
    seed: int, data: Path, undisturbed: Path, tmp_path: Path
) -> None:
    trial = Trial("sentiment", [str(data), *OPTIONS], tmp_path)
    trial.until_complete(faults(seed, 2.0))
    assert fingerprint(trial.out) == fingerprint(undisturbed), trial.history
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "run"], trial.history
    assert {p.name for p in trial.out.iterdir()} == {p.name for p in undisturbed.iterdir()}


def test_several_seeds_go_on_with_the_one_that_was_disturbed(data: Path, tmp_path: Path) -> None:
    options = [str(data), *OPTIONS, "--epochs", "6", "--seeds", "2"]
    whole = Trial("sentiment", options, tmp_path / "whole")
    assert whole.start(Fault("none")).code == 0, whole.history
    trial = Trial("sentiment", options, tmp_path / "disturbed")
    # Writing a seed takes some hundred calls: the first kill falls into the first seed, the
    # second into the second.
    trial.until_complete(iter([Fault("write", 40), Fault("write", 120), Fault("write", 30)]))
    for part in ("", "seed-0", "seed-1"):
        assert fingerprint(trial.out / part) == fingerprint(whole.out / part), trial.history
    found, wanted = (json.loads((t.out / "metrics.json").read_text()) for t in (trial, whole))
    assert found["test"] == wanted["test"]


@pytest.fixture(scope="module")
def halfway(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed, with two complete checkpoints."""
    for call in range(90, 130, 3):  # which one falls between two writings depends on caches
        folder = tmp_path_factory.mktemp("halfway")
        trial = Trial("sentiment", [str(data), *OPTIONS], folder)
        assert trial.start(Fault("write", call)).code == -9, trial.history
        found = checkpoints(folder)
        if len(found) == 2 and all(path.with_suffix(".sha256").is_file() for path in found):
            return folder
    raise AssertionError("no kill fell between two checkpoints")


def checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob(".run.partial/checkpoints/seed-0/*.safetensors"))


def copy_of(folder: Path, data: Path, to: Path) -> Trial:
    shutil.copytree(folder, to / "copy")
    return Trial("sentiment", [str(data), *OPTIONS], to / "copy")


def go_on(trial: Trial) -> Outcome:
    return run(["sentiment", "--resume", str(trial.out)], Fault("none"), trial.folder / "logs")


@pytest.mark.parametrize("damage", ["half", "bit", "gone"])
def test_a_torn_checkpoint_is_recognised_and_the_one_before_is_used(
    damage: str, data: Path, halfway: Path, undisturbed: Path, tmp_path: Path
) -> None:
    trial = copy_of(halfway, data, tmp_path)
    newest = checkpoints(trial.folder)[-1]
    content = newest.read_bytes()
    if damage == "half":
        newest.write_bytes(content[: len(content) // 2])
    elif damage == "bit":
        newest.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    elif damage == "empty":
        newest.write_bytes(b"")
    elif damage == "no checksum":
        newest.with_suffix(".sha256").unlink()
    else:
        newest.unlink()
    assert go_on(trial).code == 0
    assert fingerprint(trial.out) == fingerprint(undisturbed)


def test_a_full_disk_ends_in_one_line_and_loses_nothing(
    data: Path, undisturbed: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, 600) as mounted:
        if not mounted:
            pytest.skip("this system mounts no memory disk")
        trial = Trial("sentiment", [str(data), *OPTIONS], disk)
        shutil.copytree(undisturbed, disk / "older")
        outcome = trial.start(Fault("none"))
        assert outcome.code == 2, trial.history
        assert outcome.one_line(), outcome.err
        assert "No space left" in outcome.err
        assert fingerprint(disk / "older") == fingerprint(undisturbed)
        shutil.rmtree(disk / "older")
        os.system(f"mount -o remount,size=4m {disk}")
        trial.until_complete(iter(()))
        assert fingerprint(trial.out) == fingerprint(undisturbed)


def test_a_folder_that_may_not_be_written_ends_in_one_line_and_loses_nothing(
    data: Path, halfway: Path, undisturbed: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, 8000) as mounted:
        trial = copy_of(halfway, data, disk)
        before = [path.read_bytes() for path in checkpoints(trial.folder)]
        with unwritable(disk, trial, mounted):
            given = ["sentiment", "--resume", str(trial.out)]
            outcome = run(given, Fault("none"), tmp_path / "logs")
            assert outcome.code == 2, outcome
            assert outcome.one_line(), outcome.err
            assert [path.read_bytes() for path in checkpoints(trial.folder)] == before
        assert go_on(trial).code == 0
        assert fingerprint(trial.out) == fingerprint(undisturbed)


@contextlib.contextmanager
def unwritable(disk: Path, trial: Trial, mounted: bool) -> Iterator[None]:
    """Take away the right to write: from root by the disk, as no mode keeps root from writing."""
    if os.getuid() == 0:
        if not mounted:
            pytest.skip("this system mounts no memory disk")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        yield
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        return
    folders = [trial.folder, *(path for path in trial.folder.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield
    for folder in folders:
        folder.chmod(0o755)


class Trap:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_a_pickle_in_any_file_of_a_growing_run_is_never_run(
    birnn, data: Path, halfway: Path, tmp_path: Path
) -> None:
    names = [path.relative_to(halfway) for path in sorted(halfway.rglob("checkpoints/**/*"))]
    # run.json, lock, two snapshots with their checksums; without what a kill left half-written
    names = [n for n in names if (halfway / n).is_file() and n.suffix != ".partial"]
    assert len(names) == 6
    for number, name in enumerate(names):
        trial = copy_of(halfway, data, tmp_path / str(number))
        content = pickle.dumps(Trap(tmp_path / "ran"))
        (trial.folder / name).write_bytes(content)
        if name.suffix == ".safetensors":  # with a checksum that agrees
            digest = hashlib.sha256(content).hexdigest()
            (trial.folder / name).with_suffix(".sha256").write_text(f"{digest}  {name.name}\n")
        outcome = birnn("sentiment", "--resume", trial.out)
        assert outcome.code in (0, 2), outcome
        assert outcome.code == 0 or outcome.refusal()
        assert not (tmp_path / "ran").exists(), name


def test_two_processes_do_not_make_one_run(data: Path, halfway: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    trial = copy_of(halfway, data, tmp_path)
    lock = trial.folder / ".run.partial/checkpoints/lock"
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        outcome = go_on(trial)
        assert outcome.code == 2
        assert "another process" in outcome.err
        assert len(checkpoints(trial.folder)) == 2
    assert go_on(trial).code == 0


@pytest.fixture
def resumed(birnn, data: Path, halfway: Path, tmp_path: Path) -> Callable[..., object]:
    """``resumed(…)`` goes on with a copy of ``halfway`` and more options, in this process."""
    trial = copy_of(halfway, data, tmp_path)
    return lambda *options: birnn("sentiment", "--resume", trial.out, *options)


def test_what_a_run_is_cannot_change_on_the_way(resumed) -> None:
    line = resumed("--hidden-size", 9).refusal()
    assert "hidden_size" in line
    assert "8" in line
    assert "seeds" in resumed("--seeds", 3).refusal()


def test_the_same_options_may_be_given_again(resumed, data: Path) -> None:
    assert resumed(data, *OPTIONS).code == 0


def test_the_learning_rate_may_change_and_is_said(resumed) -> None:
    outcome = resumed("--learning-rate", 0.001)
    assert outcome.code == 0
    assert "learning_rate 0.01 → 0.001" in outcome.out


def test_other_data_is_refused(birnn, halfway: Path, tmp_path: Path) -> None:
    own = write_table(tmp_path / "reviews.csv", sentences())
    trial = Trial("sentiment", [str(own), *OPTIONS], tmp_path / "own")
    assert trial.start(Fault("write", 90)).code == -9
    rows = sentences()
    rows[5] = (rows[5][0].replace("no5", "no500"), rows[5][1])
    write_table(own, rows)
    assert "the data has changed" in birnn("sentiment", "--resume", trial.out).refusal()
    write_table(own, sentences())
    assert birnn("sentiment", "--resume", trial.out).code == 0


def test_an_unfinished_run_is_not_begun_anew_unasked(birnn, data: Path, halfway: Path, tmp_path):
    trial = copy_of(halfway, data, tmp_path)
    begin = ["sentiment", data, *OPTIONS, "--epochs", 1, "--out", trial.out]
    assert "--resume" in birnn(*begin).refusal()
    assert len(checkpoints(trial.folder)) == 2
    assert birnn(*begin, "--overwrite").code == 0


def test_what_is_not_there_cannot_go_on(birnn, data: Path, halfway: Path, tmp_path: Path) -> None:
    trial = copy_of(halfway, data, tmp_path)
    assert "unfinished there: run" in birnn("sentiment", "--resume", tmp_path / "copy/x").refusal()
    assert "tagging --resume" not in birnn("tagging", "--resume", trial.out).refusal()
    assert "is a run of sentiment" in birnn("tagging", "--resume", trial.out).refusal()
