"""Splits of texts: folders as people keep them, a column of splits, rows that add up."""

import shutil

import pytest

from birnn.data.tables.folders import assign_splits
from birnn.data.text.labelled import TextOptions, load_labelled, load_one
from birnn.errors import DataError

from places import ROOT
from writers import sentences, write_table

CASES = ROOT / "tests/cases/text"


def load(path, **options):
    return load_labelled(TextOptions(str(path), **options))


def unlabelled(count=8):
    return [(str(i), f"a text without a label, no {i}") for i in range(count)]


def note_of(loaded, word):
    return next(note for note in loaded.notes if word in note)


def test_a_folder_of_a_competition(tmp_path):
    loaded = load(CASES / "s30_kaggle")
    assert sum(loaded.provenance["rows"].values()) == 60
    assert all(loaded.provenance["rows"].values())
    assert loaded.reading["columns"] == {"text": "text", "label": "sentiment"}
    assert loaded.provenance["unlabelled"] == {"test": 9}
    note = note_of(loaded, "without labels")
    assert "test.csv" in note
    assert "predict" in note
    assert "sample_submission.csv" in note_of(loaded, "not read")


@pytest.mark.parametrize("name", ["sampleSubmission.csv", "gender_submission.csv", "extra.csv"])
def test_files_of_no_split_are_named(tmp_path, name):
    write_table(tmp_path / "Train.csv", sentences(40), ("Text", "Label"))
    write_table(tmp_path / "TEST.csv", unlabelled(), ("id", "text"))
    write_table(tmp_path / name, [("1", "good")], ("id", "label"))
    loaded = load(tmp_path)
    assert sum(loaded.provenance["rows"].values()) == 40
    assert loaded.provenance["unlabelled"] == {"test": 8}
    assert name in note_of(loaded, "not read")


@pytest.mark.parametrize("label", ["", "-1"])
def test_labels_that_are_kept_secret_are_none(tmp_path, label):
    write_table(tmp_path / "train.csv", sentences(40, ["0", "1"]) if label else sentences(40))
    write_table(tmp_path / "test.csv", [(text, label) for _, text in unlabelled()])
    loaded = load(tmp_path)
    assert loaded.provenance["unlabelled"] == {"test": 8}
    assert loaded.provenance["rows"]["test"] > 0


def test_validation_without_labels_is_cut(tmp_path):
    write_table(tmp_path / "train.csv", sentences(40))
    write_table(tmp_path / "dev.csv", unlabelled(), ("id", "text"))
    write_table(tmp_path / "test.csv", [("fresh words", "good"), ("more of them", "bad")])
    loaded = load(tmp_path)
    assert loaded.provenance["unlabelled"] == {"validation": 8}
    assert loaded.provenance["rows"]["test"] == 2


def test_a_file_without_labels_can_not_be_scored(tmp_path):
    path = write_table(tmp_path / "new.csv", [(text, "") for _, text in unlabelled()])
    with pytest.raises(DataError, match="predict"):
        load_one(TextOptions(str(path)), "test")


def test_a_column_says_the_splits(tmp_path):
    rows = [(*row, ["train", "Train", "val", "test"][i % 4]) for i, row in enumerate(sentences(80))]
    path = write_table(tmp_path / "x.csv", rows, ("text", "label", "Split"))
    loaded = load(path)
    assert loaded.provenance["rows"] == {"train": 40, "validation": 20, "test": 20}
    assert "--split-column none" in note_of(loaded, "'Split'")
    assert loaded.splits["validation"]["row"][:3] in ([3, 7, 11], [4, 8, 12])  # rows, or lines
    assert load(path, split_column="none").provenance["rows"]["train"] == 64


def test_a_column_of_other_words_is_no_split(tmp_path):
    rows = [(*row, ["train", "banana"][i % 2]) for i, row in enumerate(sentences(40))]
    path = write_table(tmp_path / "x.csv", rows, ("text", "label", "split"))
    assert len(load(path).provenance["splits"]) == 2
    with pytest.raises(DataError, match="holds 'banana', 'train'; expected train"):
        load(path, split_column="split")


def test_rows_add_up_by_reason_and_place(tmp_path):
    rows = sentences(40)
    rows[2], rows[5], rows[7] = ("", "good"), ("words", ""), (" \u00a0", "bad")
    loaded = load(write_table(tmp_path / "x.csv", rows))
    note = note_of(loaded, "40 rows read, 37 used, 3 left out")
    assert "2 with an empty text (" in note
    assert "1 with no label (" in note
    assert ("row 3, 8)" in note) or ("line 4, 9)" in note)


def test_contradictions_and_texts_without_words_are_listed(tmp_path):
    rows = sentences(40)
    rows += [("Same words", "good"), ("same  words", "bad"), ("<br />", "good"), ("😀", "bad")]
    loaded = load(write_table(tmp_path / "x.csv", rows))
    (warning,) = [w for w in loaded.warnings if "several labels" in w]
    assert "1 text stands with several labels (2 rows): good, bad at 4" in warning
    assert loaded.provenance["contradictions"] == {"texts": 1, "rows": 2}
    assert "2 texts without a letter or digit" in note_of(loaded, "letter or digit")


def test_near_twins_among_classes_are_a_warning(tmp_path):
    rows = [*sentences(40), ("one more", "Good"), ("and more", "Good")]
    (warning,) = load(write_table(tmp_path / "x.csv", rows)).warnings
    assert "'Good' (2)" in warning


def test_files_are_grouped_whatever_their_case(tmp_path):
    names = ["Train.csv", "TEST.csv", "myDev.csv", "notes.csv", "My_Submission.csv"]
    files = [tmp_path / name for name in names]
    splits, others = assign_splits(files, {"train": files})
    assert {name: [p.name for p in paths] for name, paths in splits.items()} == {
        "train": ["Train.csv"], "test": ["TEST.csv"], "validation": ["myDev.csv"],
    }  # fmt: skip
    assert [path.name for path in others] == ["notes.csv", "My_Submission.csv"]
    splits, others = assign_splits(files[3:], {"train": files[3:]})
    assert splits == {"train": [files[3]]}
    splits, others = assign_splits(files[1:2] + files[3:4], {"train": files[1:2] + files[3:4]})
    assert splits == {"train": [files[3]], "test": [files[1]]}


def test_a_folder_may_hold_one_file(tmp_path):
    shutil.copy(CASES / "a_float.csv", tmp_path / "anything.csv")
    assert sum(load(tmp_path).provenance["rows"].values()) == 60
