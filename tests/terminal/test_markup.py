"""Nothing from a user, a file or a run steers the terminal or is read as markup."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.terminal.text import harmless, shortened

from places import RUNS

VERSION = "2026-11-24-07964cf"
STEERING = "\x1b\x07\x9b\u202e\u2066\u200f\r"
ODD = "[red]x[/red][/]\x1b[31m\u202e"


def calm(outcome):
    for text in (outcome.out, outcome.err):
        assert not set(STEERING) & set(text), text
    assert "Traceback" not in outcome.err
    return outcome


def copied(task, tmp_path, labels=None):
    run = Path(shutil.copytree(RUNS / f"{VERSION}-{task}", tmp_path / "[red]run[/red]"))
    if labels:
        path = run / "labels.json"
        path.write_text(labels(path.read_text("utf-8")), "utf-8")
    return run


@given(st.text())
def test_harmless_text_steers_nothing(text):
    found = harmless(text)
    assert not set(found) & {*STEERING, "\n", "\t", "\u2028", "\x00", "\x85"}


@given(st.text(), st.integers(10, 50))
def test_a_long_line_is_cut_in_its_middle(text, most):
    assert shortened(text, most) == text or len(shortened(text, most)) == most // 2 * 2 + 3


def test_labels_and_texts_of_a_classifier(birnn, tmp_path):
    odd = json.dumps(f"good{ODD}")
    run = copied("sentiment", tmp_path, lambda text: text.replace('"good"', odd))
    outcome = calm(birnn("predict", run, f"a film {ODD}", "--explain"))
    assert outcome.code == 0
    assert "a film [red]x[/red][/]" in outcome.out
    outcome = calm(birnn("predict", run, f"a film {ODD}", "--output", tmp_path / "[b]o[red].csv"))
    assert "[b]o[red].csv" in outcome.out


def test_labels_of_a_tagger(birnn, tmp_path):
    odd = json.dumps(f"per{ODD}")[1:-1]
    run = copied("tagging", tmp_path, lambda text: text.replace("-per", f"-{odd}"))
    outcome = calm(birnn("predict", run, f"Ada Bo {ODD} Cy", "--n-best", "3"))
    assert outcome.code == 0
    assert "[red]x[/red]" in outcome.out


def test_names_of_series(birnn, tmp_path):
    days = range(1, 29)
    rows = [f'"{name}",2024-01-{day:02},{day % 7}' for name in (ODD, "y") for day in days]
    (tmp_path / "s.csv").write_text("\n".join(["id,date,value", *rows]))
    outcome = calm(birnn("predict", copied("forecast", tmp_path), "--input", tmp_path / "s.csv"))
    assert outcome.code == 0
    assert "[red]x[/red][/]" in outcome.out
    calm(birnn("inspect", tmp_path / "s.csv"))


@pytest.mark.parametrize("task", ["sentiment", "tagging", "forecast", "regression"])
def test_names_of_folders_and_files(task, birnn, tmp_path):
    for words in (["evaluate"], ["predict"]):
        line = calm(birnn(*words, tmp_path / ODD)).refusal()
        assert "[red]x[/red]" in line
    run = copied(task, tmp_path)
    calm(birnn("evaluate", run, "--data", tmp_path / f"{ODD}.csv")).refusal()


@pytest.mark.parametrize("task", ["sentiment", "tagging"])
def test_evaluation_and_training_show_labels_as_they_are(task, birnn, tmp_path):
    if task == "sentiment":
        rows = [f"{'warm' if i % 2 else 'cold'} film {i},{'[red]x[/red]' if i % 2 else '[/]'}"
                for i in range(60)]  # fmt: skip
        (tmp_path / "d.csv").write_text("\n".join(["text,label", *rows]))
        data = tmp_path / "d.csv"
        sizes = ["--word-size", "4", "--gram-size", "2", "--gram-buckets", "20"]
    else:
        data = tmp_path / "d.conll"
        data.write_text("\n\n".join(f"Ada\tB-[red]x[/red]\nn{i}\tO" for i in range(60)) + "\n")
        sizes = ["--word-size", "4", "--char-size", "4", "--layers", "1"]
    out = tmp_path / "[red]out[/red]"
    options = ["--hidden-size", "4", "--epochs", "1", "--vectors", "none", "--members", "1"]
    outcome = calm(birnn(task, "--data", data, "--out", out, *options, *sizes))
    assert outcome.code == 0, outcome.err
    assert "[red]x[/red]" in outcome.out
    assert "[red]out[/red]" in outcome.out
    assert "[red]x[/red]" in calm(birnn("evaluate", out)).out
