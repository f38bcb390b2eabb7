"""Every block of README and docs runs; by default those that are quick."""

import os
from pathlib import Path

import pytest

from docs.tools.blocks import Block, pages, read_blocks
from docs.tools.running import desk, quick, split

ALL = os.environ.get("BIRNN_DOCS") == "all"  # make docs-test
NAMES = [path.name if path.parent.name != "start" else f"start/{path.name}" for path in pages()]


@pytest.mark.parametrize("page", pages(), ids=NAMES)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    blocks = [block for block in read_blocks(page) if block.is_run and (ALL or not block.slow)]
    if not blocks:
        pytest.skip("shows, and runs, nothing")
    with desk(tmp_path / "desk", blocks) as place:
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


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("sh", "birnn predict runs/none 'a text'", "runs/none"),
        ("sh", "python cli.py sentiment reviews.csv --sise 3", "--sise"),
        ("sh", "make no-such-target", "no-such-target"),
        ("sh", "cat nothing.csv", "nothing.csv"),
        ("toml", "hidden_sise = 3", "no command takes these options"),
    ],
)
def test_a_block_that_fails_is_told_with_its_place(language, text, said, tmp_path: Path) -> None:
    block = Block(pages()[0], 7, language, text)
    with desk(tmp_path, []) as place, pytest.raises(AssertionError) as told:
        place.run(block)
    assert said in str(told.value)
    assert "README.md:7" in str(told.value)


def test_python_that_fails_is_told_with_its_place(tmp_path: Path) -> None:
    with desk(tmp_path, []) as place, pytest.raises(ZeroDivisionError) as told:
        place.run(Block(pages()[0], 7, "python", "1 / 0"))
    assert "README.md:7" in str(told.traceback[-1].path)


@pytest.mark.parametrize("text", ["```\nls\n```\n", "```sh\nls\n"])
def test_a_fence_without_a_language_or_an_end_is_refused(text, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("docs.tools.blocks.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md:1"):
        read_blocks(page)


def test_notes_above_a_block(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: no network -->\n```sh\nls\n```\n"
        "<!-- slow -->\n<!-- before: x = 1 -->\n```python\ny = x\n```\n"
        "```text\nout\n```\n",
        encoding="utf-8",
    )
    first, second, third = read_blocks(page)
    assert (first.is_run, first.reason) == (False, "no network")
    assert (second.is_run, second.slow, second.before) == (True, True, "x = 1")
    assert not third.is_run
