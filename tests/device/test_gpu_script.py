"""``make gpu`` where there is no GPU: a slice of it on the CPU, and what it takes from wheels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks" / "device"))
import checks
import inputs
import wheels


def script(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


def test_a_slice_of_it_on_the_cpu(tmp_path: Path) -> None:
    done = script("--device", "cpu", "--small", "--only", "exactness", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "gpu.md").read_text()
    assert text.startswith("# cpu, torch ")
    assert "character CNN: gradients" in text
    assert "**wrong**" not in text


def test_no_gpu_is_one_line() -> None:
    done = script("--device", "cuda:99")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("make gpu: device: there is no 'cuda:99' here")


def test_a_section_that_breaks_off_is_wrong() -> None:
    def section():
        yield checks.below("a", 1e-7, 1e-5)
        raise ValueError("odd")

    found = list(checks.rows("part", section))
    assert [check.ok for check in found] == [True, False]
    assert "ValueError: odd" in found[1].found
    assert "| part | part: broke off | ValueError: odd |  | **wrong** |" in checks.table(
        [("part", check) for check in found], "# head"
    )


def test_wheels_of_what_is_there_and_of_torch_stay_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"numpy": (2, 0, 0), "typer": (0, 12, 0), "torch": (2, 11, 0)}
    monkeypatch.setattr(wheels, "installed", there.get)
    for name in (
        "numpy-2.9",
        "typer-0.29.2",
        "torch-2.13.0",
        "nvidia_cudnn_cu13-9.1",
        "conllu-6.0",
    ):
        (tmp_path / f"{name}-py3-none-any.whl").touch()
    names = [path.name.split("-")[0] for path in wheels.useful(tmp_path)]
    assert names == ["conllu", "typer"]  # typer's own is below our range
    assert {"conllu", "typer", "datasets"} <= set(wheels.missing())
    assert not {"numpy", "torch"} & set(wheels.missing())


def test_everything_that_is_needed_is_here() -> None:
    assert not wheels.missing()


def test_data_of_our_own_making_are_read(tmp_path: Path, birnn) -> None:
    inputs.write_texts(tmp_path / "texts.csv", 90)
    inputs.write_sentences(tmp_path / "sentences.conll", 60)
    inputs.write_series(tmp_path / "series.csv", 200)
    inputs.write_vectors(tmp_path / "vectors.txt", 5)
    small = ("--hidden-size", "4", "--epochs", "1", "--members", "1")
    vectors = ("--vectors", tmp_path / "vectors.txt")
    for task, name, more in (
        ("sentiment", "texts.csv", vectors), ("tagging", "sentences.conll", vectors),
        ("forecast", "series.csv", ("--horizon", "6", "--lookback", "24")),
    ):  # fmt: skip
        done = birnn(task, "--data", tmp_path / name, "--out", tmp_path / task, *small, *more)
        assert done.code == 0, done.err
