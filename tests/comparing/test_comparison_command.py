"""The compare command: what it prints, draws and refuses."""

import doctest
import itertools
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.tasks.comparing import plot as comparison_plot
from birnn.tasks.comparing.comparison import compare
from birnn.tasks.comparing.plot import picture_path, save_comparison, spread, style_of
from birnn.terminal.views import comparison as drawing

from writers import TINY, pixels, sentences, write_table

EVIL = "[red]x[/red]\x1b[2J"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs with two seeds and one seed."""
    from birnn import cli

    home = tmp_path_factory.mktemp("runs")
    data = write_table(home / "data.csv", sentences())
    for name, options in (("one", ()), ("two", ("--seeds", "2", "--learning-rate", "0.02"))):
        code = cli.main(["sentiment", "--data", str(data), "--out", str(home / name), *TINY,
                         "--threads", "1", *options])  # fmt: skip
        assert code == 0
    return [home / "one", home / "two"]


def copies(runs, home, count):
    """``count`` runs: copies of the two in turn."""
    return [Path(shutil.copytree(runs[i % 2], home / f"run-{i}")) for i in range(count)]


def changed(folder, name, change):
    """Rewrite a JSON file of a run."""
    path = folder / name
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


@pytest.mark.parametrize("width", [80, 120])
def test_tables_keep_to_the_columns(birnn, runs, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    done = birnn("compare", *runs)
    assert done.code == 0, done.err
    told = ("2 runs of sentiment", "reference", "accuracy %", "macro F1 %", "train.learning_rate")
    for part in (*told, "0.02 *", "parameters", "trained with 2 seeds", "±"):
        assert part in done.out
    assert max(map(len, done.out.splitlines())) <= width
    assert "\x1b" not in done.out


def test_ten_runs_are_ten_rows(birnn, runs, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = birnn("compare", *copies(runs, tmp_path, 10), "--metric", "macro_f1")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    start = next(i for i, line in enumerate(lines) if "macro F1 %" in line)
    assert [line.split()[0] for line in lines[start + 1 : start + 11]] == [
        f"run-{i}" for i in range(10)
    ]
    assert "accuracy %" not in done.out
    assert "none is adjusted" in " ".join(done.out.split())
    assert max(map(len, lines)) <= 80


def test_json_has_everything(birnn, runs):
    done = birnn("compare", *runs, "--json")
    found = json.loads(done.out)
    assert found["reference"] == "one"
    assert found["options"]["train.learning_rate"] == [0.01, 0.02]
    one, two = found["runs"]
    assert two["seeds"] == [0, 1]
    assert len(two["history"]["epoch"]) == two["epochs"]
    gap = two["differences"]["accuracy"]
    assert gap["value"] == pytest.approx(two["test"]["accuracy"]["value"]
                                         - one["test"]["accuracy"]["value"])  # fmt: skip
    assert gap["low"] <= gap["value"] <= gap["high"]


def test_same_options_are_said_to_be_the_same(birnn, runs, tmp_path):
    done = birnn("compare", *copies(runs[:1] * 2, tmp_path, 2))
    assert "All runs have the same options." in done.out
    assert "better" not in done.out


def test_text_of_files_steers_nothing(birnn, runs, tmp_path):
    first, second = copies(runs, tmp_path, 2)
    changed(second, "config.json", lambda found: found.update({"version": EVIL, EVIL: EVIL}))
    changed(second, "metrics.json", lambda found: found.update({"encoder": EVIL}))
    done = birnn("compare", first, second)
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert "[red]x[/red]" in done.out


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("metrics.json", lambda found: found.pop("train"), "train the run again"),
        ("metrics.json", lambda found: found["train"].update(seconds="x"), "seconds"),
        ("metrics.json", lambda found: found["train"].update(seconds=math.nan), "NaN is no number"),
        ("metrics.json", lambda found: found["test"].update(model=[]), "not usable"),
        ("metrics.json", lambda found: found["test"]["model"]["accuracy"].pop("low"), "low"),
        ("config.json", lambda found: found.update(format=99), "run format 99"),
        ("config.json", lambda found: found.update(task=[]), "unknown here"),
    ],
)
def test_hostile_files_are_one_line(birnn, runs, tmp_path, name, change, said):
    first, second = copies(runs, tmp_path, 2)
    changed(second, name, change)
    assert said in birnn("compare", first, second).refusal()


def test_odd_predictions_are_one_line(birnn, runs, tmp_path):
    first, second = copies(runs, tmp_path, 2)
    path = second / "predictions.csv"
    good = path.read_bytes()
    for bad in (b"\xff\xfe", b"\x00" * 2000, b'"' + b"x" * 200_000, b"a," * 9000, good + b"\xff\n"):
        path.write_bytes(bad)
        assert "predictions.csv" in birnn("compare", first, second).refusal()


def test_one_run_and_none_are_refused(birnn, runs):
    assert "two runs or more" in birnn("compare", runs[0]).refusal()
    assert birnn("compare").code == 2
    assert "did you mean 'accuracy'" in birnn("compare", *runs, "--metric", "acuracy").refusal()


@pytest.mark.parametrize("count", [2, 10])
def test_a_picture_holds_every_run(birnn, runs, tmp_path, monkeypatch, count):
    from matplotlib.figure import Figure

    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k))[1]
    )
    folders = copies(runs, tmp_path, count)
    done = birnn("compare", *folders, "--out", tmp_path)
    assert done.code == 0, done.err
    assert "compare.png" in done.out
    assert min(pixels(tmp_path / "compare.png")) > 400
    assert not list(tmp_path.glob("*.partial"))
    upper, lower = drawn[0].axes
    assert len(upper.lines) == len(lower.lines) == 2 * count  # a line and a dot a run
    assert "log loss" in lower.get_ylabel()
    names = {f"run-{i}" for i in range(count)}
    legend = drawn[0].legends
    told = legend[0].get_texts() if legend else lower.texts
    assert {text.get_text() for text in told} == names


def test_a_name_is_no_formula(runs, tmp_path):
    found = compare(runs)
    names = ("$x", "_a$", "$^$", "日本")
    odd = [replace(run, name=name) for run, name in zip(found.runs * 2, names, strict=True)]
    save_comparison(tmp_path / "a.png", replace(found, runs=odd))
    save_comparison(tmp_path / "b.png", replace(found, runs=odd[1:3]))
    assert (tmp_path / "a.png").stat().st_size
    assert (tmp_path / "b.png").stat().st_size


def test_places_of_pictures(birnn, runs, tmp_path):
    assert picture_path(str(tmp_path)) == tmp_path / "compare.png"
    for bad in (tmp_path / "a.svg", tmp_path / "none" / "a.png"):
        assert str(bad) in birnn("compare", *runs, "--out", bad).refusal()
    first, second = copies(runs, tmp_path, 2)
    for folder in (first, second):
        (folder / "history.csv").unlink()
    out = tmp_path / "a.png"
    assert "nothing to draw" in birnn("compare", first, second, "--out", out).refusal()
    assert birnn("compare", first, second).code == 0


def test_damaged_history_costs_the_curve_alone(birnn, runs, tmp_path):
    first, second = copies(runs, tmp_path, 2)
    for bad in ("epoch\n1\n", "epoch,loss\n1,nan\n", "epoch,loss\nx,1\n", ""):
        (second / "history.csv").write_text(bad)
        done = birnn("compare", first, second)
        assert done.code == 0, done.err
        assert "run-1: no curve" in done.out


def gap(**changes):
    return {"value": 0.02, "low": 0.01, "high": 0.03, "clear": True, "ahead": "run", **changes}


@pytest.mark.parametrize(
    ("metric", "changes", "said"),
    [
        ("accuracy", {}, "+2.00 [+1.00, +3.00] better"),
        ("log_loss", {"ahead": "reference"}, "worse"),
        ("accuracy", {"clear": False, "ahead": "neither"}, "unclear"),
        ("coverage_90", {"ahead": None}, "higher"),
        ("coverage_90", {"value": -0.02, "ahead": None}, "lower"),
        ("accuracy", {"low": None, "high": None}, "+2.00 no interval"),
    ],
)
def test_a_word_stands_beside_every_colour(metric, changes, said):
    assert drawing.difference_cell(metric, gap(**changes)).plain.endswith(said)


@given(st.floats(-1, 1), st.sampled_from(["accuracy", "mae"]))
def test_a_signed_difference_is_never_read_as_none(value, metric):
    said = drawing.signed(metric, value)
    size = float(said.replace("−", "-"))
    assert (size == 0) == (value == 0)
    assert math.copysign(1, size) == math.copysign(1, value) or value == 0


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=8))
def test_labels_are_moved_apart_and_keep_their_order(places):
    found = spread(places, 0.1)
    order = sorted(range(len(places)), key=lambda i: places[i])
    assert sum(found) == pytest.approx(sum(places), abs=1e-9)
    for one, two in itertools.pairwise(order):
        assert found[two] - found[one] >= 0.1 - 1e-9


def test_lines_are_told_apart():
    assert len({style_of(i) for i in range(28)}) == 28


@pytest.mark.parametrize("module", [drawing, comparison_plot])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0
