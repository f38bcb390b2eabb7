"""``--resume``: refused or failed, it changes no byte; data that moved are the same data."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import birnn as python
from birnn.cli import main
from birnn.config import flatten
from birnn.errors import BirnnError, DataError
from birnn.tasks import TASKS
from birnn.tasks.core.data_digest import data_digest
from birnn.tasks.runs.launch import make_task

import contract
from faults import fingerprint, interrupt, small_disk
from writers import TINY, sentences, write_table

OPTIONS = [*TINY, "--epochs", "4", "--batch-size", "16", "--patience", "0"]


def state(folder: Path) -> dict[str, str]:
    """Every name below ``folder`` and its content's checksum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def stopped(tmp_path_factory) -> Path:
    """A folder with data and a run that stopped after its first epoch."""
    home = tmp_path_factory.mktemp("cut")
    data = write_table(home / "reviews.csv", sentences())
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, 1, data, *OPTIONS, "--out", home / "run")
    assert (home / ".run.partial/checkpoints/run.json").is_file()
    return home


@pytest.fixture
def cut(stopped: Path, tmp_path: Path) -> Path:
    """A copy of it; its ``run.json`` names the data of the copy."""
    home = Path(shutil.copytree(stopped, tmp_path / "home"))
    record = home / ".run.partial/checkpoints/run.json"
    record.write_text(record.read_text().replace(str(stopped), str(home)))
    return home


@pytest.fixture(scope="module")
def whole(stopped: Path, tmp_path_factory) -> dict[str, str]:
    """What the run becomes when nothing happens to it."""
    out = tmp_path_factory.mktemp("whole") / "run"
    given = ["sentiment", stopped / "reviews.csv", *OPTIONS, "--out", out]
    assert main(list(map(str, given))) == 0
    return fingerprint(out)


def other_rows(home: Path) -> None:
    rows = sentences()
    rows[7] = (rows[7][0], rows[8][1])  # one label, and nothing else
    write_table(home / "reviews.csv", rows)


def record(home: Path, **changes: object) -> None:
    path = home / ".run.partial/checkpoints/run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


REFUSALS: dict[str, tuple[Callable[[Path], object], list[object]]] = {
    "data changed": (other_rows, []),
    "data changed, learning rate": (other_rows, ["--learning-rate", 0.5]),
    "data gone": (lambda home: (home / "reviews.csv").unlink(), ["--learning-rate", 0.5]),
    "data a folder": (
        lambda home: [(home / "reviews.csv").unlink(), (home / "reviews.csv").mkdir()],
        [],
    ),
    "data empty": (lambda home: (home / "reviews.csv").write_text(""), []),
    "value": (lambda home: None, ["--learning-rate", -1]),
    "no such device": (lambda home: None, ["--device", "xpu:9"]),
    "may not change": (lambda home: None, ["--hidden-size", 9, "--learning-rate", 0.5]),
    "seeds": (lambda home: None, ["--seeds", 2]),
    "another out": (lambda home: None, ["--out", "elsewhere"]),
    "no digest": (lambda home: record(home, data=""), []),
    "config of another kind": (lambda home: record(home, config={"train": {"epochs": "x"}}), []),
    "half of run.json": (
        lambda home: os.truncate(home / ".run.partial/checkpoints/run.json", 100),
        [],
    ),
    "a done seed of another kind": (
        lambda home: (home / ".run.partial/checkpoints/done-0.json").write_text("[]"),
        ["--learning-rate", 0.5],
    ),
    "the run is taken": (
        lambda home: [(home / "run").mkdir(), (home / "run/thesis.txt").write_text("mine")],
        ["--learning-rate", 0.5],
    ),
    "no lock file": (
        lambda home: [(home / ".run.partial/checkpoints/lock").unlink(), other_rows(home)],
        [],
    ),
}


@pytest.mark.parametrize("snapshots", [1, 0])
@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refused_resume_changes_no_byte(kind: str, snapshots: int, cut: Path, birnn) -> None:
    spoil, options = REFUSALS[kind]
    if not snapshots:  # killed before its first epoch was over
        shutil.rmtree(cut / ".run.partial/checkpoints/seed-0")
    spoil(cut)
    before = state(cut)
    assert birnn("sentiment", "--resume", cut / "run", *options).refusal()
    assert state(cut) == before
    assert birnn("sentiment", "--resume", cut / "run", *options).refusal()  # as the first time
    assert state(cut) == before


@pytest.mark.parametrize("where", ["data", "digest", "snapshot"])
def test_a_signal_before_training_changes_no_byte(where, cut: Path, birnn, monkeypatch) -> None:
    place = {"data": "birnn.tasks.sentiment.task.Sentiment.load",
             "digest": "birnn.tasks.runs.experiment.data_digest",
             "snapshot": "birnn.storage.snapshots.read_snapshot"}[where]  # fmt: skip

    def end(*arguments):
        raise KeyboardInterrupt

    before = state(cut)
    with monkeypatch.context() as patch:
        patch.setattr(place, end)
        outcome = birnn("sentiment", "--resume", cut / "run", "--learning-rate", 0.5)
    assert outcome.code == 130
    assert "--resume" in outcome.err
    assert state(cut) == before


def test_a_snapshot_of_another_model_changes_no_byte(cut: Path, birnn) -> None:
    path = cut / ".run.partial/checkpoints/run.json"
    made = json.loads(path.read_text())
    made["config"]["encoder"]["hidden_size"] = 9
    path.write_text(json.dumps(made))
    before = state(cut)
    line = birnn("sentiment", "--resume", cut / "run", "--learning-rate", 0.5).refusal()
    assert "of another model" in line
    assert state(cut) == before


def test_a_full_disk_changes_no_byte_and_keeps_the_learning_rate(stopped, birnn, tmp_path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, 2000) as mounted:
        if not mounted:
            pytest.skip("this system mounts no memory disk")
        home = Path(shutil.copytree(stopped, disk / "home"))
        free = shutil.disk_usage(disk).free
        (disk / "ballast").write_bytes(bytes(free - 12_000))  # room for run.json, not for more
        before = state(home)
        assert "No space" in birnn("sentiment", "--resume", home / "run",
                                   "--learning-rate", 0.5).refusal()  # fmt: skip
        assert state(home) == before


def test_what_is_refused_once_is_refused_again_and_the_right_data_go_on(
    cut: Path, whole, birnn
) -> None:
    content = (cut / "reviews.csv").read_bytes()
    other_rows(cut)
    for _ in range(3):
        line = birnn("sentiment", "--resume", cut / "run", "--learning-rate", 0.5).refusal()
        assert "the data has changed" in line
    (cut / "reviews.csv").write_bytes(content)
    outcome = birnn("sentiment", "--resume", cut / "run")
    assert outcome.code == 0
    assert "learning_rate" not in outcome.out.partition("epoch")[0]
    assert fingerprint(cut / "run") == whole


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """Another working directory."""
    old = Path.cwd()
    (tmp_path / "else").mkdir()
    os.chdir(tmp_path / "else")
    yield tmp_path / "else"
    os.chdir(old)


@pytest.mark.parametrize("decoy", [False, True])
def test_a_run_goes_on_from_another_working_directory(
    decoy: bool, stopped: Path, whole, birnn, monkeypatch, tmp_path, elsewhere
) -> None:
    shutil.copy(stopped / "reviews.csv", tmp_path / "reviews.csv")
    monkeypatch.chdir(tmp_path)
    interrupt(monkeypatch, 1, "reviews.csv", *OPTIONS, "--out", "run")
    monkeypatch.chdir(elsewhere)
    if decoy:  # the run's own data are meant, wherever the command is given
        write_table(elsewhere / "reviews.csv", sentences()[::-1])
    outcome = birnn("sentiment", "--resume", "../run")
    assert outcome.code == 0, outcome.err
    assert fingerprint(tmp_path / "run") == whole


def moved(home: Path) -> list[object]:
    (home / "deeper").mkdir()
    return ["--data", (home / "reviews.csv").rename(home / "deeper/other name.csv")]


def positional(home: Path) -> list[object]:
    return [(home / "reviews.csv").rename(home / "other.csv")]


def other_format(home: Path) -> list[object]:
    (home / "reviews.csv").unlink()
    rows = ({"text": text, "label": label} for text, label in sentences())
    (home / "reviews.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return ["--data", home / "reviews.jsonl"]


def linked(home: Path) -> list[object]:
    (home / "there.csv").symlink_to(home / "reviews.csv")
    return ["--data", home / "there.csv"]


@pytest.mark.parametrize("move", [moved, positional, other_format, linked])
def test_the_same_data_elsewhere_go_on(move, cut: Path, whole, birnn) -> None:
    outcome = birnn("sentiment", "--resume", cut / "run", *move(cut))
    assert outcome.code == 0, outcome.err
    assert fingerprint(cut / "run") == whole


def test_other_data_elsewhere_are_refused(cut: Path, birnn) -> None:
    before = state(cut)
    other = write_table(cut.parent / "other.csv", sentences()[::-1])
    assert "has changed" in birnn("sentiment", "--resume", cut / "run", "--data", other).refusal()
    assert state(cut) == before


def test_a_frame_goes_on_with_a_file_and_a_file_with_a_frame(cut: Path, tmp_path, whole) -> None:
    frame = pd.DataFrame(sentences(), columns=["text", "label"])
    config = json.loads((cut / ".run.partial/checkpoints/run.json").read_text())["config"]
    options = {name: value for name, value in flatten(config) if name != "data"}
    with pytest.raises(DataError, match="has changed"):
        python.train("sentiment", frame.iloc[::-1], cut / "run", resume=True, **options)
    python.train("sentiment", frame, cut / "run", resume=True, **options)
    assert fingerprint(cut / "run") == whole


def test_a_refused_overwrite_keeps_the_unfinished_run(cut: Path, birnn) -> None:
    before = state(cut)
    given = ["sentiment", cut / "none.csv", *OPTIONS, "--out", cut / "run", "--overwrite"]
    assert birnn(*given).refusal()
    assert state(cut) == before


def test_a_refused_start_leaves_nothing(birnn, tmp_path: Path) -> None:
    assert birnn("sentiment", tmp_path / "none.csv", *OPTIONS, "--out", tmp_path / "run").refusal()
    assert not list(tmp_path.iterdir())


CASES = [(task, variant) for task in TASKS for variant in contract.variants(task)]


@pytest.mark.parametrize(("task", "variant"), CASES)
def test_a_digest_knows_every_row_and_no_place(task: str, variant: str, tmp_path: Path) -> None:
    found = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        made = make_task(task, contract.tiny(task).TINY[variant](tmp_path / name))
        found.append(data_digest(made, made.load()))
    assert found[0] == found[1]
    path = Path(made.config.data.data)
    if not path.is_file():
        return
    lines = path.read_text().splitlines()
    counted = [i for i, line in enumerate(lines) if any(map(str.isdigit, line))]
    for number in (counted[len(counted) // 3], counted[-1]):
        line = lines[number]
        digits = [i for i, letter in enumerate(line) if letter.isdigit()]
        at = next((i for i in digits if i > line.rfind(",")), digits[-1])
        other = f"{line[:at]}{(int(line[at]) + 1) % 10}{line[at + 1 :]}"
        path.write_text("\n".join([*lines[:number], other, *lines[number + 1 :]]) + "\n")
        with contextlib.suppress(BirnnError):  # refused for itself
            assert data_digest(made, made.load()) != found[1], (line, other)
