"""One server of the four tasks for each file of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from places import FIXTURES
from served import Server, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """It serves a run of each task."""
    with serving() as started:
        yield started


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the runs of the fixtures were trained on, and steps for the regressor."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("make_runs", FIXTURES / "make_runs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    home = tmp_path_factory.mktemp("inputs")
    module.write_inputs(home)
    rows = [f"{step % 5 - 2},{step % 3 - 1.5}" for step in range(20)]
    (home / "steps.csv").write_text("\n".join(["x1,x2", *rows]) + "\n")
    return home
