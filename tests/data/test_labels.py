"""Labels as classes: one set whatever the source; near twins are told."""

import json

import datasets
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.data.tables.memory import as_tables, held
from birnn.data.text.labelled import TextOptions, load_labelled, read_labelled
from birnn.data.text.labels import class_warnings, fold, known_labels, read_labels
from birnn.errors import DataError

TRUTHS = [True, False, True]


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        ([1, 2, 3], ["1", "2", "3"]),
        ([1.0, 2.0, float("nan")], ["1", "2", ""]),
        (["1.0", " 2.00", ""], ["1", "2", ""]),
        (["1", "-1.0", "nan"], ["1", "-1", ""]),
        (["1.5", "2.0", "v1.0"], ["1.5", "2", "v1.0"]),
        ([1.5, 2.0, None], ["1.5", "2", ""]),
        (["1.10", "1.1", "01"], ["1.10", "1.1", "01"]),
        (TRUTHS, ["True", "False", "True"]),
        (["TRUE", "false", " True "], ["True", "False", "True"]),
        (["true", "half-true", "false"], ["true", "half-true", "false"]),
        ([["pos"], ["neg"], []], ["pos", "neg", ""]),
        (["['pos']", '["neg"]', "[]"], ["pos", "neg", ""]),
        (["[27]", "[0]", ""], ["27", "0", ""]),
        ([{"choices": ["pos"]}, {"label": 3}, None], ["pos", "3", ""]),
        ([{"POS": 1.0, "NEG": 0.0}, {"POS": 0.1, "NEG": 0.9}], ["POS", "NEG"]),
        ([-100, "-100", -1], ["", "", "-1"]),
        (["NA", "null", "None"], ["NA", "null", "None"]),
        (["very  good", "very\u00a0good ", "\ufeffx"], ["very good", "very good", "\ufeffx"]),
    ],
)
def test_cells_become_classes(cells, classes):
    assert read_labels(cells).texts == classes


def test_named_classes_keep_their_names():
    assert read_labels([0, 1, -1, None], ["1.0", "b"]).texts == ["1.0", "b", "", ""]


def test_several_labels_are_found_by_row():
    assert read_labels([["a"], ["a", "b"], ["a", "a"], "a"]).several == [1]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1.0", "2.0"], "1.0 as 1, 2.0 as 2"),
        (["TRUE", "FALSE"], "True and False (2 rows)"),
        (["very\u00a0good", "bad"], "evened out (1 row)"),
    ],
)
def test_what_is_spelled_anew_is_said(cells, words):
    (note,) = read_labels(cells).notes
    assert words in note


def test_classes_as_they_are_need_no_word():
    assert read_labels(["good", "bad", "1", "", 2, 3.0]).notes == []


@pytest.mark.parametrize(
    "other", ["positive", "POSITIVE", "Ｐositive", "Posi tive", "Positive\u200b", "Positive\u00a0"]
)
def test_near_twins_are_warned_of(other):
    (warning,) = class_warnings({"Positive": 30, other: 4, "negative": 9})
    assert "'Positive' (30)" in warning
    assert "(4)" in warning
    assert "write them alike" in warning


def test_forms_of_one_accent_are_alike():
    assert fold("ne\u0301gatif") == fold("négatif")


def test_words_for_nothing_are_warned_of():
    (warning,) = class_warnings({"NA": 12, "good": 30})
    assert "12 rows have the label 'NA'" in warning


def test_labels_are_known_in_another_spelling_where_it_is_one_class():
    read, changed = known_labels(["GOOD", "2.0", "a", "new"], ["good", "2", "A", "a "])
    assert read == ["good", "2", "a", "new"]
    assert changed == {"GOOD": "good", "2.0": "2"}


def write(rows, kind, path):
    """Pairs of a text and a label as a source of that kind: a path, or a table."""
    frame = pd.DataFrame(rows, columns=["text", "label"])
    if kind == "csv":
        frame.to_csv(path / "x.csv", index=False)
        return path / "x.csv"
    if kind == "jsonl":
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
        (path / "x.jsonl").write_text("\n".join(lines) + "\n")
        return path / "x.jsonl"
    if kind == "parquet":
        frame.to_parquet(path / "x.parquet")
        return path / "x.parquet"
    if kind == "dataset":
        return datasets.Dataset.from_dict(frame.to_dict("list"))
    return frame


KINDS = ("csv", "jsonl", "parquet", "frame", "dataset")


def classes_of(source):
    """The text and the class of each row that is used."""
    if isinstance(source, (pd.DataFrame, datasets.Dataset)):
        tables, words = as_tables(source)
        with held(tables, words) as name:
            read = read_labelled(TextOptions(name))
    else:
        read = read_labelled(TextOptions(str(source)))
    table = read.splits["train"].table
    return list(zip(table["text"][:], table["label"][:], strict=True))


COLUMNS = st.one_of(
    st.lists(st.sampled_from(["good", "bad", "so so", "NA"]), min_size=6, max_size=12),
    st.lists(st.sampled_from([0, 1, 2]), min_size=6, max_size=12),
    st.lists(st.sampled_from([0.0, 1.0, 2.0, None]), min_size=6, max_size=12),
    st.lists(st.sampled_from([1.0, 1.5, 2.0]), min_size=6, max_size=12),
    st.lists(st.booleans(), min_size=6, max_size=12),
)


@settings(max_examples=12)
@given(COLUMNS)
def test_a_table_has_the_same_classes_and_rows_from_every_source(tmp_path_factory, labels):
    labels = [*labels, *[value for value in dict.fromkeys(labels) if value is not None]]
    rows = [(f"a text no {i}, {'well' * (i % 3)}", label) for i, label in enumerate(labels)]
    if len({label for label in labels if label is not None}) < 2:
        return
    path = tmp_path_factory.mktemp("tables")
    read = {kind: classes_of(write(rows, kind, path)) for kind in KINDS}
    for kind in KINDS:
        assert read[kind] == read["csv"], kind
    assert len(read["csv"]) == sum(label is not None for label in labels)


def rows_of(count=40):
    return [{"text": f"a text no {i}", "label": ["good", "bad"][i % 2]} for i in range(count)]


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_lists_of_named_classes_and_short_floats_are_read_alike():
    texts = [row["text"] for row in rows_of()]
    names = datasets.ClassLabel(names=["neg", "pos"])
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.List(names)})
    table = datasets.Dataset.from_dict({"text": texts, "label": [[0], [1]] * 20}, features=features)
    assert {label for _, label in classes_of(table)} == {"neg", "pos"}
    frame = pd.DataFrame({"text": texts, "label": np.array([0.1, 2.0] * 20, dtype=np.float32)})
    assert {label for _, label in classes_of(frame)} == {"0.1", "2"}


def test_a_column_of_numbers_and_words_is_read(tmp_path):
    marks = [1, "1", 1.0, "good", None]
    rows = [{"text": row["text"], "label": marks[i % 5]} for i, row in enumerate(rows_of())]
    loaded = load_labelled(TextOptions(str(write_lines(tmp_path / "x.jsonl", rows))))
    assert loaded.provenance["classes"]["train"].keys() == {"1", "good"}
    assert loaded.provenance["left_out"]["train"]["no label"] == 8


def test_several_labels_a_row_are_refused_with_their_lines(tmp_path):
    rows = [{**row, "label": [row["label"]]} for row in rows_of()]
    rows[4]["label"] = ["good", "bad"]
    with pytest.raises(DataError, match=r"1 row with several labels \((line|row) 5\)"):
        load_labelled(TextOptions(str(write_lines(tmp_path / "x.jsonl", rows))))


def test_answers_of_prodigy_are_heeded(tmp_path):
    rows = [{**row, "answer": "accept"} for row in rows_of()]
    rows[3]["answer"], rows[4]["answer"], rows[5]["answer"] = "reject", "ignore", "reject"
    loaded = load_labelled(TextOptions(str(write_lines(tmp_path / "x.jsonl", rows))))
    left_out = loaded.provenance["left_out"]["train"]
    assert left_out["the answer 'reject'"] == 2
    assert left_out["the answer 'ignore'"] == 1
    assert sum(loaded.provenance["rows"].values()) == 37
    note = next(note for note in loaded.notes if "40 rows read, 37 used, 3 left out" in note)
    assert "2 with the answer 'reject' (" in note
    assert "4, 6)" in note


def test_choices_of_prodigy_are_labels(tmp_path):
    options = [{"id": "good", "text": "Good"}, {"id": "bad", "text": "Bad"}]
    rows = [{"text": row["text"], "options": options, "accept": [row["label"]], "answer": "accept"}
            for row in rows_of()]  # fmt: skip
    loaded = load_labelled(TextOptions(str(write_lines(tmp_path / "x.jsonl", rows))))
    assert loaded.reading["columns"] == {"text": "text", "label": "accept"}
    assert loaded.provenance["classes"]["train"].keys() == {"good", "bad"}


@pytest.mark.parametrize("name", ["label", "labels"])
def test_lists_of_doccano_are_labels(tmp_path, name):
    rows = [{"id": i, "text": row["text"], name: [row["label"]]} for i, row in enumerate(rows_of())]
    loaded = load_labelled(TextOptions(str(write_lines(tmp_path / "x.jsonl", rows))))
    assert loaded.provenance["classes"]["train"].keys() == {"good", "bad"}


def task_of_label_studio(row, *, done="annotations", cancelled=False, label=None):
    value = {"choices": [label or row["label"]]}
    result = [{"type": "choices", "from_name": "sentiment", "to_name": "text", "value": value}]
    return {"id": 1, "data": {"text": row["text"], "source": "web"},
            done: [{"result": result, "was_cancelled": cancelled}]}  # fmt: skip


@pytest.mark.parametrize("done", ["annotations", "completions"])
def test_tasks_of_label_studio_are_rows(tmp_path, done):
    tasks = [task_of_label_studio(row, done=done) for row in rows_of()]
    tasks.append(task_of_label_studio({"text": "passed over", "label": "good"}, cancelled=True))
    (tmp_path / "x.json").write_text(json.dumps(tasks))
    loaded = load_labelled(TextOptions(str(tmp_path / "x.json")))
    assert loaded.reading["columns"] == {"text": "text", "label": "sentiment"}
    assert loaded.provenance["left_out"]["train"]["no label"] == 1
    assert sum(loaded.provenance["rows"].values()) == 40
    assert any("Label Studio: 41 tasks" in note for note in loaded.notes)


def test_small_json_and_csv_of_label_studio_are_tables(tmp_path):
    rows = [{"text": row["text"], "id": i, "sentiment": row["label"], "annotator": 1,
             "annotation_id": i, "created_at": "2024-01-01T00:00:00Z", "lead_time": 1.5}
            for i, row in enumerate(rows_of())]  # fmt: skip
    (tmp_path / "x.json").write_text(json.dumps(rows))
    pd.DataFrame(rows).to_csv(tmp_path / "y.csv", index=False)
    for name in ("x.json", "y.csv"):
        loaded = load_labelled(TextOptions(str(tmp_path / name)))
        assert loaded.reading["columns"] == {"text": "text", "label": "sentiment"}, name
