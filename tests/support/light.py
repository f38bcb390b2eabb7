"""Which libraries a command loads: no more than it needs, whatever the task."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from birnn.tasks import TASKS

from places import ROOT

NEVER = frozenset({"torch._dynamo", "torch._inductor", "sympy", "matplotlib", "torchtext"})
TRAINING = frozenset({"accelerate", "sklearn", "scipy.stats", "scipy.optimize"})
TABLES = frozenset({"datasets", "pandas", "pyarrow"})
CODE = """
import json, sys
from birnn import cli
for words in json.loads(sys.argv[1]):
    assert cli.main(words) == 0, words
    print("modules", *sys.modules, file=sys.stderr)
"""


def loaded(*commands: Sequence[str | Path]) -> list[frozenset[str]]:
    """The modules that an interpreter of its own holds after each of some commands."""
    words = json.dumps([[str(word) for word in command] for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", CODE, words], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = [line for line in done.stderr.splitlines() if line.startswith("modules ")]
    assert len(told) == len(commands)
    return [frozenset(line.split()) for line in told]


def question(task: str, run: Path, source: str) -> list[str | Path]:
    """``predict`` of a text where the task takes texts, else of a file."""
    texts = TASKS[task].example.startswith('"')
    return ["predict", run, *(["a text"] if texts else ["--input", source])]


def too_much(task: str) -> frozenset[str]:
    """What predicting with a run of the task must not load: series alone are read with pandas."""
    if TASKS[task].example.startswith('"'):
        return NEVER | TRAINING | TABLES
    series = TASKS[task].reads == "series"
    return NEVER | TRAINING | (TABLES - ({"pandas", "pyarrow"} if series else {"pyarrow"}))


def check_light(task: str, run: Path, source: str, home: Path) -> None:
    """``predict``, ``evaluate``, ``compare`` and ``inspect`` load what they need and no more.

    One interpreter does all but ``compare``: what ``predict``, the first, must not load holds all
    that the others must not.
    """
    spec, more = TASKS[task], frozenset({"accelerate"})
    asked: dict[str, tuple[Sequence[str | Path], frozenset[str]]] = {}
    if spec.example:
        asked["predict"] = question(task, run, source), too_much(task)
        assert too_much(task) >= NEVER | more
    asked["evaluate"] = ["evaluate", run], NEVER | more
    if spec.inspect:
        asked["inspect"] = ["inspect", task, source], NEVER | more
    found = loaded(*(words for words, _ in asked.values()))
    for (name, (_, never)), modules in zip(asked.items(), found, strict=True):
        assert not modules & never, f"{name} loads {sorted(modules & never)}"
    if spec.test_record:
        twin = shutil.copytree(run, home / "twin")
        (modules,) = loaded(["compare", run, twin])
        found_too = modules & (NEVER | {"torch", "datasets"})
        assert not found_too, f"compare loads {sorted(found_too)}"
