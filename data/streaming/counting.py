"""Exact counts of more words than fit in memory: sorted parts on the disk, merged at the end."""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from birnn.storage.scratch import scratch_folder

MOST = 2_000_000  # distinct words in memory: some 250 MB
FAN = 64  # parts that are merged at once, each an open file


class SpilledCounter:
    """Counts words; whenever there are ``most`` distinct ones, they are put aside on the disk."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._counts: Counter[str] = Counter()
        self._parts: list[Path] = []
        self._made = 0
        self._held = scratch_folder()

    def close(self) -> None:
        """Remove what is on the disk."""
        self._held.close()

    def add(self, words: Iterable[str]) -> None:
        """Count some words."""
        self._counts.update(words)
        if len(self._counts) >= self.most:
            self._spill()

    def _spill(self) -> None:
        self._write(sorted(self._counts.items()))
        self._counts.clear()
        if len(self._parts) >= FAN:
            parts, self._parts = self._parts, []
            self._write(_merged(parts))
            for part in parts:
                part.unlink()

    def _write(self, pairs: Iterable[tuple[str, int]]) -> None:
        path = self._held.path / str(self._made)
        self._made += 1
        with path.open("w", encoding="ascii") as file:
            file.writelines(f"{json.dumps(pair)}\n" for pair in pairs)
        self._parts.append(path)

    def counts(self) -> Iterator[tuple[str, int]]:
        """Each word and its count, by the alphabet."""
        yield from _summed(_read(self._parts), iter(sorted(self._counts.items())))

    def most_frequent(self, size: int, least: int) -> list[str]:
        """At most ``size`` words that were met ``least`` times, by falling count, then alphabet."""
        known = ((-count, word) for word, count in self.counts() if count >= least)
        return [word for _, word in heapq.nsmallest(size, known)]


def _merged(parts: Iterable[Path]) -> Iterator[tuple[str, int]]:
    yield from _summed(_read(parts))


def _read(parts: Iterable[Path]) -> list[Iterator[tuple[str, int]]]:
    return [_pairs(path) for path in parts]


def _pairs(path: Path) -> Iterator[tuple[str, int]]:
    with path.open(encoding="ascii") as file:
        for line in file:
            word, count = json.loads(line)
            yield word, count


def _summed(
    lists: list[Iterator[tuple[str, int]]], *more: Iterator[tuple[str, int]]
) -> Iterator[tuple[str, int]]:
    merged = heapq.merge(*lists, *more, key=itemgetter(0))
    for word, same in groupby(merged, key=itemgetter(0)):
        yield word, sum(count for _, count in same)
