"""A trained run in use: batching changes nothing, order is kept, formats come and go."""

import csv
import json
import random
import shutil

import numpy as np
import pandas as pd
import pytest

from birnn.errors import ConfigError, DataError
from birnn.tasks.runs.evaluation import evaluate
from birnn.tasks.runs.folder import load_run
from birnn.tasks.sentiment.task import Sentiment
from birnn.tasks.serving import labels as serving
from birnn.tasks.serving.labels import LabelPredictor, write_labels
from birnn.tasks.serving.request import Request
from birnn.tasks.serving.texts import read_inputs

from contract import predict_texts

TEXTS = ["a lovely film", "", "dull, dull", 'say "hi"\nagain', "👍 日本 e\u0301", "a lovely film"]


def mixed(count=300):
    """Texts of very different lengths in a shuffled order."""
    generator = random.Random(0)
    words = ["lovely", "dull", "film", "scene", "nope", "#tag", "@you", "good", "!!"]
    sizes = [generator.choice([0, 1, 2, 5, 20, 300]) for _ in range(count)]
    return [" ".join(generator.choices(words, k=size)) for size in sizes]


def shares(predictions):
    return np.array([list(record["probabilities"].values()) for record in predictions.records])


def test_text_alone_has_the_probabilities_it_has_in_a_file(trained):
    texts = mixed()
    together = shares(predict_texts(trained, texts))
    for number in (0, 1, 17, 123, 299, *sorted(range(300), key=lambda i: -len(texts[i]))[:3]):
        alone = shares(predict_texts(trained, [texts[number]]))
        np.testing.assert_allclose(alone[0], together[number], atol=1e-5)


def test_order_of_the_texts_changes_nothing_but_the_order(trained):
    texts = mixed(100)
    forward = predict_texts(trained, texts)
    backward = predict_texts(trained, texts[::-1])
    assert [record["text"] for record in forward.records] == texts
    np.testing.assert_allclose(shares(forward), shares(backward)[::-1], atol=1e-5)


def test_chunks_change_nothing(trained, monkeypatch):
    texts = mixed(50)
    whole = predict_texts(trained, texts, explain=True)
    monkeypatch.setattr(serving, "CHUNK", 7)
    parts = predict_texts(trained, texts, explain=True)
    assert [record["text"] for record in parts.records] == texts
    np.testing.assert_allclose(shares(whole), shares(parts), atol=1e-5)
    assert [[word for word, _ in row] for row in parts.weights] == [
        [word for word, _ in row] for row in whole.weights
    ]


def test_record_holds_text_label_and_probabilities_by_class(trained):
    (record,) = predict_texts(trained, ["a lovely film"]).records
    assert list(record) == ["text", "label", "probabilities"]
    assert list(record["probabilities"]) == ["bad", "good"]
    assert sum(record["probabilities"].values()) == pytest.approx(1.0, abs=1e-6)
    assert record["label"] == max(record["probabilities"], key=record["probabilities"].get)


def test_prediction_of_a_learned_word_is_its_class(trained):
    found = predict_texts(trained, ["lovely warm film", "dull tired film"])
    assert [record["label"] for record in found.records] == ["good", "bad"]


def test_test_split_is_predicted_as_the_run_stored_it(trained):
    with (trained / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = predict_texts(trained, [row["text"] for row in rows])
    stored = np.array([[float(row["p_bad"]), float(row["p_good"])] for row in rows])
    np.testing.assert_allclose(shares(found), stored, atol=1e-5)


def test_empty_texts_are_predicted_and_said(trained):
    found = predict_texts(trained, ["", " \t", "film"])
    assert len(found.records) == 3
    assert "2 empty texts" in found.notes[0]
    assert predict_texts(trained, ["film"]).notes == []


def test_weights_are_of_each_word_and_sum_to_one(trained):
    texts = ["a lovely film", "dull", "film " * 40]
    found = predict_texts(trained, texts, explain=True)
    assert [word for word, _ in found.weights[0]] == ["a", "lovely", "film"]
    for text, row in zip(texts, found.weights, strict=True):
        assert len(row) == len(text.split())
        assert sum(weight for _, weight in row) == pytest.approx(1.0, abs=1e-5)


def test_run_is_loaded_on_the_cpu_whatever_it_was_trained_on(run_copy):
    config = json.loads((run_copy / "config.json").read_text())
    config["train"]["device"] = "cuda:3"
    (run_copy / "config.json").write_text(json.dumps(config))
    assert predict_texts(run_copy, ["film"]).records


def test_run_works_where_its_data_and_vectors_are_gone(trained, tmp_path):
    moved = shutil.copytree(trained, tmp_path / "elsewhere/moved")
    config = json.loads((moved / "config.json").read_text())
    config["data"]["data"], config["data"]["vectors"] = "/nowhere.csv", "/nowhere.txt"
    (moved / "config.json").write_text(json.dumps(config))
    assert predict_texts(moved, ["film"]).records
    with pytest.raises(DataError, match="nowhere"):
        evaluate(load_run(moved), "", "test")


def test_evaluation_of_a_file_is_that_of_its_predictions(trained, sentences_csv):
    found = evaluate(load_run(trained), str(sentences_csv), "test")
    frame = pd.read_csv(sentences_csv)
    guess = [r["label"] for r in predict_texts(trained, list(frame["text"])).records]
    right = np.mean(np.array(guess) == frame["label"].to_numpy())
    assert found.metrics["data"]["rows"] == 200
    assert found.metrics["test"]["model"]["accuracy"]["value"] == pytest.approx(right)


# ------------------------------------------------------------------ formats


def rows_of(path):
    """The records of a written file, in one shape."""
    if path.suffix == ".csv":
        frame = pd.read_csv(path, keep_default_na=False)
        return [
            {
                "text": row["text"],
                "label": row["label"],
                "probabilities": {k[2:]: row[k] for k in frame.columns[2:]},
            }
            for row in frame.to_dict("records")
        ]
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return [json.loads(line) for line in text.split("\n")[:-1]]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl"])
def test_records_can_be_read_again(suffix, trained, tmp_path):
    records = predict_texts(trained, TEXTS).records
    write_labels(tmp_path / f"o{suffix}", records)
    found = rows_of(tmp_path / f"o{suffix}")
    assert [row["text"] for row in found] == TEXTS
    for row, record in zip(found, records, strict=True):
        assert row["label"] == record["label"]
        assert row["probabilities"] == pytest.approx(record["probabilities"], abs=1e-9)


def test_text_output_holds_a_label_a_line(trained, tmp_path):
    records = predict_texts(trained, TEXTS).records
    write_labels(tmp_path / "o.txt", records)
    labels = (tmp_path / "o.txt").read_text().splitlines()
    assert labels == [record["label"] for record in records]


def read(path, column="", encoding="utf-8-sig"):
    return read_inputs(Request(input=str(path), text_column=column, encoding=encoding))


def test_each_format_of_input_is_read(tmp_path):
    frame = pd.DataFrame({"text": TEXTS, "other": range(len(TEXTS))})
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_csv(tmp_path / "x.tsv", index=False, sep="\t")
    frame.to_json(tmp_path / "x.json", orient="records")
    frame.to_json(tmp_path / "x.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "x.parquet")
    for suffix in ("csv", "tsv", "json", "jsonl", "parquet"):
        assert read(tmp_path / f"x.{suffix}") == TEXTS, suffix
        assert read(tmp_path / f"x.{suffix}", "other") == [str(i) for i in range(len(TEXTS))]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\xef\xbb\xbfa\n\nb\n", ["a", "", "b"]),
        ("a\u2028b\x0bc\x85d\n".encode(), ["a\u2028b\x0bc\x85d"]),
        (b"\n", [""]),
        (b"a\rb\nc\n", ["a\rb", "c"]),
        (b"a\rb\r", ["a", "b"]),
        ("é\nb\n".encode("utf-16"), ["é", "b"]),
    ],
)
def test_text_file_holds_a_text_a_line(content, lines, tmp_path):
    (tmp_path / "x.txt").write_bytes(content)
    assert read(tmp_path / "x.txt") == lines


def test_other_encodings_can_be_named(tmp_path):
    for name, text in (("x.txt", "café\n"), ("x.csv", "text\ncafé\n")):
        (tmp_path / name).write_bytes(text.encode("latin-1"))
        assert read(tmp_path / name, encoding="latin-1") == ["café"]
        with pytest.raises(DataError, match="0xe9"):
            read(tmp_path / name)


def test_column_can_be_named_and_must_be_there(tmp_path):
    (tmp_path / "x.csv").write_text("words,n\na b,1\n")
    assert read(tmp_path / "x.csv", "words") == ["a b"]
    with pytest.raises(DataError, match="words, n"):
        read(tmp_path / "x.csv")


def test_missing_texts_are_empty(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"text": "a"}\n{"text": null}\n{"text": "b"}\n')
    assert read(tmp_path / "x.jsonl") == ["a", "", "b"]


def test_nothing_at_all_is_refused():
    with pytest.raises(ConfigError, match="nothing to predict"):
        read_inputs(Request())
    with pytest.raises(ConfigError, match="not both"):
        read_inputs(Request(["a"], "b.csv"))


@pytest.mark.parametrize(
    ("given", "taken"), [(".csv", ".jsonl"), (".txt", ".csv"), (".jsonl", ".json")]
)
def test_command_takes_one_format_and_gives_another(given, taken, birnn, trained, tmp_path):
    texts = [text for text in TEXTS if "\n" not in text]
    source, target = tmp_path / f"in{given}", tmp_path / f"out{taken}"
    if given == ".txt":
        source.write_text("\n".join(texts) + "\n", encoding="utf-8")
    elif given == ".csv":
        pd.DataFrame({"text": texts}).to_csv(source, index=False)
    else:
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    outcome = birnn("predict", trained, "--input", source, "--output", target)
    assert outcome.code == 0
    assert str(target) in outcome.out
    assert [row["text"] for row in rows_of(target)] == texts
    assert not list(tmp_path.glob(".*"))


def test_command_prints_json_lines(birnn, trained):
    outcome = birnn("predict", trained, *TEXTS, "--json")
    found = [json.loads(line) for line in outcome.out.splitlines()]
    assert [record["text"] for record in found] == TEXTS


def test_output_is_replaced_whole_or_not_at_all(birnn, trained, tmp_path, monkeypatch):
    target = tmp_path / "o.csv"
    target.write_text("older")

    def fail(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("birnn.tasks.serving.records.RowWriter", fail)
    assert birnn("predict", trained, "x", "--output", target).code == 130
    assert target.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["o.csv"]
    monkeypatch.undo()
    assert birnn("predict", trained, "x", "--output", target).code == 0
    assert target.read_text().startswith("text,label,p_bad,p_good\n")


def test_a_column_of_the_tasks_own_is_read_although_a_usual_one_is_there(
    trained, tmp_path, monkeypatch
):
    monkeypatch.setattr(Sentiment, "text_columns", ("query",))
    predictor = LabelPredictor(load_run(trained))
    frame = pd.DataFrame({"text": ["a dull film"], "query": ["a lovely film"]})
    assert predictor.records(frame, "")[0]["query"] == "a lovely film"
    frame.to_csv(tmp_path / "new.csv", index=False)
    answer = predictor.answer(Request(input=str(tmp_path / "new.csv")))
    assert [record["query"] for record in answer.records] == ["a lovely film"]


def test_an_export_of_label_studio_is_predicted_as_it_is_trained_on(tmp_path):
    choice = {"type": "choices", "value": {"choices": ["good"]}}
    tasks = [
        {"id": i, "data": {"text": text}, "annotations": [{"result": [choice]}]}
        for i, text in enumerate(["a lovely film", "dull, dull"])
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks))
    assert read_inputs(Request(input=str(path))) == ["a lovely film", "dull, dull"]
