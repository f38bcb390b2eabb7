"""Batches of a stream: shuffled in a buffer, of near lengths, and the same from any step on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain

import numpy as np

from birnn.arrays import Ints
from birnn.data.splits.batching import BucketSampler, Split, own_batch
from birnn.data.streaming.shards import Shard
from birnn.data.streaming.texts import Block, Row, TextStream
from birnn.data.wording import number_list
from birnn.errors import CheckpointError, DataError
from birnn.nn.batch import Batch
from birnn.progress import tell


@dataclass(frozen=True)
class Lot:
    """How the rows of a stream become batches."""

    buffer: int  # rows that are shuffled together
    batch_size: int
    batch_tokens: int
    seed: int
    views: int = 1
    epoch_batches: int = 1
    batches: int = 1  # of all epochs


@dataclass(frozen=True)
class Place:
    """Where the buffer under way begins, and how many of its batches are given out."""

    passes: int = 0  # over the stream, that are over
    shard: int = 0  # in the order of the pass
    row: int = 0  # of it, from 0
    buffers: int = 0  # of the pass, before this one
    given: int = 0
    total: int = 0  # batches, from the first on


@dataclass
class Buffer:
    """Rows in memory, their batches, and where the next buffer begins."""

    rows: list[tuple[str, Row]]  # each with the name of its shard
    split: Split
    plan: list[Ints]
    after: Place


class StreamBatches:
    """Batches of a stream of texts, as :class:`birnn.training.loop.Batches`.

    The shards are read in another seeded order each pass. Rows are taken up until the buffer is
    full, shuffled, sorted by length within 50 batches and cut as
    :class:`~birnn.data.splits.batching.BucketSampler` does, so that padding is that of texts in
    memory; then the buffer is filled anew. The first buffer of a pass is smaller by a random part,
    so that its neighbours change. Where it stands is a few numbers: to go on, the shard under way
    is read again up to there.
    """

    def __init__(
        self, stream: TextStream, lot: Lot, split: Callable[[Sequence[Row]], Split],
        labels: Sequence[str],
    ) -> None:  # fmt: skip
        self.stream, self.lot, self.split, self.labels = stream, lot, split, frozenset(labels)
        self.place = Place()
        self._buffer: Buffer | None = None
        self._last: list[tuple[str, Row]] = []
        self._ahead: tuple[tuple[int, ...], Iterator[Block]] = (), iter(())

    def steps(self, epoch: int) -> int:
        """How many batches ``epoch`` has."""
        left = self.lot.batches - epoch * self.lot.epoch_batches
        return max(0, min(self.lot.epoch_batches, left))

    def position(self) -> dict[str, int]:
        """Where it stands, for :meth:`go_to`."""
        return asdict(self.place)

    def go_to(self, position: Mapping[str, int]) -> None:
        """Go on from where :meth:`position` was asked for."""
        self.place, self._buffer = Place(**position), None

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of ``epoch``, from the one numbered ``start`` on.

        Of several processes, each reads the whole stream and has its own share of every batch.

        Raises:
            CheckpointError: the stream stands elsewhere.
            DataError: unusable rows, or a label that training doesn't know.
        """
        if self.place.total != epoch * self.lot.epoch_batches + start:
            raise CheckpointError("the snapshot says nothing of where the stream stood")
        for _ in range(self.steps(epoch) - start):
            buffer = self._buffer or self._filled()
            self._buffer = buffer
            indices = buffer.plan[self.place.given]
            self._last = [buffer.rows[int(item)] for item in indices]
            batch = own_batch(buffer.split, indices, self.lot.views)
            self.place = replace(self.place, given=self.place.given + 1, total=self.place.total + 1)
            if self.place.given == len(buffer.plan):
                self.place = replace(buffer.after, total=self.place.total)
                self._buffer = None
            del buffer
            yield batch

    def last(self) -> str:
        """Where the rows of the last batch stand."""
        shards: dict[str, list[int]] = {}
        for name, row in self._last:
            shards.setdefault(name, []).append(row.row)
        return "; ".join(f"rows {number_list(rows)} of {name}" for name, rows in shards.items())

    def _filled(self) -> Buffer:
        """The buffer that begins where this stands."""
        tell("filling the buffer")
        place = self.place
        rows, after = self._rows(place)
        while not rows:
            if not place.shard and not place.row:
                raise DataError(f"{self.stream.source.name}: no row is left to train on")
            place = Place(place.passes + 1, total=place.total)
            rows, after = self._rows(place)
        # An empty end of a pass has no batches: the place is that of the pass that follows.
        self.place = replace(place, given=self.place.given)
        split, lot = self.split([row for _, row in rows]), self.lot
        sampler = BucketSampler(split, lot.batch_size, lot.batch_tokens, lot.seed)
        generator = np.random.default_rng([lot.seed, 1 + place.passes, place.buffers])
        return Buffer(rows, split, sampler.one_pass(generator, split.lengths), after)

    def _rows(self, place: Place) -> tuple[list[tuple[str, Row]], Place]:
        """The rows of the buffer that begins at ``place``, and where the next one begins."""
        shards, lot = self.stream.train, self.lot
        generator = np.random.default_rng([lot.seed, 0, place.passes])
        order = generator.permutation(len(shards))
        size = lot.buffer
        if not place.buffers:
            size -= int(generator.integers(0, max(1, size // 2)))
        rows: list[tuple[str, Row]] = []
        start = place.row
        for number in range(place.shard, len(order)):
            shard = shards[order[number]]
            blocks = self._blocks(shard, place.passes, number, start)
            for block in blocks:
                self._check(shard.name, block.rows)
                room = size - len(rows)
                rows += [(shard.name, row) for row in block.rows[:room]]
                if len(block.rows) >= room:  # full: the next begins after the last row that is in
                    end = block.rows[room - 1].row
                    rest = Block(block.rows[room:], block.end)
                    self._ahead = (place.passes, number, end), chain([rest], blocks)
                    return rows, Place(place.passes, number, end, place.buffers + 1)
            start = 0
        return rows, Place(place.passes + 1)

    def _blocks(self, shard: Shard, passes: int, number: int, start: int) -> Iterator[Block]:
        """The rows of a shard from one on: those that come next where they are being read."""
        at, blocks = self._ahead
        self._ahead = (), iter(())
        if at == (passes, number, start) and start:
            return blocks
        return self.stream.training(shard, start)

    def _check(self, name: str, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.label not in self.labels:
                known = ", ".join(map(repr, sorted(self.labels)[:10]))
                what = f"the label {row.label!r} was not met before training ({known})"
                mend = "count all of train (--vocabulary-sample 0), or leave such rows out"
                raise DataError(f"{name} row {row.row}: {what}; {mend}")
