"""What several tests of the engines share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from birnn.native import compiler, library
from birnn.nn import engines


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A machine that has never compiled the engine; its own folder is ``tmp_path / "own"``."""
    monkeypatch.setenv("BIRNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compiler, "_own_folder", lambda: tmp_path / "own")
    for cached in (library._loaded, engines._untraced):
        cached.cache_clear()
    yield monkeypatch
    for cached in (library._loaded, engines._untraced):
        cached.cache_clear()
