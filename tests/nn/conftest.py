"""What several tests of the engines share."""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from birnn.native import compiler, library
from birnn.nn import engines


def quick_compiler(folder: Path) -> Path:
    """The compiler that there is, told last to optimise nothing: a fifth of the time."""
    script = folder / "quick-cc"
    command = shlex.join(compiler.find_compiler())
    script.write_text(f'#!/bin/sh\nexec {command} "$@" -O0\n', encoding="utf-8")
    script.chmod(0o700)
    return script


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A machine that has never compiled the engine; its own folder is ``tmp_path / "own"``."""
    monkeypatch.setenv("BIRNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compiler, "_own_folder", lambda: tmp_path / "own")
    with suppress(compiler.NativeError):
        monkeypatch.setenv("CC", str(quick_compiler(tmp_path)))
    for cached in (library._loaded, engines._untraced):
        cached.cache_clear()
    yield monkeypatch
    for cached in (library._loaded, engines._untraced):
        cached.cache_clear()
