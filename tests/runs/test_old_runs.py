"""Runs that earlier versions made still load, and predict what the code that made them predicted.

tests/fixtures/make_runs.py makes them, each with the code of its own commit.
"""

import importlib.util
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from places import RUNS

FOLDERS = sorted(path for path in RUNS.iterdir() if path.is_dir())


def load_maker():
    found = importlib.util.spec_from_file_location("make_runs", RUNS.parent / "make_runs.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


MAKER = load_maker()


def same(found, wanted, where=""):
    """Equal but for rounding; today's records may hold keys that older code did not write."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            same(found[key], value, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for i, (one, other) in enumerate(zip(found, wanted, strict=True)):
            same(one, other, f"{where}[{i}]")
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, rel=1e-5, abs=1e-5), where
    else:
        assert found == wanted, where


def test_every_task_is_kept_from_the_version_that_brought_it():
    tasks = [path.name.rsplit("-", 1)[1] for path in FOLDERS]
    assert {task: tasks.count(task) for task in set(tasks)} == {
        "sentiment": 4, "regression": 4, "tagging": 3, "forecast": 2,
    }  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_an_older_run_predicts_what_it_predicted(folder, birnn, tmp_path, monkeypatch):
    task = json.loads((folder / "config.json").read_text("utf-8"))["task"]
    MAKER.write_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    outcome = birnn(*MAKER.question(task, str(folder)))
    assert outcome.code == 0, outcome.err
    same(MAKER.answers(task, outcome.out), json.loads((folder / "expected.json").read_text()))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_fixtures_are_small_and_say_nothing_of_the_machine_that_made_them(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000
    for path in folder.glob("*.json"):
        assert not re.search(r'"(/|[A-Z]:\\)', path.read_text("utf-8")), path


def of_format(folder, tmp_path, value, version="9.8.7"):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    config = json.loads((copy / "config.json").read_text("utf-8"))
    (copy / "config.json").write_text(json.dumps({**config, "format": value, "version": version}))
    return copy


def test_a_newer_format_says_who_made_it_and_what_to_install(birnn, tmp_path):
    line = birnn("predict", of_format(FOLDERS[0], tmp_path, 2), "x").refusal()
    assert "format 2" in line
    assert "install birnn 9.8.7 or newer" in line


@pytest.mark.parametrize("value", [0, -1, "1", None, 1.5, [1], True, 10**400, "x" * 10**5])
def test_a_format_that_never_was_says_so(value, birnn, tmp_path):
    line = birnn("predict", of_format(FOLDERS[0], tmp_path, value), "x").refusal()
    assert "format" in line
    assert len(line) < 400 + len(os.fspath(tmp_path))


@pytest.mark.parametrize("version", ["\x1b[31m2", ["x"], "y" * 10**5, None])
def test_a_newer_version_is_shown_without_harm(version, birnn, tmp_path):
    line = birnn("predict", of_format(FOLDERS[0], tmp_path, 2, version), "x").refusal()
    assert "\x1b" not in line
    assert len(line) < 400 + len(os.fspath(tmp_path))
