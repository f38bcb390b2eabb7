"""Streams: counts that spill, shards of any format, splits without leaks, whole buffers."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.data.splits.batching import BucketSampler
from birnn.data.splits.provenance import normalise
from birnn.data.streaming import shards as shards_of
from birnn.data.streaming.batches import Lot, StreamBatches
from birnn.data.streaming.counting import SpilledCounter
from birnn.data.streaming.loading import read_vocabulary
from birnn.data.streaming.shards import open_source
from birnn.data.streaming.texts import TextStream, look
from birnn.data.tables import csv_file, json_lines
from birnn.data.tables.dialect import ReadOptions
from birnn.data.text.options import TextOptions
from birnn.errors import CheckpointError, ConfigError, DataError
from birnn.nn.batch import Batch

from writers import SHARD_ROWS, write_shards

WORD = st.text('abé\t\n"\\\ud800 ', min_size=1, max_size=2)


@given(st.lists(st.lists(WORD, max_size=6), max_size=30), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_spilled_counts_are_those_of_a_counter(parts, most) -> None:
    counter = SpilledCounter(most)
    try:
        for part in parts:
            counter.add(part)
        wanted = Counter(word for part in parts for word in part)
        assert list(counter.counts()) == sorted(wanted.items())
        frequent = sorted(wanted, key=lambda word: (-wanted[word], word))
        assert counter.most_frequent(4, 2) == [w for w in frequent if wanted[w] >= 2][:4]
    finally:
        counter.close()


def test_many_spilled_parts_are_merged(monkeypatch) -> None:
    monkeypatch.setattr("birnn.data.streaming.counting.FAN", 3)
    counter = SpilledCounter(2)
    words = [f"w{i % 7}" for i in range(100)]
    for word in words:
        counter.add([word])
    assert dict(counter.counts()) == Counter(words)
    assert len(list(counter._held.path.iterdir())) <= 3
    counter.close()
    assert not counter._held.path.exists()


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    """Tables of few rows, and every file a large one."""
    monkeypatch.setattr(shards_of, "ROWS", 37)
    for module in (csv_file, json_lines):
        monkeypatch.setattr(module, "IN_MEMORY", 0)


def stream_of(source: Path | str, held_out: int = 1000, **more) -> TextStream:
    options = TextOptions(str(source), **more)
    return TextStream(open_source(options.data, options.read), options, held_out)


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_shards_are_read_from_any_row_on(kind, tmp_path) -> None:
    stream = stream_of(write_shards(tmp_path / "shards", kind))
    texts = []
    for shard in stream.train:
        whole = [row for block in stream.blocks(shard) for row in block.rows]
        texts += [(row.text, row.label) for row in whole]
        for start in (0, 1, 36, 37, 100, len(whole) - 1, len(whole)):
            rest = [row for block in stream.blocks(shard, start) for row in block.rows]
            assert rest == whole[start:]
    assert sorted(texts) == sorted(SHARD_ROWS)


def test_a_file_a_pattern_and_the_hub_are_streamed(tmp_path) -> None:
    folder = write_shards(tmp_path / "shards", "parquet")
    pattern = open_source(f"{folder}/part-[01].parquet", ReadOptions())
    names = [Path(shard.name).name for shard in pattern.splits["train"]]
    assert names == ["part-0.parquet", "part-1.parquet"]
    file = open_source(str(folder / "part-2.parquet"), ReadOptions())
    assert [shard.rows for shard in file.splits["train"]] == [133]
    hub = shards_of._of_hub(str(folder))
    stream = TextStream(hub, TextOptions(str(folder)), 1000)
    rows = [row for shard in stream.train for block in stream.blocks(shard) for row in block.rows]
    assert sorted((row.text, row.label) for row in rows) == sorted(SHARD_ROWS)
    (tmp_path / "shards" / "more.csv").write_text("text,label\na,b\n")
    with pytest.raises(DataError, match="one format"):
        open_source(str(folder), ReadOptions())
    with pytest.raises(DataError, match="no such file"):
        open_source(str(tmp_path / "none"), ReadOptions())


def test_twins_stay_in_one_split(tmp_path) -> None:
    twins = [*SHARD_ROWS, *((text.upper() + " ", label) for text, label in SHARD_ROWS)]
    stream = stream_of(write_shards(tmp_path / "shards", "parquet", rows=twins))
    found = look(stream, 10_000)
    sets = {name: {normalise(row.text) for row in rows} for name, rows in found.splits.items()}
    assert found.whole
    assert sum(map(len, found.splits.values())) == len(twins)
    assert sum(map(len, sets.values())) == len(SHARD_ROWS)
    assert 20 < len(sets["validation"]) < 60
    other = look(stream_of(tmp_path / "shards", split_seed=1), 10_000)
    assert other.splits["test"] != found.splits["test"]


def test_texts_of_given_splits_are_not_trained_on(tmp_path) -> None:
    folder = write_shards(tmp_path / "shards", "jsonl")
    for split in ("test", "validation"):
        lines = [json.dumps({"text": t, "label": y}) for t, y in SHARD_ROWS[10:20]]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    stream = stream_of(folder)
    found = look(stream, 10_000)
    assert stream.shares == {}
    assert len(found.splits["test"]) == 10
    assert len(found.splits["train"]) == len(SHARD_ROWS) - 10
    with pytest.raises(DataError, match="more than 5 rows"):
        look(stream_of(folder), 10, most=5)


def test_few_are_held_out_and_looking_ends_soon(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("birnn.data.streaming.texts.SOON", 200)
    stream = stream_of(write_shards(tmp_path / "shards", "parquet"), held_out=10)
    assert stream.shares["test"] == 0.05
    found = look(stream, 20)
    assert {len(found.splits[name]) for name in ("validation", "test")} <= set(range(1, 11))
    assert len(found.splits["train"]) == 20


class Lengths:
    """A split of rows as word counts."""

    def __init__(self, rows) -> None:
        self.rows = rows
        self.lengths = np.array([len(row.text.split()) for row in rows])

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices) -> Batch:
        """The lengths and numbers of some."""
        return Batch({}, torch.from_numpy(self.lengths[indices]), torch.from_numpy(indices))


def batches_of(stream: TextStream, buffer: int, batches: int = 60, seed: int = 0) -> StreamBatches:
    lot = Lot(buffer, 8, 200, seed, 1, 20, batches)
    return StreamBatches(stream, lot, Lengths, ["good", "bad"])


def given_out(stream: StreamBatches, epochs: int = 3) -> list[list[str]]:
    texts = []
    for epoch in range(epochs):
        for _ in stream.epoch(epoch):
            texts.append([row.text for _, row in stream._last])
    return texts


@pytest.mark.parametrize("buffer", [3, 50, 150, 10_000])
def test_a_pass_has_every_text_once(buffer, tmp_path) -> None:
    stream = stream_of(write_shards(tmp_path / "shards", "parquet"))
    train = sorted(row.text for s in stream.train for b in stream.training(s) for row in b.rows)
    made, texts = batches_of(stream, buffer), list[str]()
    made.lot = Lot(buffer, 8, 200, 0, 1, 1000, 1000)
    for _ in made.epoch(0):
        texts += [row.text for _, row in made._last]
        if len(texts) > 2 * len(train):
            break
    first, second = texts[: len(train)], texts[len(train) : 2 * len(train)]
    assert sorted(first) == train
    assert sorted(second) == train
    assert first != second


@pytest.mark.parametrize("buffer", [50, 150])
def test_a_stream_goes_on_from_any_batch(buffer, tmp_path) -> None:
    folder = write_shards(tmp_path / "shards", "parquet")
    whole = given_out(batches_of(stream_of(folder), buffer))
    assert len(whole) == 60
    assert given_out(batches_of(stream_of(folder), buffer, seed=1)) != whole
    first = batches_of(stream_of(folder), buffer)
    for at, _ in enumerate(first.epoch(0), 1):
        later = batches_of(stream_of(folder), buffer)
        later.go_to(json.loads(json.dumps(first.position())))
        rest = [[row.text for _, row in later._last] for _ in later.epoch(0, at)]
        assert rest == whole[at:20]
    with pytest.raises(CheckpointError):
        next(iter(batches_of(stream_of(folder), buffer).epoch(1)))


def padding(batches) -> float:
    cells = sum(len(lengths) * int(lengths.max()) for lengths in batches)
    return 1 - sum(int(lengths.sum()) for lengths in batches) / cells


def test_padding_is_that_of_texts_in_memory(tmp_path) -> None:
    stream = stream_of(write_shards(tmp_path / "shards", "parquet"))
    rows = [row for s in stream.train for b in stream.training(s) for row in b.rows]
    held = Lengths(rows)
    sampler = BucketSampler(held, 8, 200, 0)
    wanted = padding([batch.lengths for batch in sampler.epoch(0)])
    made = padding([batch.lengths for batch in batches_of(stream, 10_000).epoch(0)])
    assert made < wanted + 0.05


def test_an_unseen_label_names_its_row(tmp_path) -> None:
    rows = [*SHARD_ROWS, ("a very odd film", "odd")]
    folder = write_shards(tmp_path / "shards", "csv", 1, rows)
    with pytest.raises(DataError, match="row 401: the label 'odd'"):
        given_out(batches_of(stream_of(folder), 10_000))


def test_a_vocabulary_is_read_from_a_file_or_a_run(tmp_path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\ufeffgood\n\nbad \ngood\n")
    assert read_vocabulary(str(path)) == ["good", "bad"]
    run = tmp_path / "run"
    run.mkdir()
    (run / "vocabulary.json").write_text('{"words": ["<pad>", "<unk>", "x"]}')
    assert read_vocabulary(str(run))[-1] == "x"
    for bad in ('{"words": [1]}', "[]"):
        (run / "vocabulary.json").write_text(bad)
        with pytest.raises(ConfigError):
            read_vocabulary(str(run))
    path.write_text("\n")
    for name in (path, tmp_path / "none"):
        with pytest.raises(ConfigError):
            read_vocabulary(str(name))
