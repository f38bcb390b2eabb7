"""CONTRIBUTING's example of a task, made from the page alone: a folder, a line, the contract."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT

LIMIT = 200  # lines of the example
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "*.egg-info", "__pycache__", "fixtures", "results", ".*_cache", ".hypothesis"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project with the example's task in it."""
    home = tmp_path / "birnn"
    home.mkdir()
    for name in ("birnn", "data", "tasks", "terminal", "cli.py", "tests", "pyproject.toml"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        options = {"symlinks": True, "ignore": LEFT_OUT} if source.is_dir() else {}
        copy(source, home / name, **options)
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"`(tasks/pairs/\w+\.py)`\n\n```python\n(.*?)```", page, re.DOTALL))
    assert len(files) == 4
    assert sum(code.count("\n") for code in files.values()) < LIMIT
    for name, code in files.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(code, encoding="utf-8")
    (line,) = re.findall(r'^ +"pairs": .*\n', page, re.MULTILINE)
    table = home / "tasks/__init__.py"
    text = table.read_text(encoding="utf-8")
    last = re.findall(r'^ +"\w+": "birnn\.tasks\.\w+:SPEC",\n', text, re.MULTILINE)[-1]
    table.write_text(text.replace(last, last + line), encoding="utf-8")
    return home


def test_the_example_is_a_task(checkout: Path) -> None:
    files = ("tests/runs/test_contract.py", "tests/runs/test_lives.py")
    command = [
        sys.executable,
        "-m",
        "pytest",
        *files,
        "-n0",
        "-k",
        "pairs and not bilstm",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert done.stdout.count(".") > 20, done.stdout
