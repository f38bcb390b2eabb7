"""Pickles of earlier versions still load, and predict what the code that made them predicted.

tests/fixtures/make_pickles.py makes them, each with the code of its own commit.
"""

import importlib.util
import json
import pickle
import pickletools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest

import birnn
from birnn import old_pickles
from birnn.old_pickles import CLASSES, OldPickles, answer_old_names

from places import FIXTURES

PICKLES = sorted((FIXTURES / "pickles").glob("*.pickle"))


def load_maker():
    path = FIXTURES / "make_pickles.py"
    found = importlib.util.spec_from_file_location("make_pickles", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


MAKER = load_maker()
ALONE = old_pickles.alone


@pytest.fixture(autouse=True)
def no_checkout(monkeypatch, tmp_path):
    """Nothing called ``tasks`` can be imported, as where birnn is installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("birnn.old_pickles.alone", lambda: True)  # whatever else ran here
    paths = [path for path in sys.path if path and not (Path(path) / "tasks").is_dir()]
    monkeypatch.setattr("sys.path", paths)
    for name in CLASSES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    for name in ("tasks", *CLASSES):
        sys.modules.pop(name, None)


def nothing_else_is_called_tasks():
    assert importlib.util.find_spec("tasks") is None
    assert "tasks" not in sys.modules
    with pytest.raises(ModuleNotFoundError, match="^No module named 'tasks'$"):
        importlib.import_module("tasks")


def test_all_four_are_kept():
    kinds = sorted(path.stem.rsplit("-", 1)[1] for path in PICKLES)
    assert kinds == ["Forecaster", "SentimentClassifier", "SequenceRegressor", "Tagger"]
    assert sum(path.stat().st_size for path in PICKLES) < 100_000


@pytest.mark.parametrize("load", [pickle.load, pickle._load, joblib.load])
@pytest.mark.parametrize("path", PICKLES, ids=lambda path: path.stem)
def test_an_old_pickle_predicts_what_it_predicted(path, load):
    kind = path.stem.rsplit("-", 1)[1]
    nothing_else_is_called_tasks()
    for _ in range(2):
        with path.open("rb") as file:
            estimator = load(file)
        assert type(estimator) is getattr(birnn, kind)
        nothing_else_is_called_tasks()
    found = MAKER.answer(kind, estimator)
    wanted = json.loads(path.with_suffix(".json").read_text())
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("load", [pickle.loads, pickle._loads])
def test_threads_may_load_them_at_the_same_time(load, monkeypatch):
    monkeypatch.setattr("birnn.old_pickles.alone", ALONE)
    contents = [path.read_bytes() for path in PICKLES] * 15
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            loaded = list(pool.map(load, contents))
    finally:
        sys.setswitchinterval(switch)
    assert len(loaded) == len(contents)


@pytest.mark.parametrize("path", PICKLES, ids=lambda path: path.stem)
def test_a_new_pickle_names_birnn_alone(path):
    estimator = pickle.loads(path.read_bytes())
    for value in (estimator, estimator.run_):
        names = {
            argument.split()[0].split(".")[0]
            for opcode, argument, _ in pickletools.genops(pickle.dumps(value, protocol=0))
            if opcode.name == "GLOBAL"
        }
        assert names <= {"birnn", "copyreg", "copy_reg", "numpy", "_codecs", "__builtin__"}
    run = pickle.loads(pickle.dumps(estimator.run_))
    assert (run.task, run.folder, run.metrics) == (
        estimator.run_.task, estimator.run_.folder, estimator.run_.metrics
    )  # fmt: skip


@pytest.mark.parametrize("order", ["loaded", "found"])
def test_the_user_s_own_module_comes_first(order, tmp_path, monkeypatch):
    """A plain tasks.py has no children, so the old names are set beside it."""
    (tmp_path / "tasks.py").write_text("WHOSE = 'theirs'\n")
    monkeypatch.syspath_prepend(tmp_path)
    if order == "loaded":
        importlib.import_module("tasks")
    monkeypatch.setattr("sys.meta_path", [f for f in sys.meta_path if type(f) is not OldPickles])
    answer_old_names(lambda name: getattr(birnn, name))
    for load in (pickle.loads, pickle._loads):
        assert type(load(PICKLES[0].read_bytes())) is birnn.Forecaster
        assert importlib.import_module("tasks").WHOSE == "theirs"


@pytest.mark.parametrize("first", ["", "WHOSE = 'theirs'\n", None])
def test_the_user_s_own_package_comes_first(first, tmp_path, monkeypatch):
    package = tmp_path / "tasks"
    package.mkdir()
    (package / "number_estimators.py").write_text("class Forecaster:\n    theirs = True\n")
    if first is not None:
        (package / "__init__.py").write_text(first)
    monkeypatch.syspath_prepend(tmp_path)
    for load in (pickle.loads, pickle._loads):
        assert type(load(PICKLES[1].read_bytes())) is birnn.SentimentClassifier
    assert importlib.import_module("tasks.number_estimators").Forecaster.theirs
    assert getattr(importlib.import_module("tasks"), "WHOSE", "theirs") == "theirs"


def test_a_name_that_never_was():
    with pytest.raises(AttributeError, match="attribute 'Boxer'"):
        pickle.loads(b"ctasks.estimators\nBoxer\n.")
    with pytest.raises(ModuleNotFoundError, match="^No module named 'tasks'$"):
        pickle.loads(b"ctasks.boxers\nBoxer\n.")
    nothing_else_is_called_tasks()


def test_finders_are_not_piled_up():
    before = list(sys.meta_path)
    answer_old_names(lambda name: None)
    assert sys.meta_path == before
    assert [type(finder) for finder in before].count(OldPickles) == 1
