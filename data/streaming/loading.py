"""What is known of a stream before it is trained on: held-out splits, a sample, words, labels."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from birnn import processes
from birnn.data.splits.cutting import check_unseen
from birnn.data.splits.provenance import describe
from birnn.data.streaming.counting import SpilledCounter
from birnn.data.streaming.options import StreamOptions
from birnn.data.streaming.shards import open_source
from birnn.data.streaming.texts import Found, TextStream, all_tokens, as_table, look
from birnn.data.tables.csv_check import text_lines
from birnn.data.tables.hugging_face import library
from birnn.data.text.choosing import describe_columns
from birnn.data.text.labelled import LabelledText
from birnn.data.text.options import TextOptions
from birnn.data.text.tokenizers import PAD, UNKNOWN
from birnn.data.wording import plural
from birnn.errors import BirnnError, ConfigError, DataError
from birnn.progress import tell
from birnn.storage.files import read_json, write_json

SAMPLE = 20_000  # texts of train on which what does not stream is fitted
HELD = 1_000_000  # rows of a split that has files of its own, at most


@dataclass(frozen=True)
class Words:
    """How texts become words."""

    tokenizer: str
    split: Callable[[str], list[str]]
    max_length: int
    min_frequency: int

    def of(self, texts: Sequence[str]) -> Any:
        """The tokens of texts, as far as they are read."""
        return all_tokens(texts, lambda text: (self.split(text) or [UNKNOWN])[: self.max_length])


@dataclass(frozen=True)
class StreamedText(LabelledText):
    """As :class:`LabelledText`, with train a sample of the stream."""

    stream: Any = None  # a TextStream
    words: Sequence[str] = ()  # padding and the unknown word first
    labels: Sequence[str] = ()

    def identity(self) -> list[str]:
        """What tells the stream from another."""
        return [*self.stream.identity(), *map(str, sorted(self.stream.shares.items()))]


@dataclass(frozen=True)
class Counted:
    """Words and labels of train, and where they are from."""

    words: list[str]  # of the vocabulary, the most frequent first
    labels: dict[str, int]
    note: str
    rows: int = 0  # of train, where all were read
    left_out: dict[str, int] | None = None


def open_stream(options: TextOptions, stream: StreamOptions) -> TextStream:
    """The texts of a source that is too large to be held.

    Raises:
        DataError: nothing is there, or in no format that can be streamed.
    """
    return TextStream(open_source(options.data, options.read), options, stream.held_out)


def load_streamed(options: TextOptions, given: StreamOptions, words: Words) -> StreamedText:
    """Validation, test and a sample of train, and the words and labels of train.

    Raises:
        DataError: unusable data.
        ConfigError: a vocabulary that is none.
    """
    stream = open_stream(options, given)
    known = read_vocabulary(given.vocabulary) if given.vocabulary else None
    counter = SpilledCounter()
    try:
        tell("reading from all shards")
        sample = 0 if known is not None else given.vocabulary_sample
        found = look(
            stream, SAMPLE, sample, lambda texts: counter.add(words.of(texts)), most=HELD
        )  # fmt: skip
        counted = _counted(stream, given, words, found, known, counter)
    finally:
        counter.close()
    return _described(stream, given, found, counted)


def _counted(
    stream: TextStream, given: StreamOptions, words: Words, found: Found,
    known: list[str] | None, counter: SpilledCounter,
) -> Counted:  # fmt: skip
    """The words and labels: given, of a sample, or of all of train."""
    trained = found.labels.total()
    if known is not None:
        note = f"vocabulary: {plural(len(known), 'word')} of {given.vocabulary}"
        return Counted(known, dict(found.labels), note)
    if given.vocabulary_sample:
        own = counter.most_frequent(given.vocabulary_size, words.min_frequency)
        texts = plural(min(given.vocabulary_sample, trained), "text")
        note = f"vocabulary: {plural(len(own), 'word')}, counted in a sample of {texts} of train"
        return Counted(own, dict(found.labels), note)
    return processes.from_main(lambda: count_all(stream, given, words))


def count_all(stream: TextStream, given: StreamOptions, words: Words) -> Counted:
    """Count the words and labels of all of train, in one pass; remembered for these files."""
    place = _remembered(stream, given, words)
    if place is not None and place.is_file():
        try:
            kept = read_json(place)
            return Counted(**kept)
        except (BirnnError, TypeError, KeyError):
            place.unlink(missing_ok=True)  # counted anew
    stream.left_out.clear()
    counter, labels, rows = SpilledCounter(), Counter[str](), 0
    try:
        for number, shard in enumerate(stream.train):
            for block in stream.training(shard):
                counter.add(words.of([row.text for row in block.rows]))
                labels.update(row.label for row in block.rows)
                rows += len(block.rows)
                within = block.end / shard.rows if shard.rows else 0.0
                tell("counting words", (number + within) / len(stream.train))
        own = counter.most_frequent(given.vocabulary_size, words.min_frequency)
    finally:
        counter.close()
    note = f"vocabulary: {plural(len(own), 'word')}, counted in all {plural(rows, 'text')} of train"
    counted = Counted(own, dict(labels), note, rows, dict(stream.left_out))
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_json(place, asdict(counted))
    return counted


def _remembered(stream: TextStream, given: StreamOptions, words: Words) -> Path | None:
    """Where the counts of these very files are kept; None of what is not on this machine."""
    files = [Path(shard.name) for shard in stream.train]
    if not all(path.is_file() for path in files):
        return None
    stamps = [f"{path.resolve()} {path.stat().st_mtime_ns}" for path in files]
    how = [words.tokenizer, words.max_length, words.min_frequency, given.vocabulary_size]
    asked = [stream.identity(), stamps, how, sorted(stream.shares.items())]
    rest = [stream.options.split_seed, stream.columns.to_json(), str(stream.options.read)]
    key = json.dumps([*asked, *rest, len(stream.other), sum(stream.other) % 2**64])
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    return Path(library().config.HF_DATASETS_CACHE) / "birnn" / f"words-{digest}.json"


def _described(
    stream: TextStream, given: StreamOptions, found: Found, counted: Counted
) -> StreamedText:
    """The splits in memory and what is to be said of them."""
    name = stream.source.name
    labels = sorted(counted.labels)
    if len(labels) < 2:
        only = f"only one class in train ({labels[0]!r})" if labels else "no label in train"
        raise DataError(f"{name}: {only}; at least two are needed")
    kinds = {"train": [labels], **{n: [[r.label] for r in found.splits[n]]
                                   for n in ("validation", "test")}}  # fmt: skip
    check_unseen(kinds, lambda split, _, unseen, words: (
        f"{name}: {split} has {plural(unseen.total(), 'row')} whose label train never has: {words};"
        " add such rows to train or take them out"))  # fmt: skip
    cuts = [
        f"{split}: {plural(len(found.splits[split]), 'text')} by the hash of the text (share"
        f" {share:.2%} of all, split seed {stream.options.split_seed}); others of that hash are"
        " not trained on"
        for split, share in stream.shares.items()
    ]  # fmt: skip
    tables = {split: as_table(found.splits[split]) for split in ("train", "validation", "test")}
    shards = plural(len(stream.train), "shard")
    total = f"{counted.rows:,}" if counted.rows else f"about {stream.rows():,}"
    sampled = plural(len(found.splits["train"]), "text")
    notes = [
        *stream.source.notes, f"streaming: train is {total} texts in {shards}, read while they are"
        f" trained on; {describe_columns(stream.columns)}", *stream.columns.notes, counted.note,
        f"baselines, the linear part and what is told of train: a sample of {sampled}",
    ]  # fmt: skip
    left_out = counted.left_out if counted.left_out is not None else dict(stream.left_out)
    provenance, notes, warnings = describe(
        name, {split: table["text"][:] for split, table in tables.items()}, cuts, left_out,
        notes, "text", columns=stream.columns.to_json(),
        classes={n: dict(sorted(Counter(t["label"][:]).items())) for n, t in tables.items()},
        streaming={**asdict(given), "shards": len(stream.train), "rows": counted.rows or None,
                   "labels": counted.labels, "counted": counted.note},
    )  # fmt: skip
    words = [PAD, UNKNOWN, *(word for word in counted.words if word not in (PAD, UNKNOWN))]
    reading = {**stream.source.reading, "columns": stream.columns.to_json()}
    return StreamedText(tables, provenance, notes, [*stream.columns.warnings, *warnings], reading,
                        stream=stream, words=words, labels=labels)  # fmt: skip


def read_vocabulary(source: str) -> list[str]:
    """The words of a text file, one a line, or of a run.

    Raises:
        ConfigError: it holds none.
        DataError: it can't be read.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        kept = read_json(path / "vocabulary.json")
        words = kept.get("words") if isinstance(kept, dict) else None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ConfigError(f"vocabulary: {path} is no run with words")
    elif path.is_file():
        words = [line.strip() for line in text_lines(path, "utf-8-sig")]
    else:
        raise ConfigError(f"vocabulary: there is no file or run {source}")
    words = list(dict.fromkeys(word for word in words if word))
    if not words:
        raise ConfigError(f"vocabulary: {source} holds no word")
    return words
