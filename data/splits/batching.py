"""Which items share a batch: of near lengths, few enough, in a seeded order."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from birnn import processes
from birnn.arrays import Ints
from birnn.nn.batch import Batch


class Split(Protocol):
    """Items that can be made into batches."""

    @property
    def lengths(self) -> Ints:
        """``[N]``, each at least 1."""

    def __len__(self) -> int: ...

    def batch(self, indices: Ints) -> Batch:
        """The batch of the items at ``indices``, in that order."""


def pack(order: Ints, lengths: Ints, batch_size: int, batch_tokens: int) -> list[Ints]:
    """Cut ``order`` into runs of at most ``batch_size`` items and ``batch_tokens`` padded tokens.

    ``order`` has item numbers, near lengths beside each other; ``lengths [N]`` are of all items.

    Returns:
        Batches that together hold each item of ``order`` once. An item longer than
        ``batch_tokens`` goes alone.
    """
    if len(order) and lengths.min() == lengths.max():  # millions of windows take no loop
        size = max(1, min(batch_size, batch_tokens // int(lengths[0])))
        return [order[start : start + size] for start in range(0, len(order), size)]
    batches: list[Ints] = []
    start = longest = 0
    for position, item in enumerate(order):
        widest = max(longest, int(lengths[item]))
        size = position - start + 1
        if position > start and (size > batch_size or size * widest > batch_tokens):
            batches.append(order[start:position])
            start, widest = position, int(lengths[item])
        longest = widest
    if len(order):
        batches.append(order[start:])
    return batches


def own_batch(split: Split, indices: Ints, views: int) -> Batch:
    """The items of a batch, or this process's share of them; without one, a batch that is none."""
    own = indices
    if processes.count() > 1:
        own = indices[shares(split.lengths[indices], processes.count())[processes.rank()]]
    batch = split.batch(np.tile(own if len(own) else indices[:1], views))
    return replace(batch, views=views, counts=len(own) > 0)


def shares(lengths: Ints, count: int) -> list[Ints]:
    """Divide a batch among ``count`` processes, so that the most padded tokens of one are least.

    Each has a run of near lengths, the first the longest; of few items some have none.

    Args:
        lengths: ``[B]`` of the batch's items.

    Returns:
        For each process, the places in the batch of its items, ascending; together, each once.
    """
    order = np.argsort(-lengths, kind="stable")
    longest = lengths[order].tolist()
    low, high = max(longest[0], -(-int(lengths.sum()) // count)), longest[0] * len(longest)
    while low < high:
        middle = (low + high) // 2
        if _cuts(longest, middle)[count:]:
            low = middle + 1
        else:
            high = middle
    cuts = np.cumsum(_cuts(longest, low))
    return [np.sort(part) for part in (*np.split(order, cuts[:-1]), *[order[:0]] * count)][:count]


def _cuts(longest: list[int], most: int) -> list[int]:
    """How many items each run of a falling list has, padded to at most so many tokens."""
    sizes, start = list[int](), 0
    while start < len(longest):
        sizes.append(min(most // longest[start], len(longest) - start))
        start += sizes[-1]
    return sizes


def by_length(lengths: Sequence[int] | Ints, batch_size: int, batch_tokens: int) -> list[Ints]:
    """Batches for prediction: longest first, so that a lack of memory shows at once."""
    array = np.asarray(lengths, dtype=np.int64)
    return pack(np.argsort(-array, kind="stable"), array, batch_size, batch_tokens)


class BucketSampler:
    """Training batches of near lengths, another seeded shuffle each epoch.

    Items are shuffled, sorted by length within chunks of ``chunk`` batches, packed, and the
    batches shuffled: padding stays small while an item's companions change.

    The order of an epoch depends on the seed and the epoch's number alone. With ``views`` above
    1, a batch holds its items that many times over, for losses that compare dropout views. With a
    ``limit``, an epoch has that many items at most, drawn anew for each. Where that is fewer than
    ``least`` batches, ``batch_size`` is halved, down to ``least_batch`` (0: not at all), and an
    epoch goes over its items as often as it takes.
    """

    def __init__(
        self, split: Split, batch_size: int, batch_tokens: int, seed: int, *, views: int = 1,
        chunk: int = 50, limit: int = 0, least: int = 1, least_batch: int = 0,
    ) -> None:  # fmt: skip
        self.split, self.seed, self.views = split, seed, views
        self.batch_size, self.batch_tokens = batch_size, batch_tokens
        self.chunk, self.limit, self.least = chunk, limit, least
        while least_batch and self.batch_size // 2 >= least_batch and self.batches() < least:
            self.batch_size //= 2

    def batches(self) -> int:
        """How many batches one pass over the items makes; it can differ a little by the epoch."""
        return len(self.one_pass(np.random.default_rng([self.seed, 0]), self.split.lengths))

    def plan(self, epoch: int) -> list[Ints]:
        """The item numbers of each batch of ``epoch``."""
        generator = np.random.default_rng([self.seed, epoch])
        lengths = self.split.lengths
        batches = self.one_pass(generator, lengths)
        while 0 < len(batches) < self.least:
            batches += self.one_pass(generator, lengths)
        return batches

    def one_pass(self, generator: np.random.Generator, lengths: Ints) -> list[Ints]:
        """One pass over the items, at most ``limit`` of them."""
        order = generator.permutation(len(lengths))[: self.limit or None]
        size = self.batch_size * self.chunk
        chunks = [order[i : i + size] for i in range(0, len(order), size)]
        near = (part[np.argsort(lengths[part], kind="stable")] for part in chunks)
        sizes = self.batch_size, self.batch_tokens
        batches = [batch for part in near for batch in pack(part, lengths, *sizes)]
        return [batches[i] for i in generator.permutation(len(batches))]

    def steps(self, epoch: int) -> int:
        """How many batches ``epoch`` has."""
        return len(self.plan(epoch))

    def epoch(self, epoch: int, start: int = 0) -> Iterable[Batch]:
        """The batches of ``epoch``, from the one numbered ``start`` on.

        Of several processes, each has its own share of every batch.
        """
        for indices in self.plan(epoch)[start:]:
            yield own_batch(self.split, indices, self.views)
