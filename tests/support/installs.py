"""Build birnn as a user gets it, and run Python with it but without this checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from places import ROOT

# What a checkout holds; runs, environments and caches that lie beside it are left out.
TOP_LEVEL = (
    "birnn", "tasks", "data", "terminal", "cli.py", "tests", "docs", "benchmarks",
    "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md",
)  # fmt: skip
LIBRARIES = [sysconfig.get_path(kind) for kind in ("purelib", "platlib")]
LIBRARIES = list(dict.fromkeys(LIBRARIES))


def copy_checkout(folder: Path) -> Path:
    """The checkout as git has it, links as links, in a new folder."""
    folder.mkdir(parents=True)
    for name in TOP_LEVEL:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def build(kind: str, tree: Path, out: Path) -> Path:
    """``wheel``, ``sdist`` or ``editable`` of a tree, built with what is installed; no network."""
    out.mkdir(parents=True, exist_ok=True)
    code = (
        "import sys; from setuptools import build_meta\n"
        f"name = build_meta.build_{kind}(sys.argv[1])\n"
        "print(); print(name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(out)], cwd=tree, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return out / done.stdout.splitlines()[-1]


def python(
    arguments: list[object], cwd: Path, paths: list[Path] = ()
) -> subprocess.CompletedProcess:
    """Run Python with ``paths`` and the installed libraries.

    ``-S`` skips the ``.pth`` files there, so that an editable install of this checkout is not seen.
    """
    return subprocess.run(
        [sys.executable, "-S", *map(str, arguments)],
        cwd=cwd, env=environment(paths), capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def environment(paths: list[Path] = ()) -> dict[str, str]:
    """The environment variables of such a process."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, paths), *LIBRARIES])}


def run_forked(cases: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """Run scripts as ``forked.py`` does; name of each → its exit status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-S", str(Path(__file__).with_name("forked.py"))],
        input=json.dumps(cases, default=str), env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
