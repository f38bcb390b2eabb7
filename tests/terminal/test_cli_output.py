"""The command line: what is printed, what is left behind, and how it ends."""

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


# ------------------------------------------------------------------ predict and evaluate


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


def test_evaluate_takes_a_file_of_one_class_whole(birnn, trained, tmp_path):
    path = write_table(tmp_path / "x.csv", [("lovely film", "good"), ("warm story", "good")])
    shown = json.loads(birnn("evaluate", trained, "--data", path, "--json").out)
    assert shown["data"]["rows"] == 2
    assert "roc_auc" not in shown["test"]["model"]


# ------------------------------------------------------------------ regression


def steps(count=120):
    return [(str(i % 7), str(i % 5 - 2), str(i % 7 + i % 5)) for i in range(count)]


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

    monkeypatch.setattr(f"birnn.tasks.runs.{where}", interrupted)


def test_interrupt_before_anything_is_trained_leaves_no_folder(train, sentences_csv, monkeypatch):
    interrupt(monkeypatch, "fitting.fit")
    outcome = train(sentences_csv, "--epochs", 1)  # the fixture checks that nothing is left
    assert outcome.code == 130
    assert outcome.err.splitlines() == ["birnn: error: stopped; no run was written"]


@pytest.mark.parametrize("where", ["member.make_report", "member.save_curves", "member.write_card"])
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

    monkeypatch.setattr("birnn.terminal.views.progress.draw_report", interrupted)
    outcome = birnn("sentiment", sentences_csv, "--out", tmp_path / "run", *TINY)
    assert outcome.code == 130
    wanted = f"birnn: error: stopped; the run is complete: {tmp_path / 'run'}"
    assert outcome.err.splitlines() == [wanted]
    assert birnn("predict", tmp_path / "run", "a lovely film").code == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_end_a_real_run_with_a_checkpoint(name, birnn, sentences_csv, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, str(ROOT / "cli.py"), "sentiment", "--data", str(sentences_csv)]
    command += ["--out", str(out), *TINY, "--epochs", "2000", "--patience", "0"]
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


# ------------------------------------------------------------------ the real process


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
