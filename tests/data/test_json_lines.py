"""One broken line among JSON lines: named, or left out, counted and listed where that is asked."""

import json
from pathlib import Path

import pytest

from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.sources import load_tables
from birnn.errors import DataError

BROKEN = {
    "a quote is missing": '{"text": "broken, "label": "pos"}',
    "cut off": '{"text": "trunc',
    "a word": "oops",
    "something after": '{"text": "x", "label": "pos"} and more',
    "a list": '["x", "pos"]',
}


def texts(count: int = 40) -> list[str]:
    rows = ({"text": f"a film no {i}", "label": ("pos", "neg")[i % 2]} for i in range(count))
    return [json.dumps(row) for row in rows]


def series(count: int = 60) -> list[str]:
    return [
        json.dumps({"date": f"20{i // 12:02}-{i % 12 + 1:02}-01", "y": i}) for i in range(count)
    ]


def tagged(count: int = 40) -> list[str]:
    rows = ({"tokens": ["a", f"n{i}"], "tags": ["O", "B-x"]} for i in range(count))
    return [json.dumps(row) for row in rows]


def write(path: Path, lines: list[str], broken: str, at: int = 31) -> Path:
    path.write_text("\n".join([*lines[: at - 2], "", broken, *lines[at - 2 :]]) + "\n")
    return path


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_the_line_and_the_option_are_named_and_it_is_left_out(tmp_path, broken):
    path = write(tmp_path / "x.jsonl", texts(), broken)
    with pytest.raises(DataError, match=r"x.jsonl line 31 is not JSON: .* --skip-ragged$"):
        load_tables(str(path))
    found = load_tables(str(path), ReadOptions(skip_ragged=True))
    assert found.splits["train"]["text"][:] == [f"a film no {i}" for i in range(40)]
    assert found.notes == ["rows: 41 in the file, 40 read, 1 left out (not JSON: 1 (line 31))"]
    assert found.lines["train"].tolist() == [*range(1, 30), *range(32, 43)]


def test_several_are_all_named(tmp_path):
    path = write(tmp_path / "x.jsonl", [*texts(), "oops", "{"], "oops")
    with pytest.raises(DataError, match=r"line 31 .* \(3 lines: 31, 43, 44\)"):
        load_tables(str(path))


def test_a_list_that_breaks_names_its_line(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("[\n" + ",\n".join([*texts(9), '{"text": oops}', *texts(9)]) + "\n]\n")
    with pytest.raises(DataError, match=r"x.json line 11 is not JSON: Expecting value"):
        load_tables(str(path), ReadOptions(skip_ragged=True))


@pytest.mark.parametrize(
    ("task", "lines"), [("sentiment", texts()), ("forecast", series()), ("tagging", tagged())]
)
def test_inspect_of_all_tasks(birnn, tmp_path, task, lines):
    path = write(tmp_path / "x.jsonl", lines, '{"tokens": ["a"', 31)
    if task != "tagging":
        line = birnn("inspect", path, "--task", task).refusal()
        assert "line 31 is not JSON" in line
        assert "--skip-ragged" in line
    told = birnn("inspect", path, "--task", task, "--skip-ragged")
    assert told.code == 0, told.err
    said = " ".join(told.out.split())
    assert (
        "1 left out (not JSON: 1 (line 31))" in said or "left out 1 row that can't be read" in said
    )
    assert "line 31" in said


def test_tagged_lines_however_many_are_broken(birnn, tmp_path):
    path = write(tmp_path / "x.jsonl", [*tagged(), *["{"] * 9], "{")
    line = birnn("inspect", path, "--task", "tagging").refusal()
    assert "line 31 is not JSON" in line
    assert "10 of 50 lines are odd; --skip-ragged" in line
    told = birnn("inspect", path, "--task", "tagging", "--skip-ragged")
    assert told.code == 0, told.err
    assert "10 rows that can't be read" in " ".join(told.out.split())


def test_predict_answers_the_others(birnn, trained, tmp_path):
    path = write(tmp_path / "x.jsonl", texts(), "oops")
    assert "line 31 is not JSON" in birnn("predict", trained, "--input", path).refusal()
    told = birnn("predict", trained, "--input", path, "--skip-ragged", "--json")
    assert len(told.out.splitlines()) == 40
    assert "1 left out (not JSON: 1 (line 31))" in told.err


def test_a_cell_that_is_no_text_is_named(birnn, tmp_path):
    path = write(tmp_path / "x.jsonl", texts(), '{"text": ["x"], "label": "pos"}')
    line = birnn("inspect", path, "--task", "sentiment").refusal()
    assert "'text' holds no text but a list" in line
    assert "--text-column" in line
