"""Cells that a spreadsheet would run, in every task's CSV; and that nothing else changes."""

import csv
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tables.csv_cells import STARTS, escape_formula

from places import RUNS

VERSION = "2026-11-24-07964cf"


@given(st.text())
def test_no_escaped_text_starts_like_a_formula(text):
    found = escape_formula(text)
    assert not found.startswith(STARTS)
    assert found in (text, f"'{text}")
    assert (found == text) == (not text.startswith(STARTS))


@given(st.sampled_from("=+-@\t\r\n＝＋－＠"), st.text())
def test_what_owasp_lists_is_escaped(start, rest):
    assert escape_formula(start + rest) == f"'{start}{rest}"


@given(st.one_of(st.floats(), st.integers(), st.none(), st.booleans()))
def test_numbers_stay_numbers(value):
    assert escape_formula(value) is value


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


FORMULA = '=HYPERLINK("http://x")'


def test_texts_are_escaped_on_request_alone(birnn, tmp_path):
    run = RUNS / f"{VERSION}-sentiment"
    for flags, text in (([], FORMULA), (["--escape-formulas"], f"'{FORMULA}")):
        outcome = birnn("predict", run, FORMULA, "a film", "--output", tmp_path / "o.csv", *flags)
        assert outcome.code == 0, outcome.err
        found = rows(tmp_path / "o.csv")
        assert [row[0] for row in found] == ["text", text, "a film"]
        assert all(0 <= float(cell) <= 1 for row in found[1:] for cell in row[2:])


def test_tokens_are_escaped_on_request_alone(birnn, tmp_path):
    run = RUNS / f"{VERSION}-tagging"
    for flags, mark in (([], ""), (["--escape-formulas"], "'")):
        birnn("predict", run, "=1+1 met @Bo", "--output", tmp_path / "o.csv", *flags)
        found = [row[3] for row in rows(tmp_path / "o.csv")[1:]]
        assert found == [f"{mark}=", "1", f"{mark}+", "1", "met", f"{mark}@Bo"]


def test_names_of_series_are_escaped_on_request_alone(birnn, tmp_path):
    lines = [
        "id,date,value",
        *(f"{name},2024-01-{day:02},{-day % 7}" for name in ("=x", "y") for day in range(1, 29)),
    ]
    (tmp_path / "s.csv").write_text("\n".join(lines))
    run = Path(shutil.copytree(RUNS / f"{VERSION}-forecast", tmp_path / "run"))
    for flags, name in (([], "=x"), (["--escape-formulas"], "'=x")):
        outcome = birnn(
            "predict", run, "--input", tmp_path / "s.csv", "--output", tmp_path / "o.csv", *flags
        )
        assert outcome.code == 0, outcome.err
        found = rows(tmp_path / "o.csv")
        assert {row[0] for row in found[1:]} == {name, "y"}
        assert all(float(row[2]) == float(row[2]) for row in found[1:])


@pytest.mark.parametrize("output", [[], ["--output", "x.json"]])
def test_escaping_is_for_csv_alone(output, birnn):
    run = RUNS / f"{VERSION}-sentiment"
    assert ".csv" in birnn("predict", run, "x", "--escape-formulas", *output).refusal()
