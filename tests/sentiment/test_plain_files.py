"""Labelled texts in plain files: fastText's lines, and a folder a class."""

import json
from pathlib import Path

import pytest

from birnn.data.tables.dialect import AS_USUAL
from birnn.data.text.plain_files import plain_tables

from writers import sentences


def fasttext(path: Path, count: int = 80) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("".join(f"__label__{label} {text}\n" for text, label in sentences(count)))
    return path


def folders(folder: Path, count: int = 80, split: str = "") -> Path:
    for number, (text, label) in enumerate(sentences(count)):
        inner = folder / split / label
        inner.mkdir(exist_ok=True, parents=True)
        (inner / f"{number:03}_7.txt").write_text(text + "\n")
    return folder


def metrics_of(done, run: Path):
    assert done.code == 0, done.err
    return json.loads((run / "metrics.json").read_text())


@pytest.mark.parametrize("name", ["reviews.txt", "reviews.train"])
def test_lines_with_marks(birnn, train, tmp_path, name):
    path = fasttext(tmp_path / name)
    run = tmp_path / "runs/run"
    metrics = metrics_of(train(path), run)
    assert metrics["details"]["labels"] == ["bad", "good"]
    assert sum(metrics["data"]["rows"].values()) == 80
    told = birnn("evaluate", run, "--data", path, "--json")
    assert json.loads(told.out)["data"]["rows"] == 80
    few = fasttext(tmp_path / "few.txt", 3)
    told = birnn("predict", run, "--input", few, "--json")
    texts = [json.loads(line)["text"] for line in told.out.splitlines()]
    assert texts == [text for text, _ in sentences(3)]
    assert "__label__" in told.err


def test_a_folder_of_marked_files(train, tmp_path):
    fasttext(tmp_path / "data/train.txt", 60)
    fasttext(tmp_path / "data/test.txt", 22)
    metrics = metrics_of(train(tmp_path / "data"), tmp_path / "runs/run")
    assert metrics["data"]["rows"]["test"] == 22
    assert sum(metrics["data"]["rows"].values()) == 82


def test_lines_with_several_labels_or_none(birnn, tmp_path):
    path = fasttext(tmp_path / "x.txt")
    whole = path.read_text()
    path.write_text(whole + "__label__good __label__bad a film\n")
    line = birnn("inspect", path).refusal()
    assert "x.txt: 1 line with several labels (line 81); give each text one" in line
    path.write_text(whole + "a film that nobody has judged\n\n")
    told = birnn("inspect", path)
    assert told.code == 0, told.err
    assert "80 used, 1 left out" in " ".join(told.out.split())
    assert "line 81" in told.out


@pytest.mark.parametrize("layout", ["class", "split/class", "class/split"])
def test_a_folder_a_class(birnn, train, tmp_path, layout):
    data = tmp_path / "data"
    if layout == "class":
        folders(data)
    else:
        folders(data, 80, "train")
        folders(data, 20, "test")
    if layout == "class/split":
        other = tmp_path / "other"
        for file in data.rglob("*.txt"):
            split, label, name = file.relative_to(data).parts
            (other / label / split).mkdir(exist_ok=True, parents=True)
            file.rename(other / label / split / name)
        data = other
    else:
        (data / "README.txt").write_text("about these data")
        hidden = next(data.rglob("good")) / ".DS_Store.txt"
        hidden.write_bytes(b"\0\1")
    if layout == "split/class":
        (data / "train/unsup").mkdir()
        (data / "train/unsup/1_0.txt").write_text("nobody knows")
        (data / "train/urls_good.txt").write_text("http://a\n")
    run = tmp_path / "runs/run"
    metrics = metrics_of(train(data), run)
    assert metrics["details"]["labels"] == ["bad", "good"]
    assert sum(metrics["data"]["rows"].values()) == (80 if layout == "class" else 100)
    if layout != "class":
        assert metrics["data"]["rows"]["test"] == 20
    notes = " ".join(metrics["data"]["notes"])
    if layout == "split/class":
        assert "no label: 1 file" in notes
        assert "README.txt, urls_good.txt" in notes
    told = birnn("evaluate", run, "--data", data, "--split", "train", "--json")
    assert json.loads(told.out)["data"]["rows"] >= 48
    assert "Data in" in birnn("inspect", data).out


def test_a_file_of_another_encoding_is_named(birnn, tmp_path):
    data = folders(tmp_path / "data")
    (data / "good/latin.txt").write_bytes("café".encode("latin-1"))
    line = birnn("inspect", data).refusal()
    assert "latin.txt is not utf-8" in line
    assert "--encoding" in line
    told = birnn("inspect", data, "--encoding", "latin-1")
    assert told.code == 0, told.err
    assert "81 there, 81 used" in " ".join(told.out.split())


def test_folders_of_other_data_are_no_classes(tmp_path):
    for name in ("en/train.txt", "en/dev.txt", "de/train.txt", "de/dev.txt"):
        path = tmp_path / "a" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("Ada\tB-per\n")
    for name in ("one/raw.txt", "two/raw.txt", "two/x.conllu"):
        path = tmp_path / "b" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("Ada\n")
    for folder in ("a", "b"):
        assert plain_tables(tmp_path / folder, AS_USUAL) is None
