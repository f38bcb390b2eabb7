"""The command line: bad data, broken runs and bad input are one line, and leave nothing behind."""

import io
import json
import re

import pytest

from writers import sentences, write_table

CSV = b"text,label\n" + b"".join(f"{text},{label}\n".encode() for text, label in sentences(60))
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def json_lines(rows, **extra):
    return "".join(json.dumps({"text": t, "label": n, **extra}) + "\n" for t, n in rows).encode()


# ------------------------------------------------------------------ data that can't be used

BAD_FILES = {
    "empty": ("x.csv", b"", ["empty"]),
    "blank": ("x.csv", b"\n\n  \n", ["empty"]),
    "header only": ("x.csv", b"text,label\n", ["no rows"]),
    "no text column": ("x.csv", b"words,label\na,b\n", ["text", "words, label"]),
    "no label column": ("x.csv", b"text,mood\na,b\n", ["label", "text, mood"]),
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
    "UTF-16": ("x.csv", CSV.decode().encode("utf-16-le"), ["x.csv", "encoding"]),
    "Latin-1": ("x.csv", CSV + b"caf\xe9,good\n", ["0xe9", "--encoding"]),
    "Latin-1 JSONL": ("x.jsonl", b'{"text": "caf\xe9", "label": "good"}\n', ["x.jsonl", "utf-8"]),
    "long row": ("x.csv", CSV + b"a,b,good\n", ["1 row", "line 62", "--skip-ragged"]),
    "short row": ("x.csv", CSV + b"alone\n", ["1 row", "line 62", "--skip-ragged"]),
    "unclosed quote": (
        "x.csv",
        CSV + b'"a, b",good\n"never closed,good\na b,bad\n',
        ["line 63", "--quote none"],
    ),
    "random bytes": ("x.csv", bytes(range(256)) * 9, ["x.csv"]),
    "no Parquet": ("x.parquet", b"PAR1" + bytes(99), ["x.parquet"]),
    "no JSON": ("x.json", b"{text: 1}", ["x.json"]),
    "broken JSONL": ("x.jsonl", b'{"text": "a", "label": "b"}\n{oops\n', ["x.jsonl"]),
    "empty JSON list": ("x.json", b"[]", ["x.json"]),
    "blank JSON": ("x.json", b" \n", ["x.json"]),
    "lists as labels": (
        "x.jsonl",
        json_lines([("a", ["x", "z"]), ("b", ["y"])]),
        ["1 row with several labels", "--label-column"],
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


def test_evaluate_refuses_labels_that_the_run_does_not_know(birnn, trained, tmp_path):
    path = write_table(tmp_path / "x.csv", [("a", "great"), ("b", "good")])
    line = birnn("evaluate", trained, "--data", path).refusal()
    assert "'great'" in line
    assert "bad, good" in line


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


# ------------------------------------------------------------------ what is printed


def test_control_characters_never_reach_the_terminal_in_errors(train, birnn, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a\x1b[31m,b\n1,2\n")
    assert not CONTROL.search(train(tmp_path / "x.csv").refusal())
    assert not CONTROL.search(train(tmp_path / "x\x1b[31m\x07.csv").refusal())
    assert not CONTROL.search(birnn("sentiment", "--x\x1b[31m").refusal())
    (tmp_path / "c.toml").write_text('"x\\u001b[31m" = 1\n')
    assert not CONTROL.search(birnn("sentiment", "--config", tmp_path / "c.toml").refusal())


# ------------------------------------------------------------------ the real process


def piped(monkeypatch, content):
    """Stand ``content`` in for what a pipe brings, decoded as leniently as in the C locale."""
    stream = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors="surrogateescape")
    monkeypatch.setattr("sys.stdin", stream)


@pytest.mark.parametrize("content", [b"", b"caf\xe9\n"])
def test_unusable_standard_input_is_one_line(content, birnn, trained, monkeypatch):
    piped(monkeypatch, content)
    birnn("predict", trained).refusal()


def test_closed_standard_input_is_one_line(birnn, trained, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    birnn("predict", trained).refusal()
