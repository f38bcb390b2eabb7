"""Runs side by side: the same numbers as metrics.json, and differences by brute force."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from birnn.errors import BirnnError
from birnn.registry import resolve
from birnn.tasks import TASKS
from birnn.tasks.comparing.comparison import _differences, compare
from birnn.tasks.comparing.run_summary import short_names
from birnn.tasks.core.run_rows import read_rows
from birnn.tasks.core.task import Evaluation
from birnn.tasks.runs.folder import read_config, write_csv
from birnn.tasks.runs.test_records import TestRecord
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED, RESAMPLES

import contract
from writers import TINY, sentences, write_table

NOT_KEPT = {"span_calibration_error"}  # takes probabilities that no file holds
SMALL = ("--epochs", "1", "--hidden-size", "4", "--threads", "1")
OWN = {
    "sentiment": TINY,
    "tagging": ("--word-size", "8", "--vectors", "none", "--members", "1"),
    "forecast": ("--members", "1", "--horizon", "3"),
    "regression": ("--sequence-column", "who"),
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """``pairs(task)``: two runs of a task that differ in their seed."""
    from birnn import cli

    home, made = tmp_path_factory.mktemp("pairs"), {}

    def pair(task: str) -> list[Path]:
        if task not in made:
            suffix = ".conll" if task == "tagging" else ".csv"
            data = home / f"{task}{suffix}"
            if task == "sentiment":
                write_table(data, sentences())
            else:
                tagging, forecast = contract.tiny("tagging"), contract.tiny("forecast")
                write = {"tagging": tagging.write_tagged, "forecast": forecast.write_series}
                write.get(task, contract.tiny("regression").write_sequences)(data)
            made[task] = [home / f"{task}-{seed}" for seed in (0, 1)]
            for seed, out in enumerate(made[task]):
                options = [task, "--data", str(data), "--out", str(out), *OWN[task], *SMALL]
                assert cli.main([*options, "--seed", str(seed)]) == 0
        return made[task]

    return pair


@pytest.mark.parametrize("task", OWN)
def test_scores_and_intervals_are_those_of_the_run(pairs, task):
    found = compare(pairs(task))
    for folder, run in zip(pairs(task), found.runs, strict=True):
        said = json.loads((folder / "metrics.json").read_text())["test"]["model"]
        assert set(run.scores) == set(said)
        for name, score in said.items():
            for key in ("value", "low", "high"):
                assert run.scores[name][key] == pytest.approx(score[key], abs=1e-9), (name, key)
    assert set(found.runs[1].differences) == set(said) - NOT_KEPT
    assert not found.notes
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("task", OWN)
def test_readers_know_the_monitors_of_their_task(pairs, task):
    folder, entry = pairs(task)[0], TASKS[task]
    kept = entry.part("test_record")(folder, read_config(folder))
    assert kept.monitors == resolve({task: entry.task}, task, "task").monitors
    assert compare(pairs(task)).monitor in kept.monitors


def test_another_reading_of_spans_has_no_difference(pairs, tmp_path):
    first, second = pairs("tagging")
    other = Path(shutil.copytree(second, tmp_path / "other"))
    config = json.loads((other / "config.json").read_text())
    assert config["data"]["span_mode"] == "conlleval"
    config["data"]["span_mode"] = "strict"
    (other / "config.json").write_text(json.dumps(config))
    found = compare([first, other])
    assert not found.runs[1].differences
    assert any("scored in another way (span_mode strict)" in note for note in found.notes)


def test_scores_of_unseen_words_need_the_same_training_words(pairs, tmp_path):
    first, second = pairs("tagging")
    other = Path(shutil.copytree(second, tmp_path / "other"))
    words = json.loads((other / "vocabulary.json").read_text())
    words["rare"].append("a-word-more")
    (other / "vocabulary.json").write_text(json.dumps(words))
    there = compare([first, second]).runs[1].differences
    left = compare([first, other]).runs[1].differences
    assert set(there) - set(left) == {name for name in there if name.startswith("unseen_")}
    assert any(name.startswith("unseen_") for name in there)


def test_coverage_is_never_better(pairs):
    for name, gap in compare(pairs("forecast")).runs[1].differences.items():
        assert (gap["ahead"] is None) == name.startswith(("coverage_", "width_"))


@pytest.mark.parametrize(("sign", "ahead"), [(1, "run"), (-1, "reference")])
def test_who_is_ahead_follows_the_metric(sign, ahead):
    drawn = np.linspace(0.1, 0.3, 1000)
    scores = {"accuracy": 0.5, "nll": 0.5}
    base = TestRecord(Evaluation(scores, dict.fromkeys(scores, 0)), "", 1, "texts", ())
    scores = {"accuracy": 0.5 + sign * 0.2, "nll": 0.5 - sign * 0.2}
    mine = {"accuracy": sign * drawn, "nll": -sign * drawn}
    found = _differences(base, replace(base, evaluation=Evaluation(scores, mine)))
    assert {gap["ahead"] for gap in found.values()} == {ahead}
    assert found["nll"]["value"] == pytest.approx(-sign * 0.2)
    tiny = {"accuracy": 0 * drawn, "nll": drawn * 1e-9}
    found = _differences(base, replace(base, evaluation=Evaluation(base.evaluation.scores, tiny)))
    assert not found["nll"]["clear"]


@pytest.mark.parametrize("text", ["a\rb", "\r", "a\r\nb", 'a"\r,', "\x85\u2028"])
def test_texts_with_line_ends_are_read_as_they_were(tmp_path, text):
    """As written now, and as older versions wrote a bare carriage return."""
    path = tmp_path / "a.csv"
    write_csv(path, [{"text": text, "n": 1}, {"text": "plain", "n": 2}])
    with path.open(newline="", encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file)] == [text, "plain"]
    assert [row["text"] for row in read_rows(path, ("text",))] == [text, "plain"]
    path.write_bytes(b"text,n\na\rb,1\n")
    assert [row["text"] for row in read_rows(path, ("text",))] == ["a\rb"]


def test_difference_is_that_of_a_bootstrap_written_out(pairs):
    right = []
    for folder in pairs("sentiment"):
        with (folder / "predictions.csv").open(newline="") as file:
            right.append(np.array([row["gold"] == row["label"] for row in csv.DictReader(file)]))
    gap = right[1].astype(float) - right[0]
    drawn = np.random.default_rng(BOOTSTRAP_SEED).integers(0, len(gap), (RESAMPLES, len(gap)))
    low, high = np.quantile(gap[drawn].mean(1), [0.025, 0.975])
    found = compare(pairs("sentiment")).runs[1].differences["accuracy"]
    assert found["value"] == pytest.approx(gap.mean(), abs=1e-12)
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=1e-12)


def test_only_what_differs_is_listed(pairs):
    assert compare(pairs("sentiment")).options == {"train.seed": [0, 1]}


def test_other_test_items_have_no_difference(pairs, tmp_path):
    first, second = pairs("sentiment")
    other = Path(shutil.copytree(second, tmp_path / "other"))
    lines = (other / "predictions.csv").read_text().splitlines()
    (other / "predictions.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    found = compare([first, other])
    assert not found.runs[1].differences
    assert "own scores, no difference" in found.notes[0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: "", "has no column 'gold'"),
        (lambda text: text.splitlines()[0] + "\n", "has no rows"),
        (lambda text: text.replace("p_good", "p_fair"), "no probability for the class"),
        (lambda text: text + "a,b\n", "2 fields, expected"),
        (lambda text: text + '"a', "not a readable CSV"),
        (lambda text: text + "a,good,good,nan,1\n", "is not a share"),
    ],
)
def test_damaged_predictions_are_one_line(pairs, tmp_path, damage, said):
    first, second = pairs("sentiment")
    other = Path(shutil.copytree(second, tmp_path / "other"))
    path = other / "predictions.csv"
    path.write_text(damage(path.read_text()))
    with pytest.raises(BirnnError, match=said) as caught:
        compare([first, other])
    assert "\n" not in str(caught.value)


def test_runs_that_cannot_stand_side_by_side(pairs, tmp_path):
    one = pairs("sentiment")[0]
    for folders, said in (
        ([one], "two runs or more"),
        ([one, one], "named twice"),
        ([one, pairs("regression")[0]], "name runs of one task"),
        ([one, tmp_path], "not a complete run folder"),
    ):
        with pytest.raises(BirnnError, match=said):
            compare(folders)
    with pytest.raises(BirnnError, match="accuracy"):
        compare(pairs("sentiment"), "acuracy")


def test_missing_history_costs_the_curve_alone(pairs, tmp_path):
    first, second = pairs("regression")
    other = Path(shutil.copytree(second, tmp_path / "other"))
    (other / "history.csv").unlink()
    found = compare([first, other])
    assert found.runs[1].curve is None
    assert "no curve" in found.notes[0]
    assert found.runs[1].differences


@pytest.mark.parametrize(
    ("task", "file"), [("forecast", "backtest.safetensors"), ("sentiment", "predictions.csv")]
)
@pytest.mark.parametrize("place", [0, 1])
def test_run_without_its_predictions_has_the_scores_it_wrote(pairs, tmp_path, task, file, place):
    folders = pairs(task).copy()
    folders[place] = Path(shutil.copytree(folders[place], tmp_path / "other"))
    (folders[place] / file).unlink()
    found = compare(folders)
    said = json.loads((folders[place] / "metrics.json").read_text())["test"]["model"]
    assert found.runs[place].scores == said
    assert not found.runs[1].differences
    assert found.monitor
    assert [note for note in found.notes if f"other: {file} is missing" in note]


def test_short_names_are_distinct():
    assert short_names([Path("/a/x/run"), Path("/a/y/run")]) == ["x/run", "y/run"]
    assert short_names([Path("/a/one"), Path("/b/two")]) == ["one", "two"]
