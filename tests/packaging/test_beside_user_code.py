"""An installed birnn beside a user's own data, tasks, cli and terminal, in both directions."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest

import birnn

from installs import run_forked
from places import FIXTURES, RUNS

OLD_RUN = RUNS / "2026-11-24-df8e075-regression"
OLD_PICKLE = FIXTURES / "pickles" / "2026-11-24-1644c25-SequenceRegressor.pickle"
NAMES = ("cli", "data", "tasks", "terminal")
SHAPES = ("module", "package", "namespace")
TINY = "sequences=12, length=5, features=2, epochs=1, hidden_size=4, threads=1, device='cpu'"
STEPS = [[[0.5, 1.0]] * 3]

# What each script begins with.
CHECKS = f"""
import importlib, pickle, sys
from pathlib import Path

def ours():
    for name in {NAMES!r}:
        module = importlib.import_module("birnn." + name)
        assert Path(module.__file__).is_relative_to(Path(sys.argv[1])), module.__file__
    assert len(birnn.load(sys.argv[2]).predict({STEPS!r})[0]) == 3
    assert type(pickle.load(open(sys.argv[3], "rb"))) is birnn.SequenceRegressor

def theirs():
    here = Path(__file__).parent
    for name in {NAMES!r}:
        if not (here / name).is_dir():
            module = importlib.import_module(name)
        else:
            module = importlib.import_module(name + ".part")
            whole = importlib.import_module(name)
            assert [Path(path) for path in whole.__path__] == [here / name], whole.__path__
        assert module.WHOSE == "theirs"
        assert Path(module.__file__).is_relative_to(here), module.__file__
"""
TRAIN = f"birnn.train('regression', out=sys.argv[4], {TINY})\n"
ORDERS = {
    "before": f"{CHECKS}\ntheirs()\nimport birnn\n{TRAIN}ours()\ntheirs()\n",
    "after": f"{CHECKS}\nimport birnn\nours()\ntheirs()\nours()\n",
}

# Nothing that birnn brings, loads or unpickles makes another name importable.
ALONE = f"""
{CHECKS}
import birnn
ours()
for name in (*{NAMES!r}, "tests", "benchmarks"):
    assert name not in sys.modules, name
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    raise AssertionError(name)
"""

# Workers and estimators go between processes; a user's own data.py stands beside them.
WORKERS = f"""
import multiprocessing, pickle, sys
from pathlib import Path

import data

def work(estimator):
    import birnn, birnn.data
    assert Path(birnn.__file__).is_relative_to(Path(sys.argv[1])), birnn.__file__
    assert data.WHOSE == "theirs" and birnn.data.__name__ == "birnn.data"
    return multiprocessing.current_process().name, estimator.predict({STEPS!r})[0].tolist()

if __name__ == "__main__":
    import joblib
    estimator = pickle.load(open(sys.argv[2], "rb"))  # names birnn, which nobody has imported
    answers = [work(estimator)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answers += pool.map(work, [estimator])
    answers += joblib.Parallel(n_jobs=2, backend="loky")([joblib.delayed(work)(estimator)])
    assert len({{name for name, _ in answers}}) == 3, answers
    assert answers[0][1] == answers[1][1] == answers[2][1], answers
"""


def write_user_code(folder: Path, shape: str) -> None:
    """The user's own modules, all four, in one shape."""
    for name in NAMES:
        if shape == "module":
            (folder / f"{name}.py").write_text("WHOSE = 'theirs'\n")
            continue
        (folder / name).mkdir()
        (folder / name / "part.py").write_text("WHOSE = 'theirs'\n")
        if shape == "package":
            (folder / name / "__init__.py").write_text("")


@pytest.fixture(scope="module")
def outcomes(
    installed: Path, checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Mapping[str, object]]:
    """Exit status and output of each script; all run beside each other, libraries loaded once."""
    home = tmp_path_factory.mktemp("user")
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    cases = {}

    def add(name: str, script: str, arguments: list[object], shape: str = "") -> None:
        folder = home / name
        folder.mkdir()
        if shape:
            write_user_code(folder, shape)
        (folder / "main.py").write_text(script)
        cases[name] = {
            "script": folder / "main.py", "arguments": [str(installed), *map(str, arguments)],
            "cwd": elsewhere, "paths": [str(installed)], "output": home / f"{name}.txt",
        }  # fmt: skip

    estimator = birnn.SequenceRegressor(hidden_size=4, epochs=1, options={"device": "cpu"})
    estimator.fit(STEPS * 8, [[0.1, 0.2, 0.3]] * 8)
    (home / "estimator.pickle").write_bytes(pickle.dumps(estimator))
    add("workers", WORKERS, [home / "estimator.pickle"], "module")
    for shape in SHAPES:
        for order, script in ORDERS.items():
            out = home / f"run-{shape}-{order}"
            add(f"{shape}-{order}", script, [OLD_RUN, OLD_PICKLE, out], shape)
    add("alone", ALONE, [OLD_RUN, OLD_PICKLE])
    cases["bare-checkout"] = {
        "script": checkout / "cli.py", "cwd": elsewhere, "paths": [],
        "arguments": ["regression", "--sequences", "12", "--length", "5", "--features", "2",
                      "--epochs", "1", "--hidden-size", "4", "--out", str(home / "run-cli")],
        "output": home / "bare-checkout.txt",
    }  # fmt: skip
    return run_forked(cases)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_user_s_own_modules_and_ours_keep_working(shape, order, outcomes):
    outcome = outcomes[f"{shape}-{order}"]
    assert outcome["code"] == 0, outcome["output"]


@pytest.mark.parametrize("name", ["alone", "workers", "bare-checkout"])
def test_processes_that_use_it(name, outcomes):
    assert outcomes[name]["code"] == 0, outcomes[name]["output"]
