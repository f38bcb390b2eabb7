"""Files as people bring them: delimiters, quotes, headers, numbers; each with its right values."""

import csv
import json

import pytest

from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.sources import load_tables

from places import ROOT

CASES = ROOT / "tests/cases"
TEXT, SERIES = CASES / "text", CASES / "series"


def rows_of(path, **options):
    (table,) = load_tables(str(path), ReadOptions(**options)).splits.values()
    return table.to_list()


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("c02_semicolon_decimalcomma.csv", 100.55, 104.55),
        ("c03_thousands_all.csv", 2420, 2476),
        ("c04_currency.csv", 100.55, 104.55),
        ("c07_header_line3.csv", 100.55, 104.55),
        ("c08_unnamed_index_dates.csv", 100.55, 104.55),
    ],
)
def test_series_are_read_with_their_values(name, first, last, birnn):
    from birnn.data.series.findings import SeriesOptions
    from birnn.data.series.reader import read_panel

    panel, _ = read_panel(str(SERIES / name), SeriesOptions())
    values = panel.history(0)
    assert len(values) == 200
    assert values[0] == pytest.approx(first, rel=1e-6)
    shown = json.loads(birnn("inspect", SERIES / name, "--horizon", 7, "--json").out)
    assert (shown["clock"], shown["rows"], shown["findings"]) == ("D", 200, [])
    assert shown["start"].startswith("2023-01-01")
    assert shown["notes"][0].startswith("rows: 200 in the file, 200 read")


SAID = {
    "c02_semicolon_decimalcomma.csv": "'119,61' is 119.61",
    "c03_thousands_all.csv": "--decimal comma",
    "c04_currency.csv": "'$119.61' is 119.61, $ left out",
    "c07_header_line3.csv": "header on line 3",
    "c08_unnamed_index_dates.csv": "column 1 has no name",
}


@pytest.mark.parametrize("name", SAID)
def test_how_a_series_was_read_is_said(name, birnn):
    assert SAID[name] in " ".join(birnn("inspect", SERIES / name, "--horizon", 7).out.split())


def test_a_semicolon_file_can_be_forced_into_commas_and_is_then_refused(birnn):
    path = SERIES / "c02_semicolon_decimalcomma.csv"
    line = birnn("inspect", path, "--horizon", 7, "--delimiter", "comma", "--header").refusal()
    assert str(path) in line


@pytest.mark.parametrize("name", ["s01e_quotes.tsv", "s01c_quotes.csv"])
def test_stray_quotes_are_letters(name):
    rows = rows_of(TEXT / name)
    assert len(rows) == 60
    assert rows[5]["text"].startswith('"clumsy hotel')
    assert {row["label"] for row in rows} == {"negative", "neutral", "positive"}


def test_bare_carriage_returns_are_letters():
    rows = rows_of(TEXT / "s26_cr.csv")
    assert len(rows) == 60
    assert rows[12] == {"text": "what a ordinary and\rplain lamp it is no 1", "label": "neutral"}
    assert {row["label"] for row in rows} == {"negative", "neutral", "positive"}


def test_stray_quotes_are_predicted_row_by_row(birnn, trained):
    lines = birnn("predict", trained, "--input", TEXT / "p4.tsv", "--json").out.splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    assert texts == ['"unclosed start', "awful thing", "lovely thing", '"another one', "last"]


def test_predictions_with_carriage_returns_read_back(birnn, trained, tmp_path):
    out = tmp_path / "p.csv"
    birnn("predict", trained, "--input", TEXT / "p7.jsonl", "--output", out)
    texts = ["lovely\rfilm", "awful \r\n film", "tail\r"]
    with out.open(encoding="utf-8", newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == texts
    assert [row["text"] for row in rows_of(out)] == texts


def test_training_reports_rows_and_dialect(train, trained, tmp_path):
    rows = [(f"{word} film {n}", label) for n in range(30)
            for word, label in (("lovely", "good"), ("dull", "bad"))]  # fmt: skip
    lines = [f"{text};{label}" for text, label in rows]
    lines[10:10] = ["text;label"]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["Export", "text;label", *lines]) + "\n")
    outcome = train(path)
    assert outcome.code == 0, outcome.err
    said = "61 in the file, 60 read, 1 left out (repeated header: 1 (line 13))"
    assert said in " ".join(outcome.out.split())
    run = tmp_path / "runs/run"
    config = json.loads((run / "config.json").read_text())
    assert config["reading"]["table"]["delimiter"] == ";"
    assert config["reading"]["table"]["skip_lines"] == 1
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["data"]["reading"] == config["reading"]


def test_a_run_reads_a_new_file_as_it_read_its_own(train, birnn, tmp_path):
    """One text, no label: commas alone would cut it in two."""
    rows = [f"{word}, {n};{label}" for n in range(30)
            for word, label in (("lovely film", "good"), ("dull film", "bad"))]  # fmt: skip
    path, new = tmp_path / "x.csv", tmp_path / "new.csv"
    path.write_text("\n".join(["text;label", *rows]) + "\n")
    assert train(path).code == 0
    new.write_text("text;id\nlovely, warm;1\ndull, tired;2\n")
    run = tmp_path / "runs/run"
    lines = birnn("predict", run, "--input", new, "--json").out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["lovely, warm", "dull, tired"]
    new.write_text("text\tid\nlovely, warm\t1\ndull, tired\t2\n")
    lines = birnn("predict", run, "--input", new, "--json").out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["lovely, warm", "dull, tired"]
    new.write_text("text;label\nlovely, warm;good\ndull, tired;bad\n")
    assert "2" in birnn("evaluate", run, "--data", new).out
    assert birnn("evaluate", run, "--data", new, "--delimiter", "tab").refusal()
