"""The command line: bad input, options and TOML files, what is printed, what is left behind."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from places import ROOT
from writers import TINY, sentences, write_table

CSV = b"text,label\n" + b"".join(f"{text},{label}\n".encode() for text, label in sentences(60))
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def run_process(*arguments, stdin=b"", **options):
    """Run ``python cli.py`` for real."""
    command = [sys.executable, str(ROOT / "cli.py"), *map(os.fsdecode, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120, **options)


def json_lines(rows, **extra):
    return "".join(json.dumps({"text": t, "label": n, **extra}) + "\n" for t, n in rows).encode()


# ------------------------------------------------------------------ data that can't be used

BAD_FILES = {
    "empty": ("x.csv", b"", ["empty"]),
    "blank": ("x.csv", b"\n\n  \n", ["empty"]),
    "header only": ("x.csv", b"text,label\n", ["no rows"]),
    "no text column": ("x.csv", b"words,label\na,b\n", ["text", "words, label"]),
    "no label column": ("x.csv", b"text,mood\na,b\n", ["label", "text, mood"]),
    "unnamed column": ("x.csv", b"text,,label\na,b,c\n", ["line 1", "no name"]),
    "column twice": ("x.csv", b"text,text,label\na,b,c\n", ["'text'", "twice"]),
    "one class": ("x.csv", b"text,label\n" + b"a b,x\nc d,x\ne f,x\n" * 9, ["one class", "'x'"]),
    "all texts empty": ("x.csv", b"text,label\n" + b" ,x\n" * 9, ["no row"]),
    "no label at all": ("x.csv", b"text,label\n" + b"a,\n" * 9, ["no row"]),
    "too few rows": ("x.csv", b"text,label\na,x\nb,y\n", ["too few"]),
    "every label differs": (
        "x.csv",
        b"text,label\n" + b"".join(b"t%d,l%d\n" % (i, i) for i in range(99)),
        [],
    ),
    "NUL byte": ("x.csv", CSV + b"a\0b,good\n", ["line 62", "NUL"]),
    "UTF-16": ("x.csv", CSV.decode().encode("utf-16"), ["x.csv", "encoding"]),
    "Latin-1": ("x.csv", CSV + b"caf\xe9,good\n", ["0xe9", "--encoding"]),
    "Latin-1 JSONL": ("x.jsonl", b'{"text": "caf\xe9", "label": "good"}\n', ["x.jsonl", "utf-8"]),
    "long row": ("x.csv", CSV + b"a,b,good\n", ["1 row", "line 62", "--skip-ragged"]),
    "short row": ("x.csv", CSV + b"alone\n", ["1 row", "line 62", "--skip-ragged"]),
    "unclosed quote": ("x.csv", CSV + b'"never closed,good\na b,bad\n', ["x.csv"]),
    "random bytes": ("x.csv", bytes(range(256)) * 9, ["x.csv"]),
    "no Parquet": ("x.parquet", b"PAR1" + bytes(99), ["x.parquet"]),
    "no JSON": ("x.json", b"{text: 1}", ["x.json"]),
    "broken JSONL": ("x.jsonl", b'{"text": "a", "label": "b"}\n{oops\n', ["x.jsonl"]),
    "empty JSON list": ("x.json", b"[]", ["x.json"]),
    "blank JSON": ("x.json", b" \n", ["x.json"]),
    "lists as labels": (
        "x.jsonl",
        json_lines([("a", ["x"]), ("b", ["y"])]),
        ["list", "one label"],
    ),
    "lone surrogate": ("x.jsonl", b'{"text": "a\\ud800b", "label": "x"}\n', ["x.jsonl"]),
    "unknown format": ("x.doc", b"text,label\na,b\n", ["'.doc'", ".csv"]),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_unusable_file_is_one_line_and_leaves_nothing(case, train, tmp_path):
    name, content, words = BAD_FILES[case]
    (tmp_path / name).write_bytes(content)
    line = train(tmp_path / name).refusal()
    assert all(word in line for word in words), line


def test_missing_file_names_the_nearest_one(train, sentences_csv):
    line = train(sentences_csv.with_name("reviws.csv")).refusal()
    assert "no such file" in line
    assert "'reviews.csv'" in line


@pytest.mark.parametrize("source", ["", "a\0b", "x" * 5000, "sts2", ".", "~nobody/x.csv"])
def test_odd_source_is_one_line(source, train, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(source).refusal()


def test_hub_name_without_a_network_is_one_line(train):
    line = train("owner/name").refusal()
    assert "owner/name" in line
    assert "network" in line


def test_missing_column_names_those_there_are(train, sentences_csv):
    line = train(sentences_csv, "--text-column", "txet").refusal()
    assert "did you mean 'text'?" in line
    assert "text, label" in line


def test_one_column_cannot_be_text_and_label(train, sentences_csv):
    line = train(sentences_csv, "--text-column", "text", "--label-column", "text").refusal()
    assert "column" in line


def test_labels_that_train_never_saw_are_named(train, tmp_path):
    write_table(tmp_path / "train.csv", sentences(60))
    write_table(tmp_path / "test.csv", [("great one", "great"), *sentences(8)])
    line = train(tmp_path).refusal()
    assert "'great' (1)" in line
    assert "test" in line


def test_folder_of_mixed_formats_is_one_line(train, tmp_path):
    write_table(tmp_path / "train.csv", sentences(60))
    (tmp_path / "test.jsonl").write_bytes(json_lines(sentences(8)))
    outcome = train(tmp_path)
    assert outcome.code == 0 or "NamedSplit" not in outcome.refusal()


def test_folder_without_data_is_one_line(train, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    assert ".parquet" in train(tmp_path).refusal()


def test_unknown_encoding_is_one_line(train, sentences_csv):
    assert "'latim'" in train(sentences_csv, "--encoding", "latim").refusal()


def test_loss_that_is_not_finite_is_one_line(train, sentences_csv):
    line = train(sentences_csv, "--learning-rate", "1e30", "--clip-norm", "0").refusal()
    assert "loss" in line
    assert "--learning-rate" in line
    named = re.search(rf"the batch: rows ([0-9, ]+) of {re.escape(str(sentences_csv))}", line)
    assert named
    assert len(named[1].split(", ")) == 32  # the size of a batch


def test_last_step_that_spoils_the_weights_is_one_line(train, sentences_csv):
    options = ("--learning-rate", "1e38", "--epochs", "1", "--batch-size", "512")
    line = train(sentences_csv, *options).refusal()
    assert "became nan in epoch 1" in line
    assert "--learning-rate" in line


# ------------------------------------------------------------------ data that can be used in part


def provenance(tmp_path):
    return json.loads((tmp_path / "runs/run/metrics.json").read_text())["data"]


@pytest.mark.parametrize("row", [b"a,b,good\n", b"alone\n", b'"x, y",z,good,\n'])
def test_ragged_rows_are_left_out_and_counted(row, train, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(CSV + row + b"last one,bad\n")
    outcome = train(path, "--skip-ragged")
    assert outcome.code == 0
    assert outcome.err == ""
    found = provenance(tmp_path)
    assert sum(found["rows"].values()) == 61
    assert found["left_out"]["ragged_rows"] == 1
    assert "1 row" in outcome.out


def test_short_row_that_holds_text_and_label_is_left_out_too(train, tmp_path):
    rows = [(text, label, "kept") for text, label in sentences(60)]
    path = write_table(tmp_path / "x.csv", [*rows, ("good plot", "good")], ["text", "label", "by"])
    assert train(path, "--skip-ragged").code == 0
    assert sum(provenance(tmp_path)["rows"].values()) == 60


def test_empty_texts_are_left_out_and_counted(train, tmp_path):
    path = write_table(tmp_path / "x.csv", [("", "good"), (" \t", "bad"), *sentences(60)])
    outcome = train(path)
    assert outcome.code == 0
    assert "2 with an empty text" in outcome.out
    assert sum(provenance(tmp_path)["rows"].values()) == 60


def test_words_that_look_missing_stay_words(train, tmp_path):
    rows = [(word, "good") for word in ("NA", "null", "None", "nan", "1", "1.0")]
    assert train(write_table(tmp_path / "x.csv", [*rows, *sentences(60)])).code == 0
    assert sum(provenance(tmp_path)["rows"].values()) == 66


def test_million_characters_train_and_predict(train, birnn, tmp_path):
    long = "good " * 100_000 + "x" * 500_000
    path = write_table(tmp_path / "x.csv", [(long, "good"), *sentences(60)])
    outcome = train(path, "--no-wide")
    assert outcome.code == 0
    assert "cut there" in outcome.out
    assert birnn("predict", tmp_path / "runs/run", long).code == 0


def test_emoji_and_combining_characters_are_read(train, birnn, tmp_path):
    rows = [(f"{text} 👩‍👩‍👧 e\u0301 日本", label) for text, label in sentences(60, ("👍", "悪い"))]
    outcome = train(write_table(tmp_path / "x.csv", rows))
    assert (outcome.code, outcome.err) == (0, "")
    assert "👍" in outcome.out
    assert birnn("predict", tmp_path / "runs/run", "👩‍👩‍👧 e\u0301").err == ""


def test_other_encodings_can_be_named(train, tmp_path):
    path = tmp_path / "x.csv"
    for encoding in ("latin-1", "utf-16"):
        path.write_bytes((CSV.decode() + "café,good\n").encode(encoding))
        assert train(path, "--encoding", encoding, "--overwrite").code == 0
        texts = (tmp_path / "runs/run/vocabulary.json").read_text(encoding="utf-8")
        assert "caf\u00c3" not in texts


@pytest.mark.parametrize("name", ["[a]b.csv", "what?.csv", "a*b.csv", "a b.csv", "日本.csv"])
def test_file_names_with_odd_characters_are_read(name, train, tmp_path):
    outcome = train(write_table(tmp_path / name, sentences(60)), "--epochs", "1")
    assert outcome.code == 0, outcome.err
    assert name.replace(" ", "") in "".join(outcome.out.split())


def test_overlap_between_train_and_test_is_a_warning(train, tmp_path):
    write_table(tmp_path / "train.csv", sentences(60))
    write_table(tmp_path / "dev.csv", sentences(20))
    rows = [(text.upper() + " ", label) for text, label in sentences(60)[:10]]
    write_table(tmp_path / "test.csv", rows)
    outcome = train(tmp_path)
    assert outcome.code == 0
    assert "WARNING: 10 of 10 test texts" in outcome.out
    found = provenance(tmp_path)["overlap"]
    assert found["exact"]["train/test"] == 0
    assert found["normalised"]["train/test"] == 10


# ------------------------------------------------------------------ options and TOML files


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--lerning-rate", "1"], ["--learning-rate"]),
        (["--epochs", "two"], ["--epochs"]),
        (["--epochs", "-1"], ["epochs", "at least 1"]),
        (["--learning-rate", "inf"], ["finite"]),
        (["--encoder", "bigruu"], ["'bigru'"]),
        (["--tokenizer", "socal"], ["'social'"]),
        (["--pooling", "max+men"], ["'mean'"]),
        (["--pooling", ""], ["pooling"]),
        (["--vectors", "glov.6B.50d"], ["'glove.6B.50d'"]),
        (["--vectors", "x" * 5000], []),
        (["--device", "cud"], ["device"]),
        (["--device", "cuda:99"], ["cuda:99"]),
        (["--monitor", "acuracy"], ["monitor"]),
        (["--seeds", "0"], ["seeds"]),
        (["--seed", "2147483647", "--seeds", "2"], ["seeds"]),
        (["--split-seed", "4294967296"], ["split_seed", "at most"]),
        (["--epochs", "99999999999"], ["epochs", "at most"]),
        (["--word-size", "0", "--gram-size", "0"], []),
        (["--hidden-size", "100000000"], []),
        (["--gram-buckets", "1000000000000"], []),
        (["--out", "x" * 300], []),
        (["surplus"], ["surplus"]),
    ],
)
def test_wrong_option_is_one_line(options, words, train, sentences_csv):
    line = train(sentences_csv, *options).refusal()
    assert all(word in line for word in words), line


def test_unknown_command_names_the_nearest(birnn):
    assert "'sentiment'" in birnn("sentimnt").refusal()


def test_tokenizer_of_a_missing_package_names_it(train, sentences_csv, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    line = train(sentences_csv, "--tokenizer", "moses").refusal()
    assert "sacremoses" in line


BAD_TOML = {
    "unknown key": ("lerning-rate = 1", "did you mean 'learning_rate'?"),
    "unknown key in a table": ("[training]\nepocs = 1", "did you mean 'epochs'?"),
    "text for a number": ("batch_size = 'x'", "whole number"),
    "fraction for a whole number": ("epochs = 1.5", "whole number"),
    "truth for a number": ("epochs = true", "whole number"),
    "number for truth": ("wide = 1", "true or false"),
    "list": ("epochs = [1]", "whole number"),
    "date": ("epochs = 2020-01-01", "whole number"),
    "not a number": ("learning_rate = nan", "finite"),
    "unknown choice": ("encoder = 'bigruu'", "did you mean 'bigru'?"),
    "out of bounds": ("seed = -1", "at least 0"),
    "twice": ("batch-size = 3\nbatch_size = 4", "twice"),
    "syntax": ("x = = 1", "TOML"),
    "too deep": ("x = " + "[" * 9999, "TOML"),
    "long number": ("epochs = " + "9" * 5000, ""),
    "NUL in a path": ('out = "a\\u0000b"', ""),
}


@pytest.mark.parametrize("case", BAD_TOML)
def test_wrong_toml_is_one_line(case, birnn, tmp_path, sentences_csv):
    text, word = BAD_TOML[case]
    (tmp_path / "c.toml").write_text(text)
    options = ["--data", sentences_csv, "--config", tmp_path / "c.toml", "--vectors", "none"]
    assert word in birnn("sentiment", *options).refusal()


def test_missing_toml_is_one_line(birnn, tmp_path):
    assert "nope.toml" in birnn("sentiment", "--config", tmp_path / "nope.toml").refusal()
    assert birnn("sentiment", "--config", tmp_path).refusal()


def test_toml_tables_count_and_the_command_line_wins(birnn, tmp_path, sentences_csv):
    text = (
        f"out = '{tmp_path / 'run'}'\nseed = 3\n[data]\ndata = '{sentences_csv}'\nvectors = 'none'"
        "\n[encoder]\nencoder = 'bilstm'\nhidden-size = 4\n[a.b]\nepochs = 3\nlearning_rate = 1\n"
    )
    (tmp_path / "c.toml").write_text(text)
    assert birnn("sentiment", "--config", tmp_path / "c.toml", "--epochs", 1).code == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["encoder"]["encoder"] == "bilstm"
    assert config["encoder"]["hidden_size"] == 4
    assert config["train"]["epochs"] == 1
    assert config["train"]["seed"] == 3
    assert config["train"]["learning_rate"] == 1.0


def test_default_given_on_the_command_line_overrides_toml(birnn, tmp_path, trained):
    (tmp_path / "c.toml").write_text("json = true\n")
    shown = birnn("predict", trained, "x", "--config", tmp_path / "c.toml")
    assert json.loads(shown.out)["text"] == "x"
    shown = birnn("predict", trained, "x", "--config", tmp_path / "c.toml", "--no-json")
    assert not shown.out.startswith("{")


# ------------------------------------------------------------------ run folders

FILES = [
    "config.json",
    "labels.json",
    "vocabulary.json",
    "ngrams.json",
    "model.safetensors",
]


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("name", FILES)
def test_truncated_run_is_one_line(name, share, birnn, run_copy):
    content = (run_copy / name).read_bytes()
    (run_copy / name).write_bytes(content[: int(len(content) * share)])
    assert name in birnn("predict", run_copy, "x").refusal()
    assert name in birnn("evaluate", run_copy).refusal()


@pytest.mark.parametrize("name", FILES)
def test_incomplete_run_is_one_line(name, birnn, run_copy):
    (run_copy / name).unlink()
    line = birnn("predict", run_copy, "x").refusal()
    assert name in line
    assert "missing" in line


FOREIGN = {
    "a list": ("config.json", lambda v: [v]),
    "another format": ("config.json", lambda v: {**v, "format": 99}),
    "another task": ("config.json", lambda v: {**v, "task": "poetry"}),
    "no task": ("config.json", lambda v: {**v, "task": ["x"]}),
    "unknown option": ("config.json", lambda v: {**v, "colour": 1}),
    "no table": ("config.json", lambda v: {**v, "encoder": "bigru"}),
    "other size": ("config.json", lambda v: with_option(v, "encoder", "hidden_size", 9)),
    "vast size": ("config.json", lambda v: with_option(v, "encoder", "hidden_size", 10**9)),
    "vaster size": ("config.json", lambda v: with_option(v, "encoder", "hidden_size", 10**30)),
    "vast table": ("config.json", lambda v: with_option(v, "model", "gram_buckets", 10**12)),
    "text for a size": ("config.json", lambda v: with_option(v, "encoder", "hidden_size", "8")),
    "odd pooling": ("config.json", lambda v: with_option(v, "model", "pooling", "mid")),
    "one label": ("labels.json", lambda v: v[:1]),
    "a label more": ("labels.json", lambda v: [*v, "new"]),
    "a label twice": ("labels.json", lambda v: [v[0], v[0]]),
    "labels by name": ("labels.json", lambda v: {"a": 1}),
    "numbers as labels": ("labels.json", lambda v: [1, 2]),
    "words gone": ("vocabulary.json", lambda v: {**v, "words": v["words"][:-1]}),
    "numbers as words": ("vocabulary.json", lambda v: {**v, "words": [1] * len(v["words"])}),
    "vocabulary a list": ("vocabulary.json", lambda v: [1]),
    "negative texts": ("ngrams.json", lambda v: {**v, "texts": -5}),
    "negative counts": ("ngrams.json", lambda v: {**v, "words": dict.fromkeys(v["words"], -1)}),
    "counts above texts": ("ngrams.json", lambda v: {**v, "texts": 0}),
    "texts as text": ("ngrams.json", lambda v: {**v, "texts": "many"}),
    "an n-gram gone": ("ngrams.json", lambda v: {**v, "chars": dict(list(v["chars"].items())[1:])}),
    "n-grams a list": ("ngrams.json", lambda v: [1]),
}


def with_option(config, group, name, value):
    return {**config, group: {**config[group], name: value}}


@pytest.mark.parametrize("case", FOREIGN)
def test_foreign_run_is_one_line(case, birnn, run_copy):
    name, change = FOREIGN[case]
    value = change(json.loads((run_copy / name).read_text()))
    (run_copy / name).write_text(json.dumps(value))
    line = birnn("predict", run_copy, "good film").refusal()
    assert str(run_copy) in line


def test_what_is_no_run_is_one_line(birnn, tmp_path, sentences_csv):
    for path in (tmp_path / "nope", sentences_csv, tmp_path, "x" * 5000):
        assert birnn("predict", path, "x").refusal()
        assert birnn("evaluate", path).refusal()


def test_pickle_in_place_of_weights_is_refused_and_not_run(birnn, run_copy, tmp_path):
    path = tmp_path / "touched"
    (run_copy / "model.safetensors").write_bytes(
        b"cos\nsystem\n(S'touch " + str(path).encode() + b"'\ntR."
    )
    assert "model.safetensors" in birnn("predict", run_copy, "x").refusal()
    assert not path.exists()


# ------------------------------------------------------------------ predict and evaluate


def test_nothing_to_predict_or_two_sources_is_one_line(birnn, trained, sentences_csv, tmp_path):
    assert "not both" in birnn("predict", trained, "x", "--input", sentences_csv).refusal()
    for name in ("nope.csv", "nope.txt", "x.doc"):
        assert name in birnn("predict", trained, "--input", tmp_path / name).refusal()


def test_wrong_output_is_one_line_before_any_work(birnn, trained, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name in ("x.doc", "nope/x.csv", "folder.csv", "x" * 300 + ".csv"):
        assert birnn("predict", trained, "x", "--output", tmp_path / name).refusal()
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.txt", b"caf\xe9\n"),
        ("x.jsonl", b'{"text": "caf\xe9"}\n'),
        ("x.csv", b"text\ncaf\xe9\n"),
        ("x.csv", b"words\na\n"),
        ("x.csv", b"text\n"),
    ],
)
def test_unusable_input_is_one_line(name, content, birnn, trained, tmp_path):
    (tmp_path / name).write_bytes(content)
    target = tmp_path / "o.csv"
    assert (
        name in birnn("predict", trained, "--input", tmp_path / name, "--output", target).refusal()
    )
    assert not target.exists()


def test_lone_surrogates_from_the_shell_are_no_traceback(birnn, trained, tmp_path):
    outcome = birnn("predict", trained, "caf\udce9 good", "--output", tmp_path / "o.jsonl")
    assert outcome.code == 0 or outcome.refusal()
    assert "Traceback" not in outcome.err


def test_explain_without_attention_is_one_line(birnn, train, sentences_csv, tmp_path):
    train(sentences_csv, "--pooling", "last", "--epochs", "1", "--no-wide")
    assert "attention" in birnn("predict", tmp_path / "runs/run", "x", "--explain").refusal()


def test_explain_shows_words_and_weights(birnn, trained):
    outcome = birnn("predict", trained, "a lovely film", "--explain")
    assert re.search(r"lovely \d\.\d\d", outcome.out)


def test_evaluate_scores_the_runs_own_test_split(birnn, trained):
    shown = json.loads(birnn("evaluate", trained, "--json").out)
    stored = json.loads((trained / "metrics.json").read_text())
    assert shown["test"]["model"] == stored["test"]["model"]
    assert shown["details"]["confusion"] == stored["details"]["confusion"]


def test_evaluate_warns_where_the_runs_own_data_has_changed(birnn, train, sentences_csv, tmp_path):
    own = shutil.copy(sentences_csv, tmp_path / "own.csv")
    assert train(own).code == 0
    run = tmp_path / "runs/run"
    assert "has changed" not in birnn("evaluate", run).out
    with Path(own).open("a") as file:
        file.writelines(f"another lovely film {i},good\n" for i in range(40))
    assert "WARNING: the data has changed since training (test had" in birnn("evaluate", run).out
    assert "has changed" not in birnn("evaluate", run, "--data", own).out


def test_evaluate_refuses_labels_that_the_run_does_not_know(birnn, trained, tmp_path):
    path = write_table(tmp_path / "x.csv", [("a", "great"), ("b", "good")])
    line = birnn("evaluate", trained, "--data", path).refusal()
    assert "'great'" in line
    assert "bad, good" in line


def test_evaluate_takes_a_file_of_one_class_whole(birnn, trained, tmp_path):
    path = write_table(tmp_path / "x.csv", [("lovely film", "good"), ("warm story", "good")])
    shown = json.loads(birnn("evaluate", trained, "--data", path, "--json").out)
    assert shown["data"]["rows"] == 2
    assert "roc_auc" not in shown["test"]["model"]


def test_evaluate_refuses_an_unknown_split(birnn, trained):
    assert "train, validation, test" in birnn("evaluate", trained, "--split", "tset").refusal()


def test_predict_refuses_a_regression_run(birnn, tmp_path):
    out = tmp_path / "run"
    assert birnn("regression", "--out", out, "--epochs", 1).code == 0
    assert "regression" in birnn("predict", out, "x").refusal()
    assert birnn("evaluate", out).code == 0


# ------------------------------------------------------------------ regression


def steps(count=120):
    return [(str(i % 7), str(i % 5 - 2), str(i % 7 + i % 5)) for i in range(count)]


@pytest.mark.parametrize(
    ("row", "options"),
    [
        (("x", "1", "2"), []),
        (("", "1", "2"), []),
        (("nan", "1", "2"), []),
        (("1e400", "1", "2"), []),
        (("1e300", "1", "2"), []),
        (("1", "1", "2"), ["--target", "y"]),
        (("1", "1", "2"), ["--sequence-column", "y"]),
        (("1", "1", "2"), ["--sequence-column", "target"]),
        (("1", "1", "2"), ["--learning-rate", "1e38", "--weight-decay", "1"]),
    ],
)
def test_unusable_regression_is_one_line(row, options, birnn, tmp_path):
    path = write_table(tmp_path / "x.csv", [*steps(), row], ["a", "b", "target"])
    out = tmp_path / "runs/run"
    options = ["--data", path, "--out", out, "--epochs", 2, *options]
    assert birnn("regression", *options).refusal()
    assert not out.exists()
    assert not out.parent.exists() or not list(out.parent.iterdir())


def test_regression_takes_a_table(birnn, tmp_path):
    path = write_table(tmp_path / "x.csv", steps(), ["a", "b", "target"])
    outcome = birnn("regression", "--data", path, "--out", tmp_path / "run", "--epochs", 10)
    assert (outcome.code, outcome.err) == (0, "")
    assert re.search(r"^Epoch \[10/10\], Loss: \d+\.\d{4}$", outcome.out, re.MULTILINE)
    assert (tmp_path / "run/curves.png").read_bytes().startswith(b"\x89PNG")


def test_regression_prints_the_reference_line_every_ten_epochs(birnn, tmp_path):
    outcome = birnn("regression", "--out", tmp_path / "run", "--epochs", 30)
    found = re.findall(r"^Epoch \[(\d+)/30\], Loss: \d+\.\d{4}$", outcome.out, re.MULTILINE)
    assert found == ["10", "20", "30"]


# ------------------------------------------------------------------ where a run goes


def test_taken_folder_is_refused_before_any_work(train, sentences_csv, tmp_path):
    assert train(sentences_csv, "--epochs", 1).code == 0
    before = (tmp_path / "runs/run/metrics.json").read_bytes()
    assert "--overwrite" in train(sentences_csv).refusal()
    assert (tmp_path / "runs/run/metrics.json").read_bytes() == before


def test_overwrite_replaces_a_run_whole(train, sentences_csv, tmp_path):
    assert train(sentences_csv, "--epochs", 1).code == 0
    (tmp_path / "runs/run/predictions.conll").write_text("old")
    assert train(sentences_csv, "--epochs", 1, "--overwrite", "--seed", 1).code == 0
    assert not (tmp_path / "runs/run/predictions.conll").exists()
    config = json.loads((tmp_path / "runs/run/config.json").read_text())
    assert config["train"]["seed"] == 1
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run"]


def test_overwrite_never_touches_what_is_no_run(birnn, sentences_csv, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    for name in ("thesis", "file", "file/below"):
        options = ["--data", sentences_csv, "--out", tmp_path / name, "--overwrite", *TINY]
        assert birnn("sentiment", *options).refusal()
    assert (tmp_path / "thesis/chapter.txt").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "a file"


THEIRS = {
    "another library's": {"model_type": "bert", "hidden_size": 768},
    "a run of another tool": {"task": "sentiment", "format": 1, "version": "2.0"},
    "a list": [1, 2],
    "an export's": {"task": "sentiment", "version": "0.1.0", "opset": 17},
}


@pytest.mark.parametrize("name", ["config.json", "check.json"])
@pytest.mark.parametrize("config", THEIRS.values(), ids=THEIRS)
def test_overwrite_knows_our_folders_by_their_content(birnn, sentences_csv, tmp_path, config, name):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / name).write_text(json.dumps(config))
    (theirs / "weights.bin").write_bytes(b"months of work")
    before = {path.name: path.read_bytes() for path in theirs.iterdir()}
    options = ["--data", sentences_csv, "--out", theirs, "--overwrite", *TINY]
    assert "is not a run" in birnn("sentiment", *options).refusal()
    assert before == {path.name: path.read_bytes() for path in theirs.iterdir()}


@pytest.mark.parametrize("where", ["notes.txt", "data/train.csv", ".git/HEAD", "seed-x/a", "link"])
def test_overwrite_keeps_what_lies_in_a_run_and_is_not_ours(train, sentences_csv, tmp_path, where):
    assert train(sentences_csv, "--epochs", 1).code == 0
    path = tmp_path / "runs/run" / where
    path.parent.mkdir(exist_ok=True)
    if where == "link":
        (tmp_path / "home").mkdir()
        path.symlink_to(tmp_path / "home")
    else:
        path.write_text("mine")
    before = {path.name for path in (tmp_path / "runs/run").rglob("*")}
    line = train(sentences_csv, "--epochs", 1, "--overwrite", "--seed", 1).refusal()
    assert where.split("/")[0] in line
    assert "move that elsewhere" in line
    assert before == {path.name for path in (tmp_path / "runs/run").rglob("*")}


def test_a_hidden_folder_of_others_is_not_taken_for_a_growing_run(train, sentences_csv, tmp_path):
    for name in (".run.partial", ".run.1.old"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "thesis.txt").write_text("mine")
    assert "thesis.txt" in train(sentences_csv, "--epochs", 1, "--overwrite").refusal()
    (tmp_path / "runs/.run.partial").rename(tmp_path / "elsewhere")
    assert train(sentences_csv, "--epochs", 1).code == 0
    assert (tmp_path / "runs/.run.1.old/thesis.txt").read_text() == "mine"


def test_overwrite_keeps_the_older_run_when_the_new_one_fails(train, sentences_csv, tmp_path):
    assert train(sentences_csv, "--epochs", 1).code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "runs/run").iterdir()}
    train(sentences_csv, "--overwrite", "--learning-rate", "1e30", "--clip-norm", "0").refusal()
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "runs/run").iterdir()}


def test_empty_folder_is_taken_over(train, sentences_csv, tmp_path):
    (tmp_path / "runs/run").mkdir(parents=True)
    assert train(sentences_csv, "--epochs", 1).code == 0


def test_link_to_an_empty_folder_stays_a_link(train, sentences_csv, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/run").symlink_to(tmp_path / "disk")
    assert train(sentences_csv, "--epochs", 1).code == 0
    assert (tmp_path / "runs/run").is_symlink()
    assert (tmp_path / "disk/metrics.json").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"disk", "runs"}
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run"]


def interrupt(monkeypatch, where):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"birnn.tasks.runs.experiment.{where}", interrupted)


def test_interrupt_before_anything_is_trained_leaves_no_folder(train, sentences_csv, monkeypatch):
    interrupt(monkeypatch, "fit")
    outcome = train(sentences_csv, "--epochs", 1)  # the fixture checks that nothing is left
    assert outcome.code == 130
    assert outcome.err.splitlines() == ["birnn: error: stopped; no run was written"]


@pytest.mark.parametrize("where", ["make_report", "save_curves", "write_card"])
def test_interrupt_after_training_loses_nothing(where, birnn, sentences_csv, tmp_path, monkeypatch):
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        interrupt(patch, where)
        outcome = birnn("sentiment", sentences_csv, "--out", out, *TINY)
    assert outcome.code == 130
    (line,) = outcome.err.splitlines()
    assert line == f"birnn: error: stopped; go on with: python cli.py sentiment --resume {out}"
    assert not out.exists()
    monkeypatch.setattr("birnn.training.loop._gradients", None)  # nothing is trained again
    assert birnn("sentiment", "--resume", out).code == 0
    assert birnn("predict", out, "a lovely film").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_interrupt_while_the_report_is_drawn_says_that_the_run_is_complete(
    birnn, sentences_csv, tmp_path, monkeypatch
):
    def interrupted(event):
        raise KeyboardInterrupt

    monkeypatch.setattr("birnn.terminal.console.draw_report", interrupted)
    outcome = birnn("sentiment", sentences_csv, "--out", tmp_path / "run", *TINY)
    assert outcome.code == 130
    wanted = f"birnn: error: stopped; the run is complete: {tmp_path / 'run'}"
    assert outcome.err.splitlines() == [wanted]
    assert birnn("predict", tmp_path / "run", "a lovely film").code == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_end_a_real_run_with_a_checkpoint(name, birnn, sentences_csv, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, str(ROOT / "cli.py"), "sentiment", "--data", str(sentences_csv)]
    command += ["--out", str(out), *TINY, "--epochs", "100000", "--patience", "0"]
    before = signal.signal(getattr(signal, name), signal.SIG_DFL)  # tests can run under nohup
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    signal.signal(getattr(signal, name), before)
    try:
        while process.poll() is None and not list(tmp_path.rglob("*.sha256")):
            time.sleep(0.05)
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    (line,) = err.decode().splitlines()
    assert line.startswith("birnn: error: stopped after step ")
    assert line.endswith(f"; go on with: python cli.py sentiment --resume {out}")
    assert not out.exists()


# ------------------------------------------------------------------ what is printed


def test_pipe_holds_clean_lines(train, sentences_csv):
    outcome = train(sentences_csv)
    assert outcome.err == ""
    assert not CONTROL.search(outcome.out)
    assert not re.search("[─│╭━]", outcome.out)
    lines = outcome.out.splitlines()
    assert any(re.match(r"epoch 1/2  loss \d", line) for line in lines)
    sentence = [line for line in lines if "TF-IDF + logistic regression in accuracy" in line]
    assert len(sentence) == 1
    assert sentence[0].endswith((").", "prefer the simpler one."))


def test_header_and_report_say_what_was_done(train, sentences_csv):
    out = train(sentences_csv).out
    for word in (str(sentences_csv), "stratified", "parameters", "device", "no pretrained vectors"):
        assert word in out
    for word in ("accuracy", "macro F1", "log loss", "the majority class", "Confusion", "mistakes"):
        assert word in out


def test_no_color_means_no_colours_in_a_terminal(birnn, trained, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert re.search(r"\x1b\[[\d;]*3[0-7]m", birnn("evaluate", trained).out)
    monkeypatch.setenv("NO_COLOR", "1")
    from birnn.terminal.console import console

    console.cache_clear()
    assert not re.search(r"\x1b\[[\d;]*(3[0-7]|38;5;\d+|9[0-7])m", birnn("evaluate", trained).out)


def test_markup_in_texts_and_labels_is_shown_as_it_stands(train, birnn, tmp_path):
    rows = [(f"[/] [bold]{text}[/bold]", label) for text, label in sentences(60, ("[red]", "[/]"))]
    outcome = train(write_table(tmp_path / "x.csv", rows), "--epochs", "1")
    assert outcome.code == 0
    assert "[red]" in outcome.out
    assert "[/]" in outcome.out
    shown = birnn("predict", tmp_path / "runs/run", "[bold]lovely[/bold] [/] :smile:", "--explain")
    assert "[bold]lovely[/bold] [/] :smile:" in shown.out


def test_control_characters_of_the_data_never_reach_the_terminal(train, birnn, tmp_path):
    rows = [
        (f"\x1b[31m{text}\x07\x9b2J\u202e\r", label)
        for text, label in sentences(60, ("a\x1b[1mb", "c\u202ed"))
    ]
    outcome = train(write_table(tmp_path / "x\x1b[31m.csv", rows), "--epochs", "1")
    assert (outcome.code, outcome.err) == (0, "")
    assert not CONTROL.search(outcome.out)
    shown = birnn("predict", tmp_path / "runs/run", "\x1b[31mfilm\x07\x9b2J\u202e\r\n", "--explain")
    assert not CONTROL.search(shown.out)
    shown = birnn("predict", tmp_path / "runs/run", "\x1b[31mfilm\x07\u202e", "--json")
    assert not CONTROL.search(shown.out.replace("\u202e", ""))
    shown = birnn("evaluate", tmp_path / "runs/run")
    assert not CONTROL.search(shown.out)


def test_control_characters_never_reach_the_terminal_in_errors(train, birnn, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a\x1b[31m,b\n1,2\n")
    assert not CONTROL.search(train(tmp_path / "x.csv").refusal())
    assert not CONTROL.search(train(tmp_path / "x\x1b[31m\x07.csv").refusal())
    assert not CONTROL.search(birnn("sentiment", "--x\x1b[31m").refusal())
    (tmp_path / "c.toml").write_text('"x\\u001b[31m" = 1\n')
    assert not CONTROL.search(birnn("sentiment", "--config", tmp_path / "c.toml").refusal())


# ------------------------------------------------------------------ the real process

HEAVY = ("torch", "datasets", "sklearn", "numpy", "pandas", "torchtext", "matplotlib")


@pytest.mark.parametrize("arguments", [["--help"], ["sentiment", "--help"], ["--version"]])
def test_help_is_light(arguments):
    code = (
        f"import sys, cli\nassert cli.main({arguments!r}) == 0\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stderr.strip() == "[]"
    assert done.stdout.strip()


def test_no_argument_shows_the_help(birnn):
    assert "sentiment" in birnn().out


def test_every_option_has_help(birnn):
    for command in ("sentiment", "regression", "evaluate", "predict"):
        shown = birnn(command, "--help")
        assert shown.code == 0
        assert "--config" in shown.out
    from birnn.tasks.regression.options import RegressionConfig
    from birnn.tasks.sentiment.options import SentimentConfig
    from birnn.terminal.command_options import (
        EvaluateOptions,
        PredictOptions,
        RunOptions,
        parameters,
    )

    for config in (SentimentConfig, RegressionConfig, RunOptions, EvaluateOptions, PredictOptions):
        for parameter in parameters(config()):
            declared = parameter.annotation.__metadata__[0]
            assert declared.help[0].isupper(), parameter.name
            assert "." in declared.help, parameter.name


def piped(monkeypatch, content):
    """Stand ``content`` in for what a pipe brings, decoded as leniently as in the C locale."""
    stream = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors="surrogateescape")
    monkeypatch.setattr("sys.stdin", stream)


def test_standard_input_is_predicted_line_by_line(birnn, trained, monkeypatch):
    piped(monkeypatch, "lovely film\r\n\ndull ☃\n".encode())
    outcome = birnn("predict", trained, "--json")
    assert outcome.code == 0
    texts = [json.loads(line)["text"] for line in outcome.out.splitlines()]
    assert texts == ["lovely film", "", "dull ☃"]
    assert outcome.err.count("\n") == 1  # the note about the empty text


@pytest.mark.parametrize("content", [b"", b"caf\xe9\n"])
def test_unusable_standard_input_is_one_line(content, birnn, trained, monkeypatch):
    piped(monkeypatch, content)
    birnn("predict", trained).refusal()


def test_closed_standard_input_is_one_line(birnn, trained, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    birnn("predict", trained).refusal()


def test_closed_pipe_is_quiet(trained, tmp_path):
    path = write_table(tmp_path / "x.csv", sentences(400))
    command = f"'{sys.executable}' cli.py predict '{trained}' --input '{path}' | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, cwd=ROOT, check=False)
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


def test_console_script_is_the_same_program():
    script = shutil.which("birnn", path=str(Path(sys.executable).parent))
    assert script
    done = subprocess.run([script, "sentimnt"], capture_output=True, text=True, check=False)
    again = run_process("sentimnt")
    assert done.returncode == again.returncode == 2
    assert done.stderr == again.stderr.decode()
    assert done.stderr.count("\n") == 1
