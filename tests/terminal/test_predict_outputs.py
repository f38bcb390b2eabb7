"""Where ``predict --output`` may write, and that what it writes is streamed."""

import json
import os
import shutil
from pathlib import Path

import pytest

from birnn.cli import main
from birnn.errors import ConfigError
from birnn.tasks.serving import labels, records
from birnn.tasks.serving.request import Request

from writers import TINY, sentences, write_table


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with ``reviews.csv`` and a ``run`` of it."""
    home = tmp_path_factory.mktemp("made")
    data = write_table(home / "reviews.csv", sentences())
    given = ["sentiment", data, *TINY, "--epochs", "1", "--out", home / "run"]
    assert main(list(map(str, given))) == 0
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch) -> Path:
    """A copy of it, and ``in.csv`` to predict; the working directory."""
    home = Path(shutil.copytree(made, tmp_path / "home"))
    config = json.loads((home / "run/config.json").read_text())
    config["data"]["data"] = str(home / "reviews.csv")
    (home / "run/config.json").write_text(json.dumps(config))
    shutil.copy(home / "reviews.csv", home / "in.csv")
    monkeypatch.chdir(home)
    return home


def state(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def link(name: str, target: str) -> str:
    Path(name).symlink_to(Path(target).absolute())
    return name


def hard(name: str, target: str) -> str:
    os.link(target, name)
    return name


def folder_link(target: str) -> str:
    Path("way").symlink_to(Path(target).absolute())
    return "way"


TAKEN = {
    "own predictions": lambda: "run/predictions.csv",
    "own config": lambda: "run/config.json",
    "own metrics": lambda: "./run/../run/metrics.json",
    "a name of the run's": lambda: "run/predictions.json",
    "of a seed": lambda: Path("run/seed-0").mkdir() or "run/seed-0/metrics.json",
    "link to the config": lambda: link("a.json", "run/config.json"),
    "hard link to the config": lambda: hard("a.json", "run/config.json"),
    "through a linked folder": lambda: f"{folder_link('run')}/config.json",
    "the input": lambda: "in.csv",
    "the input, absolute": lambda: str(Path("in.csv").absolute()),
    "the input, about": lambda: "./run/../in.csv",
    "link to the input": lambda: link("b.csv", "in.csv"),
    "hard link to the input": lambda: hard("b.csv", "in.csv"),
    "the training data": lambda: "reviews.csv",
    "link to the training data": lambda: link("c.csv", "reviews.csv"),
    "pipe": lambda: os.mkfifo("p.csv") or "p.csv",
    "link to a device": lambda: link("d.csv", "/dev/null"),
    "link to a pipe": lambda: os.mkfifo("q") or link("q.csv", "q"),
    "folder": lambda: Path("f.csv").mkdir() or "f.csv",
    "link to itself": lambda: link("g.csv", "g.csv"),
    "no folder": lambda: "none/a.csv",
    "link into no folder": lambda: link("h.csv", "none/a.csv"),
}


@pytest.mark.parametrize("how", TAKEN)
def test_an_output_over_what_is_read_is_refused_before_any_work(
    how: str, home: Path, birnn, monkeypatch
) -> None:
    output = TAKEN[how]()
    before = state(home)
    monkeypatch.setattr("birnn.tasks.serving.predictor.predictor_of", None)
    if how in ("pipe", "folder", "no folder") or " to a " in how or "into" in how or "self" in how:
        monkeypatch.undo()
        monkeypatch.chdir(home)
    line = birnn("predict", "run", "--input", "in.csv", "--output", output).refusal()
    assert "output" in line or "can't write" in line
    assert state(home) == before


def test_an_answer_over_its_own_standard_input_is_refused(home: Path, birnn, monkeypatch) -> None:
    Path("texts.txt").write_text("good\nbad\n")
    with Path("texts.txt").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        line = birnn("predict", "run", "--output", "texts.txt").refusal()
    assert "standard input" in line
    assert Path("texts.txt").read_text() == "good\nbad\n"


def test_an_answer_over_standard_output_is_refused(home: Path, birnn, monkeypatch) -> None:
    with Path("out.csv").open("w") as file:
        monkeypatch.setattr("sys.stdout", file)
        with pytest.raises(ConfigError, match="standard output itself"):
            records.check_apart(Path("out.csv"), Request(), home / "run", "")


def test_a_link_stays_a_link_and_an_answer_may_be_written_again(home: Path, birnn) -> None:
    (home / "far").mkdir()
    output = link("out.csv", "far/answers.csv")
    for _ in range(2):
        assert birnn("predict", "run", "--input", "in.csv", "--output", output).code == 0
        assert Path(output).is_symlink()
        assert len((home / "far/answers.csv").read_text().splitlines()) == len(sentences()) + 1
    assert birnn("predict", "run", "--input", "in.csv", "--output", "run/mine.csv").code == 0


def test_a_comparison_is_not_drawn_over_a_runs_picture(home: Path, birnn) -> None:
    shutil.copytree("run", "twin")
    outputs = ["run/curves.png", link("x.png", "twin/curves.png")]
    before = state(home)
    for output in outputs:
        assert "of the run" in birnn("compare", "run", "twin", "--out", output).refusal()
    assert state(home) == before


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".txt"])
def test_parts_make_the_same_file_as_the_whole(suffix, home: Path, birnn, monkeypatch) -> None:
    given = ["predict", "run", "--input", "in.csv", "--output"]
    assert birnn(*given, f"whole{suffix}").code == 0
    monkeypatch.setattr(labels, "CHUNK", 7)
    assert birnn(*given, f"parts{suffix}").code == 0
    assert Path(f"whole{suffix}").read_bytes() == Path(f"parts{suffix}").read_bytes()


def test_a_failure_in_the_middle_leaves_the_old_answer(home: Path, birnn, monkeypatch) -> None:
    Path("out.csv").write_text("old")
    monkeypatch.setattr(labels, "CHUNK", 7)
    asked, real = [], labels.predictions_of

    def fails(*arguments):
        asked.append(arguments)
        if len(asked) > 3:
            raise MemoryError
        return real(*arguments)

    monkeypatch.setattr(labels, "predictions_of", fails)
    assert birnn("predict", "run", "--input", "in.csv", "--output", "out.csv").refusal()
    assert len(asked) == 4
    assert Path("out.csv").read_text() == "old"
    assert not list(home.glob(".*"))


def test_a_list_is_written_as_json_writes_it() -> None:
    for rows in ([], [{"a": "x\ny", "b": [1, {"c": "é"}], "d": {}}], [{"a": 1}, {"a": []}]):
        wanted = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
        assert "".join(records._json_list(rows)) == wanted
