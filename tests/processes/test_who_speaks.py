"""A refusal before the processes have joined: one is heard, and has the time to be."""

import time

import pytest

from birnn import processes


@pytest.fixture
def waited(monkeypatch):
    slept = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def test_the_first_speaks_at_once(waited, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    assert processes.speaks(2)
    assert not waited


def test_the_others_end_after_it_and_in_silence(waited, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert not processes.speaks(2)
    assert sum(waited) >= 3


def test_a_signal_of_the_launcher_is_no_traceback(monkeypatch):
    def ended(seconds):
        raise KeyboardInterrupt

    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setattr(time, "sleep", ended)
    assert not processes.speaks(2)


def test_alone_there_is_nobody_to_wait_for(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert processes.speaks(2)
