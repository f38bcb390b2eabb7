"""The house: rooms that stay small, doors that open one way, and one name for everything."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from birnn.tasks import TASKS

from places import ROOT, RUNS

MOST_FILES = 24  # of code in a folder
MOST_LINES = 45  # of a function
LINKS = ("tasks", "data", "terminal", "cli.py")
GENERIC = ("core", "scoring", "runs", "serving", "comparing", "export", "tuning", "api", "web")


@cache
def modules() -> dict[str, Path]:
    """Dotted name → file, of everything that an installed birnn holds."""
    files = {}
    for top in ("birnn", "data", "tasks", "terminal", "cli.py"):
        place = ROOT / top
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            inside = path.relative_to(ROOT)
            if any((ROOT / part).is_symlink() for part in (inside, *inside.parents)):
                continue
            parts = list(inside.with_suffix("").parts)
            parts = parts if top == "birnn" else ["birnn", *parts]
            files[".".join(parts).removesuffix(".__init__")] = path
    return files


@cache
def imported(name: str) -> frozenset[str]:
    """The modules of ours that a module imports anywhere, for its types too."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports by dots"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in modules() else str(node.module))
    return frozenset(found & set(modules()))


def folder(name: str) -> str:
    """The folder of a module; files that stand beside folders are rooms of their own."""
    if name.rpartition(".")[0] in ("birnn", "birnn.data"):
        return name
    return name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]


def test_folders_have_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name in modules():
        graph.setdefault(folder(name), set()).update(
            folder(other) for other in imported(name) if folder(other) != folder(name)
        )
    assert list(TopologicalSorter(graph).static_order())  # else graphlib names the circle


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_known_to_itself_alone(task: str) -> None:
    own = f"birnn.tasks.{task}"
    for name in modules():
        if name != own and not name.startswith(f"{own}."):
            strangers = {m for m in imported(name) if m == own or m.startswith(f"{own}.")}
            told = name.split(".")[2:3] if name.startswith("birnn.tasks.") else []
            allowed = not told or (told[0] not in GENERIC and told[0] not in TASKS)
            assert allowed or not strangers, f"{name} imports {strangers}"


def test_rooms_are_small() -> None:
    tops = ("birnn", "data", "tasks", "terminal", "tests", "benchmarks")
    for place in (p for top in tops for p in [ROOT / top, *(ROOT / top).rglob("*/")]):
        if place.is_dir() and "fixtures" not in place.parts:
            files = [p for p in place.iterdir() if p.suffix in (".py", ".pyi", ".c", ".h")]
            assert len(files) <= MOST_FILES, place


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function, and where it stands."""
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{name}.{node.name}", node


def test_functions_are_short() -> None:
    long = {n for n, f in functions() if (f.end_lineno or 0) - f.lineno + 1 > MOST_LINES}
    assert not long


def test_links_lead_to_the_folders_beside() -> None:
    for name in LINKS:
        link = ROOT / "birnn" / name
        assert link.is_symlink()
        assert str(link.readlink()) == f"../{name}"


def run(code: str, home: Path = ROOT) -> None:
    """Run code in an interpreter of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("task", TASKS)
def test_options_are_light(task: str) -> None:
    options = TASKS[task].options.partition(":")[0]
    heavy = "{'torch', 'sklearn', 'numpy', 'pandas', 'datasets'} & set(sys.modules)"
    run(f"import sys, {options}, birnn.tasks.core.spec\nassert not {heavy}, {heavy}")


def test_a_forecast_is_evaluated_without_the_libraries_of_texts(tmp_path: Path) -> None:
    folder = sorted(RUNS.glob("*-forecast"))[-1]
    run(
        "import sys\n"
        f"sys.path.insert(0, {str(RUNS.parent)!r})\n"
        "from pathlib import Path\n"
        "import make_runs\n"
        "make_runs.write_inputs(Path())\n"
        "from birnn import cli\n"
        f"assert cli.main(['evaluate', {str(folder)!r}, '--data', 'series.csv']) == 0\n"
        "assert 'torchtext' not in sys.modules\n",
        tmp_path,
    )
