"""Words and tags spelled in the cells of two columns: read where each word has its tag."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from birnn.data.tags.files import Part, TagOptions, read_parts
from birnn.errors import DataError

Row = tuple[list[str], list[str]]
LONG = ["The", "trip", "to", "Oslo", ","], ["O", "O", "O", "B-LOC", "O"]
ROWS: list[Row] = [LONG if i % 2 else (["A", f"trip{i}"], ["O", "B-EV"]) for i in range(40)]
Write = Callable[[list[str], list[str]], tuple[str, str]]


def read(path: Path, write: Write, header: tuple[str, str] = ("sentence", "tags")) -> Part:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *(write(*row) for row in ROWS)])
    return read_parts(str(path), TagOptions(str(path)), tagged=True)[1]["train"]


FORMS: dict[str, tuple[Write, str]] = {
    "commas": (lambda w, t: (" ".join(w), ",".join(t)), "spaces and commas"),
    "commas and spaces": (lambda w, t: (" ".join(w), ", ".join(t)), "spaces and commas"),
    "spaces": (lambda w, t: (" ".join(w), " ".join(t)), "spaces"),
    "semicolons": (lambda w, t: (" ".join(w), ";".join(t)), "spaces and semicolons"),
    "pipes": (lambda w, t: ("|".join(w), "|".join(t)), "pipes"),
    "JSON": (lambda w, t: (json.dumps(w), json.dumps(t)), ""),
    "Python": (lambda w, t: (str(w), str(t)), ""),
    "a text and a list": (lambda w, t: (" ".join(w), json.dumps(t)), "spaces"),
    "bare in brackets": (lambda w, t: (f"[{' | '.join(w)}]", f"[{', '.join(t)}]"), "pipes and"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("header", [("sentence", "tags"), ("text", "labels"), ("tokens", "ner")])
def test_each_word_has_its_tag(tmp_path, form, header):
    write, said = FORMS[form]
    part = read(tmp_path / "x.csv", write, header)
    assert [(s.tokens, s.tags) for s in part.sentences] == ROWS
    notes = " ".join(part.findings.notes)
    assert f"divided at {said}" in notes if said else "divided" not in notes


def test_one_row_that_does_not_fit_is_left_out_and_listed(tmp_path):
    write = FORMS["commas"][0]
    part = read(tmp_path / "x.csv", lambda w, t: write(w, t[1:] if w[1] == "trip4" else t))
    assert len(part.sentences) == 39
    assert part.findings.left_out == {"that can't be read": [f"{tmp_path / 'x.csv'} row 5"]}


@pytest.mark.parametrize(
    ("write", "sizes"),
    [
        (lambda w, t: (" ".join(w), ",".join(t[1:])), "'sentence' has 2 words, 'tags' 1 tag"),
        (lambda w, t: (" ".join(w) + "!", " ".join([*t, "O"])), "2 words, 'tags' 3 tags"),
    ],
)
def test_tags_that_do_not_fit_are_refused_with_what_would_help(tmp_path, write, sizes):
    with pytest.raises(DataError, match=rf"x.csv row 1: .*{sizes}; give each word its tag.*spaces"):
        read(tmp_path / "x.csv", write)


def test_a_sentence_beside_lists_of_two_layers_of_tags(tmp_path):
    path = tmp_path / "ner.csv"
    rows = [(f"Sentence: {i}", " ".join(w), str(["X"] * len(w)), str(t))
            for i, (w, t) in enumerate(ROWS, 1)]  # fmt: skip
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("Sentence #", "Sentence", "POS", "Tag"), *rows])
    part = read_parts(str(path), TagOptions(str(path)), tagged=True)[1]["train"]
    assert [(s.tokens, s.tags) for s in part.sentences] == ROWS


def test_inspect_counts_the_sentences(birnn, tmp_path):
    read(tmp_path / "x.csv", FORMS["commas"][0])
    told = birnn("inspect", tmp_path / "x.csv", "--task", "tagging")
    assert told.code == 0, told.err
    said = " ".join(told.out.split())
    assert "40 rows: 40 read as sentences" in said
    assert "'sentence' and 'tags' are divided at spaces and commas" in said


def test_numbers_without_names_say_what_helps(tmp_path):
    numbers = {"O": "0", "B-EV": "1", "B-LOC": "2"}
    part = read(tmp_path / "x.csv", lambda w, t: (str(w), str([int(numbers[tag]) for tag in t])))
    (said,) = [text for text in part.findings.warnings if "numbers without names" in text]
    assert "write their names in the file" in said
    assert "--tag-column" in said
