"""Two processes do what one does: losses, scores, weights."""

import os
import pickle
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from birnn.config import apply
from birnn.data.splits.batching import shares
from birnn.tasks import TASKS
from birnn.tasks.sentiment.options import SentimentConfig

import contract
import shared_work
from places import ROOT
from shared_work import Case
from writers import write_shards

CHANGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "batch": {"norm": "batch", "accumulate": 2, "clip_norm": 0.05, "ema": 0.9},
}
LARGE = 150  # numbers of a table that is trained row by row: of words, here


def made_cases(home: Path) -> dict[str, Case]:
    cases = {}
    for task in TASKS:
        folder = home / task
        folder.mkdir()
        config = contract.tiny(task).TINY[contract.variants(task)[0]](folder)
        for name, changes in CHANGES.items():
            own = shared_work.without_dropout(config)
            train = {k: v for k, v in changes.items() if k != "norm"}
            # Three items of a batch, so that the last one can have fewer than there are processes.
            train = replace(own.train, epochs=2, batch_size=3, threads=1, **train)
            encoder = replace(own.encoder, norm=changes.get("norm", "none"))
            cases[f"{task} {name}"] = Case(task, replace(own, train=train, encoder=encoder), LARGE)
    cases["stream plain"] = Case("sentiment", streamed(home), LARGE)
    config = contract.tiny("regression").TINY["table"](home)
    train = replace(config.train, epochs=2, threads=1)
    encoder = replace(config.encoder, dropout=0.2, layers=2)
    return {**cases, "stopped": Case("regression", replace(config, train=train, encoder=encoder))}


def streamed(home: Path) -> Any:
    """Sentiment on shards, three texts a batch."""
    shards = write_shards(home / "shards", "parquet")
    usual = contract.tiny("sentiment").TINY[contract.variants("sentiment")[0]](home)
    config = shared_work.without_dropout(
        SentimentConfig(encoder=usual.encoder, model=replace(usual.model, members=1))
    )
    options = {"data": str(shards), "streaming": True, "steps": 9, "validate_every": 3,
               "shuffle_buffer": 40, "vectors": "none", "held_out": 60,
               "batch_size": 3, "threads": 1, "device": "cpu"}  # fmt: skip
    return apply(config, options)


def launch(words: list[str], places: list[Path]) -> list[subprocess.Popen[bytes]]:
    """Start a process in each of ``places``, as a launcher does."""
    count = len(places)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count),
             "LOCAL_WORLD_SIZE": str(count), "OMP_NUM_THREADS": "1"}  # fmt: skip
    path = str(ROOT)
    return [
        subprocess.Popen(
            [sys.executable, *words], cwd=place, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, **address, "RANK": str(rank), "LOCAL_RANK": str(rank),
                 "PYTHONPATH": path},
        )
        for rank, place in enumerate(places)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "cases").write_bytes(pickle.dumps(made_cases(folder)))
    program = shared_work.__file__
    both = launch([program, str(folder / "cases"), str(folder / "found")], [ROOT, ROOT])
    told = [process.communicate(timeout=300)[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], "\n".join(told)[-4000:]
    return folder


@pytest.mark.parametrize("name", [*(f"{t} {c}" for t in TASKS for c in CHANGES), "stream plain"])
def test_losses_and_scores_are_those_of_one_process(home: Path, name: str) -> None:
    case = pickle.loads((home / "cases").read_bytes())[name]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = shared_work.outcome(case)
    finally:
        torch.set_num_threads(before)
        shared_work.tables.LARGE = Case("", None).large
    both = pickle.loads((home / "found").read_bytes())[name]
    assert both["tokens"] == alone["tokens"]
    for mine, other in zip(both["history"], alone["history"], strict=True):
        assert mine == pytest.approx(other, rel=1e-5, abs=1e-6)
    assert both["test"] == pytest.approx(alone["test"], rel=1e-4, abs=1e-6)


def test_a_stop_that_one_process_is_asked_for_ends_all_at_one_step(home: Path) -> None:
    whole, again = shared_work.weights(home / "whole"), shared_work.weights(home / "again")
    assert whole.keys() == again.keys()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_one_process_goes_on_with_what_two_began(home: Path) -> None:
    case = pickle.loads((home / "cases").read_bytes())["stopped"]
    assert not (home / "alone").exists()
    shared_work.train_whole(case, home / "alone")
    assert shared_work.weights(home / "alone").keys() == shared_work.weights(home / "whole").keys()


def test_evaluate_has_the_scores_of_one_process(home: Path) -> None:
    both = pickle.loads((home / "found").read_bytes())["scores"]
    alone = shared_work.scores(home / "whole")
    assert both["data"] == alone["data"]
    assert both["test"]["model"]["mse"] == pytest.approx(alone["test"]["model"]["mse"])


def test_parts_are_made_in_turn_and_put_in_order(home: Path) -> None:
    found = pickle.loads((home / "found").read_bytes())["parts"]
    whole = [[0, 0, 1, 2], [1, 3, 4, 5], [0, 6, 7, 8], [1, 9]]  # rank and items
    assert found == [whole, [[0, 3, 4, 5], [1, 6, 7, 8], [0, 9]], whole[:1]]


def told_by(words: list[str], places: list[Path]) -> tuple[list[int], list[str]]:
    """The exit codes, and the lines of errors of all processes."""
    both = launch([str(ROOT / "cli.py"), *words], places)
    told = [process.communicate(timeout=300)[1].decode() for process in both]
    lines = [line for text in told for line in text.splitlines() if line.startswith("birnn: error")]
    return [process.returncode for process in both], lines


def test_what_one_process_meets_alone_is_one_line_and_ends_all(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    config = contract.tiny("regression").TINY["table"](tmp_path)
    file = Path(config.data.data)
    words = ["regression", "--data", file.name, "--target", config.data.target, "--out", "run"]
    if config.data.sequence_column:
        words += ["--sequence-column", config.data.sequence_column]
    codes, lines = told_by(words, [tmp_path, tmp_path / "other"])
    assert codes == [2, 2]
    assert len(lines) == 1
    assert file.name in lines[0]
    rows = file.read_text().splitlines()
    (tmp_path / "other" / file.name).write_text("\n".join(rows[:-3]) + "\n")
    codes, lines = told_by(words, [tmp_path, tmp_path / "other"])
    assert codes == [2, 2]
    assert len(lines) == 1
    assert "other data" in lines[0]
    assert not (tmp_path / "run").exists()
    assert not list(tmp_path.glob(".run*"))


@pytest.mark.parametrize("command", ["export", "tune"])
def test_what_several_processes_can_t_share_is_refused_once(
    command: str, birnn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    outcome = birnn(command, "x")
    assert outcome.code == 2
    assert f"error: {command}: " in outcome.err
    assert len(outcome.err.splitlines()) == 1
    monkeypatch.setenv("RANK", "1")
    silent = birnn(command, "x")
    assert (silent.code, silent.out, silent.err) == (2, "", "")


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), st.integers(1, 9))
def test_a_batch_is_shared_without_an_item_lost_or_twice(lengths: list[int], count: int) -> None:
    parts = shares(np.array(lengths), count)
    assert len(parts) == count
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(lengths)))
    # No contiguous division has less padding in its largest part than the longest item, or a share.
    cost = max(len(part) * max(lengths[i] for i in part) for part in parts if len(part))
    assert cost >= max(max(lengths), sum(lengths) / count)
    assert cost <= 2 * max(max(lengths), -(-len(lengths) // count) * max(lengths))
