"""The whole life of a run of any task, from its specification alone.

Trained, loaded, asked from the command line and from Python, evaluated, compared, exported, pushed,
read from its card, taken up again, and damaged: what a task leaves out must be one line.
"""

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import birnn
from birnn.errors import ConfigError
from birnn.tasks import TASKS
from birnn.tasks.core.task import Details, Provenance
from birnn.tasks.runs.folder import unknown_names
from birnn.terminal.console import console

import contract
from writers import Outcome

Command = Callable[..., Outcome]
EPOCHS = 2


@dataclass(frozen=True)
class Life:
    """A run on tiny data, and how it was made."""

    task: str
    config: Any
    run: Path

    @property
    def source(self) -> str:
        """The file that it was trained on."""
        return str(self.config.data.data)


def words(config: Any) -> Iterator[str]:
    """A configuration as options of the command line."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        name = field.name.replace("_", "-")
        if dataclasses.is_dataclass(value):
            yield from words(value)
        elif isinstance(value, bool):
            yield f"--{name}" if value else f"--no-{name}"
        elif value is not None:
            yield f"--{name}={value}"


def live(command: Command, task: str, encoder: str, home: Path) -> Life:
    """Train from the command line."""
    config = contract.tiny(task).TINY[contract.variants(task)[0]](home)
    train = dataclasses.replace(config.train, epochs=EPOCHS)
    layers = dataclasses.replace(config.encoder, encoder=encoder)
    config = dataclasses.replace(config, train=train, encoder=layers)
    outcome = command(task, "--out", home / "run", *words(config))
    assert outcome.code == 0, outcome.err
    return Life(task, config, home / "run")


def check_report(life: Life) -> None:
    """``metrics.json`` holds what every report has, and beats or loses to its baselines."""
    metrics = json.loads((life.run / "metrics.json").read_text())
    data = metrics["data"]
    assert set(data) >= Provenance.__required_keys__
    assert isinstance(data["source"], str)
    assert set(data["rows"]) >= {"train", "validation", "test"}
    assert all(type(count) is int and count > 0 for count in data["rows"].values())
    assert all(isinstance(line, str) for line in data["splits"])
    assert {"labels", "confusion", "mistakes"} <= set(Details.__optional_keys__)
    if "confusion" in metrics["details"]:
        size = len(metrics["details"]["labels"])
        assert np.shape(metrics["details"]["confusion"]) == (size, size)
    assert metrics["task"] == life.task
    assert metrics["test"]["baselines"]
    assert metrics["verdict"]
    for score in metrics["test"]["model"].values():
        assert np.isfinite(score["value"])
    strangers = unknown_names(life.run)
    assert not strangers, f"name these in the files of the specification: {strangers}"


def check_evaluate(life: Life, command: Command) -> None:
    """The run's own test split has the scores of its report, from both sides."""
    outcome = command("evaluate", life.run, "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)["test"]["model"]
    wanted = json.loads((life.run / "metrics.json").read_text())["test"]["model"]
    assert birnn.load(life.run).evaluate() == found
    for name, score in found.items():
        assert score["value"] == pytest.approx(wanted[name]["value"], rel=1e-5), name


def asked(life: Life) -> Any:
    """What Python asks the run."""
    ask = getattr(contract.tiny(life.task), "ask", None)
    return ask(life.config) if ask else pd.read_csv(life.source)


def check_predict(life: Life, command: Command) -> None:
    """Records from a file, one at least; Python's are finite, as many, and the same twice."""
    outcome = command("predict", life.run, "--input", life.source, "--json")
    if not TASKS[life.task].example:
        assert "use evaluate" in outcome.refusal()
    else:
        assert outcome.code == 0, outcome.err
        assert [json.loads(line) for line in outcome.out.splitlines()]
    run = birnn.load(life.run)
    if not TASKS[life.task].serve:
        with pytest.raises(ConfigError, match="use evaluate"):
            run.predict(asked(life))
        return
    records = run.predict_records(asked(life))
    assert records
    check_answers(life, run)
    assert records == birnn.load(life.run).predict_records(asked(life))
    assert len(run.predict(asked(life)))


def check_answers(life: Life, run: birnn.Run) -> None:
    """The texts of the test split get the answers that stand in ``predictions.csv``."""
    columns = list(getattr(run.loaded.task, "text_columns", ()))
    if not columns:
        return
    kept = pd.read_csv(life.run / "predictions.csv", keep_default_na=False, dtype=str)
    for record, row in zip(run.predict_records(kept), kept.to_dict("records"), strict=True):
        shared = {name for name in record if name in row and name not in columns}
        assert shared, "records and predictions.csv name nothing alike"
        for name in shared:
            value = record[name]
            wanted = row[name] if isinstance(value, str) else pytest.approx(float(row[name]), 1e-4)
            assert value == wanted, name


def check_compare(life: Life, command: Command, home: Path) -> None:
    """A run beside a copy of itself is alike in every score."""
    twin = Path(shutil.copytree(life.run, home / "twin"))
    outcome = command("compare", life.run, twin, "--json")
    if not TASKS[life.task].test_record:
        assert "compare takes a run of" in outcome.refusal()
        return
    assert outcome.code == 0, outcome.err
    gaps = json.loads(outcome.out)["runs"][1]["differences"]
    assert gaps
    assert all(gap["value"] == 0 and not gap["clear"] for gap in gaps.values())


def check_export(life: Life, command: Command, home: Path) -> None:
    """A graph that agrees, or one line."""
    outcome = command("export", life.run, "--onnx", "--out", home / "onnx")
    if not TASKS[life.task].graph:
        assert "export takes a run of" in outcome.refusal()
    elif outcome.code:
        assert "no network to export" in outcome.refusal()
    else:
        assert json.loads((home / "onnx/check.json").read_text())["graph"]["shapes"]


def check_push(life: Life, command: Command, home: Path) -> None:
    """What would be sent loads, and tells the same scores on the same data."""
    outcome = command("push", life.run, "a/b", "--to", home / "hub")
    assert outcome.code == 0, outcome.err
    card = (home / "hub/README.md").read_text()
    assert card.startswith("---\n")
    assert life.task in card
    pushed = birnn.load(home / "hub")
    assert pushed.task == life.task
    assert pushed.evaluate(life.source) == birnn.load(life.run).evaluate(life.source)
    if TASKS[life.task].serve:
        assert pushed.predict_records(asked(life)) == birnn.load(life.run).predict_records(
            asked(life)
        )


def check_card(life: Life) -> None:
    """The card names the task, its scores beside baselines, and how the run is used."""
    card = (life.run / "README.md").read_text()
    assert f"# {life.task}: " in card
    assert "| model |" in card
    assert "python cli.py evaluate RUN" in card
    if TASKS[life.task].example:
        assert f"python cli.py predict RUN {TASKS[life.task].example}" in card
    if TASKS[life.task].hub_pipeline:
        assert f'pipeline_tag: "{TASKS[life.task].hub_pipeline}"' in card


def check_overwrite(life: Life, command: Command) -> None:
    """A complete run is not gone on with, nor replaced unasked; ``--overwrite`` replaces it."""
    assert "nothing is left to do" in command(life.task, "--resume", life.run).out
    again = (life.task, "--out", life.run, *words(life.config))
    assert "--overwrite" in command(*again).refusal()
    assert command(*again, "--overwrite").code == 0


def check_inspect(life: Life, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's own data are told as they were read, within any width; or one line."""
    given = [word for word in words(life.config.data) if not word.startswith("--data=")]
    ask = ("inspect", life.task, life.source, *given)
    if not TASKS[life.task].inspect:
        assert "offers no inspection" in command(*ask).refusal()
        return
    told = command(*ask, "--json")
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert found["task"] == life.task
    assert not [finding for finding in found["findings"] if finding["fatal"]]
    assert {"source", "rows", "notes"} <= set(found)
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        console.cache_clear()
        shown = command(*ask)
        assert shown.code == 0, shown.err
        assert "Ready for training." in shown.out
        assert "\x1b" not in shown.out
        where = str(life.source)  # a path is not broken
        assert (
            max(len(line.rstrip()) for line in shown.out.splitlines() if where not in line) <= width
        )
    if TASKS[life.task].reads:
        found = json.loads(command("inspect", life.source, "--task", "", "--json").out)
        assert TASKS[found["task"]].reads == TASKS[life.task].reads


BENT = ("null", "[]", "{}", "7", '"x"', "[[[]]]", "{", "")


def check_hostile(life: Life, command: Command, home: Path) -> None:
    """No file of a run can be replaced by something else without one line that says so."""
    names = [p.name for p in life.run.glob("*.json") if p.name != "metrics.json"]
    for name in names:
        for number, content in enumerate(BENT):
            copy = home / f"{name}-{number}"
            shutil.copytree(life.run, copy)
            (copy / name).write_text(content)
            reader = "report" if name == "report.json" else "evaluate"  # what reads it
            line = command(reader, copy).refusal()
            assert str(copy) in line, line
    for content in (b"", b"\x80\x04pickle", b"\xff" * 64):
        copy = home / f"weights-{len(content)}"
        shutil.copytree(life.run, copy)
        (copy / "model.safetensors").write_bytes(content)
        assert "model.safetensors" in command("evaluate", copy).refusal()
