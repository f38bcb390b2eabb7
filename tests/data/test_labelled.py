"""Labelled texts: which columns, which rows, which splits, and what is said about them."""

import json

import datasets
import numpy as np
import pandas as pd
import pytest

from birnn.data.splits.provenance import normalise
from birnn.data.text.labelled import TextOptions, find_columns, label_text, load_labelled, load_one
from birnn.errors import DataError

from writers import sentences, write_table


def load(path, **options):
    return load_labelled(TextOptions(str(path), **options))


def columns(*names):
    return datasets.Dataset.from_dict({name: ["x"] for name in names})


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["text", "label"], ("text", "label")),
        (["id", "Sentence", "LABEL"], ("Sentence", "LABEL")),
        (["label", "text", "sentence"], ("text", "label")),
        (["review", "stars", "title"], ("review", "stars")),
        (["tweet", "sentiment"], ("tweet", "sentiment")),
    ],
)
def test_columns_are_found_by_the_usual_names(names, found):
    assert find_columns(columns(*names), [""], "", "x") == ([found[0]], found[1])


def test_named_columns_win():
    table = columns("text", "label", "note", "mood")
    assert find_columns(table, ["note"], "mood", "x") == (["note"], "mood")


def test_missing_columns_name_the_option_and_those_there_are():
    with pytest.raises(DataError, match="--text-column; there are: words, label"):
        find_columns(columns("words", "label"), [""], "", "x")
    with pytest.raises(DataError, match="--label-column; there are: text, mood"):
        find_columns(columns("text", "mood"), [""], "", "x")
    with pytest.raises(DataError, match="did you mean 'mood'"):
        find_columns(columns("text", "mood"), [""], "moood", "x")


@pytest.mark.parametrize(
    ("value", "names", "text"),
    [
        (1, ["bad", "good"], "good"),
        (-1, ["bad", "good"], ""),
        (2, ["bad", "good"], ""),
        (None, None, ""),
        (float("nan"), None, ""),
        (4.0, None, "4"),
        (0.5, None, "0.5"),
        (True, None, "True"),
        (" good ", None, "good"),
        (0, None, "0"),
    ],
)
def test_labels_become_text(value, names, text):
    assert label_text(value, names) == text


@pytest.mark.parametrize("value", [["a", "b"], {"a": 1, "b": 1.0}, [{"label": 1}, {"label": 2}]])
def test_several_labels_a_row_are_refused(value):
    with pytest.raises(DataError, match="one label a row"):
        label_text(value, None)


def test_label_is_one_line(tmp_path):
    rows = [(text, label.replace("good", "very\n good")) for text, label in sentences(40)]
    path = write_table(tmp_path / "x.csv", rows)
    assert load(path).provenance["classes"]["train"].keys() == {"bad", "very good"}


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda i: ["a", f"{i}"], "list"),
        (lambda i: {"a": i}, "dict"),
        (lambda i: b"%d" % i, "byte"),
    ],
)
def test_text_column_must_hold_text(make, kind, tmp_path):
    frame = pd.DataFrame({"text": [make(i) for i in range(40)], "label": ["x", "y"] * 20})
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match=kind):
        load(tmp_path / "x.parquet")


def test_missing_splits_are_cut_from_train_and_said(tmp_path):
    found = load(write_table(tmp_path / "x.csv", sentences(200)))
    assert found.provenance["rows"] == {"train": 160, "validation": 20, "test": 20}
    assert len(found.provenance["splits"]) == 2
    assert all("cut from train, stratified (split seed 0)" in s for s in found.provenance["splits"])
    assert found.provenance["classes"]["test"] == {"bad": 10, "good": 10}
    assert set(found.notes) >= set(found.provenance["splits"])


def test_only_the_missing_split_is_cut(tmp_path):
    write_table(tmp_path / "train.csv", sentences(100))
    write_table(tmp_path / "dev.csv", [("a dev text", "good"), ("one more", "bad")])
    found = load(tmp_path)
    assert found.provenance["rows"] == {"train": 90, "validation": 2, "test": 10}
    assert len(found.provenance["splits"]) == 1


def test_given_splits_stay_as_they_are(tmp_path):
    for name, count in (("train", 40), ("validation", 10), ("test", 20)):
        write_table(tmp_path / f"{name}.csv", sentences(count))
    found = load(tmp_path)
    assert found.provenance["rows"] == {"train": 40, "validation": 10, "test": 20}
    assert found.provenance["splits"] == ["as the source gives them"]


def test_shares_are_of_all_rows(tmp_path):
    path = write_table(tmp_path / "x.csv", sentences(200))
    found = load(path, validation_share=0.2, test_share=0.3)
    assert found.provenance["rows"] == {"train": 100, "validation": 40, "test": 60}


def test_cut_follows_the_split_seed_and_nothing_else(tmp_path):
    path = write_table(tmp_path / "x.csv", sentences(100))
    tests = []
    for seed in (0, 0, 1):
        np.random.seed(seed + len(tests))
        tests.append(load(path, split_seed=seed).splits["test"]["text"][:])
    assert tests[0] == tests[1]
    assert tests[0] != tests[2]


def test_no_text_stands_in_two_cut_splits(tmp_path):
    rows = sentences(60)
    rows = [*rows, *((f" {text.upper()}", label) for text, label in rows[:30])]
    found = load(write_table(tmp_path / "x.csv", rows))
    seen = [{normalise(text) for text in table["text"][:]} for table in found.splits.values()]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 60
    assert set(found.provenance["overlap"]["normalised"].values()) == {0}
    assert sum(found.provenance["duplicates"]["normalised"].values()) == 30
    assert found.warnings == []


def test_overlap_between_given_splits_is_a_warning(tmp_path):
    write_table(tmp_path / "train.csv", sentences(40))
    write_table(tmp_path / "validation.csv", [("fresh words", "good"), ("more of them", "bad")])
    write_table(tmp_path / "test.csv", [*sentences(40)[:3], ("something new", "bad")])
    (warning,) = load(tmp_path).warnings
    assert "3 of 4 test texts (75.0%)" in warning
    assert "train" in warning


def test_rows_without_text_or_label_are_counted_once(tmp_path):
    rows = [("", "good"), ("\u00a0\t", ""), ("words", ""), ("words", "  "), *sentences(40)]
    found = load(write_table(tmp_path / "x.csv", rows))
    assert found.provenance["left_out"]["train"] == {"an empty text": 2, "no label": 2}
    assert sum(found.provenance["rows"].values()) == 40


def test_missing_values_of_json_are_no_words(tmp_path):
    rows = [{"text": text, "label": label} for text, label in sentences(40)]
    rows += [{"text": None, "label": "good"}, {"text": "x", "label": None}]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = load(path)
    assert found.provenance["left_out"]["train"] == {"an empty text": 1, "no label": 1}
    assert found.provenance["classes"]["train"].keys() == {"bad", "good"}


def test_class_names_of_a_saved_data_set_are_used(tmp_path):
    numbers = {"good": 1, "bad": 0}
    rows = [{"text": text, "label": numbers[label]} for text, label in sentences(40)]
    rows.append({"text": "hidden", "label": -1})
    names = datasets.ClassLabel(names=["bad", "good"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})
    datasets.Dataset.from_list(rows, features=features).save_to_disk(tmp_path / "saved")
    found = load(tmp_path / "saved")
    assert found.provenance["classes"]["train"].keys() == {"bad", "good"}
    assert found.provenance["left_out"]["train"]["no label"] == 1


def test_whole_numbers_of_gaps_stay_whole(tmp_path):
    rows = [{"text": text, "label": 1 if label == "good" else 0} for text, label in sentences(40)]
    rows.append({"text": "x", "label": None})
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert load(path).provenance["classes"]["train"].keys() == {"0", "1"}


@pytest.mark.parametrize(
    ("name", "known"),
    [("dev", "validation"), ("val", "validation"), ("eval", "test"), ("testing", "test")],
)
def test_splits_are_known_under_their_aliases(name, known, tmp_path):
    table = datasets.Dataset.from_list([{"text": t, "label": n} for t, n in sentences(40)])
    few = datasets.Dataset.from_list([{"text": "fresh words", "label": "good"}])
    datasets.DatasetDict({"training": table, name: few}).save_to_disk(tmp_path / "saved")
    found = load(tmp_path / "saved")
    assert found.splits[known]["text"][:] == ["fresh words"]


@pytest.mark.parametrize("name", ["unsupervised", "extra"])
def test_unknown_splits_are_not_used_and_said(name, tmp_path):
    table = datasets.Dataset.from_list([{"text": t, "label": n} for t, n in sentences(40)])
    datasets.DatasetDict({"train": table, name: table}).save_to_disk(tmp_path / "saved")
    found = load(tmp_path / "saved")
    assert sum(found.provenance["rows"].values()) == 40
    assert any(f"the split {name!r} (40 rows) is not used" in note for note in found.notes)


def test_class_that_train_never_saw_is_refused(tmp_path):
    write_table(tmp_path / "train.csv", sentences(40))
    write_table(tmp_path / "test.csv", [("x", "new"), ("y", "new"), ("z", "good")])
    with pytest.raises(DataError, match=r"test has 2 rows .*'new' \(2\)"):
        load(tmp_path)


def test_one_class_and_too_many_are_refused(tmp_path):
    path = write_table(tmp_path / "x.csv", [(f"text {i}", "good") for i in range(40)])
    with pytest.raises(DataError, match=r"only one class in train \('good'\)"):
        load(path)
    write_table(path, [(f"text {i}", f"{i}") for i in range(40)])
    with pytest.raises(DataError, match="--label-column"):
        load(path)


def test_source_without_train_is_refused(tmp_path):
    write_table(tmp_path / "test.csv", sentences(40))
    with pytest.raises(DataError, match="test"):
        load(tmp_path)


def test_one_split_to_score_is_taken_whole_and_unchanged(tmp_path):
    path = write_table(tmp_path / "x.csv", sentences(30))
    table, _ = load_one(TextOptions(str(path)), "test")
    assert table["text"][:] == [text for text, _ in sentences(30)]


def test_named_split_to_score_is_found_under_its_aliases(tmp_path):
    write_table(tmp_path / "train.csv", sentences(30))
    write_table(tmp_path / "dev.csv", sentences(8))
    table, _ = load_one(TextOptions(str(tmp_path)), "validation")
    assert len(table) == 8
    with pytest.raises(DataError, match="there are: train, validation"):
        load_one(TextOptions(str(tmp_path)), "test")


def pairs(path, rows):
    write = ["premise,claim,label", *(f"{one},{two},{label}" for one, two, label in rows)]
    path.write_text("\n".join(write) + "\n")
    return path


def test_two_texts_a_row_are_read_cut_and_compared_as_one(tmp_path):
    rows = [(f"a{i // 2}", f"b{i % 2}", "yes" if i % 3 else "no") for i in range(60)]
    rows += [("A0", " b0", "no"), ("a0 b0", "x", "no"), ("a0", "b0 x", "no"), ("", "b", "no")]
    path = pairs(tmp_path / "pairs.csv", rows)
    data = load(path, text_columns=("premise", "claim"), split_seed=2)
    assert data.splits["train"].column_names == ["text", "text_2", "label", "row"]
    read = [(r["text"], r["text_2"]) for table in data.splits.values() for r in table]
    assert sorted(read) == sorted((one, two) for one, two, _ in rows[:-1])
    assert data.provenance["left_out"]["train"] == {"an empty text": 1, "no label": 0}
    assert sum(data.provenance["duplicates"]["exact"].values()) == 0
    assert sum(data.provenance["duplicates"]["normalised"].values()) == 1  # A0 and b0, together
    assert set(data.provenance["overlap"]["normalised"].values()) == {0}


def test_texts_of_a_row_need_columns_of_their_own(tmp_path):
    path = pairs(tmp_path / "pairs.csv", [("a", "b", "yes")])
    with pytest.raises(DataError, match="columns of their own"):
        load(path, text_columns=("claim", "claim"))
    with pytest.raises(DataError, match="there is no column 'clam' \\(did you mean 'claim'"):
        load(path, text_columns=("premise", "clam"))
