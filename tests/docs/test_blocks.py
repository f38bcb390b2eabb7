"""Every block of README and docs runs; by default those that are quick."""

import os
from pathlib import Path

import pytest

from tools.docs.blocks import pages, read_blocks
from tools.docs.running import desk, quick, split

ALL = os.environ.get("BIRNN_DOCS") == "all"  # make docs-test
NAMES = [path.name if path.parent.name != "start" else f"start/{path.name}" for path in pages()]


@pytest.mark.parametrize("page", pages(), ids=NAMES)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    blocks = [block for block in read_blocks(page) if block.is_run and (ALL or not block.slow)]
    if not blocks:
        pytest.skip("shows, and runs, nothing")
    with desk(tmp_path / "desk", page.read_text(encoding="utf-8")) as place:
        for block in blocks:
            place.run(block)


def test_a_reason_is_given() -> None:
    for page in pages():
        for block in read_blocks(page):
            assert not block.reason or len(block.reason) > 5, block.place


def test_a_training_command_is_made_quick_and_no_other() -> None:
    made = quick(split("sentiment --epochs 5 --data x.csv"))
    assert made[:5] == ["sentiment", "--epochs", "5", "--data", "x.csv"]
    assert "--hidden-size" in made
    assert made.count("--epochs") == 1
    assert quick(["predict", "runs/x"]) == ["predict", "runs/x"]
    assert quick(["sentiment", "--resume", "runs/x"]) == ["sentiment", "--resume", "runs/x"]


def test_pipes_and_quotes_are_split() -> None:
    assert split('cat a.txt | birnn predict r "a b" > c') == [
        "cat", "a.txt", "|", "birnn", "predict", "r", "a b", ">", "c",
    ]  # fmt: skip
