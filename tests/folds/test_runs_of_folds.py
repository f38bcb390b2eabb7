"""A run of folds, of every task: whole, compared, evaluated, taken up, in processes of its own."""

import csv
import json
import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import birnn
from birnn.config import flat_names
from birnn.errors import ConfigError, Stopped, TrainingError
from birnn.tasks import TASKS
from birnn.tasks.comparing.comparison import compare
from birnn.tasks.core.task import Task
from birnn.tasks.export.onnx import export_onnx
from birnn.tasks.runs import jobs
from birnn.tasks.runs.evaluation import evaluate
from birnn.tasks.runs.events import OfMember, SeedStarted
from birnn.tasks.runs.experiment import train
from birnn.tasks.runs.folder import LoadedRun, load_run, predictions_of, run_strangers
from birnn.tasks.runs.launch import Plan, make_task, resume_plan
from birnn.tasks.runs.settling import joint_verdict
from birnn.tasks.scoring.bootstrap import Interval
from birnn.tasks.scoring.significance import Difference

from contract import tiny, variants

FOLDS = 2
CHOSEN = {"forecast": "wide"}  # the other has too few rows to cut


FOLDED = [t for t, spec in TASKS.items() if "folds" in flat_names(spec.part("options")())]


@pytest.fixture
def command(request: pytest.FixtureRequest) -> Any:
    """The fixture ``birnn``: here that is the name of the package."""
    return request.getfixturevalue("birnn")


def config_of(task: str, folder: Path, **train: Any) -> Any:
    """A tiny configuration, cut into folds, trained for an epoch."""
    config = tiny(task).TINY[CHOSEN.get(task, variants(task)[0])](folder)
    return replace(
        config,
        data=replace(config.data, folds=FOLDS),
        train=replace(config.train, epochs=1, **train),
    )


def made(config: Any, task: str, plan: Plan) -> list[Any]:
    """Train; all events."""
    return list(train(make_task(task, config), plan))


@pytest.mark.parametrize("task", FOLDED)
def test_a_run_of_folds_scores_every_row_once(task, tmp_path):
    config, out = config_of(task, tmp_path), tmp_path / "run"
    plan = Plan(out, ensemble=True)
    joint = type(make_task(task, config)).combined is not Task.combined
    if not joint:
        with pytest.raises(ConfigError, match="ensemble: "):
            made(config, task, plan)
    events = made(config, task, replace(plan, ensemble=joint))
    assert [event.title for event in events if isinstance(event, SeedStarted)] == [
        "fold 1",
        "fold 2",
    ]
    assert run_strangers(out) == []
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["folds"]["count"] == FOLDS
    with (out / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["fold"] for row in rows} == {"1", "2"}
    column = make_task(task, config).item_column
    if task == "forecast":
        ((_, most),) = Counter((row["id"], row["time"]) for row in rows).most_common(1)
        assert most == 1
    else:
        numbers = [int(row[column]) for row in rows] if column else list(range(len(rows)))
        assert numbers == sorted(numbers)
        assert len(set(numbers)) == metrics["folds"]["items"]
        both = [json.loads((out / f"fold-{k}" / "metrics.json").read_text()) for k in (1, 2)]
        sizes = [part["data"]["rows"]["test"] for part in both]
        assert sum(sizes) == metrics["folds"]["items"]
    assert (out / "report.html").is_file()
    assert (out / "fold-1" / "report.html").is_file()
    assert "Over 2 folds" in (out / "README.md").read_text()
    # The scores are those of the file, and each fold's run is a run.
    pooled = compare([out, out / "fold-1"])
    assert not any("was changed" in note for note in pooled.notes)
    fold = load_run(out / "fold-1")
    again = evaluate(fold, "", "test").metrics["test"]["model"]
    own = json.loads((out / "fold-1" / "metrics.json").read_text())["test"]["model"]
    name = next(iter(own))
    assert again[name]["value"] == pytest.approx(own[name]["value"], rel=1e-5)
    if joint:
        check_ensemble(out, config.data.data)


@pytest.mark.parametrize("over", ["model", "neither"])
def test_where_two_verdicts_differ_it_is_said_which_to_believe(over: str) -> None:
    gap = Interval(0.02, 0.01, 0.03)
    found = {"linear": [Difference("linear", "accuracy", gap)]}
    folds = {
        "verdict": "Over 3 folds: it is so.",
        "differences": {"linear": {"accuracy": {"winner": over}}},
    }
    said = joint_verdict("The model beats it.", found, folds)
    assert said.startswith("The model" if over == "model" else "These models on all rows: the")
    assert said.endswith("it is so." if over == "model" else "believe that one.")


def check_ensemble(out: Path, data: str) -> None:
    """A run of all folds together averages what its members say, and nothing else takes it."""
    run = load_run(out)
    assert sorted(member.folder.name for member in run.members) == ["fold-1", "fold-2"]
    assert not (out / "model.safetensors").exists()

    def split_for(member: LoadedRun) -> Any:
        return member.task.load_split(member.info, data, "train").split

    split, joint = predictions_of(run, split_for)
    assert np.isfinite(list(run.task.evaluate(split, joint, run.info, 0).scores.values())).all()
    scored = evaluate(run, data, "train").metrics
    assert scored["test"]["model"]
    # Of the rows of its own data, each was trained on by one member or another; of rolling origins
    # the last ones by none.
    warnings = [note for note in scored["data"]["notes"] if "also stand in what" in note]
    assert len(warnings) == bool(TASKS[run.task.name].warm)
    assert all(("(100.0%)" in one) == (run.task.name != "forecast") for one in warnings)
    if run.task.name == "forecast":
        every = np.arange(len(split))
        points = [predictions_of(member, split_for)[1].values[every] for member in run.members]
        np.testing.assert_allclose(joint.values[every], np.mean(points, axis=0), rtol=1e-5)
    elif run.task.name == "sentiment":
        shares = [np.stack(predictions_of(member, split_for)[1]) for member in run.members]
        np.testing.assert_allclose(np.stack(joint), np.mean(shares, axis=0), rtol=1e-5)
    asked = birnn.load(out)
    with pytest.raises(ConfigError, match=r"save: .* is an ensemble of 2 models; name one of them"):
        asked.save(out.parent / "copy")
    with pytest.raises(ConfigError, match=r"export(: | takes a run)"):
        export_onnx(out, "", overwrite=False, int8=False, data="", split="test")
    with pytest.raises(ConfigError, match="evaluate: "):
        evaluate(run, "", "test")


def test_jobs_are_one_after_the_other_bit_for_bit_even_if_one_is_killed(tmp_path, monkeypatch):
    config, out = config_of("regression", tmp_path, threads=1), tmp_path / "run"
    start, killed = jobs.start, list[int]()

    def deadly(task: Any, plan: Plan, member: Any, threads: int) -> jobs.Job:
        job = start(task, plan, member, threads)
        if member.fold == 2:
            killed.append(job.process.pid)
            os.kill(job.process.pid, signal.SIGKILL)
        return job

    monkeypatch.setattr(jobs, "start", deadly)
    with pytest.raises(
        TrainingError, match=r"fold 2 failed: .* by SIGKILL.* go on with: .*--resume"
    ):
        made(config, "regression", Plan(out, jobs=2))
    assert killed
    assert not out.exists()
    monkeypatch.setattr(jobs, "start", start)
    going_on = resume_plan(Plan(out, jobs=2), config)
    assert going_on is not None
    events = made(config, "regression", going_on)
    assert {event.member.fold for event in events if isinstance(event, OfMember)} == {2}
    whole = tmp_path / "whole"
    made(config, "regression", Plan(whole))
    names = {path.relative_to(whole) for path in whole.rglob("*")}
    assert names == {path.relative_to(out) for path in out.rglob("*")}
    for name in names:
        if name.suffix in (".safetensors", ".png") or name.name == "predictions.csv":
            assert (out / name).read_bytes() == (whole / name).read_bytes(), name


def test_an_ensemble_of_seeds_is_scored_on_the_test_split(tmp_path, command):
    config, out = config_of("tagging", tmp_path), tmp_path / "run"
    config = replace(config, data=replace(config.data, folds=0))
    made(config, "tagging", Plan(out, seeds=2, ensemble=True))
    metrics = json.loads((out / "metrics.json").read_text())
    score = metrics["test"]["model"]["accuracy"]
    assert len(score["values"]) == 2
    assert score["mean_low"] <= score["mean"] <= score["mean_high"]
    again = evaluate(load_run(out), "", "test").metrics["test"]["model"]
    assert again["accuracy"]["value"] == score["value"]
    answer = command("predict", out, "Ada lives in Paris", "--json")
    assert answer.code == 0, answer
    assert "tokens" in json.loads(answer.out)
    assert "n_best" in command("predict", out, "Ada", "--n-best", 2).refusal()
    assert "explain: " in command("explain", out, "Ada").refusal()
    assert not any("was changed" in note for note in compare([out, out / "seed-0"]).notes)


def test_several_seeds_of_a_fold_are_averaged_and_the_best_speaks(tmp_path):
    config, out = config_of("regression", tmp_path), tmp_path / "run"
    made(config, "regression", Plan(out, seeds=2))
    metrics = json.loads((out / "metrics.json").read_text())
    every = {part["name"]: part for part in metrics["folds"]["members"]}
    assert set(every) == {f"fold-{fold}-seed-{seed}" for fold in (1, 2) for seed in (0, 1)}
    own = {name: json.loads((out / name / "metrics.json").read_text()) for name in every}
    means = [
        sum(own[f"fold-{fold}-seed-{seed}"]["test"]["model"]["mse"]["value"] for seed in (0, 1)) / 2
        for fold in (1, 2)
    ]
    assert metrics["folds"]["scores"]["model"]["mse"]["values"] == pytest.approx(means)
    best = min(every.values(), key=lambda part: part["validation"])
    assert metrics["folds"]["chosen"] == best["name"]
    model = (out / "model.safetensors").read_bytes()
    assert model == (out / best["name"] / "model.safetensors").read_bytes()


def test_a_stop_reaches_all_jobs_and_keeps_their_snapshots(tmp_path):
    config, out = config_of("regression", tmp_path, threads=1), tmp_path / "run"
    config = replace(config, train=replace(config.train, epochs=100_000, patience=0))
    plan = Plan(out, jobs=2)
    seen = set()
    with pytest.raises(Stopped, match=r"stopped 2 of 2 members; go on with"):
        for event in train(make_task("regression", config), plan):
            if isinstance(event, OfMember):
                seen.add(event.member.fold)
                plan.stop.asked = len(seen) == FOLDS
    state = tmp_path / ".run.partial" / "checkpoints"
    for fold in (1, 2):
        assert list((state / f"fold-{fold}").glob("*.safetensors"))


def test_what_folds_cannot_be_is_refused_in_a_line(tmp_path, command, sentences_csv):
    for options, words in (
        (["--folds", 1], "folds: one fold would leave nothing to train on"),
        (["--folds", 3, "--fold", 4], "fold: there is no fold 4 of 3"),
        (["--folds", 3, "--fold-group", "writer"], "no column 'writer'"),
        (["--folds", 2, "--jobs", 2, "--track", "tensorboard"], "--jobs trains several at once"),
    ):
        refused = command("sentiment", sentences_csv, "--out", tmp_path / "x", *options)
        assert words in refused.refusal()
    with pytest.raises(ConfigError, match="held in memory"):
        import pandas as pd

        from birnn.tasks.api.train import train as train_python

        table = pd.DataFrame({"text": ["a", "b"] * 20, "label": ["x", "y"] * 20})
        train_python("sentiment", table, folds=2, jobs=2)
