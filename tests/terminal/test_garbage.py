"""Garbage is not searched for while a command loads its libraries, and as ever from then on."""

import gc

import pytest

from birnn import cli


def test_collection_goes_on_once_a_command_has_loaded(birnn) -> None:
    frozen = gc.get_freeze_count()
    assert birnn("--version").code == 0
    with cli.status("reading"):
        assert gc.isenabled()  # in somebody's own process nothing changes
    assert gc.get_freeze_count() == frozen
    gc.disable()
    try:
        with cli.status("reading"):
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.enable()
        gc.unfreeze()


def test_the_console_script_trains_with_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(cli.training, "run_training", lambda *_: seen.append(gc.isenabled()))
    monkeypatch.setattr("sys.argv", ["birnn", "regression"])
    try:
        with pytest.raises(SystemExit) as ended:
            cli.run()
        assert ended.value.code == 0
        assert seen == [True]
    finally:
        gc.enable()
        gc.unfreeze()
