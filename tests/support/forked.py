"""Run scripts, each in a fork of a process that holds others' libraries but nothing of ours.

Loading those takes seconds, and a dozen scripts need them. The cases come as JSON on standard
input: name → ``script``, ``arguments``, ``cwd``, ``paths`` (before the libraries on ``sys.path``)
and ``output``, a file. Exit statuses and outputs go to standard output as JSON.
"""

import importlib
import json
import os
import runpy
import sys
import traceback
from pathlib import Path

LIBRARIES = (
    "accelerate", "datasets", "huggingface_hub", "matplotlib.pyplot", "numpy", "pandas", "rich",
    "safetensors.torch", "scipy.stats", "sklearn.linear_model", "torch", "typer",
)  # fmt: skip
OURS = ("birnn", "cli", "data", "tasks", "terminal")
AT_ONCE = 2


def become(case):
    """Run the case's script in this process, as ``python SCRIPT ARGUMENT…`` would; no return."""
    script = Path(case["script"])
    target = os.open(case["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.chdir(case["cwd"])
    sys.argv = [str(script), *case["arguments"]]
    sys.path[:1] = [str(script.parent), *case["paths"]]
    code = 1
    try:
        runpy.run_path(str(script), run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main():
    """Run all cases, a few at a time."""
    cases = json.load(sys.stdin)
    for name in LIBRARIES:
        importlib.import_module(name)
    assert not set(OURS) & set(sys.modules)
    waiting, running, codes = list(cases), {}, {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            name = waiting.pop(0)
            child = os.fork()
            if not child:
                become(cases[name])
            running[child] = name
        child, status = os.wait()
        codes[running.pop(child)] = os.waitstatus_to_exitcode(status)
    json.dump(
        {
            name: {"code": codes[name], "output": Path(case["output"]).read_text("utf-8")}
            for name, case in cases.items()
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
