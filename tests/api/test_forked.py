"""A run that is loaded, and has answered, answers in processes that fork off."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
BEGIN = """
import multiprocessing, os, sys
import birnn, torch
from birnn.errors import ConfigError
from birnn.nn.devices import use_threads
use_threads(4)
torch.ones(2000, 2000) @ torch.ones(2000, 2000)
run = birnn.load(sys.argv[1])
TEXTS = [f"a lovely film no {i} " + "dull plot " * (i % 40) for i in range(600)]
wanted = run.predict_proba(TEXTS).tolist()
def ask(part):
    return run.predict_proba(TEXTS).tolist() == wanted
"""
WAYS = {
    "os.fork": """
child = os.fork()
if not child:
    os._exit(0 if ask(0) else 3)
assert os.waitpid(child, 0)[1] == 0
""",
    "a fork of a fork": """
child = os.fork()
if not child:
    inner = os.fork()
    if not inner:
        os._exit(0 if ask(0) else 3)
    os._exit(os.waitpid(inner, 0)[1])
assert os.waitpid(child, 0)[1] == 0
assert ask(0)
""",
    "Pool": """
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert all(pool.map(ask, range(4)))
assert ask(0)
""",
    "ProcessPoolExecutor": """
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
    assert all(pool.map(ask, range(4)))
""",
    "DataLoader": """
class Rows(torch.utils.data.Dataset):
    def __len__(self): return 4
    def __getitem__(self, i): return int(ask(i))
loader = torch.utils.data.DataLoader(Rows(), num_workers=2, multiprocessing_context="fork")
assert all(int(row) == 1 for row in loader)
""",
    "a run that is loaded in the child": """
child = os.fork()
if not child:
    run = birnn.load(sys.argv[1])
    os._exit(0 if ask(0) else 3)
assert os.waitpid(child, 0)[1] == 0
""",
    "more threads are refused": """
child = os.fork()
if not child:
    try:
        use_threads(4)
    except ConfigError as error:
        os._exit(0 if "spawn" in str(error) else 4)
    os._exit(5)
assert os.waitpid(child, 0)[1] == 0
""",
    "training in the child": """
import pandas as pd
frame = pd.DataFrame([(t, "ab"[i % 2]) for i, t in enumerate(TEXTS)], columns=["text", "label"])
child = os.fork()
if not child:
    birnn.train("sentiment", frame, epochs=1, vectors="none", hidden_size=8, members=1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
""",
}


def test_forked_processes_answer(trained: Path) -> None:
    code = "".join(f"\nprint({way!r}, flush=True){script}" for way, script in WAYS.items())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("OMP_NUM_THREADS", None)
    command = [sys.executable, "-c", BEGIN + code, str(trained)]
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            assert process.wait(200) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
