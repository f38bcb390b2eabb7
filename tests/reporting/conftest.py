"""Finished runs of every task on tiny data, each made once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import contract
import lives

_made: dict[tuple[str, str], Path] = {}


@pytest.fixture
def finished(birnn, tmp_path_factory) -> Callable[[str, str], Path]:
    """``finished("tagging", "raw")`` is the folder of a run; not to be changed."""

    def run(task: str, variant: str) -> Path:
        if (task, variant) not in _made:
            home = tmp_path_factory.mktemp(task)
            config = contract.tiny(task).TINY[variant](home)
            config = replace(config, train=replace(config.train, epochs=2))
            outcome = birnn(task, "--out", home / "run", *lives.words(config))
            assert outcome.code == 0, outcome.err
            _made[task, variant] = home / "run"
        return _made[task, variant]

    return run
