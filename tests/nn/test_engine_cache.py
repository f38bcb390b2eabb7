"""The cache of the compiled engine: what is spoilt is made anew, what others planted is not run."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from birnn.native import compiler, library

from faults import small_disk
from places import ROOT


def _has_compiler() -> bool:
    try:
        return bool(compiler.find_compiler())
    except compiler.NativeError:
        return False


pytestmark = [
    pytest.mark.skipif(not _has_compiler(), reason="no C compiler"),
    pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users here"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the compiler makes; it takes seconds."""
    folder = tmp_path_factory.mktemp("built")
    compiler._compile(library.SOURCE, folder / "library.so")
    return (folder / "library.so").read_bytes()


@pytest.fixture(autouse=True)
def prebuilt(built: bytes, bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Compiling takes no time here, and the folder of the cache lies in one that is not there."""
    bare.setenv("BIRNN_CACHE", str(tmp_path / "top/cache"))

    def compile_at_once(command: list[str], name: str) -> None:
        if command[0] == "false":
            raise compiler.NativeError("false could not compile the engine")
        Path(command[-1]).write_bytes(built)

    bare.setattr(compiler, "_run", compile_at_once)


def signed(path: Path) -> Path:
    """Give a library the checksum that it should have."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    return path


def c_library(path: Path, code: str) -> None:
    source = path.with_suffix(".c")
    source.write_text(code)
    command = [*compiler.find_compiler(), "-shared", "-fPIC", str(source), "-o", str(path)]
    subprocess.run(command, check=True)
    source.unlink()


SPOILT = {
    "cut": lambda path: os.truncate(path, 5000),
    "empty": lambda path: path.write_bytes(b""),
    "one bit": lambda path: path.write_bytes(path.read_bytes()[:-9] + b"\x01" * 9),
    "no checksum": lambda path: path.with_name(f"{path.name}.sha256").unlink(),
    "empty checksum": lambda path: path.with_name(f"{path.name}.sha256").write_bytes(b""),
    "binary checksum": lambda path: path.with_name(f"{path.name}.sha256").write_bytes(b"\xff\0"),
    "only the checksum": lambda path: path.unlink(),
    "garbage, signed": lambda path: (path.write_bytes(b"\x7fELF" + b"\0" * 999), signed(path)),
    "another machine's, signed": lambda path: (
        path.write_bytes(path.read_bytes()[:18] + b"\xb7\x00" + path.read_bytes()[20:]),
        signed(path),
    ),
    "no function, signed": lambda path: (c_library(path, "int nothing;"), signed(path)),
    "another version's, signed": lambda path: (
        c_library(path, "".join(f"long {name}(void) {{return 1;}}" for name in library.FUNCTIONS)),
        signed(path),
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_spoilt_is_compiled_again(how: str, bare: pytest.MonkeyPatch) -> None:
    path = compiler.compiled(library.SOURCE)
    good = path.read_bytes()
    copy = path.with_name("copy")
    copy.write_bytes(good)
    copy.replace(path)  # another file than the one that this process may have loaded
    SPOILT[how](path)
    assert library.Library().lanes > 0
    assert path.read_bytes() == good
    assert compiler._intact(path)


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_spoilt_is_a_note_where_nothing_compiles(
    how: str, bare: pytest.MonkeyPatch
) -> None:
    SPOILT[how](compiler.compiled(library.SOURCE))
    bare.setattr(compiler, "find_compiler", lambda: ["false"])
    with pytest.raises(compiler.NativeError):
        library.Library()
    assert "could not compile" in (library.missing() or "")


def test_a_cut_library_ends_no_process(tmp_path: Path) -> None:
    os.truncate(compiler.compiled(library.SOURCE), 9000)
    code = "from birnn.native import library; print(library.Library().lanes)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done
    assert int(done.stdout) > 0


def test_processes_that_start_at_once_all_compile(tmp_path: Path) -> None:
    code = "from birnn.native import library; print(library.Library().lanes)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    started = [subprocess.Popen(command, env=environment) for _ in range(4)]
    assert [process.wait(120) for process in started] == [0] * 4
    names = sorted(path.suffix for path in (tmp_path / "top/cache").iterdir())
    assert names == [".sha256", ".so"]


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o722])
@pytest.mark.parametrize("where", ["cache", "top"])
def test_nothing_is_loaded_from_below_a_folder_that_others_may_change(
    where: str, mode: int, tmp_path: Path
) -> None:
    planted = compiler.compiled(library.SOURCE)
    planted.write_bytes(b"evil")
    signed(planted)
    folder = planted.parent if where == "cache" else planted.parent.parent
    folder.chmod(mode)
    private = os.getuid() == os.getgid() and where == "top" and not mode & 0o002
    found = compiler.compiled(library.SOURCE)
    assert found.parent == (planted.parent if private else tmp_path / "own")
    if not private:
        assert found.read_bytes() != b"evil"


@pytest.mark.parametrize("suffix", ["", ".sha256"])
@pytest.mark.parametrize("how", ["link", "open to all", "open to a group", "folder", "pipe"])
def test_no_file_is_read_that_others_may_change(how: str, suffix: str, tmp_path: Path) -> None:
    path = compiler.compiled(library.SOURCE)
    own = path.with_name(path.name + suffix)
    if how in ("open to all", "open to a group"):
        own.chmod(0o606 if "all" in how else 0o660)
    else:
        own.rename(tmp_path / "other")
        if how == "link":
            own.symlink_to(tmp_path / "other")
        elif how == "folder":
            own.mkdir()
        else:
            os.mkfifo(own)
    assert compiler.compiled(library.SOURCE).parent == tmp_path / "own"
    assert library.Library().lanes > 0


def test_the_cache_may_be_named_by_a_relative_path(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare.chdir(tmp_path)
    for name in (".", "near/by"):
        bare.setenv("BIRNN_CACHE", name)
        (tmp_path / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        assert compiler.compiled(library.SOURCE).parent == tmp_path / name
        assert library.Library().lanes > 0


def test_no_home_is_no_traceback(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.delenv("BIRNN_CACHE")
    bare.delenv("XDG_CACHE_HOME", raising=False)

    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    bare.setattr(Path, "home", unknown)
    assert compiler.compiled(library.SOURCE).parent == tmp_path / "own"


def test_a_disk_from_which_nothing_is_executed_is_passed_over(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, 8000) as mounted:
        if not mounted:
            pytest.skip("this system mounts no memory disk")
        subprocess.run(["mount", "-o", "remount,noexec", str(disk)], check=True)
        bare.setenv("BIRNN_CACHE", str(disk / "cache"))
        assert compiler.compiled(library.SOURCE).parent == tmp_path / "own"


def test_a_full_disk_is_passed_over(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, 40) as mounted:
        if not mounted:
            pytest.skip("this system mounts no memory disk")
        bare.setenv("BIRNN_CACHE", str(disk / "cache"))
        assert compiler.compiled(library.SOURCE).parent == tmp_path / "own"
        assert not list((disk / "cache").iterdir())
