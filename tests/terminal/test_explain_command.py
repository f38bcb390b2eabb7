"""``explain`` on the command line: in a terminal, in a pipe, as JSON and in files."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import birnn
from birnn.tasks.core.explanation import Cause, Explanation
from birnn.terminal.views.explanation import render_explanation

from light import NEVER, TABLES, TRAINING, loaded
from places import RUNS

ODD = "[red]film[/red] \x1b[31mx\x07 \u202e <b>&amp;</b> :smile:"


def last(task: str) -> Path:
    return sorted(RUNS.glob(f"*-{task}"))[-1]


def explained(**options) -> Explanation:
    """One made by hand."""
    words = ("a ", "dull", " film")
    causes = [Cause("a", 0.1, 0, 1, 0.2), Cause("dull", -2.0, 2, 6, 0.7), Cause("film", 0.4, 7, 11)]
    usual = {"task": "sentiment", "target": "negative", "score": "log-odds of negative",
             "unit": "log-odds", "value": 1.5, "baseline": 3.0, "nothing": "nothing",
             "causes": tuple(causes), "gap": 0.0, "text": "".join(words)}  # fmt: skip
    return Explanation(**{**usual, **options})


def drawn(one: Explanation, width: int, *, plain: bool = False, **options) -> str:
    out = Console(width=width, force_terminal=not plain, highlight=False, **options)
    with out.capture() as capture:
        out.print(render_explanation(one, width, plain=plain), soft_wrap=plain)
    return capture.get()


def bare(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_words_are_shaded_by_their_weight():
    text = drawn(explained(), 80, color_system="standard")
    assert "\x1b[1;7;31mdull\x1b[0m" in text
    lines = bare(text).splitlines()
    assert "a dull film" in lines[1]
    assert [line.split()[:2] for line in lines if "dull" in line][-1] == ["dull", "−2.00"]
    assert "Log-odds of negative: 1.50; for nothing: 3.00." in bare(text)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_nothing_is_wider_than_the_terminal(width):
    many = tuple(Cause(f"{'long' * 9}{i}", (-1) ** i / (i + 1), value=i * 1.0) for i in range(40))
    for one in (explained(), explained(text=None, item="s" * 200, causes=many)):
        assert all(len(line) <= width for line in bare(drawn(one, width)).splitlines())


def test_without_colours_the_signs_are_there(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = drawn(explained(), 80)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", text)
    assert "−2.00" in text


def test_a_pipe_gets_bare_lines():
    text = drawn(explained(), 120, plain=True)
    assert "\x1b" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_nothing_moved():
    flat = tuple(Cause(name, 0.0) for name in "ab")
    assert "nothing moved it" in drawn(explained(causes=flat, value=3.0), 80)


def test_a_text_in_a_pipe(birnn, trained):
    outcome = birnn("explain", trained, "a lovely film", "dull")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("The weights add up to the difference") == 2
    assert re.search(r"lovely +[+−]\d", outcome.out)


def test_json_says_what_python_says(birnn, trained):
    texts = ["a lovely film", "so dull"]
    outcome = birnn("explain", trained, *texts, "--json")
    rows = list(map(json.loads, outcome.out.splitlines()))
    assert rows == [json.loads(json.dumps(one.to_json())) for one in load(trained).explain(texts)]


def load(run: Path):
    return birnn.load(run)


def test_another_class(birnn, trained):
    labels = load(trained).labels
    for label in labels:
        row = json.loads(birnn("explain", trained, "film", "--class", label, "--json").out)
        assert row["target"] == label
    refused = birnn("explain", trained, "film", "--class", "nope").refusal()
    assert "class: this run has no 'nope'" in refused
    assert labels[0] in refused


def test_the_class_stands_in_a_file_of_options_too(birnn, trained, tmp_path):
    (tmp_path / "c.toml").write_text(f'class = "{load(trained).labels[0]}"\n')
    row = birnn("explain", trained, "film", "--json", "--config", tmp_path / "c.toml").out
    assert json.loads(row)["target"] == load(trained).labels[0]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl"])
def test_files(suffix, birnn, trained, tmp_path):
    texts = tmp_path / "texts.csv"
    pd.DataFrame({"text": ["a film", "=1+1"]}).to_csv(texts, index=False)
    out = tmp_path / f"out{suffix}"
    outcome = birnn("explain", trained, "--input", texts, "--output", out)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("2 explanations: ")
    wanted = [cause for one in load(trained).explain(["a film", "=1+1"]) for cause in one.causes]
    if suffix == ".csv":
        rows = list(csv.DictReader(out.read_text().splitlines()))
    else:
        text = out.read_text()
        made = json.loads(text) if suffix == ".json" else map(json.loads, text.splitlines())
        rows = [cause for one in made for cause in one["causes"]]
    assert [row["name"] for row in rows] == [cause.name for cause in wanted]
    assert [float(row["weight"]) for row in rows] == pytest.approx([c.weight for c in wanted])


def test_odd_texts_are_shown_as_they_stand(birnn, trained):
    outcome = birnn("explain", trained, ODD)
    assert outcome.code == 0, outcome.err
    assert "[red]film[/red]" in outcome.out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", outcome.out)


def test_a_tagger_explains_its_spans(birnn):
    text = "Ada saw the house"
    spans = load(last("tagging")).predict_records(text)[0]["spans"]
    outcome = birnn("explain", last("tagging"), text)
    assert outcome.out.count("The weights add up") == len(spans)
    token = birnn("explain", last("tagging"), text, "--token", "house")
    assert "that house is in no span" in token.out or "that house is per" in token.out
    assert "token:" in birnn("explain", last("tagging"), text, "--token", "9").refusal()


@pytest.fixture
def series(tmp_path: Path) -> Path:
    stamps = pd.date_range("2024-01-01", periods=50, freq="D")
    frames = [
        pd.DataFrame({"id": name, "date": stamps, "y": np.arange(50.0) % 7}) for name in "abcd"
    ]
    path = tmp_path / "series.csv"
    pd.concat(frames).to_csv(path, index=False)
    return path


def test_a_forecaster_explains_series(birnn, series):
    outcome = birnn("explain", last("forecast"), "--input", series)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("The weights add up") == 3
    assert "The first 3 are shown" in outcome.out
    one = birnn(
        "explain", last("forecast"), "--input", series, "--series", "d", "--step", 2, "--json"
    )
    assert json.loads(one.out)["item"] == "d"
    every = birnn("explain", last("forecast"), "--input", series, "--json").out
    assert [json.loads(row)["item"] for row in every.splitlines()] == list("abcd")


def test_a_regressor_explains_sequences(birnn, tmp_path):
    names = load(last("regression")).loaded.info.features
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(6, len(names))), columns=names)
    group = load(last("regression")).config.data.sequence_column
    frame.assign(**({group: "s"} if group else {})).to_csv(tmp_path / "x.csv", index=False)
    outcome = birnn("explain", last("regression"), "--input", tmp_path / "x.csv")
    assert outcome.code == 0, outcome.err
    assert all(name in outcome.out for name in names)


@pytest.mark.parametrize(("task", "words", "says"), [
    ("sentiment", ["x", "--step", "2"], "step: a run of sentiment has no such choice"),
    ("sentiment", [], "nothing to predict"),
    ("sentiment", ["x", "--output", "x.png"], "output: x.png must end in one of .csv, .json"),
    ("sentiment", ["x", "--escape-formulas"], "escape_formulas: it is for spreadsheets"),
    ("forecast", ["x"], "a forecaster takes no texts"),
    ("forecast", [], "nothing to forecast from"),
    ("regression", ["x"], "a run of regression takes no texts"),
    ("regression", [], "nothing to explain"),
    ("tagging", ["x", "--series", "a"], "series: a run of tagging has no such choice"),
])  # fmt: skip
def test_what_it_does_not_take_is_one_line(task, words, says, birnn, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert says in birnn("explain", last(task), *words).refusal()


def test_it_loads_no_more_than_predict_does(trained):
    (modules,) = loaded(["explain", trained, "a text"])
    found = modules & (NEVER | TRAINING | TABLES)
    assert not found


@pytest.mark.parametrize(("lines", "notes", "last_one"), [
    ([""] * 200, 1, "an empty text has no token"),
    ([f"the {i}" for i in range(200)], 11, "190 more notes"),
])  # fmt: skip
def test_notes_of_many_texts_are_few_lines(lines, notes, last_one, birnn, tmp_path, monkeypatch):
    from birnn.tasks.tagging import explain

    monkeypatch.setattr(explain, "find_targets", lambda *given: [])
    (tmp_path / "texts.txt").write_text("\n".join([*lines, ""]))
    outcome = birnn("explain", last("tagging"), "--input", tmp_path / "texts.txt")
    assert outcome.code == 0
    assert outcome.err.count("note: ") == notes
    assert last_one in outcome.err.splitlines()[-1]
