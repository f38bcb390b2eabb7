"""A recogniser from the command line and from Python: alone and together, files, refusals."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import birnn as python
from birnn.cli import main
from birnn.errors import ConfigError, DataError

from contract import tiny

SMALL = ["--encoder", "bigru", "--layers", "1", "--hidden-size", "12", "--channels", "6",
         "--front-size", "16", "--mels", "16", "--window", "0.02", "--epochs", "30",
         "--batch-size", "6", "--learning-rate", "0.02", "--head-dropout", "0",
         "--speed", "0", "--voice", "0", "--noise", "0", "--band-masks", "0", "--time-masks", "0",
         "--threads", "1", "--ema", "0", "--patience", "0", "--front-dropout", "0"]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings, and a ``run`` that has learned to read them."""
    folder = tmp_path_factory.mktemp("speech")
    tiny("speech").write_recordings(folder)
    given = ["speech", str(folder / "index.csv"), *SMALL, "--out", str(folder / "run")]
    assert main(given) == 0
    return folder


def test_tones_are_read_from_speakers_that_were_not_heard(home: Path) -> None:
    metrics = json.loads((home / "run" / "metrics.json").read_text())
    assert metrics["test"]["model"]["cer"]["value"] < 0.6
    assert metrics["data"]["speakers"] == {"train": 4, "validation": 1, "test": 1}
    names = ["most_frequent", "nearest"]
    assert list(metrics["test"]["baselines"]) == names


def test_a_recording_alone_is_read_as_in_a_batch(home: Path) -> None:
    run = python.load(home / "run")
    paths = [str(home / f"{i}.wav") for i in range(36)]
    together = run.predict_records(paths)
    for path, record in zip(paths, together, strict=True):
        alone = run.predict_records([path])[0]
        assert alone["text"] == record["text"]
        assert [w["word"] for w in alone["words"]] == [w["word"] for w in record["words"]]
        assert alone["confidence"] == pytest.approx(record["confidence"], abs=1e-5)
    assert run.predict(paths[0]) == together[0]["text"]


def test_files_folders_tables_and_samples_are_answered_alike(
    home: Path, birnn, tmp_path: Path
) -> None:
    run = python.load(home / "run")
    wanted = run.predict_records([str(home / "3.wav")])[0]
    assert run.predict(pd.DataFrame({"path": ["3.wav"]})) == [wanted["text"]]
    samples, _ = soundfile.read(home / "3.wav", dtype="float32")
    assert run.predict([samples]) == [wanted["text"]]
    (tmp_path / "sub").mkdir()
    soundfile.write(tmp_path / "sub" / "x.wav", samples, 4000, subtype="PCM_16")
    (tmp_path / "list.jsonl").write_text(json.dumps({"path": "sub/x.wav"}) + "\n")
    for source in ("sub/x.wav", "sub", "list.jsonl"):
        outcome = birnn("predict", home / "run", "--input", tmp_path / source, "--json")
        assert outcome.code == 0, outcome.err
        assert json.loads(outcome.out)["text"] == wanted["text"]
    out = tmp_path / "out.csv"
    paths = [tmp_path / "sub" / "x.wav", tmp_path / "no.wav"]
    outcome = birnn("predict", home / "run", *paths, "--output", out)
    assert outcome.code == 0
    assert "no such file" in outcome.err
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["text"] for row in rows] == [wanted["text"]]


def test_times_of_words_lie_in_order_within_the_recording(home: Path) -> None:
    run = python.load(home / "run")
    for i in range(36):
        path = home / f"{i}.wav"
        record = run.predict_records([str(path)])[0]
        ends = [0.0]
        for word in record["words"]:
            assert ends[-1] <= word["start"] < word["end"]
            assert 0 < word["confidence"] <= 1
            ends.append(word["end"])
        assert ends[-1] <= soundfile.info(path).duration + 0.03
        assert " ".join(word["word"] for word in record["words"]) == record["text"]


def test_a_search_reads_known_words_alone(home: Path) -> None:
    from birnn.tasks.runs.folder import load_run
    from birnn.tasks.speech.search import Search

    run = load_run(home / "run")
    split = run.task.load_split(run.info, "", "test").split
    for row in run.task.soft(run.model, split, run.info):
        for search in (Search(8), Search(8, known_words=True)):
            rows = search.read(row, run.info)
            text = run.info.text([int(symbol) for symbol in rows[:, 0]])
            if search.known_words:
                assert set(text.split()) <= set(run.info.words)
    with pytest.raises(ConfigError, match="add --beam"):
        Search(1, known_words=True)


def test_refusals_are_one_line(home: Path, birnn, tmp_path: Path) -> None:
    run = home / "run"
    assert "no such file" in birnn("predict", run, tmp_path / "no.wav").refusal()
    assert "--input" in birnn("predict", run).refusal()
    (tmp_path / "x.wav").write_text("nothing")
    assert "not a readable sound" in birnn("predict", run, tmp_path / "x.wav").refusal()
    assert "text_column" in birnn("predict", run, "x.wav", "--text-column", "y").refusal()
    nothing = tmp_path / "void"
    nothing.mkdir()
    assert "holds no recording" in birnn("speech", nothing).refusal()
    assert "1, 2 or 4" in birnn("speech", home / "index.csv", "--subsampling", "3").refusal()
    with pytest.raises(DataError):
        python.load(run).predict([np.zeros(400, np.float32)])


def test_normalising_by_speaker_uses_all_of_the_speaker(home: Path) -> None:
    from birnn.tasks.speech.options import SpeechConfig
    from birnn.tasks.speech.task import Speech

    config: SpeechConfig = tiny("speech").labels(home)
    split = Speech(config).load().splits["train"]
    own = [
        i for i, row in enumerate(split.recordings) if row.speaker == split.recordings[0].speaker
    ]
    frames = np.concatenate([split.one(i) for i in own])
    mean, deviation = split.speakers
    np.testing.assert_allclose(mean[own[0]], frames.mean(0), rtol=1e-4)
    np.testing.assert_allclose(deviation[own[0]], frames.std(0), rtol=1e-4)
