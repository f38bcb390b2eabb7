"""What killed processes leave goes at the next start; nothing else does."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from birnn.errors import DataError
from birnn.storage.files import atomic_path
from birnn.storage.scratch import scratch, scratch_folder
from birnn.tasks.runs import growing

from places import ROOT

pytest.importorskip("fcntl")
START = f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
FILE = """
from pathlib import Path
from birnn.storage.files import atomic_path
with atomic_path(Path(sys.argv[1]) / "out.csv") as path:
    path.write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""
FOLDER = """
from pathlib import Path
from birnn.storage.scratch import beside
with beside(Path(sys.argv[1]) / "run", folder=True) as path:
    (path / "part").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""
SCRATCH = """
import tempfile
tempfile.tempdir = sys.argv[1]
from birnn.storage.scratch import scratch
with scratch() as path:
    (path / "part").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""
RUN = """
from pathlib import Path
from birnn.tasks.runs.growing import growing_run
with growing_run(Path(sys.argv[1]) / "run", overwrite=False, resume=False):
    print("ready", flush=True)
    time.sleep(60)
"""


def begin_file(home: Path) -> None:
    with atomic_path(home / "other.json") as path:
        path.write_text("{}")


def begin_scratch(home: Path) -> None:
    with scratch() as path:
        assert path.parent == home


def begin_run(home: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        growing.growing_run(home / "another", overwrite=False, resume=False),
    ):
        raise KeyboardInterrupt


KINDS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "file": (FILE, begin_file), "folder": (FOLDER, begin_file), "scratch": (SCRATCH, begin_scratch),
    "run": (RUN, begin_run),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_killed_process_left_goes_and_what_a_live_one_holds_stays(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, begin = KINDS[kind]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command = [sys.executable, "-c", START + code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        left = sorted(tmp_path.iterdir())
        assert len(left) == 1
        begin(tmp_path)
        assert set(left) <= set(tmp_path.iterdir())
        process.kill()
    assert set(left) <= set(tmp_path.iterdir())
    begin(tmp_path)
    assert not set(left) & set(tmp_path.iterdir())


def test_nothing_else_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/a.txt").write_text("mine")
    names = [".run.0123abcd.partial", "birnn-mine", ".out.csv.partial", "x.0123abcd~.partial"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("mine")
    link = tmp_path / ".a.0123abcd~.partial"
    link.symlink_to(tmp_path / "thesis")
    os.mkfifo(tmp_path / ".pipe.0123abcd~.partial")
    (tmp_path / ".run.partial/checkpoints").mkdir(parents=True)
    (tmp_path / ".run.partial/checkpoints/lock").write_text("")
    (tmp_path / ".run.partial/thesis.txt").write_text("mine")
    before = set(tmp_path.rglob("*"))
    begin_file(tmp_path)
    begin_scratch(tmp_path)
    begin_run(tmp_path)
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "other.json"}
    assert before <= set(tmp_path.rglob("*"))


def test_a_forked_child_leaves_its_parents_folder_alone() -> None:
    held = scratch_folder()
    child = os.fork()
    if child == 0:
        held.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert held.path.is_dir()
    held.close()
    assert not held.path.exists()


def test_many_write_one_file_at_once(tmp_path: Path) -> None:
    code = START + (
        "from pathlib import Path\n"
        "from birnn.storage.files import write_json\n"
        "for i in range(200): write_json(Path(sys.argv[1]) / 'x.json', list(range(1000)))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(100) for process in started] == [0, 0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("what", ["pipe", "folder", "link to a pipe", "loop"])
def test_only_a_file_is_written_over(what: str, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "loop":
        path.symlink_to(path)
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    before = time.monotonic()
    with pytest.raises(DataError, match=r"can't write .*out\.csv"), atomic_path(path) as temporary:
        temporary.write_text("x")
    assert time.monotonic() - before < 5
    assert os.path.lexists(path)
    assert not path.is_file()


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link = tmp_path / "out.csv"
    link.symlink_to("far/real.csv")
    for text in ("one", "two"):  # first it leads nowhere
        with atomic_path(link) as temporary:
            assert temporary.parent == tmp_path / "far"
            temporary.write_text(text)
        assert link.is_symlink()
        assert (tmp_path / "far/real.csv").read_text() == text
