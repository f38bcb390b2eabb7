"""``predict`` with a regressor: the rows of a table as they are, with a number each."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import birnn as python
from birnn.cli import main

OPTIONS = ["--hidden-size", "4", "--epochs", "2"]


def table(path: Path, *, group: bool) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    rows = 97
    frame = pd.DataFrame(generator.normal(size=(rows, 2)).round(4), columns=["a", "b"])
    if group:
        frame.insert(0, "who", [f"s{i % 9}" for i in range(rows)])  # sequences lie mixed up
    frame["target"] = (3 * frame["a"] + 5).round(4)
    frame.to_csv(path, index=False)
    return frame


@pytest.fixture(scope="module", params=[True, False], ids=["named", "cut"])
def made(request, tmp_path_factory) -> Path:
    """A folder with ``steps.csv`` and a ``run`` of it."""
    home = tmp_path_factory.mktemp("made")
    table(home / "steps.csv", group=request.param)
    given = ["regression", home / "steps.csv", *OPTIONS, "--out", home / "run"]
    given += ["--sequence-column", "who"] if request.param else ["--length", "7"]
    assert main(list(map(str, given))) == 0
    return home


def wanted(made: Path) -> list[float]:
    """What Python says of the same rows."""
    return python.load(made / "run").predict(pd.read_csv(made / "steps.csv")).tolist()


def test_rows_stay_and_get_a_number(made: Path, birnn, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    outcome = birnn("predict", made / "run", "--input", made / "steps.csv", "--output", out)
    assert outcome.code == 0, outcome.err
    given, found = (list(csv.reader(p.read_text().splitlines())) for p in (made / "steps.csv", out))
    assert found[0] == [*given[0], "predicted"]
    assert [row[:-1] for row in found] == given
    assert [float(row[-1]) for row in found[1:]] == pytest.approx(wanted(made), rel=1e-6)


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_json_holds_the_same(suffix: str, made: Path, birnn, tmp_path: Path) -> None:
    out = tmp_path / f"out{suffix}"
    assert birnn("predict", made / "run", "--input", made / "steps.csv", "--output", out).code == 0
    text = out.read_text()
    rows = json.loads(text) if suffix == ".json" else list(map(json.loads, text.splitlines()))
    assert [row["predicted"] for row in rows] == pytest.approx(wanted(made), rel=1e-6)
    shown = birnn("predict", made / "run", "--input", made / "steps.csv", "--json").out
    assert list(map(json.loads, shown.splitlines())) == rows


def test_columns_may_be_missing_more_or_in_another_order(made, birnn, tmp_path: Path) -> None:
    frame = pd.read_csv(made / "steps.csv")
    other = frame.drop(columns="target")[list(frame.columns[:-1])[::-1]].assign(note="NA")
    other.to_csv(tmp_path / "new.csv", index=False)
    other.to_parquet(tmp_path / "new.parquet", index=False)
    other.to_json(tmp_path / "new.jsonl", orient="records", lines=True)
    for name in ("new.csv", "new.parquet", "new.jsonl"):
        outcome = birnn("predict", made / "run", "--input", tmp_path / name, "--json")
        assert outcome.code == 0, outcome.err
        rows = [json.loads(line) for line in outcome.out.splitlines()]
        assert list(rows[0]) == [*other.columns, "predicted"]
        assert {row["note"] for row in rows} == {"NA"}
        assert [row["predicted"] for row in rows] == pytest.approx(wanted(made), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda frame: frame.drop(columns="b"), "'b'"),
        (lambda frame: frame.assign(a=frame["a"].astype(object).where(frame.index != 3)), "row 4"),
        (lambda frame: frame.assign(b="x"), "row 1"),
        (lambda frame: frame.assign(predicted=1), "'predicted' already"),
        (lambda frame: frame.iloc[:0], "no rows"),
    ],
)
def test_an_unusable_table_is_one_line(change, line: str, made, birnn, tmp_path: Path) -> None:
    change(pd.read_csv(made / "steps.csv")).to_csv(tmp_path / "new.csv", index=False)
    given = ["predict", made / "run", "--input", tmp_path / "new.csv"]
    assert line in birnn(*given, "--output", tmp_path / "out.csv").refusal()
    assert not (tmp_path / "out.csv").exists()


def test_what_a_regressor_does_not_take(made: Path, birnn, tmp_path: Path) -> None:
    for given in (["a text"], [], ["--input", tmp_path], ["--input", tmp_path / "none.csv"]):
        assert birnn("predict", made / "run", *given).refusal()
    given = ["predict", made / "run", "--input", made / "steps.csv"]
    for options in (["--n-best", 2], ["--explain"], ["--text-column", "a"], ["--output", "x.txt"]):
        assert birnn(*given, *options).refusal()
