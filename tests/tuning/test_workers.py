"""Workers of one study: killed ones cost nothing but their trials, and none is lost or doubled."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from birnn.tasks.tuning.ledger import counts
from birnn.tasks.tuning.storage import close_storage, open_storage

from places import ROOT

optuna = pytest.importorskip("optuna")
WORKERS, TRIALS = 4, 16


def start(
    folder: Path, storage: str, trials: int = TRIALS, seconds: float = 0.05
) -> subprocess.Popen[str]:
    """A worker in a process of its own."""
    return subprocess.Popen(
        [sys.executable, ROOT / "tests/support/pretend_trials.py", folder, storage, str(trials),
         str(seconds)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def work_and_kill(folder: Path, storage: str) -> None:
    """Four workers, one of which is killed in the middle of a trial."""
    workers = [start(folder / str(i) if storage else folder, storage) for i in range(WORKERS)]
    victim = workers[0]
    assert victim.stdout is not None
    for line in victim.stdout:
        if line.startswith("Started"):
            break
    victim.kill()
    done = [worker.communicate(timeout=120)[0] for worker in workers[1:]]
    victim.communicate()
    assert [worker.returncode for worker in workers[1:]] == [0] * (WORKERS - 1)
    place = open_storage(storage or str(folder / "journal.log"))
    study = optuna.load_study(study_name="study", storage=place)
    trials = [trial for trial in study.trials if counts(trial)]
    assert len(trials) == TRIALS
    assert all(trial.state.is_finished() for trial in trials)
    assert sum("default" in trial.user_attrs for trial in trials) == 1
    lost = [trial for trial in study.trials if "lost" in trial.user_attrs]
    assert len(lost) <= 1
    if lost and lost[0].params:  # what it tried was tried anew
        assert any(trial.user_attrs.get("after") == lost[0].number for trial in trials)
    ended = Counter(n for out in done for n in out.splitlines() if n.startswith("Started"))
    confirmed = sum(out.count("Confirmed") for out in done)
    again = {t.number for s in place.get_all_studies() if "confirmation" in s.study_name
             for t in place.get_all_trials(s._study_id) if t.state.name == "COMPLETE"}  # fmt: skip
    assert confirmed == len(again)
    close_storage(place)
    assert sum(ended.values()) >= TRIALS - 8


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
    worker = start(tmp_path, "", seconds=30)
    assert worker.stdout is not None
    for line in worker.stdout:
        if line.startswith("Started"):
            break
    worker.send_signal(signal.SIGINT)
    worker.communicate(timeout=60)
    again = start(tmp_path, "", trials=3, seconds=0)
    began = time.monotonic()
    out = again.communicate(timeout=60)[0]
    assert time.monotonic() - began < 30  # it waits for no dead worker
    assert out.count("Ended") == 3
