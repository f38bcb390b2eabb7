"""Slices of the sums: measured once for a machine, kept safely, pinned, asked where they count."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from birnn.native import scan, tuning
from birnn.native.library import library
from birnn.nn.engines import NATIVE, Work
from birnn.nn.scan import GRU, CellWeights

pytestmark = pytest.mark.skipif(
    NATIVE.missing(Work(GRU, torch.device("cpu"), torch.float32)) is not None,
    reason="no C compiler",
)


class Machine:
    """One on which slices of ``quickest`` terms take the least time, on a clock of its own."""

    def __init__(self, patch: pytest.MonkeyPatch, quickest: int, gain: float = 0.5) -> None:
        self.now, self.scans, self.quickest, self.gain = 0.0, 0, quickest, gain
        patch.setattr(tuning.time, "thread_time", lambda: self.now)

    def scan(self, slice_: int) -> None:
        """Take some of its time."""
        self.scans += 1
        self.now += 1 - self.gain * (slice_ == self.quickest)

    def make(self) -> Callable[[int], None]:
        """What is measured."""
        return self.scan


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan-0123.so"


@pytest.mark.parametrize("quickest", tuning.SLICES)
def test_the_quickest_is_found_and_kept(
    quickest: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(monkeypatch, quickest)
    assert tuning.best_slice(path, machine.make) == quickest
    asked = machine.scans
    assert tuning.best_slice(path, machine.make) == quickest
    assert machine.scans == asked == (1 + (quickest > 0)) * tuning.TURNS * len(tuning.SLICES)
    (kept,) = path.parent.iterdir()
    assert kept.name.startswith("scan-0123-")
    assert kept.suffix == ".slice"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_gain_that_could_be_chance_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tuning.best_slice(path, Machine(monkeypatch, 96, gain=0.02).make) == 0


def test_what_is_not_seen_twice_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(monkeypatch, 96)

    def scan(slice_: int) -> None:
        if machine.scans == tuning.TURNS * len(tuning.SLICES):
            machine.quickest = 64
        machine.scan(slice_)

    assert tuning.best_slice(path, lambda: scan) == 0


DAMAGED = {
    "empty": lambda kept: kept.write_bytes(b""),
    "cut": lambda kept: kept.write_bytes(b"12"),
    "another number": lambda kept: kept.write_bytes(b"77\n"),
    "no text": lambda kept: kept.write_bytes(b"\xff\x00"),
    "longer": lambda kept: kept.write_bytes(b"128\n128\n"),
    "others may write": lambda kept: (kept.write_bytes(b"0\n"), kept.chmod(0o666)),
    "a link": lambda kept: (
        kept.rename(kept.with_name("zero")).write_bytes(b"0\n"),
        kept.symlink_to(kept.with_name("zero")),
    ),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_what_is_damaged_or_anothers_is_measured_again(
    how: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(monkeypatch, 128)
    tuning.best_slice(path, machine.make)
    (kept,) = path.parent.iterdir()
    DAMAGED[how](kept)
    asked = machine.scans
    assert tuning.best_slice(path, machine.make) == 128
    assert machine.scans == 2 * asked
    assert kept.read_bytes() == b"128\n"
    assert not kept.is_symlink()


def test_where_nothing_can_be_kept_it_is_measured_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(monkeypatch, 64)
    nowhere = tmp_path / "gone" / "scan-0123.so"
    assert tuning.best_slice(nowhere, machine.make) == 64
    assert tuning.best_slice(nowhere, machine.make) == 64
    assert machine.scans == 4 * tuning.TURNS * len(tuning.SLICES)


def test_it_can_be_pinned(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 64)
    monkeypatch.setenv(tuning.PIN, "100")
    assert tuning.best_slice(path, machine.make) == 100
    assert not machine.scans
    for wrong in ("", "-1", "many", "٣"):
        monkeypatch.setenv(tuning.PIN, wrong)
        assert tuning.best_slice(path, machine.make) == 64


@pytest.mark.parametrize(("batch", "hidden", "asked"), [(1, 256, 0), (40, 48, 0), (64, 256, 1)])
def test_it_is_asked_once_and_only_where_it_matters(
    batch: int, hidden: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def best(path: Path, make: Callable[[], Callable[[int], None]]) -> int:
        calls.append(path)
        make()(96)
        return 64

    monkeypatch.setattr(library(), "slice", None)
    monkeypatch.setattr(tuning, "best_slice", best)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    rows = 3 * hidden
    weights = CellWeights(
        *(torch.full(s, 0.01) for s in ((rows, 2), (rows, hidden), (rows,), (rows,)))
    )
    before = torch.get_rng_state()
    for _ in range(2):
        scan.native_scan(GRU, torch.ones(batch, 3, 2), torch.full((batch,), 3), [weights, weights])
    assert len(calls) == asked
    assert all(path == library().path for path in calls)
    assert torch.equal(torch.get_rng_state(), before)
