"""Workers of one study: killed ones cost nothing but their trials, and none is lost or doubled."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from birnn.tasks.tuning.ledger import counts
from birnn.tasks.tuning.storage import close_storage, open_storage

import pretend_trials

optuna = pytest.importorskip("optuna")
WORKERS, TRIALS = 4, 12
FORKS = multiprocessing.get_context("forkserver")  # loads the libraries once for all workers
FORKS.set_forkserver_preload(["pretend_trials", "optuna", "birnn.tasks.tuning.sampling"])


@dataclass
class Worker:
    """A worker in a process of its own, and what it says."""

    log: Path
    process: Any

    def lines(self) -> list[str]:
        """What has happened so far."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def count(self, event: str) -> int:
        """How often ``event`` has happened."""
        return sum(line.startswith(event) for line in self.lines())

    def wait_for(self, event: str) -> None:
        """Until it has happened."""
        end = time.monotonic() + 120
        while not self.count(event):
            assert time.monotonic() < end, self.lines()
            time.sleep(0.01)

    def end(self) -> int:
        """Wait for its end; the exit code."""
        self.process.join(120)
        code: int = self.process.exitcode
        self.process.close()
        return code


def start(
    folder: Path, storage: str, log: Path, trials: int = TRIALS, seconds: float = 0.05
) -> Worker:
    """Begin to work."""
    words = (str(folder), storage, trials, seconds, str(log))
    process = FORKS.Process(target=pretend_trials.work, args=words)
    process.start()
    return Worker(log, process)


def work_and_kill(home: Path, storage: str) -> None:
    """Four workers, one of which is killed in the middle of a trial."""
    folders = [home / (str(i) if storage else "study") for i in range(WORKERS)]
    workers = [start(folder, storage, home / f"log{i}") for i, folder in enumerate(folders)]
    workers[0].wait_for("Started")
    workers[0].process.kill()
    assert workers[0].end() == -signal.SIGKILL
    assert [worker.end() for worker in workers[1:]] == [0] * (WORKERS - 1)
    place = open_storage(storage or str(home / "study" / "journal.log"))
    study = optuna.load_study(study_name="study", storage=place)
    trials = [trial for trial in study.trials if counts(trial)]
    assert len(trials) == TRIALS
    assert all(trial.state.is_finished() for trial in trials)
    assert sum("default" in trial.user_attrs for trial in trials) == 1
    lost = [trial for trial in study.trials if "lost" in trial.user_attrs]
    assert len(lost) <= 1
    if lost and lost[0].params:  # what it tried was tried anew
        assert any(trial.user_attrs.get("after") == lost[0].number for trial in trials)
    done = sum(worker.count("Ended") for worker in workers)
    assert done in (TRIALS, TRIALS - 1)  # the killed one may have ended one and not said so
    again = [trial for one in place.get_all_studies() if "confirmation" in one.study_name
             for trial in place.get_all_trials(one._study_id) if counts(trial)]  # fmt: skip
    jobs = [(trial.user_attrs["job"]["trial"], trial.user_attrs["job"]["seed"]) for trial in again]
    assert len(set(jobs)) == len(jobs) == sum(worker.count("Confirmed") for worker in workers)
    close_storage(place)


def test_a_journal_file(tmp_path: Path) -> None:
    work_and_kill(tmp_path, "")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL of its own, on a socket of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    binary = str(found[-1]) if found else shutil.which("initdb")
    if binary is None:
        pytest.skip("PostgreSQL is not installed here (initdb): apt-get install postgresql")
    pytest.importorskip("psycopg")
    home = tmp_path_factory.mktemp("postgres")
    place, run = Path(binary).parent, [] if os.getuid() else ["runuser", "-u", "postgres", "--"]
    if run:
        for folder in (home, *home.parents[:2]):
            folder.chmod(0o755)
        shutil.chown(home, "postgres")
    data = home / "data"
    quick = "-c fsync=off -c listen_addresses='' -c unix_socket_directories=" + str(home)
    try:
        subprocess.run([*run, binary, "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
                       check=True, capture_output=True, cwd="/")  # fmt: skip
        subprocess.run([*run, place / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", quick,
                        "start"], check=True, capture_output=True, cwd="/")  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"PostgreSQL does not start here: {error}")
    try:
        yield f"postgresql://postgres@/postgres?host={home}"
    finally:
        subprocess.run([*run, place / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
                       capture_output=True, cwd="/", check=False)  # fmt: skip


def test_a_postgresql(postgres: str, tmp_path: Path) -> None:
    work_and_kill(tmp_path, postgres)


def test_a_signal_gives_the_trial_back(tmp_path: Path) -> None:
    worker = start(tmp_path / "study", "", tmp_path / "one", seconds=30)
    worker.wait_for("Started")
    os.kill(worker.process.pid, signal.SIGINT)
    worker.end()
    began = time.monotonic()
    again = start(tmp_path / "study", "", tmp_path / "two", trials=3, seconds=0)
    again.end()
    assert time.monotonic() - began < 50  # it waits for no dead worker
    assert again.count("Ended") == 3
