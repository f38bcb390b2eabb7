"""How many threads torch gets."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from birnn.nn import devices


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_given_number_is_taken_as_it_stands() -> None:
    devices.use_threads(3)
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (6, 6), (64, 16)])
def test_all_cores_that_may_be_used_up_to_sixteen(
    cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    monkeypatch.setattr(devices, "_quota", lambda: 1000)
    assert devices.default_threads() == threads


def test_a_containers_share_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    monkeypatch.setattr(devices, "_quota", lambda: 3)
    assert devices.default_threads() == 3


def test_the_variable_of_openmp_counts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    torch.set_num_threads(5)
    monkeypatch.setattr(devices, "_quota", lambda: 1)
    assert devices.default_threads() == 5


@pytest.mark.parametrize(
    ("text", "cores"),
    [("250000 100000", 3), ("50000 100000", 1), ("max 100000", 16), ("odd", 16), ("1 0", 16)],
)
def test_control_groups_are_read(text: str, cores: int, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(text + "\n")
    assert devices._quota(tmp_path) == cores


def test_no_control_group_sets_no_limit(tmp_path: Path) -> None:
    assert devices._quota(tmp_path / "none") == devices.MOST_THREADS
