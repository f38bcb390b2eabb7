"""Files as people bring them, through the command line: what is read, said, kept and predicted."""

import json
from pathlib import Path

import pandas as pd
import pytest

import birnn as package
from birnn.tasks.serving.request import Request
from birnn.tasks.serving.texts import read_text_columns

from places import ROOT
from writers import TINY, sentences, write_table

CASES = ROOT / "tests/cases/text"
MOODS = ["negative", "neutral", "positive"]


def metrics_of(run: Path):
    return json.loads((run / "metrics.json").read_text())


def columns_of(run: Path):
    """What the run remembers, which is what its report's data says."""
    columns = json.loads((run / "config.json").read_text())["reading"]["columns"]
    assert metrics_of(run)["data"]["columns"] == columns
    return columns


@pytest.fixture
def run(tmp_path):
    return tmp_path / "runs/run"


def test_of_title_and_review_the_review_is_taken(birnn, train, run, tmp_path):
    done = train(CASES / "s11b_title.csv")
    assert done.code == 0, done.err
    assert columns_of(run) == {"text": "Review Text", "label": "Rating"}
    assert sum(metrics_of(run)["data"]["rows"].values()) == 60
    assert metrics_of(run)["details"]["labels"] == ["1", "3", "5"]
    out = " ".join(done.out.split())
    assert (
        "text from 'Review Text', label from 'Rating', not used: 'id', 'Clothing ID', 'Title'"
        in out
    )
    assert "--text-column Title takes the other" in out

    new = write_table(tmp_path / "new.csv", [("short", "a warm film", "x")],
                      ("title", "review text", "text"))  # fmt: skip
    told = birnn("predict", run, "--input", new, "--json")
    assert json.loads(told.out)["text"] == "a warm film"
    assert not told.err
    elsewhere = write_table(tmp_path / "else.csv", [("a warm film", "short")], ("body", "title"))
    told = birnn("predict", run, "--input", elsewhere, "--json")
    assert json.loads(told.out)["text"] == "a warm film"
    assert "'Review Text', which isn't here" in told.err
    new = write_table(tmp_path / "other.csv", [("1", "x")], ("number", "mark"))
    line = birnn("predict", run, "--input", new).refusal()
    assert "--text-column; there are: number, mark" in line
    scored = write_table(
        tmp_path / "scored.csv",
        [(f"t{i}", f"a warm film no {i}", "5.0") for i in range(6)],
        ("Title", "REVIEW TEXT", "rating"),
    )
    told = birnn("evaluate", run, "--data", scored, "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["data"]["rows"] == 6


def test_a_folder_with_an_unlabelled_test_file(birnn, train, run):
    done = train(CASES / "s30_kaggle")
    assert done.code == 0, done.err
    data = metrics_of(run)["data"]
    assert sum(data["rows"].values()) == 60
    assert data["rows"]["test"] == 6
    assert data["unlabelled"] == {"test": 9}
    out = " ".join(done.out.split())
    assert "9 texts without labels" in out
    assert "sample_submission.csv" in out
    told = birnn("predict", run, "--input", CASES / "s30_kaggle/test.csv", "--json")
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert len(lines) == 9
    assert lines[0]["text"] == "cold book , clumsy too no 3"


def options():
    """The tiny options as Python takes them."""
    given = zip(TINY[::2], TINY[1::2], strict=True)
    numbers = {name.removeprefix("--").replace("-", "_"): value for name, value in given}
    return {
        k: v if k == "vectors" else float(v) if "." in v else int(v) for k, v in numbers.items()
    }


def test_floats_of_a_frame_and_of_a_file_are_one_set_of_classes(birnn, run, tmp_path):
    path = CASES / "a_float.csv"
    trained = package.train("sentiment", pd.read_csv(path), tmp_path / "frame", **options())
    assert trained.labels == ["0", "1", "2"]
    own = trained.evaluate(str(path))
    frame = trained.evaluate(pd.read_csv(path))
    assert frame == own
    whole = pd.read_csv(path).astype({"label": int})
    assert trained.evaluate(whole) == own
    lines = tmp_path / "x.jsonl"
    whole.to_json(lines, orient="records", lines=True)
    told = birnn("evaluate", tmp_path / "frame", "--data", lines, "--json")
    assert json.loads(told.out)["test"]["model"] == own


@pytest.mark.parametrize(
    ("name", "given", "labels", "columns"),
    [
        ("s03_index.csv", [], MOODS, "text label"),
        ("s06_semi.csv", ["--encoding", "cp1252"], MOODS, "text label"),
        ("s09_twice.csv", [], MOODS, "text label"),
        ("s40_tab.csv", [], MOODS, "text label"),
        ("s05_nohead.csv", ["--encoding", "latin-1"], ["0", "2", "4"], "6 1"),
        ("a_float.csv", [], ["0", "1", "2"], "text label"),
    ],
)  # fmt: skip
def test_every_row_of_a_file_is_read_in_three_classes(train, run, name, given, labels, columns):
    done = train(CASES / name, *given)
    assert done.code == 0, done.err
    metrics = metrics_of(run)
    assert sum(metrics["data"]["rows"].values()) == 60
    assert metrics["details"]["labels"] == labels
    assert list(columns_of(run).values()) == columns.split()
    counts = metrics["data"]["classes"].values()
    assert [sum(part[label] for part in counts) for label in labels] == [20, 20, 20]


def test_labels_in_another_spelling_are_scored_as_the_run_knows_them(birnn, trained, tmp_path):
    rows = [(text, f" {label.upper()}") for text, label in sentences(20)]
    path = write_table(tmp_path / "x.csv", rows)
    told = birnn("evaluate", trained, "--data", path)
    assert told.code == 0, told.err
    assert "'GOOD' as 'good' (10)" in " ".join(told.out.split())
    plain = write_table(tmp_path / "y.csv", sentences(20))
    one, other = (birnn("evaluate", trained, "--data", p, "--json").out for p in (path, plain))
    assert json.loads(one)["test"] == json.loads(other)["test"]


def test_a_file_without_labels_can_not_be_scored_but_predicted(birnn, trained, tmp_path):
    path = write_table(tmp_path / "x.csv", [("a lovely film",), ("a dull one",)], ("Text",))
    assert "--label-column" in birnn("evaluate", trained, "--data", path).refusal()
    told = birnn("predict", trained, "--input", path, "--json")
    assert [json.loads(line)["text"] for line in told.out.splitlines()] == [
        "a lovely film",
        "a dull one",
    ]


def test_columns_of_several_texts_are_found_whatever_their_case(tmp_path):
    path = write_table(tmp_path / "x.csv", [("a film", "a play")] * 4, ("First", "SECOND text"))
    request = Request(input=str(path))
    assert read_text_columns(request, ("first", "second_text")) == [["a film"] * 4, ["a play"] * 4]


def test_predict_and_evaluate_take_what_their_refusals_name(birnn, trained, tmp_path):
    rows = [f"a warm film no {i},{('good', 'bad')[i % 2]}" for i in range(9)]
    odd, old = tmp_path / "odd.csv", tmp_path / "old.csv"
    odd.write_text("\n".join(["text,label", *rows, "an odd one, with a comma,good"]) + "\n")
    old.write_bytes("\n".join(["text,label", *rows, "café,good"]).encode("cp1252"))
    given = ((odd, ["--skip-ragged"], 9), (old, ["--encoding", "cp1252"], 10))
    for path, options, count in given:
        assert options[0] in birnn("predict", trained, "--input", path).refusal()
        assert options[0] in birnn("evaluate", trained, "--data", path).refusal()
        told = birnn("predict", trained, "--input", path, "--json", *options)
        assert len(told.out.splitlines()) == count
        assert path is old or "1 left out (ragged: 1 (line 11))" in told.err
        scored = birnn("evaluate", trained, "--data", path, "--json", *options)
        assert json.loads(scored.out)["data"]["rows"] == count


def test_evaluate_takes_columns_by_name(birnn, trained, tmp_path):
    rows = [(str(i), text, label) for i, (text, label) in enumerate(sentences(12))]
    for words, verdict in (("words", "verdict_by_hand"), ("a", "b")):
        path = write_table(tmp_path / "x.csv", rows, ("n", words, verdict))
        named = ["--text-column", words, "--label-column", verdict]
        scored = birnn("evaluate", trained, "--data", path, "--json", *named)
        assert json.loads(scored.out)["data"]["rows"] == 12
    both = [(text, label, "a text", "good") for _, text, label in rows]
    path = write_table(tmp_path / "y.csv", both, ("a", "b", "text", "label"))  # the run's too
    scored = json.loads(birnn("evaluate", trained, "--data", path, "--json", *named).out)
    assert all(map(sum, scored["details"]["confusion"]))  # gold of both classes
    line = birnn("evaluate", trained, "--data", path, "--label-column", "c").refusal()
    assert "there is no column 'c'" in line
