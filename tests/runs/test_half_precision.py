"""A run that trains with bf16 on a CPU: who computes it, what it leaves, how it goes on."""

from pathlib import Path

import pytest
import torch

from birnn.cli import main
from birnn.native import library, scan
from birnn.native.library import MAKES
from birnn.nn import engines
from birnn.nn.scan import GRU
from birnn.tasks.runs.fitting import Trained

from faults import fingerprint, interrupt
from writers import TINY, sentences, write_table

OPTIONS = [*TINY, "--epochs", "2", "--batch-size", "16", "--patience", "0", "--device", "cpu",
           "--mixed-precision", "bf16"]  # fmt: skip
CPU = torch.device("cpu")
COMPILED = engines.NATIVE.missing(engines.Work(GRU, CPU, torch.float32)) is None
pytestmark = pytest.mark.skipif(
    not (COMPILED and library.library().half.make), reason="no products in bfloat16 here"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("data") / "reviews.csv", sentences())


def train(data: Path, out: Path) -> int:
    return main(["sentiment", str(data), *OPTIONS, "--out", str(out)])


def test_the_recurrences_of_training_are_in_bfloat16_and_those_after_it_are_not(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    asked: list[tuple[bool, bool]] = []  # in training, in bfloat16
    native, trained = scan.native_layer, Trained.__init__
    after = False  # the report's explanations take gradients too

    def layer(*given: object, half: bool = False, **named: object) -> object:
        asked.append((torch.is_grad_enabled() and not after, half))
        return native(*given, half=half, **named)

    def ended(*given: object, **named: object) -> None:
        nonlocal after
        after = True
        trained(*given, **named)

    monkeypatch.setattr(scan, "native_layer", layer)
    monkeypatch.setattr(Trained, "__init__", ended)
    assert train(data, tmp_path / "run") == 0
    header = " ".join("".join(capsys.readouterr()).split())
    words = library.library().half.words
    assert f"native (C, compiled for this processor; products in bfloat16 by {words})" in header
    assert "mixed with bf16" in header
    assert {half for training, half in asked if training} == {True}
    asked.clear()
    assert main(["predict", str(tmp_path / "run"), "a fine film"]) == 0
    assert main(["evaluate", str(tmp_path / "run")]) == 0
    assert {half for _, half in asked} == {False}


def test_without_such_products_a_run_trains_and_says_so_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(library.library(), "half", MAKES[0])
    assert train(data, tmp_path / "run") == 0
    text = " ".join("".join(capsys.readouterr()).split())
    assert text.count("recurrences stay in float32: this processor has neither") == 1


def test_a_run_that_was_cut_goes_on_to_the_same_bytes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train(data, tmp_path / "whole") == 0
    interrupt(monkeypatch, 1, data, *OPTIONS, "--out", tmp_path / "cut")
    assert main(["sentiment", "--resume", str(tmp_path / "cut")]) == 0
    assert fingerprint(tmp_path / "cut") == fingerprint(tmp_path / "whole")
