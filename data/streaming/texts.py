"""Labelled texts of a stream: cleaned as those in memory are, and split by what they say.

A text goes to train, validation or test by a hash of it without case and spacing: twins stay
together wherever they stand, and nothing has to be remembered.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from birnn.data.splits.cutting import SPLITS
from birnn.data.splits.provenance import normalise
from birnn.data.streaming.shards import Shard, Source
from birnn.data.tables.hugging_face import guarded
from birnn.data.text.choosing import Asked, Columns, choose_columns
from birnn.data.text.options import TextOptions
from birnn.data.text.rows import clean_rows
from birnn.data.text.splits import RawSplit
from birnn.errors import DataError

SOON = 1_000_000  # rows in which the texts that are held out should be found
AT_ONCE = 16  # shards that are read side by side, so that what is found first is of all of them


class Row(NamedTuple):
    """A usable row."""

    text: str
    label: str
    row: int  # in its shard, from 1


class Block(NamedTuple):
    """The usable rows of a table, and the row, from 0, after it."""

    rows: list[Row]
    end: int


@dataclass
class TextStream:
    """The rows of a source's splits, those of train without what is held out."""

    source: Source
    options: TextOptions
    held_out: int  # texts of a split that is cut, at most
    columns: Columns = field(init=False)
    shares: dict[str, float] = field(default_factory=dict)  # of the splits that are cut
    other: set[int] = field(default_factory=set)  # hashes of the splits that are given
    left_out: Counter[str] = field(default_factory=Counter)  # reason → rows, of one pass

    def __post_init__(self) -> None:
        if "train" not in self.source.splits:
            there = ", ".join(self.source.splits) or "none"
            raise DataError(f"{self.source.name} has no shard to train on; splits found: {there}")
        first = self.train[0]
        _, table = next(iter(first.read(0, ())), (0, None))
        if table is None:
            raise DataError(f"{first.name} holds no rows")
        options = self.options
        asked = Asked(options.text_columns, options.label_column, options.remembered)
        self.columns = choose_columns(table, asked, first.name)
        self.shares = {
            name: min(share, self.held_out / min(self.rows(), SOON))
            for name, share in options.shares.items() if name not in self.source.splits
        }  # fmt: skip

    @property
    def train(self) -> list[Shard]:
        """The shards of train, those of splits that are cut among them."""
        return self.source.splits["train"]

    def rows(self) -> int:
        """How many rows train has; where nobody knows, about so many."""
        known = [shard for shard in self.train if shard.rows is not None]
        count = sum(shard.rows or 0 for shard in known)
        if len(known) == len(self.train):
            return max(1, count)
        size = sum(shard.bytes for shard in known)
        whole = sum(shard.bytes for shard in self.train)
        return max(1, count * whole // size if size else SOON)

    def split_of(self, text: str) -> str:
        """The split that a text of train's shards belongs to; ``""`` for one of a given split."""
        number = hash_of(text, self.options.split_seed)
        if number in self.other:
            return ""
        at = number / 2**64
        for name, share in self.shares.items():
            if at < share:
                return name
            at -= share
        return "train"

    def blocks(self, shard: Shard, start: int = 0) -> Iterator[Block]:
        """The usable rows of a shard from row ``start`` on; counts what is left out.

        Raises:
            DataError: it can't be read, or has other columns than the first.
        """
        names = [*self.columns.texts, self.columns.label]
        for at, table in shard.read(start, names):
            if lacking := [name for name in names if name not in table.column_names]:
                what = f"there is no column {lacking[0]!r}, which other shards have"
                raise DataError(f"{shard.name}: {what}")
            numbers = range(at + 1, at + len(table) + 1)
            part = RawSplit(table, numbers, numbers)
            cleaned = guarded(shard.name, lambda part=part: clean_rows(part, self.columns))
            self.left_out.update(cleaned.counts)
            columns = (cleaned.table[name][:] for name in ("text", "label", "row"))
            yield Block([Row(*cells) for cells in zip(*columns, strict=True)], at + len(table))

    def training(self, shard: Shard, start: int = 0) -> Iterator[Block]:
        """The rows of a shard that are trained on."""
        for block in self.blocks(shard, start):
            kept = [row for row in block.rows if self.split_of(row.text) == "train"]
            self.left_out["held out"] += len(block.rows) - len(kept)
            yield Block(kept, block.end)

    def given(self, name: str, most: int) -> list[Row]:
        """The rows of a split that has shards of its own; train's twins of them are left out.

        Raises:
            DataError: it has more than ``most`` rows.
        """
        rows: list[Row] = []
        for shard in self.source.splits.get(name, ()):
            for block in self.blocks(shard):
                rows += block.rows
                if len(rows) > most:
                    what = f"{name} has more than {most:,} rows, which are held in memory"
                    raise DataError(f"{self.source.name}: {what}; give a part of them")
        self.other.update(hash_of(row.text, self.options.split_seed) for row in rows)
        return rows

    def side_by_side(self) -> Iterator[tuple[Shard, Block]]:
        """The blocks of all shards of train, some shards in turns, then the others."""
        most = AT_ONCE if all(shard.bytes for shard in self.train) else AT_ONCE // 4  # of the Hub
        step = max(1, -(-len(self.train) // most))
        first = self.train[::step]
        readers = {shard.name: (shard, self.blocks(shard)) for shard in first}
        while readers:
            for name, (shard, blocks) in list(readers.items()):
                block = next(blocks, None)
                if block is None:
                    del readers[name]
                else:
                    yield shard, block
        for shard in self.train:
            if shard not in first:
                yield from ((shard, block) for block in self.blocks(shard))

    def identity(self) -> list[str]:
        """What tells the shards from others."""
        return [part.identity for name in SPLITS for part in self.source.splits.get(name, ())]


def hash_of(text: str, seed: int = 0) -> int:
    """64 bits that a text shares with its twins."""
    plain, salt = normalise(text).encode("utf-8", "surrogatepass"), seed.to_bytes(8, "little")
    return int.from_bytes(hashlib.blake2b(plain, digest_size=8, salt=salt).digest(), "little")


@dataclass
class Found:
    """What was read before training: the held-out splits, a sample of train, and its labels."""

    splits: dict[str, list[Row]]
    labels: Counter[str]  # of the rows of train that were read
    read: int  # rows of train's shards
    whole: bool  # whether these are all
    words: Any = None  # a counter of the words of train's first texts


def look(
    stream: TextStream, sample: int, counted: int = 0, count: Any = None, most: int = 1_000_000
) -> Found:  # fmt: skip
    """Read from all shards side by side until the splits that are cut and the sample are full.

    Args:
        sample: rows of train that are kept.
        counted: rows of train whose texts ``count`` is called with, a block at a time.
        most: rows of a split that is given.

    Raises:
        DataError: unusable rows, or none for a split.
    """
    splits = {name: stream.given(name, most) for name in ("validation", "test")}
    labels, read, trained, sampled = Counter[str](), 0, 0, list[Row]()
    whole = True
    for _, block in stream.side_by_side():
        parts: dict[str, list[Row]] = {"train": [], "validation": [], "test": []}
        for row in block.rows:
            if name := stream.split_of(row.text):
                parts[name].append(row)
        read += len(block.rows)
        for name in stream.shares:
            splits[name] += parts[name][: stream.held_out - len(splits[name])]
        labels.update(row.label for row in parts["train"])
        sampled += parts["train"][: sample - len(sampled)]
        if trained < counted:
            count([row.text for row in parts["train"][: counted - trained]])
        trained += len(parts["train"])
        full = all(len(splits[name]) >= stream.held_out for name in stream.shares)
        if full and len(sampled) >= sample and trained >= counted and read >= sample:
            whole = False
            break
    for name, rows in {"train": sampled, **splits}.items():
        if not rows:
            raise DataError(f"{stream.source.name}: no row for {name} was found in {read:,} rows")
    return Found({"train": sampled, **splits}, labels, read, whole)


def as_table(rows: Sequence[Row]) -> Any:
    """Rows as the tables of texts are that lie in memory."""
    from datasets import Dataset

    columns: Mapping[str, list[Any]] = {
        name: list(cells) for name, cells in zip(Row._fields, zip(*rows, strict=True), strict=True)
    }
    return Dataset.from_dict(dict(columns))


def all_tokens(texts: Sequence[str], split: Any) -> Iterator[str]:
    """The tokens of texts, one after the other."""
    return chain.from_iterable(map(split, texts))
