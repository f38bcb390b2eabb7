"""A sentiment run on a stream: trained, stopped, gone on with, scored, and used as any other."""

import json
from pathlib import Path

import pytest

from birnn.cli import main
from birnn.data.streaming import batches
from birnn.terminal.signals import stop

from writers import TINY, write_shards

at = TINY.index("--epochs")
SMALL = [*TINY[:at], *TINY[at + 2 :]]  # a stream has steps
STREAM = [
    "--streaming", *SMALL, "--steps", "24", "--validate-every", "10", "--shuffle-buffer", "90",
    "--checkpoint-epochs", "1",
]  # fmt: skip


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    return write_shards(tmp_path_factory.mktemp("data") / "shards", "parquet")


@pytest.fixture(scope="module")
def run(shards, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("made") / "run"
    assert main(list(map(str, ["sentiment", shards, *STREAM, "--out", out]))) == 0
    return out


def weights(run: Path) -> bytes:
    return (run / "model.safetensors").read_bytes()


def test_a_streamed_run_is_a_run(run, birnn, tmp_path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    told = metrics["data"]["streaming"]
    assert told["shards"] == 3
    assert told["rows"] == metrics["data"]["rows"]["train"]
    assert len((run / "history.csv").read_text().splitlines()) == 4
    assert "counted in all" in told["counted"]
    assert any("hash of the text" in cut for cut in metrics["data"]["splits"])
    scored = birnn("evaluate", run, "--json")
    assert scored.code == 0, scored
    again = json.loads(scored.out)["test"]["model"]["accuracy"]["value"]
    assert again == metrics["test"]["model"]["accuracy"]["value"]
    assert birnn("predict", run, "a lovely film").code == 0


def test_a_stopped_one_ends_with_the_same_weights(run, shards, birnn, tmp_path, monkeypatch):
    real, asked = batches.StreamBatches.epoch, []

    def epoch(self, number, start=0):
        for batch in real(self, number, start):
            asked.append(batch)
            if len(asked) in (7, 15):
                stop.asked = True
            yield batch

    monkeypatch.setattr(batches.StreamBatches, "epoch", epoch)
    out = tmp_path / "run"
    assert birnn("sentiment", shards, *STREAM, "--out", out).code == 130
    assert birnn("sentiment", "--resume", out).code == 130
    done = birnn("sentiment", "--resume", out)
    assert done.code == 0, done
    assert len(asked) == 24
    assert weights(out) == weights(run)


def test_words_are_given_or_of_a_sample(run, shards, birnn, tmp_path) -> None:
    for option, said in ((["--vocabulary", run], "of "), (["--vocabulary-sample", "40"], "sample")):
        out = tmp_path / said.strip()
        done = birnn("sentiment", shards, *STREAM, "--steps", "3", *option, "--out", out)
        assert done.code == 0, done
        told = json.loads((out / "metrics.json").read_text())["data"]["streaming"]["counted"]
        assert said in told
    words = [json.loads((part / "vocabulary.json").read_text())["words"]
             for part in (run, tmp_path / "of")]  # fmt: skip
    assert words[0] == words[1]


@pytest.mark.parametrize(
    ("option", "said"),
    [("--class-weights balanced", "class_weights"), ("--split-column x", "split_column"),
     ("--folds 3", "folds"), ("--epochs 5", "--steps")],
)  # fmt: skip
def test_what_a_stream_cant_do_is_refused(option, said, shards, birnn, tmp_path) -> None:
    line = birnn("sentiment", shards, *STREAM, *option.split(), "--out", tmp_path / "x").refusal()
    assert said in line


def test_a_stream_needs_files(birnn) -> None:
    assert "name the files to stream with --data" in birnn("sentiment", "--streaming").refusal()


def test_other_shards_are_not_gone_on_with(birnn, tmp_path, monkeypatch) -> None:
    folder, out = write_shards(tmp_path / "shards", "csv"), tmp_path / "run"
    real = batches.StreamBatches.epoch

    def epoch(self, number, start=0):
        for batch in real(self, number, start):
            stop.asked = True
            yield batch

    monkeypatch.setattr(batches.StreamBatches, "epoch", epoch)
    assert birnn("sentiment", folder, *STREAM, "--out", out).code == 130
    with (folder / "part-1.csv").open("a") as file:
        file.write('"one more text";good\n')
    assert "the data has changed" in birnn("sentiment", "--resume", out).refusal()


def test_options_of_streams_are_for_streams(shards, birnn, tmp_path) -> None:
    line = birnn("sentiment", shards, "--steps", "20", "--out", tmp_path / "x").refusal()
    assert "steps: it is for streams; add --streaming" in line
