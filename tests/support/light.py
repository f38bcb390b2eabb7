"""Which libraries a command loads: no more than it needs, whatever the task."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from birnn.tasks import TASKS

from places import ROOT

NEVER = frozenset({"torch._dynamo", "torch._inductor", "sympy", "matplotlib", "torchtext"})
TRAINING = frozenset({"accelerate", "sklearn", "scipy.stats", "scipy.optimize"})
TABLES = frozenset({"datasets", "pandas", "pyarrow"})
CODE = """
import sys
from birnn import cli
assert cli.main(sys.argv[1:]) == 0
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def loaded(*words: str | Path) -> frozenset[str]:
    """The modules that an interpreter of its own holds after a command of the command line."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, words)], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return frozenset(done.stderr.split())


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
    """``predict``, ``evaluate``, ``compare`` and ``inspect`` load what they need and no more."""
    if TASKS[task].example:
        found = loaded(*question(task, run, source)) & too_much(task)
        assert not found, f"predict loads {sorted(found)}"
    spec, twin = TASKS[task], shutil.copytree(run, home / "twin")
    able = {"inspect": spec.inspect, "compare": spec.test_record, "evaluate": True}
    others = {"inspect": [task, source], "compare": [run, twin], "evaluate": [run]}
    for name, words in others.items():
        if able[name]:
            more = {"torch", "datasets"} if name == "compare" else {"accelerate"}
            found = loaded(name, *words) & (NEVER | more)
            assert not found, f"{name} loads {sorted(found)}"
