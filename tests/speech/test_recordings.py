"""Files of sound: formats, rates, channels; what can't be used; splits without shared speakers."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from birnn.data.audio.features import FeatureOptions
from birnn.data.audio.listing import list_recordings, speaker_of
from birnn.data.audio.loading import Findings, Frames, as_split, cut_listing, cut_rows, usual_rate
from birnn.data.audio.recordings import Listing, Recording, SoundOptions
from birnn.data.audio.waves import read_wave
from birnn.data.splits.cutting import FoldOptions
from birnn.errors import ConfigError, DataError

from contract import tiny

RATE = 8000
UNREADABLE = (
    "text.wav", "missing.wav", "..", "x.raw", "~nobody/y.wav", "long" * 99, "a\0b",
)  # fmt: skip
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16000, 11025])
def test_formats_channels_and_rates_give_the_same_tone(
    suffix: str, channels: int, rate: int, tmp_path: Path
) -> None:
    own = 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.stack([own] * channels, axis=1), rate)
    wave = read_wave(path, RATE, 30)
    assert wave.rate == RATE
    assert abs(len(wave.samples) - RATE) <= 2
    middle = slice(1000, 7000)
    assert np.corrcoef(wave.samples[middle], TONE[middle])[0, 1] > 0.99


def broken_files(folder: Path) -> list[Recording]:
    """One good recording, and one of each kind that is not."""
    loud = np.clip(TONE * 10, -1, 1)
    made = {
        "good": TONE, "silent": np.zeros(4000), "empty": np.zeros(0), "long": np.tile(TONE, 4),
        "clipped": loud, "nan": np.array([0.1, np.nan]),
    }  # fmt: skip
    rows = []
    for name, samples in made.items():
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")
        rows.append(Recording(f"{name}.wav", folder / f"{name}.wav", "x"))
    (folder / "text.wav").write_text("no sound")
    (folder / "x.raw").write_bytes(b"1234")
    for name in UNREADABLE:
        rows.append(Recording(name, folder / name, "x"))
    return rows


def test_what_cant_be_used_is_named_with_its_reason(tmp_path: Path) -> None:
    findings = Findings()
    split = as_split(broken_files(tmp_path), FeatureOptions(RATE, 8), 3.0, findings)
    assert [row.name for row in split.recordings] == ["good.wav", "clipped.wav"]
    assert findings.clipped == ["clipped.wav"]
    told = {line.partition(":")[0]: line for line in findings.broken}
    named = ("silent.wav", "empty.wav", "long.wav", "nan.wav", *UNREADABLE)
    assert set(told) == set(named)
    assert "--max-seconds" in told["long.wav"]
    assert "no such file" in told["missing.wav"]
    assert str(tmp_path) not in "".join(findings.broken)
    assert len(findings.notes()) == 2


def test_frames_beyond_the_bound_lie_in_a_file_and_are_the_same() -> None:
    parts = [np.random.default_rng(i).normal(size=(i + 1, 3)).astype(np.float32) for i in range(9)]
    held, filed = Frames(3), Frames(3, held=50)
    for part in parts:
        held.add(part)
        filed.add(part)
    found = filed.whole()
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, held.whole())


def test_the_usual_rate_is_that_of_most(tmp_path: Path) -> None:
    rows = [Recording(str(i), None, samples=TONE, rate=r) for i, r in enumerate([8000, 8000, 4000])]
    assert usual_rate(rows) == 8000
    assert usual_rate([replace(row, rate=44100) for row in rows]) == 16_000


def write(folder: Path, rows: list[list[str]], header: list[str]) -> SoundOptions:
    with (folder / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return SoundOptions(str(folder / "index.csv"))


def test_rows_of_a_table_are_recordings(tmp_path: Path) -> None:
    options = write(
        tmp_path, [["a.wav", " Turn  LEFT", "ann", "train"], ["b.wav", "", "bo", "dev"],
                   ["", "x", "cy", "test"], ["sub/c.wav", "go", "cy", "eval"]],
        ["File", "Transcript", "client_id", "split"],
    )  # fmt: skip
    listing = list_recordings(options)
    assert {name: [row.text for row in rows] for name, rows in listing.splits.items()} == {
        "train": ["turn left"], "test": ["go"],
    }  # fmt: skip
    assert listing.splits["test"][0].path == tmp_path / "sub" / "c.wav"
    assert listing.splits["train"][0].speaker == "ann"
    assert any("without a text (rows 2)" in note for note in listing.notes)
    assert any("without a path (rows 3)" in note for note in listing.notes)
    bad = write(tmp_path, [["a.wav", "x", "sometimes"]], ["path", "text", "split"])
    with pytest.raises(DataError, match=r"row 1: 'sometimes' .* --split-column none"):
        list_recordings(bad)
    assert len(list_recordings(replace(bad, split_column="none")).splits["train"]) == 1


def test_subfolders_are_labels_and_splits(tmp_path: Path) -> None:
    for place in ("train/Yes", "train/no", "test/no"):
        (tmp_path / place).mkdir(parents=True)
        soundfile.write(tmp_path / place / "7_jackson_1.wav", TONE, RATE)
    options = SoundOptions(str(tmp_path), speaker_pattern="_([a-z]+)_")
    listing = list_recordings(options)
    assert [row.text for row in listing.splits["train"]] == ["yes", "no"]
    assert [row.speaker for row in listing.splits["test"]] == ["jackson"]
    flat = list_recordings(replace(options, source=str(tmp_path / "train")))
    assert [row.text for row in flat.splits["train"]] == ["yes", "no"]
    soundfile.write(tmp_path / "loose.wav", TONE, RATE)
    with pytest.raises(DataError, match="is in no subfolder"):
        list_recordings(replace(options, source=str(tmp_path)))


@pytest.mark.parametrize("pattern", ["(", "[a-z]+"])
def test_a_pattern_without_a_speaker_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError, match="speaker_pattern"):
        speaker_of("7_jackson_32.wav", pattern)


def rows_of(speakers: dict[str, int]) -> list[Recording]:
    return [
        Recording(f"{who}{i}", None, str(i % 3), who)
        for who, count in speakers.items() for i in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_no_speaker_stands_in_two_splits(seed: int) -> None:
    rows = rows_of({"a": 10, "b": 20, "c": 5, "d": 30, "e": 15})
    options = SoundOptions("x", split_seed=seed)
    cut = cut_listing(Listing({"train": rows}, "x"), options)
    speakers = [{row.speaker for row in cut.splits[name]} for name in cut.splits]
    assert sum(map(len, speakers)) == 5
    assert sum(map(len, cut.splits.values())) == len(rows)
    assert not cut.warnings
    loose = cut_listing(Listing({"train": rows}, "x"), replace(options, split_by="recording"))
    assert len(loose.splits["test"]) == 8
    assert cut_listing(Listing({"train": rows}, "x"), options).splits == cut.splits


def test_shared_and_unknown_speakers_are_told() -> None:
    rows = rows_of({"a": 10, "b": 10, "c": 10})
    given = Listing({"train": rows, "test": rows_of({"a": 5, "z": 2})}, "x")
    cut = cut_listing(given, SoundOptions("x"))
    assert any("1 of 2 speakers of test stands in train too" in line for line in cut.warnings)
    unknown = cut_listing(Listing({"train": rows_of({"": 30})}, "x"), SoundOptions("x"))
    assert any("--speaker-column" in line for line in unknown.warnings)


def test_folds_leave_each_speaker_out_once() -> None:
    rows = rows_of(dict.fromkeys("abcdef", 6))
    seen = []
    for fold in range(1, 7):
        options = SoundOptions("x", fold=FoldOptions(6, fold, "speaker"))
        cut = cut_listing(Listing({"train": rows}, "x"), options)
        own = [
            {row.speaker for row in cut.splits[name]} for name in ("train", "validation", "test")
        ]
        assert not own[2] & (own[0] | own[1])
        assert not own[0] & own[1]
        seen += own[2]
    assert sorted(seen) == list("abcdef")
    with pytest.raises(DataError, match="grouped by speaker alone"):
        cut_listing(Listing({"train": rows}, "x"), SoundOptions("x", fold=FoldOptions(6, 1, "who")))


def test_one_recording_stays_when_rows_are_cut() -> None:
    rows = rows_of({"a": 2})
    assert [len(part) for part in cut_rows(rows, 9, 0, apart=False)] == [1, 1]


def test_a_folder_may_hold_tables_and_sounds_side_by_side(tmp_path: Path) -> None:
    tiny("speech").write_recordings(tmp_path)
    both = list_recordings(SoundOptions(str(tmp_path)))
    alone = list_recordings(SoundOptions(str(tmp_path / "index.csv")))
    assert both.splits == alone.splits
    rows = (tmp_path / "index.csv").read_text().splitlines(keepends=True)
    (tmp_path / "index.csv").unlink()
    (tmp_path / "train.csv").write_text("".join(rows[:25]))
    (tmp_path / "dev.csv").write_text("".join([rows[0], *rows[25:]]))
    found = list_recordings(SoundOptions(str(tmp_path))).splits
    assert {name: len(part) for name, part in found.items()} == {"validation": 12, "train": 24}
    (tmp_path / "other.csv").write_text("".join(rows[:3]))
    with pytest.raises(DataError, match="'other' among 3 tables names no split"):
        list_recordings(SoundOptions(str(tmp_path)))


def test_some_speakers_that_are_not_known_are_a_warning() -> None:
    rows = [Recording(f"{i}.wav", None, "a", f"s{i % 5}" if i % 3 else "") for i in range(30)]
    cut = cut_listing(Listing({"train": rows}, "x"), SoundOptions("x"))
    (warning,) = cut.warnings
    assert warning.startswith("10 recordings have no speaker")
    assert not cut_listing(
        Listing({"train": rows}, "x"), SoundOptions("x", split_by="recording")
    ).warnings


def test_short_and_equal_recordings_are_told() -> None:
    sounds = [TONE, TONE[:3], TONE[:100], TONE, TONE, -TONE]
    texts = ["a", "a", "b", "a", "b", "a"]
    rows = [
        Recording(f"{i}.wav", None, text, samples=sound, rate=RATE)
        for i, (sound, text) in enumerate(zip(sounds, texts, strict=True))
    ]
    findings = Findings()
    as_split(rows[:3], FeatureOptions(RATE), 30, findings)
    as_split(rows[3:], FeatureOptions(RATE), 30, findings)  # of another split
    assert findings.short == ["1.wav", "2.wav"]
    assert findings.twins == ["3.wav"]
    assert findings.torn == ["4.wav ('b'; 0.wav 'a')"]
    assert len(findings.notes()) == 3
