"""What a message says of rows, and what the files of a run share."""

from pathlib import Path

import numpy as np
import pytest

from birnn.errors import CheckpointError
from birnn.storage.untrusted import MEMORY, charge, one_budget
from birnn.tasks.sentiment.options import SentimentConfig, SentimentData
from birnn.tasks.sentiment.task import Sentiment

import contract
from contract import prepare
from writers import sentences, write_table


def test_items_are_named_by_their_rows_of_the_file(tmp_path: Path) -> None:
    rows = sentences()
    path = write_table(tmp_path / "x.csv", [("", "good"), *rows])
    task = Sentiment(SentimentConfig(SentimentData(str(path), vectors="none")))
    train = task.load().splits["train"]
    text = train.table["text"][7]
    number = next(i for i, row in enumerate(rows, start=2) if row[0] == text)
    assert task.name_items(train, [7]) == f"rows {number} of {path}"


def test_the_files_of_a_run_share_one_budget() -> None:
    half = MEMORY // 2 + 1
    charge(Path("a"), half)
    charge(Path("b"), half)  # each by itself
    with one_budget():
        charge(Path("a"), half)
        with pytest.raises(CheckpointError, match="b would take"):
            charge(Path("b"), half)


@pytest.mark.parametrize("task", ["tagging", "forecast", "regression"])
def test_items_of_every_task_are_named_by_their_place(task: str, tmp_path: Path) -> None:
    variant = contract.variants(task)[0]
    case = prepare(task, variant, tmp_path)
    train = case.data.splits["train"]
    said = case.task.name_items(train, np.array([1, 0]))
    if task == "tagging":
        lines = sorted(row["line"] for row in train.table.select([0, 1]))
        wanted = f"sentences at lines {lines[0]}, {lines[1]} of "
    elif task == "regression":
        wanted = "sequences 1, 2 of train"
    else:
        name = train.panel.names[int(train.series[0])]
        stamp = train.panel.stamps(int(train.series[0]), int(train.origin[0]), 1)[0]
        wanted = f"windows of {name} at {stamp}"
    assert said.startswith(wanted)


def test_a_message_is_one_line_whatever_names_it_holds() -> None:
    assert str(CheckpointError("no column 'a\n\tb'\r\n here")) == "no column 'a b' here"
