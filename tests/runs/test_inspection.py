"""``inspect``: whose data a file holds, what is said of it, and which questions are refused."""

import json
import re
import shutil

import pytest

from birnn.tasks import TASKS
from birnn.tasks.core.kinds import kind_of

from places import ROOT
from writers import sentences, write_table

CASES = ROOT / "tests/cases/text"
SERIES = "date,sales\n" + "".join(f"2024-01-{i:02},{i % 7}\n" for i in range(1, 31)) * 1
TAGGED = "".join(f"Ada\tB-PER\nLovelace\tI-PER\nsang\tO\nno{i}\tO\n\n" for i in range(30))


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


TEXTS = [{"text": f"a text no {i}", "label": ["good", "bad"][i % 2]} for i in range(30)]
MARKED = [{"text": f"Ada sang no {i}", "label": [[0, 3, "PER"]]} for i in range(30)]
TOKENS = [{"tokens": ["Ada", "sang", str(i)], "ner_tags": ["B-PER", "O", "O"]} for i in range(30)]
FILES = {
    "texts.csv": (",text,label\n" + "".join(f"{i},some words no {i},{i % 2}\n" for i in range(30)),
                  "sentiment"),
    "texts.tsv": ("review\tstars\n" + "".join(f"some words no {i}\t{i % 5}\n" for i in range(30)),
                  "sentiment"),
    "texts.jsonl": (lines(TEXTS), "sentiment"),
    "doccano.jsonl": (lines([{**row, "label": [row["label"]]} for row in TEXTS]), "sentiment"),
    "list.json": (json.dumps(TEXTS), "sentiment"),
    "spans.jsonl": (lines(MARKED), "tagging"),
    "tokens.jsonl": (lines(TOKENS), "tagging"),
    "people.conll": (TAGGED, "tagging"),
    "people.txt": (TAGGED, "tagging"),
    "people.tsv": (TAGGED, "tagging"),
    "series.csv": (SERIES, "forecast"),
    "numbers.csv": ("a,b\n" + "".join(f"{i},{i * i}\n" for i in range(60)), "forecast"),
    "shops.csv": ("date,shop,category,sales\n" + "".join(
        f"2024-01-{i:02},shop {s},food and drink,{i}\n" for s in "AB" for i in range(1, 31)),
        "forecast"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_the_task_whose_data_it_holds(birnn, tmp_path, name):
    content, task = FILES[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    told = birnn("inspect", tmp_path / name, "--json")
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert found["task"] == task
    if task != "forecast":
        assert found["ready"]
        assert sum(found["rows"].values()) == 30
    shown = birnn("inspect", tmp_path / name).out
    assert shown.startswith(f"Read as data of {task}; --task ")
    assert "Ready for training." in shown


def test_samples_folders_and_names_are_told(tmp_path):
    samples = {
        "tweets": "texts", "tweet_entities": "tags", "electricity": "series",
        "temperatures": "series",
    }  # fmt: skip
    for name, kind in samples.items():
        assert kind_of(name) == kind
    shutil.copytree(CASES / "s30_kaggle", tmp_path / "a")
    assert kind_of(str(tmp_path / "a")) == "texts"
    assert kind_of(str(tmp_path / "nothing.csv")) == "series"


def test_what_is_said_of_texts(birnn, tmp_path):
    rows = [*sentences(40), ("", "good"), ("Same words", "good"), ("same words", "bad"),
            ("words", ""), ("😀", "good"), ("one more", "Good"), ("w " * 30, "bad")]  # fmt: skip
    path = write_table(tmp_path / "x.csv", rows)
    told = birnn("inspect", "sentiment", path, "--max-length", "20", "--json")
    found = json.loads(told.out)
    assert found["rows"] == {"train": 45}
    assert found["left_out"] == {"train": {"an empty text": 1, "no label": 1}}
    assert found["columns"] == {"text": "text", "label": "label"}
    assert found["classes"]["train"] == {"Good": 1, "bad": 22, "good": 22}
    assert found["lengths"]["cut"] == 1
    assert found["duplicates"]["normalised"] == {"train": 1}
    kinds = {finding["kind"]: finding for finding in found["findings"]}
    assert set(kinds) == {"empty_text", "no_label", "no_word", "long", "duplicate",
                          "contradiction", "class"}  # fmt: skip
    assert (kinds["empty_text"]["rows"], kinds["no_label"]["rows"]) == ([42], [45])
    assert kinds["contradiction"]["rows"] == [43, 44]
    assert "(line 46)" in kinds["no_word"]["text"]
    assert all(finding["treatment"] for finding in found["findings"])
    shown = " ".join(birnn("inspect", path).out.split())
    assert "47 there, 45 used, 2 left out" in shown


def test_what_is_said_of_tags(birnn, tmp_path):
    other = "Ada\tB-PER\nLovelace\tB-PER\nsang\tO\nno1\tO\n\n"
    (tmp_path / "x.conll").write_text(TAGGED + other)
    found = json.loads(birnn("inspect", tmp_path / "x.conll", "--json").out)
    assert found["rows"] == {"train": 31}
    assert found["tokens"] == {"train": 124}
    assert sum(part["PER"] for part in found["classes"].values()) == 32
    assert found["scheme"] == "iob2"
    kinds = {finding["kind"]: finding for finding in found["findings"]}
    assert kinds["contradiction"]["rows"] == [6, 151]


def test_what_would_stop_training_is_the_verdict(birnn, tmp_path):
    path = write_table(tmp_path / "x.csv", [(f"a text no {i}", "good") for i in range(30)])
    told = birnn("inspect", path, "--task", "sentiment")
    assert told.code == 0
    assert "Training is refused: " in told.out
    assert "only one class in train ('good')" in told.out
    assert not json.loads(birnn("inspect", "sentiment", path, "--json").out)["ready"]


def test_regression_is_read_by_name(birnn, tmp_path):
    rows = [(str(i), str(i % 3), str(i % 2)) for i in range(60)]
    path = write_table(tmp_path / "x.csv", rows, ("a", "b", "y"))
    told = birnn("inspect", "regression", path, "--target", "y", "--length", "5", "--json")
    found = json.loads(told.out)
    assert (found["features"], found["rows"]) == (["a", "b"], {"train": 60})
    assert found["lengths"]["longest"] == 5


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["chess", "FILE"], "chess and FILE are both named"),
        (["FILE", "--task", "chess"], "unknown task 'chess'"),
        (["sentiment", "FILE", "--task", "tagging"], "are both named"),
        (["FILE", "--data", "other.csv"], "are both named"),
        (["tagging", "FILE", "--layout", "long"], "--layout is no option of tagging's data"),
        (["FILE", "--label-column", "nothing"], "there is no column 'nothing'"),
        (["sentiment", "nothing.csv"], "no such file"),
        (["FILE", "--max-length", "0"], "max_length: must be at least 1"),
    ],
)
def test_a_question_that_makes_no_sense_is_one_line(birnn, tmp_path, words, line):
    path = write_table(tmp_path / "x.csv", sentences(40))
    asked = [str(path) if word == "FILE" else word for word in words]
    assert line.replace("FILE", str(path)) in birnn("inspect", *asked).refusal()


def test_a_task_that_offers_no_inspection_is_one_line(birnn, tmp_path, monkeypatch):
    bare = {name: spec for name, spec in TASKS.items() if name != "regression"}
    from dataclasses import replace

    from birnn.tasks.core.spec import Specs

    without = replace(TASKS["regression"], inspect="")
    monkeypatch.setattr(
        Specs, "__getitem__", lambda self, name: {**bare, "regression": without}[name]
    )
    line = birnn("inspect", "regression", tmp_path / "x.csv").refusal()
    others = ", ".join(name for name in TASKS if name != "regression")
    assert f"inspect reads data of {others}; regression offers no" in line


@pytest.mark.parametrize("width", [80, 120])
def test_what_is_said_keeps_to_the_width_and_steers_no_terminal(
    birnn, tmp_path, monkeypatch, width
):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    evil = "x\x1b[2J\u202e[red]"
    rows = [(f"{text} {evil}", f"{label}{evil}") for text, label in sentences(40)]
    write_table(tmp_path / "x.csv", rows)
    shown = birnn("inspect", "x.csv", "--task", "sentiment").out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[red]" in shown
    assert max(len(re.sub(r"\s+$", "", line)) for line in shown.splitlines()) <= width


def test_rows_that_the_reader_leaves_out_are_counted_and_found(birnn, tmp_path):
    rows = [f"text number {i} is {mood},{mood}" for i in range(150) for mood in ("good", "bad")]
    repeated = [line for row in rows[:130] for line in (row, "text,label")]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["text,label", *repeated, *rows[130:]]) + "\n")
    found = json.loads(birnn("inspect", "sentiment", path, "--json").out)
    (left,) = [finding for finding in found["findings"] if finding["kind"] == "left_out"]
    assert (left["count"], left["rows"][:3]) == (130, [3, 5, 7])
    assert left["text"].startswith("130 rows of the file: repeated header (line 3, 5, 7")
    shown = " ".join(birnn("inspect", path).out.split())
    assert "430 there, 300 used, 130 left out" in shown
