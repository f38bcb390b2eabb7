"""The readers under bent inputs, few of them; benchmarks/fuzz.py has many. Bugs it found stay."""

import importlib.util
import json
import os
import random
import shutil
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from places import ROOT, RUNS

VERSION = "2026-11-24-07964cf"
COUNTS = {"labelled": 5, "tables": 8, "tagged": 8, "run_folder": 150, "series": 60}


def load(name):
    found = importlib.util.spec_from_file_location(name, ROOT / f"benchmarks/{name}.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fuzz():
    kept = {name: os.environ.get(name) for name in ("HF_HOME", "HF_HUB_OFFLINE")}
    path = list(sys.path)
    load("fuzz_mutate")
    load("fuzz_targets")
    module = load("fuzz")
    sys.path[:] = path
    for name, value in kept.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    before = signal.signal(signal.SIGALRM, module.stop)
    desk = module.Desk()
    yield module, module.targets(desk)
    signal.signal(signal.SIGALRM, before)


NAMES = (
    "csv", "encoding", "vectors", "toml", "stamps", "series", "labelled", "tables", "conll",
    "conllu", "jsonl_spans", "json_spans", "tagged", "json", "config", "weights", "run_folder",
)  # fmt: skip


def test_every_target_is_tried(fuzz):
    assert set(fuzz[1]) == set(NAMES)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_bent_inputs_end_in_errors_of_ours(name, fuzz):
    module, targets = fuzz
    target = targets[name]
    for data in target.seeds:
        assert module.attempt(target, data) == ""

    @settings(max_examples=COUNTS.get(name, 200), database=None)
    @given(st.sampled_from(target.seeds), st.integers(0, 2**32))
    def bend(data, seed):
        assert module.attempt(target, module.mutate(data, random.Random(seed))) == ""

    bend()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in COUNTS])
def test_any_bytes_end_in_errors_of_ours(name, fuzz):
    module, targets = fuzz

    @settings(max_examples=100, database=None)
    @given(st.binary(max_size=300))
    def read(data):
        assert module.attempt(targets[name], data) == ""

    read()


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_the_harness_notices(fuzz):
    module, _ = fuzz

    def hang(data):
        while True:
            pass

    def crash(data):
        raise KeyError("x")

    module.SECONDS, kept = 0.2, module.SECONDS
    try:
        assert "Hang" in module.attempt(module.Target(hang, (b"",), 1), b"")
        module.SECONDS = 120  # fresh memory takes a busy machine its time
        assert "KeyError" in module.attempt(module.Target(crash, (b"",), 1), b"")
        # What other tests of this process have needed and given back is no growth.
        given_back = module.peak() - resident()
        big = module.Target(lambda data: bytearray((3 << 29) + given_back).count(1), (b"",), 1)
        assert "MiB" in module.attempt(big, b"")
    finally:
        module.SECONDS = kept


# What was found.


def spoilt(task, tmp_path, name, change):
    run = Path(shutil.copytree(RUNS / f"{VERSION}-{task}", tmp_path / task))
    found = json.loads((run / name).read_text("utf-8"))
    (run / name).write_text(json.dumps(change(found)))
    return run


def test_an_option_of_more_digits_than_python_writes(birnn, tmp_path):
    (tmp_path / "x.toml").write_text("epochs = 0x" + "f" * 5000)
    assert "epochs" in birnn("sentiment", "--config", tmp_path / "x.toml").refusal()


def test_a_scaler_of_another_number_of_features_than_the_data(birnn, tmp_path):
    run = spoilt("regression", tmp_path, "config.json", lambda c: {**c, "data": {"features": 5}})
    assert "features" in birnn("evaluate", run).refusal()


def test_a_scaler_that_is_one_number(birnn, tmp_path):
    run = spoilt("regression", tmp_path, "scaler.json", lambda c: {**c, "shift": 1.0})
    assert "scaler" in birnn("evaluate", run).refusal()


def test_more_texts_than_a_float_can_say(birnn, tmp_path):
    run = spoilt("sentiment", tmp_path, "ngrams.json", lambda c: {**c, "texts": 10**400})
    assert "texts" in birnn("predict", run, "x").refusal()


@pytest.mark.parametrize("rows", ["x", [1], {"a": 1}, None, 1.5, 10**400])
def test_metrics_that_count_in_words(rows, birnn, tmp_path):
    counted = {"data": {"rows": {"test": rows}}}
    run = spoilt("regression", tmp_path, "metrics.json", lambda c: counted)
    assert birnn("evaluate", run).code in (0, 2)


def test_a_model_without_any_feature(birnn, tmp_path):
    def change(config):
        config["model"].update(word_size=0, gram_size=0)
        return config

    run = spoilt("sentiment", tmp_path, "config.json", change)
    assert "no features" in birnn("predict", run, "x").refusal()
