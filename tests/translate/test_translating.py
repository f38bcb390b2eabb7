"""A tiny translator from the command line and from Python."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

import birnn as package
from birnn.tasks.runs.experiment import train
from birnn.tasks.runs.launch import Plan, make_task

from contract import tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has learned a little."""
    folder = tmp_path_factory.mktemp("translate")
    config = tiny("translate").TINY["words"](folder)
    config = replace(config, train=replace(config.train, epochs=30, learning_rate=0.01))
    for _ in train(make_task("translate", config), Plan(folder / "run")):
        pass
    return folder / "run"


def test_n_best_are_distinct_and_fall(run: Path, birnn) -> None:
    told = birnn("predict", run, "the film was", "a bit", "--n-best", 3, "--json")
    assert told.code == 0, told.err
    for record in map(json.loads, told.out.splitlines()):
        best = record["n_best"]
        assert len({one["translation"] for one in best}) > 1
        scores = [one["score"] for one in best]
        assert scores == sorted(scores, reverse=True)
        assert best[0]["translation"] == record["translation"]


def test_a_text_alone_and_among_others_has_one_translation(run: Path) -> None:
    loaded = package.load(run)
    texts = ["the film was n3", "a", "", "really a bit of the film was", "n1 n2"]
    together = loaded.predict(texts)
    assert together == [loaded.predict([text])[0] for text in texts]
    assert together[2] == ""


def test_an_unknown_word_is_copied(run: Path) -> None:
    said = package.load(run).predict(["n991", "n992"])
    assert "⁇" not in "".join(said)
    assert any("n99" in text for text in said)


def test_a_file_of_pairs_is_translated_by_its_source_column(
    run: Path, birnn, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text("id,target,source\n1,x,the film\n2,y,a bit\n")
    out = tmp_path / "said.csv"
    told = birnn("predict", run, "--input", tmp_path / "new.csv", "--output", out)
    assert told.code == 0, told.err
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["source"] for row in rows] == ["the film", "a bit"]
    assert set(rows[0]) == {"source", "translation", "score"}
    birnn("predict", run, "--input", tmp_path / "new.csv", "--output", tmp_path / "said.txt")
    assert (tmp_path / "said.txt").read_text().splitlines() == [r["translation"] for r in rows]


def test_what_is_not_translated_whole_is_said(run: Path, birnn) -> None:
    told = birnn("predict", run, "the " * 300, " ", "a bit")
    assert "1 text translated up to 200 pieces alone" in told.out + told.err
    assert "1 empty text without a translation" in told.out + told.err


def test_other_pairs_are_evaluated(run: Path, birnn, tmp_path: Path) -> None:
    lines = [json.dumps({"translation": {"source": "the film", "target": "die Film"}})] * 3
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    told = birnn("evaluate", run, "--data", tmp_path / "new.jsonl", "--json")
    assert told.code == 0, told.err
    scores = json.loads(told.out)["test"]["model"]
    assert set(scores) == {"bleu", "chrf"}
