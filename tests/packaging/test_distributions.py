"""What a wheel and an sdist hold: one import name, whole, and regular files only."""

import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

from installs import build

LINKS = {"data", "tasks", "terminal"}


def content(wheel: Path) -> dict[str, bytes]:
    """Name → content; without the list of files, whose order may differ."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/RECORD")]
        return {name: archive.read(name) for name in names}


def code_of(checkout: Path) -> dict[str, bytes]:
    """The package as it is in the checkout, through its links."""
    found = {}
    for folder in ("birnn", *LINKS):
        inside = "" if folder == "birnn" else "birnn/"
        for path in (checkout / folder).rglob("*"):
            if path.is_file() and path.parent.name != "__pycache__":
                found[f"{inside}{path.relative_to(checkout).as_posix()}"] = path.read_bytes()
    return found


def test_the_wheel_holds_the_package_and_nothing_else(wheel, checkout):
    files = content(wheel)
    assert {name.split("/")[0] for name in files} == {"birnn", "birnn-0.1.0.dist-info"}
    assert files["birnn-0.1.0.dist-info/top_level.txt"] == b"birnn\n"
    package = {name: text for name, text in files.items() if name.startswith("birnn/")}
    assert package == code_of(checkout)
    for name in (
        "__init__.pyi", "py.typed", "cli.py", "native/c/scan.c", "native/c/gru.h",
        "tasks/__init__.py", "tasks/sentiment/predict_script.py", "data/samples.py",
        "terminal/text.py",
    ):  # fmt: skip
        assert f"birnn/{name}" in package


def test_the_console_script_is_the_package_s(wheel):
    entries = ConfigParser()
    entries.read_string(content(wheel)["birnn-0.1.0.dist-info/entry_points.txt"].decode())
    assert {kind: dict(entries[kind]) for kind in entries.sections()} == {
        "console_scripts": {"birnn": "birnn.cli:run"}
    }


def test_links_are_as_committed(checkout):
    for name in LINKS:
        assert (checkout / "birnn" / name).readlink() == Path("..") / name
    assert (checkout / "birnn" / "cli.py").readlink() == Path("../cli.py")


def test_the_sdist_holds_regular_files_and_builds_the_same_wheel(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        assert all(member.isfile() or member.isdir() for member in archive.getmembers())
        names = {name.split("/")[1] for name in archive.getnames() if "/" in name}
        archive.extractall(tmp_path, filter="data")
    assert names == {
        "birnn", "birnn.egg-info", "LICENSE", "MANIFEST.in", "PKG-INFO", "README.md",
        "pyproject.toml", "setup.cfg",
    }  # fmt: skip
    again = build("wheel", tmp_path / "birnn-0.1.0", tmp_path / "again")
    assert content(again) == content(wheel)
