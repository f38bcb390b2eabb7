"""Synthetic voices beside the people of train."""

from pathlib import Path

import numpy as np
import pytest

import birnn
from birnn.data.audio import synthetic
from birnn.data.audio.synthetic import synthetic_recordings, trimmed
from birnn.errors import DataError

from contract import tiny

pytest.importorskip("espeakng_loader")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_every_voice_says_the_texts_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found = synthetic_recordings(["two", "one", "two"], 3, "en", 16_000)
    assert [row.text for row in found] == ["one", "two"] * 3
    assert [row.speaker for row in found] == [f"synthetic {n}" for n in (1, 1, 2, 2, 3, 3)]
    waves = [row.samples for row in found]
    assert all(wave is not None and 0.1 < len(wave) / 16_000 < 2 for wave in waves)
    assert len({len(wave) for wave in waves if wave is not None}) > 2
    monkeypatch.setattr(synthetic, "Voice", None)  # what is kept needs none
    again = synthetic_recordings(["one", "two"], 3, "en", 16_000)
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


def test_silence_at_the_ends_is_cut() -> None:
    wave = np.concatenate([np.zeros(500), np.full(100, 9000), np.zeros(700)]).astype(np.int16)
    assert len(trimmed(wave, 1000)) == 120
    assert not len(trimmed(wave[:0], 1000))


def test_an_unknown_language_is_one_line() -> None:
    with pytest.raises(DataError, match="no voice xx"):
        synthetic_recordings(["one"], 1, "xx", 8000)


def test_train_alone_has_them_and_says_so(tmp_path: Path) -> None:
    options = {"epochs": 1, "hidden_size": 4, "channels": 4, "front_size": 8, "mels": 8,
               "window": 0.02, "labels": True, "device": "cpu"}  # fmt: skip
    table = tiny("speech").write_recordings(tmp_path)
    made = birnn.train("speech", table, out=tmp_path / "run", synthetic_voices=4, **options)
    rows, notes = made.metrics["data"]["rows"], made.metrics["data"]["notes"]
    assert "train: 24 recordings of 4 synthetic voices (espeak-ng) added" in notes
    plain = made.loaded.task.load()
    assert rows["train"] == len(plain.splits["train"])
    names = {name: {row.speaker for row in part.recordings} for name, part in plain.splits.items()}
    assert any("synthetic" in name for name in names["train"])
    assert not any("synthetic" in name for name in names["test"] | names["validation"])
